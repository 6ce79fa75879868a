//! Whom to try next, and when. Pure: told what happened and what time it is, it does nothing itself.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::random::jittered;

/// Nobody needs longer to connect inside a data centre; then the next one is dialled beside it.
const CONNECT_HEDGE: Duration = Duration::from_millis(150);
/// A server that was sent a request and says nothing may be frozen: another one is asked beside it. Longer than any
/// answer that does not wait for an address; one that does wait is asked about once a second, and hints lead back to it.
const ANSWER_HEDGE: Duration = Duration::from_secs(1);
/// After all have failed; doubled each time. An election takes about a second.
const BACKOFF_FIRST: Duration = Duration::from_millis(50);
/// See [`BACKOFF_FIRST`]. Longer, and a caller would sleep on after the election that it waits for; "who leads?" is cheap.
const BACKOFF_MOST: Duration = Duration::from_millis(250);
/// Hints followed one after another; more is a loop of servers that each believe in another.
const HOPS_MAX: u32 = 4;

pub(super) struct Plan {
    routes: Vec<Standing>,
    /// Still to be tried in this pass.
    ahead: VecDeque<usize>,
    passes: u32,
    hops: u32,
    repeatable: bool,
    next_start: Option<Instant>,
    /// The last time that a request was sent.
    asked_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Nothing is under way.
    Idle,
    Dialling,
    /// Sent, not answered.
    Asked,
}

// === impl Plan ===

impl Plan {
    /// Routes are numbered from 0, the one to try first.
    pub(super) fn new(routes: usize, repeatable: bool, now: Instant) -> Self {
        Self {
            routes: vec![Standing::Idle; routes],
            ahead: (0..routes).collect(),
            passes: 0,
            hops: 0,
            repeatable,
            next_start: Some(now),
            asked_at: None,
        }
    }

    /// One more, not yet to be tried.
    pub(super) fn add_route(&mut self) {
        self.routes.push(Standing::Idle);
    }

    /// When `start` has something.
    pub(super) fn due(&self) -> Option<Instant> {
        self.next_start
    }

    /// The route to dial now, if it is time.
    pub(super) fn start(&mut self, now: Instant) -> Option<usize> {
        self.next_start.filter(|due| *due <= now)?;
        if self.ahead.is_empty() {
            self.ahead.extend(0..self.routes.len());
        }
        while let Some(at) = self.ahead.pop_front() {
            if self.routes[at] == Standing::Idle {
                self.routes[at] = Standing::Dialling;
                self.next_start = Some(now + CONNECT_HEDGE);
                return Some(at);
            }
        }
        // All are under way.
        self.next_start = Some(now + ANSWER_HEDGE);
        None
    }

    /// It is connected: whether to send now. Not while another has had too little time to answer, or all the time of a
    /// call that must not be sent twice; and no more at all if there is not `enough` time left for the answer.
    pub(super) fn may_send(&mut self, at: usize, enough: bool, now: Instant) -> bool {
        self.routes[at] = Standing::Idle;
        if !enough {
            self.next_start = None;
            return false;
        }
        if self.routes.contains(&Standing::Asked) {
            let hedge = self.asked_at.filter(|_| self.repeatable);
            let hedge = hedge.map(|asked_at| asked_at + ANSWER_HEDGE);
            if hedge.is_none_or(|hedge| now < hedge) {
                self.ahead.push_front(at);
                self.next_start = hedge;
                return false;
            }
        }
        self.routes[at] = Standing::Asked;
        self.asked_at = Some(now);
        self.next_start = self.repeatable.then_some(now + ANSWER_HEDGE);
        true
    }

    /// It could not be connected, broke, or knows no leader.
    pub(super) fn failed(&mut self, at: usize, now: Instant) {
        self.routes[at] = Standing::Idle;
        let another = self
            .ahead
            .iter()
            .any(|next| self.routes[*next] == Standing::Idle);
        self.next_start = Some(if another { now } else { self.pass_ended(now) });
    }

    /// It named another as the leader.
    pub(super) fn hinted(&mut self, at: usize, to: usize, now: Instant) {
        self.routes[at] = Standing::Idle;
        self.next_start = Some(match self.routes[to] {
            Standing::Asked => now + ANSWER_HEDGE,
            Standing::Dialling => now + CONNECT_HEDGE,
            Standing::Idle if self.hops < HOPS_MAX => {
                self.hops += 1;
                self.ahead.retain(|next| *next != to);
                self.ahead.push_front(to);
                now
            }
            Standing::Idle => self.pass_ended(now),
        });
    }

    /// It leads, and cannot just now.
    pub(super) fn told_to_wait(&mut self, at: usize, wait: Option<Duration>, now: Instant) {
        self.routes[at] = Standing::Idle;
        let backed_off = self.pass_ended(now);
        self.ahead.push_front(at);
        self.next_start = Some(match wait {
            Some(wait) => now + wait / 2 + jittered(wait),
            None => backed_off,
        });
    }

    /// True once all have been tried and nobody could be connected.
    pub(super) fn nobody_listens(&self) -> bool {
        let idle = self.routes.iter().all(|route| *route == Standing::Idle);
        self.passes > 0 && idle && self.asked_at.is_none()
    }

    /// What is under way on this route, in words.
    pub(super) fn standing(&self, at: usize) -> Option<&'static str> {
        match self.routes[at] {
            Standing::Idle => None,
            Standing::Dialling => Some("did not accept the connection"),
            Standing::Asked => Some("did not answer"),
        }
    }

    /// All over again, after a while.
    fn pass_ended(&mut self, now: Instant) -> Instant {
        let doubled = BACKOFF_FIRST * 2_u32.saturating_pow(self.passes.min(10));
        self.passes += 1;
        self.hops = 0;
        self.ahead.clear();
        now + jittered(doubled.min(BACKOFF_MOST))
    }
}

#[cfg(test)]
mod tests;
