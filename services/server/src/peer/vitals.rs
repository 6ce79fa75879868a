//! How each member is, as it says itself on every frame: its disk and its history. The leader decides by it who may
//! have a vote and to whom it can hand over.

use crate::leader::Gate;
use berth_domain::id::{MemberId, Revision};
use berth_proto::peer::v1;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Often enough that a stuck disk is seen within a few heartbeats; one look is a short closure on the raft thread.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// What a member said longer ago says nothing of it now. Heartbeats carry vitals ten times in this time.
const FRESH_FOR: Duration = Duration::from_secs(3);

/// How a member is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vitals {
    /// How long its durable writes take: the moving average, or how long it has waited for one by now; us.
    pub sync_micros: u64,
    /// Its history is complete up to here; 0 = a part is missing.
    pub history: Revision,
}

/// One per process; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Book {
    pages: Arc<Mutex<Pages>>,
}

#[derive(Debug, Default)]
struct Pages {
    own: Vitals,
    others: BTreeMap<MemberId, (Vitals, Instant)>,
}

/// Since when the disk has had something to write and nothing has become durable.
#[derive(Debug, Default)]
struct Stuck {
    persisted: u64,
    since: Option<Instant>,
}

// === impl Book ===

impl Book {
    /// What is told to others.
    pub fn own(&self) -> Vitals {
        self.pages().own
    }

    /// A member said so.
    pub fn heard(&self, from: MemberId, vitals: Vitals) {
        self.pages().others.insert(from, (vitals, Instant::now()));
    }

    /// What a member said lately.
    pub fn of(&self, member: MemberId) -> Option<Vitals> {
        let pages = self.pages();
        let (vitals, at) = pages.others.get(&member)?;
        (at.elapsed() <= FRESH_FOR).then_some(*vitals)
    }

    /// Keeps this replica's own page true, until it is aborted.
    pub async fn keep(&self, gate: &Gate) {
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stuck = Stuck::default();
        loop {
            look.tick().await;
            let seen = gate.read_stale(|_, status| {
                let waits = status.batches_in_flight > 0;
                (status.sync_micros, status.persisted_index, waits)
            });
            let Ok((usual, persisted, waits)) = seen.await else {
                continue;
            };
            let waited = stuck.waited(Instant::now(), persisted, waits);
            self.pages().own = Vitals {
                sync_micros: usual.max(waited),
                history: gate.history().whole_through(),
            };
        }
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        // Nothing in here panics between two writes.
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Stuck ===

impl Stuck {
    /// us for which nothing has become durable although something waits.
    fn waited(&mut self, now: Instant, persisted: u64, waits: bool) -> u64 {
        if !waits || persisted != self.persisted {
            *self = Self {
                persisted,
                since: waits.then_some(now),
            };
        }
        let since = self.since.map_or(Duration::ZERO, |since| now - since);
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }
}

// === impl Vitals ===

impl From<Vitals> for v1::Vitals {
    fn from(vitals: Vitals) -> Self {
        Self {
            sync_micros: vitals.sync_micros,
            history_revision: vitals.history.0,
        }
    }
}

impl From<v1::Vitals> for Vitals {
    fn from(vitals: v1::Vitals) -> Self {
        Self {
            sync_micros: vitals.sync_micros,
            history: Revision(vitals.history_revision),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: what a member said is known for a while and not for ever.
    #[tokio::test(start_paused = true)]
    async fn words_grow_old() {
        let book = Book::default();
        let said = Vitals {
            sync_micros: 400,
            history: Revision(7),
        };
        book.heard(MemberId(2), said);
        assert_eq!(
            (book.of(MemberId(2)), book.of(MemberId(3))),
            (Some(said), None)
        );
        tokio::time::advance(FRESH_FOR + Duration::from_millis(1)).await;
        assert_eq!(book.of(MemberId(2)), None);
    }

    /// Promise: a write that does not come back counts while it is waited for; progress begins the wait anew.
    #[test]
    fn a_stuck_write_counts() {
        let (mut stuck, begun) = (Stuck::default(), Instant::now());
        let at = |ms| begun + Duration::from_millis(ms);
        assert_eq!(stuck.waited(at(0), 5, true), 0);
        assert_eq!(stuck.waited(at(900), 5, true), 900_000);
        assert_eq!(stuck.waited(at(1_000), 6, true), 0);
        assert_eq!(stuck.waited(at(1_500), 6, true), 500_000);
        assert_eq!(stuck.waited(at(1_600), 6, false), 0);
        assert_eq!(stuck.waited(at(9_000), 6, false), 0);
    }
}
