//! Fetches a snapshot from the member that offered it: called on a thread of its own by the raft driver.
//!
//! A stream that breaks is opened again and goes on at the chunk that is missing. When the member is gone for longer the
//! driver gives up, keeps what came, and calls again once the snapshot is offered again, perhaps by another member.

use super::{Links, Myself, channel};
use crate::config::Certificates;
use berth_domain::id::{Endpoint, MemberId};
use berth_proto::peer::v1::peer_client::PeerClient;
use berth_proto::peer::v1::{FetchSnapshotRequest, SnapshotPart};
use berth_raft::driver::source::{FetchError, SnapshotSource};
use berth_raft::log_store::SnapshotMeta;
use bytes::Bytes;
use std::error::Error as StdError;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tonic::{Code, Status, Streaming};
use tracing::debug;

/// Over the links' address book.
pub struct PeerSnapshots {
    myself: Myself,
    certificates: Option<Certificates>,
    links: Links,
}

/// Who has the snapshot, and where.
struct Holder {
    member: MemberId,
    endpoint: Endpoint,
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
    #[error("chunk {0} was damaged on its way")]
    Damaged(u32),
    #[error("{came} of {due} chunks came")]
    Short { came: u32, due: u32 },
    #[error("nothing came for {} s", PART_PATIENCE.as_secs())]
    Silent,
    #[error("the stream broke at chunk {at}")]
    Broken {
        at: u32,
        #[source]
        source: Status,
    },
    #[error("it cannot be called")]
    Unreachable(#[source] tonic::transport::Error),
    /// The driver takes no more.
    #[error(transparent)]
    Driver(FetchError),
}

/// A chunk is 60 KiB: who does not bring one forth in this time is dead or drowning.
const PART_PATIENCE: Duration = Duration::from_secs(10);
/// So often in a row a stream may break without a chunk in between; the driver is told then.
const BREAKS_MAX: u32 = 3;
/// A member that restarts, or a link that flaps, is there again soon.
const PAUSE: Duration = Duration::from_millis(200);

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

    /// All chunks from number `came` on, over as many streams as it takes.
    async fn all(
        &self,
        from: &Holder,
        meta: &SnapshotMeta,
        mut came: u32,
        sink: Sink<'_>,
    ) -> Result<(), Error> {
        let mut breaks = 0;
        while came < meta.chunks {
            let before = came;
            let streamed = self.stream(from, meta, &mut came, sink).await;
            breaks = if came > before { 0 } else { breaks + 1 };
            match streamed {
                Ok(()) => {}
                Err(error) if error.may_pass() && breaks < BREAKS_MAX => {
                    debug!(from = %from.member, chunk = came, error = &error as &dyn StdError, "a snapshot's stream broke");
                    sleep(PAUSE).await;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// One stream, until its end.
    async fn stream(
        &self,
        from: &Holder,
        meta: &SnapshotMeta,
        came: &mut u32,
        sink: Sink<'_>,
    ) -> Result<(), Error> {
        let asked = self.parts(&from.endpoint, meta.index, *came);
        let mut parts = in_time(asked).await??;
        let broken = |at| move |source| Error::Broken { at, source };
        while let Some(part) = in_time(parts.message()).await?.map_err(broken(*came))? {
            // A sender that does not know `first_chunk` begins at the beginning.
            if part.number < *came {
                continue;
            }
            check(from.member, meta, &part, *came)?;
            sink(part.chunk).map_err(Error::Driver)?;
            *came += 1;
        }
        match meta.chunks {
            due if due == *came => Ok(()),
            due => Err(Error::Short { came: *came, due }),
        }
    }

    async fn parts(
        &self,
        endpoint: &Endpoint,
        index: u64,
        first_chunk: u32,
    ) -> Result<Streaming<SnapshotPart>, Error> {
        let channel = channel(endpoint, self.certificates.as_ref()).map_err(Error::Unreachable)?;
        let channel = channel.connect().await.map_err(Error::Unreachable)?;
        let request = FetchSnapshotRequest {
            cluster_id: self.myself.cluster_id.clone(),
            from: self.myself.member.0,
            index,
            first_chunk,
        };
        let parts = PeerClient::new(channel).fetch_snapshot(request).await;
        let broken = |source| Error::Broken {
            at: first_chunk,
            source,
        };
        Ok(parts.map_err(broken)?.into_inner())
    }
}

/// The snapshot that was offered, in order and undamaged; the CRC of all of it is the driver's to check.
fn check(
    member: MemberId,
    meta: &SnapshotMeta,
    part: &SnapshotPart,
    expected: u32,
) -> Result<(), Error> {
    let given = part.head.as_ref().map(|head| head.index);
    if let Some(given) = given.filter(|given| *given != meta.index) {
        let offered = meta.index;
        return Err(Error::Other {
            member,
            offered,
            given,
        });
    }
    match part.number {
        came if came != expected => Err(Error::OutOfOrder { expected, came }),
        _ => match part
            .crc
            .is_some_and(|crc| crc != crc32c::crc32c(&part.chunk))
        {
            true => Err(Error::Damaged(expected)),
            false => Ok(()),
        },
    }
}

async fn in_time<F: Future>(future: F) -> Result<F::Output, Error> {
    timeout(PART_PATIENCE, future)
        .await
        .map_err(|_| Error::Silent)
}

// === impl Error ===

impl Error {
    /// Whether another stream may do better. A snapshot that is gone does not come again.
    fn may_pass(&self) -> bool {
        match self {
            Self::Broken { source, .. } => source.code() != Code::NotFound,
            Self::Unreachable(_) | Self::Silent | Self::Damaged(_) | Self::Short { .. } => true,
            Self::NoEndpoint(_) | Self::Other { .. } | Self::OutOfOrder { .. } => false,
            Self::Driver(_) => false,
        }
    }
}

impl SnapshotSource for PeerSnapshots {
    fn fetch(
        &mut self,
        from: u64,
        meta: &SnapshotMeta,
        first: u32,
        chunk: Sink<'_>,
    ) -> Result<(), FetchError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| FetchError(Box::new(error)))?;
        let member = MemberId(from);
        let endpoint = self.links.endpoint(member).ok_or(Error::NoEndpoint(member));
        let fetched = endpoint.and_then(|endpoint| {
            let holder = Holder { member, endpoint };
            runtime.block_on(self.all(&holder, meta, first, chunk))
        });
        fetched.map_err(|error| match error {
            Error::Driver(error) => error,
            error => FetchError(Box::new(error)),
        })
    }
}

#[cfg(test)]
mod tests;
