//! A backup, as it is made.

use crate::backup::{self, Frames, Source};
use crate::failure::Failure;
use crate::grpc::principal::Caller;
use crate::leader::Gate;
use berth_proto::v1::SaveSnapshotResponse;
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tracing::info;

pub(super) async fn save(
    gate: &Gate,
    caller: &Caller,
) -> Result<BoxStream<'static, Result<SaveSnapshotResponse, Status>>, Failure> {
    let (ledger, with_facts) = gate.freeze().await?;
    // It changes nothing that the history keeps, so the log has to say who asked.
    info!(principal = %caller.principal, revision = ledger.revision().0, "a backup is made on request");
    let member = gate.read_stale(|_, status| status.member).await?;
    let frames = backup::frames(Source {
        ledger,
        with_facts,
        member,
        history: gate.history().clone(),
    });
    let responses =
        ReceiverStream::new(frames).map(|frames| frames.map(response).map_err(Status::from));
    Ok(responses.boxed())
}

fn response(frames: Frames) -> SaveSnapshotResponse {
    SaveSnapshotResponse {
        frames: frames.bytes,
        revision: frames.revision,
        history_through_revision: frames.history_through,
        digest: frames
            .digest
            .map_or_else(Bytes::new, |digest| Bytes::copy_from_slice(&digest)),
    }
}
