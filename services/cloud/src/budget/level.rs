//! What is still done while the cloud fails. Entered and left by what is heard, never by hand.

use super::{Heard, Lane};
use crate::call::Action;
use std::collections::VecDeque;

/// What is heard counts for this long.
const WINDOW_MS: u64 = 30_000;
/// Fewer say nothing.
const ENOUGH: usize = 10;
/// In percent: from this share of failures on nothing is given back any more.
const CAREFUL_FROM: usize = 50;
/// In percent: from this share on only probes go out.
const CACHED_ONLY_FROM: usize = 90;
/// In percent: below this share it is normal again.
const NORMAL_BELOW: usize = 20;
/// Answers in a row that end the time of probes.
const ANSWERS_IN_A_ROW: u32 = 3;

/// What is still done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Level {
    /// Everything.
    #[default]
    Normal,
    /// Addresses are assigned, and none given back: what is there is worth more than it costs.
    Careful,
    /// Only what is warm is given out; one call in a while shows whether the cloud is back.
    CachedOnly,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Levels {
    now: Level,
    since_ms: u64,
    /// When, and whether it was a failure.
    heard: VecDeque<(u64, bool)>,
    answers_in_a_row: u32,
}

// === impl Level ===

impl Level {
    /// For people: "cached only".
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Careful => "careful",
            Self::CachedOnly => "cached only",
        }
    }

    /// Whether calls of this lane go out.
    pub fn serves(self, lane: Lane) -> bool {
        self == Self::Normal || lane != Lane::Reclaim
    }
}

// === impl Levels ===

impl Levels {
    pub fn now(&self) -> Level {
        self.now
    }

    pub fn pass(&mut self, now_ms: u64) {
        let since_ms = now_ms.saturating_sub(WINDOW_MS);
        self.heard.retain(|(at_ms, _)| *at_ms >= since_ms);
        // Nothing failed for a whole window.
        if self.now == Level::Careful && self.since_ms < since_ms && self.failures() == 0 {
            self.now = Level::Normal;
            self.since_ms = now_ms;
        }
    }

    pub fn heard(&mut self, action: Action, heard: Heard, now_ms: u64) -> Option<(Level, String)> {
        self.pass(now_ms);
        let failed = heard != Heard::Answered;
        self.heard.push_back((now_ms, failed));
        self.answers_in_a_row = if failed { 0 } else { self.answers_in_a_row + 1 };
        let next = self.next();
        if next == self.now {
            return None;
        }
        // Each level is left by what is heard at it.
        if next < self.now {
            self.heard.clear();
        }
        self.now = next;
        self.since_ms = now_ms;
        Some((next, self.why(action)))
    }

    fn failures(&self) -> usize {
        self.heard.iter().filter(|(_, failed)| *failed).count()
    }

    fn next(&self) -> Level {
        let count = self.heard.len();
        let share = self.failures() * 100 / count.max(1);
        match self.now {
            Level::CachedOnly if self.answers_in_a_row >= ANSWERS_IN_A_ROW => Level::Careful,
            Level::CachedOnly => Level::CachedOnly,
            _ if count >= ENOUGH && share >= CACHED_ONLY_FROM => Level::CachedOnly,
            _ if count >= ENOUGH && share >= CAREFUL_FROM => Level::Careful,
            Level::Careful if count >= ENOUGH && share < NORMAL_BELOW => Level::Normal,
            same => same,
        }
    }

    fn why(&self, action: Action) -> String {
        format!(
            "{} of {} calls failed or were throttled in the last {} s, {} the last",
            self.failures(),
            self.heard.len(),
            WINDOW_MS / 1_000,
            action.name()
        )
    }
}
