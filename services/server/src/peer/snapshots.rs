//! Fetches a snapshot from the member that offered it: called on a thread of its own by the raft driver.

use super::{Links, Myself, channel};
use crate::config::Certificates;
use berth_domain::id::{Endpoint, MemberId};
use berth_proto::peer::v1::peer_client::PeerClient;
use berth_proto::peer::v1::{FetchSnapshotRequest, SnapshotPart};
use berth_raft::driver::source::{FetchError, SnapshotSource};
use berth_raft::log_store::SnapshotMeta;
use bytes::Bytes;
use std::time::Duration;
use tokio::time::timeout;
use tonic::Streaming;

/// Over the links' address book.
pub struct PeerSnapshots {
    myself: Myself,
    certificates: Option<Certificates>,
    links: Links,
}

/// Why a snapshot did not come.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("member {0} has no known endpoint")]
    NoEndpoint(MemberId),
    #[error("member {member} offered the snapshot at {offered}, but gave that at {given}")]
    Other {
        member: MemberId,
        offered: u64,
        given: u64,
    },
    #[error("chunk {expected} was due, but {came} came")]
    OutOfOrder { expected: u32, came: u32 },
    #[error("{came} of {due} chunks came")]
    Short { came: u32, due: u32 },
    #[error("nothing came for {} s", PART_PATIENCE.as_secs())]
    Silent,
}

/// A chunk is 60 KiB: who does not bring one forth in this time is dead or drowning.
const PART_PATIENCE: Duration = Duration::from_secs(10);

type Sink<'a> = &'a mut dyn FnMut(Bytes) -> Result<(), FetchError>;

// === impl PeerSnapshots ===

impl PeerSnapshots {
    /// For the raft driver.
    pub fn new(myself: Myself, certificates: Option<Certificates>, links: Links) -> Self {
        Self {
            myself,
            certificates,
            links,
        }
    }

    async fn parts(
        &self,
        endpoint: &Endpoint,
        index: u64,
    ) -> Result<Streaming<SnapshotPart>, FetchError> {
        let channel = channel(endpoint, self.certificates.as_ref()).map_err(broken)?;
        let mut client = PeerClient::new(channel.connect().await.map_err(broken)?);
        let request = FetchSnapshotRequest {
            cluster_id: self.myself.cluster_id.clone(),
            from: self.myself.member.0,
            index,
        };
        let parts = client.fetch_snapshot(request).await.map_err(broken)?;
        Ok(parts.into_inner())
    }

    async fn all(
        &self,
        from: MemberId,
        meta: &SnapshotMeta,
        sink: Sink<'_>,
    ) -> Result<(), FetchError> {
        let endpoint = self.links.endpoint(from);
        let endpoint = endpoint.ok_or_else(|| broken(Error::NoEndpoint(from)))?;
        let mut parts = in_time(self.parts(&endpoint, meta.index)).await??;
        let mut came = 0;
        while let Some(part) = in_time(parts.message()).await?.map_err(broken)? {
            check(from, meta, &part, came)?;
            sink(part.chunk)?;
            came += 1;
        }
        match meta.chunks {
            due if due == came => Ok(()),
            due => Err(broken(Error::Short { came, due })),
        }
    }
}

/// The snapshot that was offered, in order; its CRC is the driver's to check.
fn check(
    member: MemberId,
    meta: &SnapshotMeta,
    part: &SnapshotPart,
    expected: u32,
) -> Result<(), FetchError> {
    let given = part.head.as_ref().map(|head| head.index);
    if let Some(given) = given.filter(|given| *given != meta.index) {
        let offered = meta.index;
        return Err(broken(Error::Other {
            member,
            offered,
            given,
        }));
    }
    match part.number {
        came if came == expected => Ok(()),
        came => Err(broken(Error::OutOfOrder { expected, came })),
    }
}

async fn in_time<F: Future>(future: F) -> Result<F::Output, FetchError> {
    timeout(PART_PATIENCE, future)
        .await
        .map_err(|_| broken(Error::Silent))
}

fn broken(error: impl std::error::Error + Send + Sync + 'static) -> FetchError {
    FetchError(Box::new(error))
}

impl SnapshotSource for PeerSnapshots {
    fn fetch(&mut self, from: u64, meta: &SnapshotMeta, chunk: Sink<'_>) -> Result<(), FetchError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(broken)?;
        runtime.block_on(self.all(MemberId(from), meta, chunk))
    }
}
