//! How far the history is: shared by whoever writes it, waits for it or is slowed down by it.

use berth_domain::event::Chain;
use berth_domain::id::Revision;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Groups on their way above which new work is refused: about two seconds of full speed.
pub const BEHIND_MAX: usize = 65_536;
/// Groups on their way above which the raft thread itself waits, so that memory stays bounded; a replay gets there.
const BEHIND_HARD_MAX: usize = 4 * BEHIND_MAX;

/// A place in the history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The raft index up to which everything is in.
    pub index: u64,
    /// The last revision.
    pub revision: Revision,
    /// The chain after it.
    pub chain: Chain,
}

/// See the module.
#[derive(Debug)]
pub struct Progress {
    state: Mutex<State>,
    changed: Condvar,
    through: watch::Sender<Revision>,
    waiters: AtomicUsize,
}

#[derive(Debug, Default)]
struct State {
    through: Revision,
    behind: usize,
    closed: bool,
}

/// Counts itself as a waiter as long as it lives: the writer then commits at once.
#[derive(Debug)]
struct Waiter<'a>(&'a Progress);

// === impl Progress ===

impl Progress {
    /// Durable up to `through`.
    pub fn new(through: Revision) -> Self {
        let state = State {
            through,
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            through: watch::Sender::new(through),
            waiters: AtomicUsize::new(0),
        }
    }

    /// Durable up to here.
    pub fn through(&self) -> Revision {
        self.state().through
    }

    /// Groups handed over and not durable yet.
    pub fn behind(&self) -> usize {
        self.state().behind
    }

    /// Whether somebody waits for what is not durable yet.
    pub fn is_awaited(&self) -> bool {
        self.waiters.load(Ordering::Acquire) > 0
    }

    /// Waits, on its thread, until a revision is durable. If the history has failed it never is: the thread then rests
    /// for ever, because nothing it could do would be right, and the process is about to stop.
    pub fn await_revision(&self, revision: Revision) {
        let _waiter = Waiter::new(self);
        let mut state = self.state();
        while state.through < revision {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until a revision is durable; false if the history has closed before that.
    pub async fn reached(&self, revision: Revision) -> bool {
        let _waiter = Waiter::new(self);
        let mut through = self.through.subscribe();
        through
            .wait_for(|through| *through >= revision)
            .await
            .is_ok()
    }

    /// Groups are on their way. Waits, on its thread, while far too many are.
    pub(crate) fn add(&self, groups: usize) {
        let mut state = self.state();
        while state.behind > BEHIND_HARD_MAX && !state.closed {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.behind += groups;
    }

    /// So many more groups are durable, up to a revision.
    pub fn reach(&self, through: Revision, groups: usize) {
        let mut state = self.state();
        state.through = through;
        state.behind = state.behind.saturating_sub(groups);
        drop(state);
        self.changed.notify_all();
        self.through.send_replace(through);
    }

    /// Nothing more becomes durable.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics between two writes.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Waiter ===

impl<'a> Waiter<'a> {
    fn new(progress: &'a Progress) -> Self {
        progress.waiters.fetch_add(1, Ordering::AcqRel);
        Self(progress)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.waiters.fetch_sub(1, Ordering::AcqRel);
    }
}
