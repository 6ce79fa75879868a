//! One budget of cloud calls for the whole cluster: how many calls of which action may go out, and whose come first.
//!
//! Pure: monotonic time and numbers that spread retries come in, tickets go out. The leader has one; a new leader begins with a
//! full one, which a throttling answer corrects within one call.
//!
//! * Each action has a token bucket. Burst and rate together are what the cloud allows in a minute, so that no sliding minute has
//!   more; Terway gives the whole minute as burst, and twice the limit may go out.
//! * Lanes are served in order of [`Lane`]; in a lane one owner after the other, so that nothing waits behind another node's job.
//!   Every [`TURN_OF_OTHERS`]th grant of an action goes to its lowest lane that waits: nothing starves.
//! * A throttling answer halves the action's rate and stops it for a while that doubles; the rate comes back by and by
//!   (additive increase, multiplicative decrease; the stop has "full jitter" as in the AWS Architecture Blog, 2015).
//! * When calls fail, [`Level`] says what is still done.

mod bucket;
mod level;
mod limits;
mod queue;

pub use level::Level;
pub use limits::Limits;

use crate::call::Action;
use bucket::Bucket;
use level::Levels;
use queue::Queue;
use std::collections::BTreeMap;

/// Of so many grants of one action, one goes to the lowest lane that waits for it.
pub const TURN_OF_OTHERS: u32 = 20;
/// Between two calls when only probes go out.
const PROBE_EVERY_MS: u64 = 5_000;

/// Names a call to its grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// What a call is for. The first come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// A pod waits for it.
    WaitingPod,
    /// A static address moves.
    StaticMove,
    /// Warm addresses.
    Refill,
    /// What nobody needs goes back.
    Reclaim,
    /// To see what there is.
    Look,
}

/// A call that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Its name.
    pub ticket: Ticket,
    /// Which action.
    pub action: Action,
    /// What for.
    pub lane: Lane,
    /// Whose: a node's number.
    pub owner: u64,
}

/// How a granted call ended, as far as the budget cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The cloud answered, be it with a refusal.
    Answered,
    /// The cloud takes no more calls.
    Throttled,
    /// It failed inside, or never answered.
    Failed,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Budget {
    limits: Limits,
    buckets: BTreeMap<Action, Bucket>,
    queues: BTreeMap<(Action, Lane), Queue>,
    /// Grants of an action since its lowest lane had one.
    passed_over: BTreeMap<Action, u32>,
    levels: Levels,
    probed_at_ms: Option<u64>,
}

// === impl Lane ===

impl Lane {
    /// Every one, in order.
    pub const ALL: [Self; 5] = [
        Self::WaitingPod,
        Self::StaticMove,
        Self::Refill,
        Self::Reclaim,
        Self::Look,
    ];

    /// For people: "waiting pod".
    pub fn name(self) -> &'static str {
        match self {
            Self::WaitingPod => "waiting pod",
            Self::StaticMove => "static move",
            Self::Refill => "refill",
            Self::Reclaim => "reclaim",
            Self::Look => "look",
        }
    }
}

// === impl Budget ===

impl Budget {
    /// Full.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            buckets: BTreeMap::new(),
            queues: BTreeMap::new(),
            passed_over: BTreeMap::new(),
            levels: Levels::default(),
            probed_at_ms: None,
        }
    }

    /// A call waits from now on, until [`Self::grant`] names it or [`Self::withdraw`] takes it back.
    pub fn ask(&mut self, ask: Ask) {
        let queue = self.queues.entry((ask.action, ask.lane)).or_default();
        queue.push(ask.owner, ask.ticket);
    }

    /// Nobody wants it any more. One that was granted, or never asked for, is left alone.
    pub fn withdraw(&mut self, ticket: Ticket) {
        self.queues
            .values_mut()
            .for_each(|queue| queue.remove(ticket));
        self.queues.retain(|_, queue| !queue.is_empty());
    }

    /// Which may go out now, in order.
    pub fn grant(&mut self, now_ms: u64) -> Vec<Ticket> {
        self.levels.pass(now_ms);
        let mut granted = Vec::new();
        for action in Action::ALL {
            while let Some(ticket) = self.grant_one(action, now_ms) {
                granted.push(ticket);
            }
        }
        granted
    }

    fn grant_one(&mut self, action: Action, now_ms: u64) -> Option<Ticket> {
        let lane = self.next_lane(action)?;
        if !self.may_probe(now_ms) || !self.bucket(action).take(now_ms) {
            return None;
        }
        self.probed_at_ms = Some(now_ms);
        let lowest = self.lanes(action).last();
        let passed_over = self.passed_over.entry(action).or_default();
        *passed_over = match lowest {
            Some(lowest) if lowest != lane => *passed_over + 1,
            _ => 0,
        };
        let queue = self.queues.get_mut(&(action, lane))?;
        let ticket = queue.pop();
        self.queues.retain(|_, queue| !queue.is_empty());
        ticket
    }

    /// Lanes that wait for the action and are served at this level, in order.
    fn lanes(&self, action: Action) -> impl DoubleEndedIterator<Item = Lane> {
        let level = self.levels.now();
        let waits = move |lane: &Lane| self.queues.contains_key(&(action, *lane));
        let served = Lane::ALL
            .into_iter()
            .filter(move |lane| level.serves(*lane));
        served.filter(waits)
    }

    fn next_lane(&self, action: Action) -> Option<Lane> {
        let passed_over = self.passed_over.get(&action).copied().unwrap_or(0);
        match passed_over + 1 >= TURN_OF_OTHERS {
            true => self.lanes(action).last(),
            false => self.lanes(action).next(),
        }
    }

    fn may_probe(&self, now_ms: u64) -> bool {
        let due_ms = self.probed_at_ms.map(|at_ms| at_ms + PROBE_EVERY_MS);
        self.levels.now() != Level::CachedOnly || due_ms.is_none_or(|due_ms| now_ms >= due_ms)
    }

    fn bucket(&mut self, action: Action) -> &mut Bucket {
        let limit = self.limits.of(action);
        let bucket = self.buckets.entry(action);
        bucket.or_insert_with(|| Bucket::full(limit))
    }

    /// How a granted call of this action ended. `spread` is any number: it spreads the end of a stop.
    ///
    /// Says the level if it changed by this, and why.
    pub fn heard(
        &mut self,
        action: Action,
        heard: Heard,
        spread: u64,
        now_ms: u64,
    ) -> Option<(Level, String)> {
        match heard {
            Heard::Throttled => self.bucket(action).throttled(now_ms, spread),
            Heard::Answered => self.bucket(action).answered(),
            Heard::Failed => {}
        }
        self.levels.heard(action, heard, now_ms)
    }

    /// When [`Self::grant`] may have something; monotonic. None = nothing waits that is served now.
    pub fn next_due_ms(&mut self, now_ms: u64) -> Option<u64> {
        let waiting: Vec<Action> = Action::ALL
            .into_iter()
            .filter(|action| self.lanes(*action).next().is_some())
            .collect();
        let due = waiting
            .into_iter()
            .map(|action| self.bucket(action).due_ms(now_ms));
        let due_ms = due.min()?;
        let probe_ms = match (self.levels.now(), self.probed_at_ms) {
            (Level::CachedOnly, Some(at_ms)) => at_ms + PROBE_EVERY_MS,
            _ => now_ms,
        };
        Some(due_ms.max(probe_ms))
    }

    /// What is done now.
    pub fn level(&self) -> Level {
        self.levels.now()
    }

    /// How many wait, by lane.
    pub fn waiting(&self) -> BTreeMap<Lane, usize> {
        let mut waiting = BTreeMap::new();
        for ((_, lane), queue) in &self.queues {
            *waiting.entry(*lane).or_default() += queue.len();
        }
        waiting
    }

    /// Calls a minute that the action has at the moment.
    pub fn per_minute(&mut self, action: Action) -> u32 {
        self.bucket(action).per_minute()
    }
}

#[cfg(test)]
mod tests;
