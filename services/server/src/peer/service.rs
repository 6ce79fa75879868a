//! The peers' gRPC service: exchange, snapshots, history, join.

use super::{MESSAGE_BYTES_MAX, Myself, Replica, exchange};
use crate::grpc::principal::Caller;
use berth_domain::id::MemberId;
use berth_proto::peer::v1::peer_server::{Peer, PeerServer};
use berth_proto::peer::v1::*;
use berth_raft::log_store::SnapshotMeta;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use std::sync::Arc;
use tonic::{Request, Response, Status, Streaming};

/// One per listener; clones share the replica.
#[derive(Clone)]
pub struct PeerService {
    myself: Myself,
    replica: Arc<dyn Replica>,
}

/// Event groups of one message: far below the message limit even at the longest reasons.
const HISTORY_GROUPS_PER_PART: usize = 512;

// === impl PeerService ===

impl PeerService {
    /// Over this replica, with its limits.
    pub fn server(myself: Myself, replica: Arc<dyn Replica>) -> PeerServer<Self> {
        PeerServer::new(Self { myself, replica })
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX)
    }

    fn same_cluster(&self, cluster_id: &str) -> Result<(), Status> {
        let ours = &self.myself.cluster_id;
        if cluster_id == ours {
            return Ok(());
        }
        let message = format!("cluster {cluster_id:?} asks, but this is cluster {ours:?}");
        Err(Status::permission_denied(message))
    }
}

fn certificate_name<T>(request: &Request<T>) -> String {
    let caller = request.extensions().get::<Caller>();
    caller
        .map(|caller| caller.name.to_string())
        .unwrap_or_default()
}

#[tonic::async_trait]
impl Peer for PeerService {
    async fn exchange(
        &self,
        request: Request<Streaming<Frame>>,
    ) -> Result<Response<ExchangeEnd>, Status> {
        let certificate = certificate_name(&request);
        let frames = request.into_inner();
        exchange::receive(&self.myself, &*self.replica, &certificate, frames)
            .await
            .map(Response::new)
    }

    type FetchSnapshotStream = BoxStream<'static, Result<SnapshotPart, Status>>;

    async fn fetch_snapshot(
        &self,
        request: Request<FetchSnapshotRequest>,
    ) -> Result<Response<Self::FetchSnapshotStream>, Status> {
        let request = request.into_inner();
        self.same_cluster(&request.cluster_id)?;
        let meta = self.replica.snapshot(request.index).await?;
        let (to, index, chunks) = (MemberId(request.from), meta.index, meta.chunks);
        let first = first_chunk(&request, &meta)?;
        let mut head = Some(head(meta));
        let replica = Arc::clone(&self.replica);
        let parts = stream::iter(first..chunks).then(move |number| {
            let replica = Arc::clone(&replica);
            let head = head.take();
            async move {
                let chunk = replica.snapshot_chunk(to, index, number).await?;
                let crc = Some(crc32c::crc32c(&chunk));
                Ok(SnapshotPart {
                    head,
                    number,
                    chunk,
                    crc,
                })
            }
        });
        Ok(Response::new(parts.boxed()))
    }

    type FetchHistoryStream = BoxStream<'static, Result<HistoryPart, Status>>;

    async fn fetch_history(
        &self,
        request: Request<FetchHistoryRequest>,
    ) -> Result<Response<Self::FetchHistoryStream>, Status> {
        let request = request.into_inner();
        self.same_cluster(&request.cluster_id)?;
        let (replica, until) = (Arc::clone(&self.replica), request.until_revision);
        let parts = stream::try_unfold(request.after_revision, move |after| {
            let replica = Arc::clone(&replica);
            async move {
                let groups = replica.history(after, until).await?;
                Ok::<_, Status>(
                    groups
                        .last()
                        .map(|(last, _)| *last)
                        .map(|last| (groups, last)),
                )
            }
        });
        let parts = parts.map_ok(|groups| {
            // A part names its first revision only: one that was skipped begins another.
            let parts: Vec<_> = groups
                .chunk_by(|(one, _), (next, _)| one + 1 == *next)
                .flat_map(|run| run.chunks(HISTORY_GROUPS_PER_PART))
                .map(part)
                .map(Ok)
                .collect();
            stream::iter(parts)
        });
        Ok(Response::new(parts.try_flatten().boxed()))
    }

    async fn join(&self, request: Request<JoinRequest>) -> Result<Response<JoinResponse>, Status> {
        let certificate = certificate_name(&request);
        let request = request.into_inner();
        if !certificate.is_empty() && certificate != request.name {
            let name = &request.name;
            let message = format!("the certificate is {certificate}'s, but {name} asks to join");
            return Err(Status::permission_denied(message));
        }
        self.replica.join(request).await.map(Response::new)
    }
}

/// Where a stream begins that goes on with a broken one: a newer snapshot has other chunks.
fn first_chunk(request: &FetchSnapshotRequest, meta: &SnapshotMeta) -> Result<u32, Status> {
    let first = request.first_chunk;
    if first > 0 && meta.index != request.index {
        let (wanted, newest) = (request.index, meta.index);
        let message = format!("the snapshot at {wanted} is gone, the newest is at {newest}");
        return Err(Status::not_found(message));
    }
    match first > meta.chunks {
        true => Err(Status::out_of_range(format!(
            "chunk {first} was asked for, but there are {}",
            meta.chunks
        ))),
        false => Ok(first),
    }
}

fn head(meta: SnapshotMeta) -> SnapshotHead {
    let SnapshotMeta {
        index,
        term,
        membership,
        chunks,
        crc,
    } = meta;
    SnapshotHead {
        index,
        term,
        chunks,
        crc,
        voters: membership.voters,
        learners: membership.learners,
        voters_outgoing: membership.voters_outgoing,
        learners_next: membership.learners_next,
        auto_leave: membership.auto_leave,
    }
}

fn part(groups: &[(u64, bytes::Bytes)]) -> HistoryPart {
    HistoryPart {
        first_revision: groups.first().map_or(0, |(revision, _)| *revision),
        groups: groups.iter().map(|(_, group)| group.clone()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: a stream goes on only in the very snapshot that it began in, and never beyond its end.
    #[test]
    fn a_stream_goes_on_in_the_same_snapshot_only() {
        let meta = SnapshotMeta {
            index: 15,
            chunks: 3,
            ..SnapshotMeta::default()
        };
        let asked = |index, first_chunk| {
            let request = FetchSnapshotRequest {
                index,
                first_chunk,
                ..FetchSnapshotRequest::default()
            };
            super::first_chunk(&request, &meta).map_err(|status| status.code())
        };
        assert_eq!(asked(15, 2), Ok(2));
        assert_eq!(asked(10, 0), Ok(0), "a new fetch takes the newest");
        assert_eq!(asked(10, 2), Err(tonic::Code::NotFound));
        assert_eq!(asked(15, 4), Err(tonic::Code::OutOfRange));
    }
}
