//! What a replica tells about itself: who leads, how far it is, who follows.

use crate::log_store::{Membership, SnapshotMeta};

/// A store's identity, made once when its directory is made: a wiped or copied one cannot pass for the member.
pub type StoreId = [u8; 16];

/// Who a peer's messages come from, as its connection's handshake (and certificate) said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sender {
    /// The member.
    pub member: u64,
    /// The store it runs on.
    pub store: StoreId,
}

/// What this member is at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Follows, or waits for a leader.
    #[default]
    Follower,
    /// Asks for votes.
    Candidate,
    /// Leads.
    Leader,
}

/// Who leads, seen from this replica.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Role {
    /// The current term.
    pub term: u64,
    /// What this member is.
    pub standing: Standing,
    /// The leader of the term, if known.
    pub leader: Option<u64>,
    /// Leader only: it has applied an entry of its own term and has not been paused since, so it may serve.
    pub ready: bool,
}

/// Plain numbers for status pages and metrics.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// This member.
    pub member: u64,
    /// Who leads.
    pub role: Role,
    /// Known committed.
    pub commit: u64,
    /// Applied to the machine.
    pub applied: u64,
    /// The first index still in the log.
    pub first_index: u64,
    /// The last index in the log, durable or not.
    pub last_index: u64,
    /// Durable up to here.
    pub persisted_index: u64,
    /// The newest complete snapshot.
    pub snapshot: Option<SnapshotMeta>,
    /// What the embedder said is durable elsewhere; the log is kept from here on.
    pub durable_elsewhere: u64,
    /// Batches handed to the disk and not durable yet.
    pub batches_in_flight: usize,
    /// Proposals dropped since the start.
    pub proposals_dropped: u64,
    /// Peer messages refused since the start.
    pub messages_refused: u64,
    /// How long a durable write takes, a moving average; 0 until the first one. The driver fills it in.
    pub sync_micros: u64,
    /// How long this replica's newest own snapshot took, from its freezing until it was staged; 0 = it has made none since its start.
    /// The driver fills it in.
    pub snapshot_micros: u64,
    /// Who takes part.
    pub membership: Membership,
    /// Leader only: how far the others are, by member id.
    pub members: Vec<MemberStatus>,
}

/// One member, seen by the leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberStatus {
    /// Its id.
    pub member: u64,
    /// Known durable there.
    pub matched: u64,
    /// Heard from within one election timeout.
    pub recent_active: bool,
    /// Receives only.
    pub learner: bool,
    /// A snapshot is on its way there.
    pub snapshot_under_way: bool,
}

// === impl Role ===

impl Role {
    /// Whether this member leads.
    pub fn leads(&self) -> bool {
        self.standing == Standing::Leader
    }
}
