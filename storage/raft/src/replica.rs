//! One replica as a sans-IO state machine: inputs in, outputs out.
//!
//! No clock, no IO, no threads, no randomness but the seed. Inputs only take note; [`Replica::outputs`] does the
//! turn's work, so that many inputs share one log entry, one append message and one write.

pub mod input;
pub mod output;

mod peer;
mod wire;

mod change;
mod propose;
mod read;
mod transfer;

mod apply;
mod compact;
mod ready;
mod snapshot;
mod write;

mod election;
mod report;

mod cache;
mod convert;
mod logger;

#[cfg(feature = "testkit")]
mod probe;
#[cfg(feature = "testkit")]
pub use probe::{EntryMark, MessageKind, Vouched};

use crate::log_store::{Loaded, Membership};
use crate::options::{
    APPEND_BYTES_MAX, APPENDS_IN_FLIGHT_MAX, APPLY_BYTES_MAX, Options, UNCOMMITTED_BYTES_MAX,
    broken,
};
use crate::state_machine::StateMachine;
use crate::status::Role;
use crate::{log_store, start, state_machine};
use cache::LogCache;
use input::Input;
use output::Output;
use raft::eraftpb::Entry;
use raft::{RawNode, ReadOnlyOption};
use std::collections::VecDeque;

/// One member's consensus state with its machine.
pub struct Replica<M: StateMachine> {
    options: Options,
    node: RawNode<LogCache>,
    machine: M,
    /// Applied to the machine, and that entry's term.
    applied: u64,
    applied_term: u64,
    /// As of `applied`.
    membership: Membership,
    role: Role,
    ticks: u64,
    peers: peer::Peers,
    proposals: propose::Proposals,
    reads: read::Reads,
    change: change::Changes,
    transfer: Option<transfer::Transfer>,
    writes: write::Writes,
    snapshots: snapshot::Snapshots,
    durable_elsewhere: u64,
    elections: election::Elections,
    outbox: Vec<Output<M>>,
    /// Committed and not applied yet, in order.
    committed: VecDeque<Entry>,
    /// Removed from the cluster: deaf and mute from then on.
    is_removed: bool,
}

/// The replica cannot go on; the process stops. Nothing here is ever retried.
#[derive(Debug, thiserror::Error)]
pub enum Fatal {
    /// The disk failed.
    #[error("the log's disk failed")]
    Store(#[from] log_store::Error),
    /// The machine cannot go on.
    #[error("the state machine cannot go on")]
    Machine(#[from] state_machine::Error),
    /// The disk has forgotten what this replica acknowledged.
    #[error(
        "the leader knows entry {acknowledged} to be here, but the log ends at {last_index}: the data directory was \
         rolled back or emptied; start with --rejoin to set it aside and join as a new member"
    )]
    RolledBack {
        /// What this member once acknowledged.
        acknowledged: u64,
        /// Where its log ends now.
        last_index: u64,
    },
    /// A store without a past under an id that votes already.
    #[error(
        "member {member} votes already, but its store was empty; join as a new member under a new id"
    )]
    EmptiedVoter {
        /// The id.
        member: u64,
    },
    /// A committed membership change cannot be read or applied.
    #[error("the membership change at index {index} cannot be applied")]
    Membership {
        /// Its index.
        index: u64,
        /// Why.
        #[source]
        source: raft::Error,
    },
    /// raft installs a snapshot that was never fetched; a defect of this crate.
    #[error("the snapshot at index {index} is to be installed, but it is not here")]
    SnapshotMissing {
        /// Which.
        index: u64,
    },
    /// An option or a stored membership that raft-rs does not accept.
    #[error("raft refused its configuration")]
    Library(#[source] raft::Error),
}

// === impl Replica ===

impl<M: StateMachine> Replica<M> {
    /// `machine` holds the state of `loaded.snapshot`; what is known committed behind it is replayed here.
    pub(crate) fn new(options: Options, loaded: Loaded, machine: M) -> Result<Self, start::Error> {
        let snapshot = loaded.snapshot.clone().unwrap_or_default();
        let stored_membership = loaded.membership.clone();
        let last_index = loaded.truncated_index + loaded.entries.len() as u64;
        let hard_state = loaded.hard_state;
        let mut applied = snapshot.index;
        if broken!(options, ForgetReplay) {
            applied = hard_state.commit;
        }
        let initial = cache::initial_membership(&loaded);
        let config = configuration(&options, applied);
        let node = RawNode::new(&config, LogCache::new(loaded), &logger::logger())
            .map_err(|source| start::Error::Replay(Box::new(Fatal::Library(source))))?;
        let mut replica = Replica {
            elections: election::Elections::default(),
            node,
            machine,
            applied,
            applied_term: snapshot.term,
            membership: initial.clone(),
            role: Role::default(),
            ticks: 0,
            peers: peer::Peers::default(),
            proposals: propose::Proposals::default(),
            reads: read::Reads::default(),
            change: change::Changes::default(),
            transfer: None,
            writes: write::Writes::new(hard_state, last_index),
            snapshots: snapshot::Snapshots::default(),
            durable_elsewhere: 0,
            outbox: Vec::new(),
            committed: VecDeque::new(),
            is_removed: false,
            options,
        };
        replica.replay(initial, stored_membership)?;
        Ok(replica)
    }

    /// Takes note of one thing that happened. Work is done by [`Replica::outputs`].
    pub fn handle(&mut self, input: Input) -> Result<(), Fatal> {
        if self.is_removed {
            self.refuse_removed(input);
            return Ok(());
        }
        match input {
            Input::Tick => self.tick(),
            Input::Paused => self.paused(),
            Input::Messages { from, messages } => self.receive(from, messages)?,
            Input::Propose(data) => self.proposals.waiting.push(data),
            Input::Read(id) => self.queue_read(id),
            Input::Persisted(number) => self.persisted(number)?,
            Input::Transfer { id, to } => self.begin_transfer(id, to),
            Input::Change { id, change } => self.begin_change(id, change),
            Input::KnownStores(stores) => self.peers.set_known_stores(stores),
            Input::DurableElsewhere(index) => {
                self.durable_elsewhere = self.durable_elsewhere.max(index)
            }
            Input::Unreachable(member) => self.unreachable(member),
            Input::SnapshotTaken(meta) => self.snapshot_taken(meta),
            Input::SnapshotArrived { meta, chunks } => self.snapshot_arrived(meta, chunks)?,
            Input::SnapshotFailed { index } => self.snapshot_failed(index),
            Input::SnapshotServing { to } => self.snapshots.sign_of_life(to, self.ticks),
        }
        self.settle_election_timeout();
        Ok(())
    }

    /// Does the work of everything noted since the last call, and says what is to be done now, in order. What others
    /// or the disk wait for comes first; call again while the replica [is unfinished](Replica::is_unfinished).
    pub fn outputs(&mut self) -> Result<Vec<Output<M>>, Fatal> {
        if !self.is_removed {
            self.flush_proposals();
            self.start_reads();
            self.work()?;
            self.answer_reads();
            self.settle_transfer();
            self.watch_snapshots();
            self.settle_taken();
            self.want_snapshot();
        }
        self.announce_role();
        Ok(std::mem::take(&mut self.outbox))
    }

    /// There is something to apply still, which the last outputs did not wait for.
    pub fn is_unfinished(&self) -> bool {
        !self.committed.is_empty() && !self.is_removed
    }

    /// The machine, as of [`Replica::applied`].
    pub fn machine(&self) -> &M {
        &self.machine
    }

    /// The last index applied to the machine.
    pub fn applied(&self) -> u64 {
        self.applied
    }

    /// Applies what was known committed before the restart, before anything else can happen: acting on an older
    /// membership than the one this replica already acted on could elect two leaders.
    fn replay(&mut self, initial: Membership, stored: Membership) -> Result<(), start::Error> {
        let mut seen = vec![initial];
        let fatal = |fatal| start::Error::Replay(Box::new(fatal));
        self.work().map_err(fatal)?;
        while self.is_unfinished() {
            self.apply_committed().map_err(fatal)?;
            self.work().map_err(fatal)?;
        }
        for output in &self.outbox {
            if let Output::MembershipChanged { membership, .. } = output {
                seen.push(membership.clone());
            }
        }
        // A batch carries a membership together with a commit index that covers it.
        if !broken!(self.options, ForgetReplay) && !seen.contains(&stored) {
            return Err(start::Error::Inconsistent(
                "its membership is not in its log".to_owned(),
            ));
        }
        // Alone there is nobody to wait for.
        if self.membership.voters == [self.options.member]
            && self.membership.voters_outgoing.is_empty()
        {
            self.node
                .campaign()
                .map_err(|source| start::Error::Replay(Box::new(Fatal::Library(source))))?;
        }
        self.announce_role();
        Ok(())
    }

    fn tick(&mut self) {
        self.ticks += 1;
        self.tick_election();
        self.write_idle();
        self.supervise_joint();
    }

    fn refuse_removed(&mut self, input: Input) {
        match input {
            Input::Propose(data) => {
                self.outbox.push(Output::Dropped {
                    data,
                    reason: output::DropReason::Stopping,
                });
            }
            Input::Read(id) => {
                self.outbox.push(Output::ReadRefused {
                    id,
                    reason: output::ReadRefused::Stopping,
                });
            }
            Input::Change { id, .. } => {
                self.outbox.push(Output::ChangeRefused {
                    id,
                    reason: output::ChangeRefused::Stopping,
                });
            }
            Input::Transfer { id, .. } => {
                self.outbox.push(Output::Transferred {
                    id,
                    result: Err(output::TransferRefused::Stopping),
                });
            }
            _ => {}
        }
    }
}

/// Every limit is named in `options`; nothing of raft-rs is left at a default that matters.
fn configuration(options: &Options, applied: u64) -> raft::Config {
    raft::Config {
        id: options.member,
        election_tick: options.election_ticks,
        heartbeat_tick: options.heartbeat_ticks,
        applied,
        max_size_per_msg: APPEND_BYTES_MAX,
        max_inflight_msgs: APPENDS_IN_FLIGHT_MAX,
        check_quorum: true,
        pre_vote: true,
        // Never LeaseBased: raft-rs answers such reads without looking at a lease.
        read_only_option: ReadOnlyOption::Safe,
        skip_bcast_commit: true,
        // Batching would grow a message beyond every limit.
        batch_append: false,
        max_uncommitted_size: UNCOMMITTED_BYTES_MAX,
        max_committed_size_per_ready: APPLY_BYTES_MAX,
        ..raft::Config::default()
    }
}
