//! The journal: gathers commands of all actors into raft entries and matches what came of them to who asked.
//!
//! Group commit: what has come by the end of a turn goes into one entry; while [`state::ENTRIES_MAX`] entries are under
//! way the rest waits and makes the next one larger. Outcomes are matched by (boot uuid, batch), never by index.
//!
//! Entries reach the log in the order of their batches: whoever proposes first is decided first. One that raft would not take
//! holds up those behind it, and one that others have passed already is given back to its proposers.

mod clock;
pub mod state;

#[cfg(test)]
mod tests;

pub use clock::LedgerClock;
pub use state::{Committed, Limits, Propose};

use crate::codec::decode_entry;
use crate::failure::Failure;
use berth_actors::{Actor, Context, Handler};
use berth_domain::outcome::Answer;
use berth_domain::version::ClusterVersion;
use berth_raft::replica::output::DropReason;
use bytes::Bytes;
use state::State;
use std::fmt;

/// How long raft is left alone after it would not take an entry.
const OFFER_AGAIN_AFTER_MS: u64 = 5;

/// Hands an entry to raft; false if its inbox is full.
pub type Offer = Box<dyn Fn(Bytes) -> bool>;
/// The time of day, ms since 1970.
pub type WallClock = std::sync::Arc<dyn Fn() -> u64 + Send + Sync>;

/// See the module.
pub struct Journal {
    state: State,
    offer: Offer,
    wall: WallClock,
    flush_is_due: bool,
    /// Raft would not take it; it is offered again before anything else is.
    held: Option<u64>,
}

/// A term of our own begins.
#[derive(Clone, Copy, Debug)]
pub struct Begin {
    /// Its ledger clock.
    pub clock: LedgerClock,
    /// The ledger's wall time, ms.
    pub wall_ms: u64,
    /// The cluster version.
    pub version: ClusterVersion,
}

/// The cluster version has risen.
#[derive(Clone, Copy, Debug)]
pub struct Raised(pub ClusterVersion);

/// The leadership is lost.
#[derive(Clone, Copy, Debug)]
pub struct Lose;

/// What raft says of entries, in its order.
#[derive(Debug)]
pub struct Settle(pub Vec<Settled>);

/// What became of one entry.
#[derive(Debug)]
pub enum Settled {
    /// It was applied.
    Applied {
        /// Whose entry.
        leader_boot: [u8; 16],
        /// Which.
        batch: u64,
        /// Where the log has it.
        index: u64,
        /// One per command, in order.
        answers: Vec<Answer>,
    },
    /// It is certain to have no effect.
    Dropped {
        /// The entry.
        data: Bytes,
        /// Why.
        reason: DropReason,
    },
}

struct Flush;

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// Commands that wait for an entry.
    pub queued: usize,
    /// Entries that raft has.
    pub under_way: usize,
}

// === impl Journal ===

impl Journal {
    /// Nothing leads yet. `boot` is this process's uuid.
    pub fn new(boot: [u8; 16], offer: Offer, wall: WallClock) -> Self {
        Self {
            state: State::new(boot),
            offer,
            wall,
            flush_is_due: false,
            held: None,
        }
    }

    /// Other bounds than usual.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.state = self.state.with_limits(limits);
        self
    }

    fn flush(&mut self, context: &mut Context<Self>) {
        while self.held.is_none()
            && let Some((batch, data)) = self.state.pack(context.now_ms(), (self.wall)())
        {
            self.offer(batch, data, context);
        }
    }

    fn offer(&mut self, batch: u64, data: Bytes, context: &mut Context<Self>) {
        if !(self.offer)(data) {
            self.offer_later(batch, context);
        }
    }

    fn offer_later(&mut self, batch: u64, context: &mut Context<Self>) {
        self.held = Some(batch);
        context.run_later(OFFER_AGAIN_AFTER_MS, move |journal, context| {
            if journal.held == Some(batch) {
                journal.held = None;
            }
            if let Some(data) = journal.state.refused(batch) {
                journal.offer(batch, data, context);
            }
            journal.flush_soon(context);
        });
    }

    /// Behind what the mailbox holds by now, so that all of it shares one entry.
    fn flush_soon(&mut self, context: &mut Context<Self>) {
        if !self.flush_is_due && self.state.queued() > 0 {
            self.flush_is_due = true;
            context.address().deliver(Flush);
        }
    }

    fn dropped(&mut self, data: &[u8], reason: DropReason, context: &mut Context<Self>) {
        let entry = match decode_entry(data) {
            Ok(entry) => entry,
            Err(error) => {
                tracing::error!(%error, "raft dropped an entry that is not ours");
                return;
            }
        };
        let failure = match reason {
            DropReason::NotReady | DropReason::Busy if self.state.is_last(entry.batch) => {
                return self.offer_later(entry.batch, context);
            }
            DropReason::NotReady | DropReason::Busy => state::passed(),
            DropReason::NotLeader | DropReason::Stopping => state::not_leader(),
            DropReason::TransferUnderWay => Failure::Unavailable {
                reason: "the leadership is being handed over, try again".into(),
            },
            DropReason::TooLarge => Failure::Unavailable {
                reason: reason.to_string(),
            },
        };
        self.state.fail(entry.batch, &failure);
    }
}

impl Actor for Journal {
    type Observation = Observation;

    fn observe(&self) -> Observation {
        Observation {
            queued: self.state.queued(),
            under_way: self.state.under_way(),
        }
    }
}

impl Handler<Propose> for Journal {
    fn handle(&mut self, propose: Propose, context: &mut Context<Self>) {
        self.state.propose(propose);
        self.flush_soon(context);
    }
}

impl Handler<Flush> for Journal {
    fn handle(&mut self, _: Flush, context: &mut Context<Self>) {
        self.flush_is_due = false;
        self.flush(context);
    }
}

impl Handler<Settle> for Journal {
    fn handle(&mut self, Settle(settled): Settle, context: &mut Context<Self>) {
        for settled in settled {
            match settled {
                Settled::Applied {
                    leader_boot,
                    batch,
                    index,
                    answers,
                } => self.state.applied(leader_boot, batch, index, answers),
                Settled::Dropped { data, reason } => self.dropped(&data, reason, context),
            }
        }
        self.flush_soon(context);
    }
}

impl Handler<Begin> for Journal {
    fn handle(&mut self, begin: Begin, _: &mut Context<Self>) {
        self.state.begin(begin.clock, begin.wall_ms, begin.version);
    }
}

impl Handler<Raised> for Journal {
    fn handle(&mut self, Raised(version): Raised, _: &mut Context<Self>) {
        self.state.raised(version);
    }
}

impl Handler<Lose> for Journal {
    fn handle(&mut self, _: Lose, _: &mut Context<Self>) {
        self.state.lose();
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Journal")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
