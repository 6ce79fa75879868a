//! One incoming stream: greeted, checked, then handed on frame by frame.

use super::greeting::check_certificate;
use super::{Greeting, Myself, Replica, Stranger};
use berth_proto::peer::v1::{ExchangeEnd, Frame};
use futures::{Stream, TryStreamExt};
use std::time::Duration;
use tonic::Status;
use tracing::{info, warn};

/// A replica greets as soon as its stream is open; who says nothing must not hold a stream for ever.
const GREETING_WITHIN: Duration = Duration::from_secs(10);

/// Reads the stream until its end. `certificate` is the caller's name by its certificate; empty = clear text.
pub(super) async fn receive(
    myself: &Myself,
    replica: &dyn Replica,
    certificate: &str,
    mut frames: impl Stream<Item = Result<Frame, Status>> + Unpin,
) -> Result<ExchangeEnd, Status> {
    let first = tokio::time::timeout(GREETING_WITHIN, frames.try_next()).await;
    let first = first.map_err(|_| {
        let seconds = GREETING_WITHIN.as_secs();
        Status::deadline_exceeded(format!("no greeting within {seconds} s"))
    })?;
    let first = first?.unwrap_or_default();
    let greeted = greet(myself, replica, certificate, &first);
    let greeting = greeted.map_err(|stranger| {
        warn!(member = first.from, reason = %stranger, "turned a replica away");
        if matches!(stranger, Stranger::NoMember(_)) {
            replica.disagrees();
        }
        Status::permission_denied(stranger.to_string())
    })?;
    info!(member = %greeting.from, "link from a replica");
    while let Some(frame) = frames.try_next().await? {
        // A member can be removed, or registered with a new store, while its stream is open.
        admitted(replica, &greeting)?;
        if let Some(vitals) = frame.vitals {
            replica.heard(greeting.from, vitals.into());
        }
        replica.receive(greeting, frame.messages);
    }
    Ok(ExchangeEnd {})
}

fn greet(
    myself: &Myself,
    replica: &dyn Replica,
    certificate: &str,
    first: &Frame,
) -> Result<Greeting, Stranger> {
    let greeting = Greeting::read(myself, first)?;
    let name = replica.admit(greeting.from, greeting.store)?;
    check_certificate(greeting.from, &name, certificate)?;
    let member = greeting.from;
    let applies = replica.applies(member, greeting.applies);
    applies.map_err(|reason| Stranger::CannotApply { member, reason })?;
    Ok(greeting)
}

fn admitted(replica: &dyn Replica, greeting: &Greeting) -> Result<(), Status> {
    match replica.admit(greeting.from, greeting.store) {
        Ok(_) => Ok(()),
        Err(stranger) => Err(Status::permission_denied(stranger.to_string())),
    }
}
