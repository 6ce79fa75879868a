//! Between replicas: one kept stream to each, a listener of its own, and the way into a running cluster.
//!
//! Knows nothing of addresses or of what raft's messages say. [`Replica`] is all it needs of what lies behind it.

mod announce;
mod door;
mod exchange;
mod greeting;
mod histories;
pub mod join;
mod link;
mod links;
mod membership;
mod registry;
mod service;
pub mod slow_disk;
mod snapshots;
mod vitals;

pub use announce::{Announcement, Refused};
pub use door::PeerDoor;
pub use greeting::{Greeting, Stranger};
pub use histories::PeerHistories;
pub use links::{Links, PeerTransport};
pub use membership::{Audit, Membership, Roll};
pub use registry::{Registry, Remembered, Told};
pub use service::PeerService;
pub use snapshots::PeerSnapshots;
pub use vitals::{Book, Vitals};

use crate::config::Certificates;
use crate::versions::CannotApply;
use berth_domain::id::{Endpoint, MemberId};
use berth_domain::version::VersionRange;
use berth_proto::peer::v1;
use berth_raft::log_store::SnapshotMeta;
use bytes::Bytes;
use std::time::Duration;
use tonic::Status;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint as Channel, Identity};

/// Where another replica is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Who.
    pub member: MemberId,
    /// Its name, as a certificate has to say it.
    pub name: String,
    /// Its peer endpoint.
    pub endpoint: Endpoint,
}

/// Who this replica is, as it says to others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Myself {
    /// Which cluster.
    pub cluster_id: String,
    /// Which member.
    pub member: MemberId,
    /// Its store's uuid.
    pub store: [u8; 16],
}

/// What the peers' door needs of the replica behind it. Calls come on the door's thread and must not block.
#[tonic::async_trait]
pub trait Replica: Send + Sync + 'static {
    /// The member's name if this id is a member and this its store; else why it is turned away.
    fn admit(&self, member: MemberId, store: [u8; 16]) -> Result<String, Stranger>;

    /// Which cluster versions a member's program applies, as it says; refused if the cluster's is not among them.
    fn applies(&self, member: MemberId, versions: VersionRange) -> Result<(), CannotApply>;

    /// Raft messages of one frame, in order. Dropping them is allowed; raft repeats.
    fn receive(&self, from: Greeting, messages: Vec<Bytes>);

    /// How this replica is, for every frame it sends.
    fn vitals(&self) -> Vitals;

    /// How a member says that it is.
    fn heard(&self, from: MemberId, vitals: Vitals);

    /// A stream to this member broke, or could not be opened.
    fn unreachable(&self, to: MemberId);

    /// A member will not hear this replica, or is none by this one's ledger: one of the two was removed, or is behind, and
    /// the leader knows.
    fn disagrees(&self);

    /// The newest snapshot at or above an index.
    async fn snapshot(&self, index: u64) -> Result<SnapshotMeta, Status>;

    /// One chunk, for member `to`, of a snapshot that [`Self::snapshot`] named; gone if a newer one took its place.
    async fn snapshot_chunk(&self, to: MemberId, index: u64, number: u32) -> Result<Bytes, Status>;

    /// Encoded event groups after a revision, gap-free; none once `until` was reached. Bounded by the callee.
    async fn history(&self, after: u64, until: u64) -> Result<Vec<(u64, Bytes)>, Status>;

    /// A new member asks to take part.
    async fn join(&self, request: v1::JoinRequest) -> Result<v1::JoinResponse, Status>;
}

/// One frame: raft messages of up to 2 MiB each, packed until there is a MiB; snapshots go in chunks of 60 KiB.
pub const MESSAGE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// A link, a snapshot, a history and a few calls: more is a mistake.
pub const STREAMS_PER_CONNECTION: u32 = 16;
/// A partition that heals without a packet lost at its end would never be noticed without them.
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(2);
/// See [`KEEPALIVE_INTERVAL`]; a stalled disk or a busy core is no dead peer.
pub const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);
#[cfg(test)]
mod tests;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How another replica is called.
pub fn channel(
    endpoint: &Endpoint,
    certificates: Option<&Certificates>,
) -> Result<Channel, tonic::transport::Error> {
    let channel = Channel::from_shared(endpoint.to_string())?
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true);
    match certificates {
        None => Ok(channel),
        Some(files) => channel.tls_config(
            ClientTlsConfig::new()
                .ca_certificate(Certificate::from_pem(&files.ca))
                .identity(Identity::from_pem(&files.certificate, &files.key)),
        ),
    }
}
