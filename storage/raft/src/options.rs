//! What an embedder chooses, with a default for everything that has a sensible one.

use std::time::Duration;

/// One member's settings.
#[derive(Clone, Debug)]
pub struct Options {
    /// This member's id; never 0, never used again after the member is removed or its disk is lost.
    pub member: u64,
    /// Unique for this process start (a random uuid): read contexts and change ids are made of it.
    pub boot: [u8; 16],
    /// Decides the election timeouts; random in production, the test's seed in simulation.
    pub seed: u64,
    /// How long one tick is. Only the driver knows; the replica counts ticks.
    pub tick: Duration,
    /// Ticks without a leader before an election; the real timeout is between this and twice this.
    pub election_ticks: usize,
    /// Ticks between two heartbeats of a leader; below `election_ticks`.
    pub heartbeat_ticks: usize,
    /// A snapshot is taken once this many entries were applied since the last one.
    pub snapshot_every_entries: u64,
    /// How many entries stay in the log behind the newest snapshot, for members that are a little late.
    pub keep_entries: u64,
    /// A snapshot is also taken once the entries applied since the last one take this many bytes: the whole log behind
    /// it is in memory and is replayed at a restart. Up to three quarters more, depending on the member.
    pub snapshot_every_bytes: u64,
    /// Of the entries that stay behind the newest snapshot, how many bytes at most.
    pub keep_bytes: u64,
    /// A learner may be promoted when it lacks at most this many entries.
    pub promote_lag_entries: u64,
    /// After this many ticks without a sign of life a member's snapshot transfer counts as failed.
    pub snapshot_patience_ticks: u64,
    /// A deliberate defect, to prove that a check would find it.
    #[cfg(feature = "testkit")]
    pub mutant: Option<Mutant>,
}

/// Known ways to build this wrong; each is caught by a named check (reliability catalogue, section 9).
#[cfg(feature = "testkit")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// m01: follower acknowledgements and votes leave before they are durable.
    SendBeforePersist,
    /// The vote is not written.
    ForgetVote,
    /// m02: nothing is synced, though it is said to be.
    SkipSync,
    /// m04: where a new leader's entries differ, the old ones stay on the disk.
    KeepSuffix,
    /// A restart applies again what its snapshot has already, as far as the log still has it.
    ApplyTwice,
    /// A lone voter's messages as a leader leave before its term and vote are durable.
    LeadBeforePersist,
    /// m05: a repeated read uses the context of the attempt before it.
    ReuseReadContext,
    /// m21: a read is answered although its index is not applied yet.
    ReadBeforeApplied,
    /// m06: a leader answers reads from its own state, without asking a quorum.
    ReadWithoutQuorum,
    /// m11: a snapshot that never arrived is not reported to raft.
    OmitSnapshotReport,
    /// A snapshot takes the place of one that a member is fetching.
    ReplaceFetchedSnapshot,
    /// m12: a leader that was removed goes on leading.
    KeepLeadingWhenRemoved,
    /// m13: a membership change counts as made as soon as raft has taken it.
    CompleteChangeOnPropose,
    /// m10: messages are taken from any store that uses a member's id.
    TrustAnyStore,
    /// m18: a restarted replica claims to have applied everything on its disk.
    ForgetReplay,
    /// V5: election timeouts come from the library's own random generator.
    UnseededElections,
    /// After a pause the leader goes on as if nothing had happened.
    ServeAfterPause,
    /// Both: it answers reads from its own state, also after a pause.
    ReadAloneAfterPause,
    /// The stored commit index is believed although a lazy write left it behind the snapshot.
    TrustCommit,
    /// Batches carry raft's newest hard state, whose commit index may mean entries that are not written yet.
    HardStateAhead,
    /// An election may begin while a leader's snapshot is on its way to the disk; raft-rs panics then.
    CampaignWhileInstalling,
    /// A lone voter may begin an election although its log is not durable yet; raft-rs panics then.
    CampaignUnsynced,
    /// No defect of this crate: raft-rs forgets to leave a joint configuration, which the supervisor must notice.
    RaftForgetsJoint,
    /// raft-rs forgets to leave a joint configuration, and so does this crate.
    JointNeverLeft,
    /// A leader counts what its own disk has as committed, whoever else has it.
    CommitAlone,
    /// A member that lacks what it once acknowledged goes on all the same.
    IgnoreRollback,
    /// A read that raft-rs drops without a word, because the leader has committed nothing yet, is not answered.
    ForgetVanishedRead,
}

/// Below this many ticks heartbeats and elections cannot be told apart.
pub const ELECTION_TICKS_MIN: usize = 3;

/// One proposal at most; a command batch stays far below, and a message must carry a whole entry.
pub const ENTRY_BYTES_MAX: usize = 1024 * 1024;

/// One peer message at most: an entry that just fits plus one that filled the message before it, plus headers.
pub const MESSAGE_BYTES_MAX: usize = 2 * ENTRY_BYTES_MAX + 64 * 1024;

/// Entries per append message: small enough that a lost one is cheap to send again.
pub const APPEND_BYTES_MAX: u64 = 256 * 1024;

/// Unanswered append messages per member; above it the leader waits for acknowledgements.
pub const APPENDS_IN_FLIGHT_MAX: usize = 256;

/// Proposals that are not committed yet; above it they are dropped, which is back-pressure.
pub const UNCOMMITTED_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Committed entries applied in one go, so that heartbeats come through in between.
pub const APPLY_BYTES_MAX: u64 = 4 * 1024 * 1024;

// === impl Options ===

impl Options {
    /// Defaults: 100 ms ticks, elections after 1 to 2 s, a snapshot every 50,000 entries or 128 MiB.
    pub fn new(member: u64, boot: [u8; 16], seed: u64) -> Self {
        Options {
            member,
            boot,
            seed,
            tick: Duration::from_millis(100),
            election_ticks: 10,
            heartbeat_ticks: 2,
            snapshot_every_entries: 50_000,
            keep_entries: 10_000,
            snapshot_every_bytes: 128 * 1024 * 1024,
            keep_bytes: 64 * 1024 * 1024,
            promote_lag_entries: 1_000,
            snapshot_patience_ticks: 50,
            #[cfg(feature = "testkit")]
            mutant: None,
        }
    }

    #[cfg(feature = "testkit")]
    pub(crate) fn is_broken(&self, mutant: Mutant) -> bool {
        let both = [Mutant::ReadWithoutQuorum, Mutant::ServeAfterPause];
        let has_both = self.mutant == Some(Mutant::ReadAloneAfterPause);
        self.mutant == Some(mutant) || has_both && both.contains(&mutant)
    }
}

/// True if this replica was built with the named defect; always false in a shipped binary.
macro_rules! broken {
    ($options:expr, $mutant:ident) => {{
        #[cfg(feature = "testkit")]
        let is_broken = $options.is_broken(crate::options::Mutant::$mutant);
        #[cfg(not(feature = "testkit"))]
        let is_broken = {
            let _: &crate::options::Options = &$options;
            false
        };
        is_broken
    }};
}
pub(crate) use broken;
