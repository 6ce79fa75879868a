//! Does many tasks at once, as the kubelets of several nodes would.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use indicatif::ProgressBar;

use super::fleet::{Fleet, Task};
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;

/// Several at once, as on a cluster; with more, the latencies would be those of a queue for the laptop's cores.
const WORKERS: usize = 4;
const LOOK_EVERY: Duration = Duration::from_millis(10);

#[derive(Default)]
struct Shared {
    open: Mutex<VecDeque<Task>>,
    done: AtomicUsize,
    stop: AtomicBool,
    wrong: Mutex<Option<Error>>,
}

/// Does all tasks; `midway` is called once, from this thread, when half of them are done.
pub fn perform(
    fleet: &Fleet,
    tasks: Vec<Task>,
    bar: &ProgressBar,
    interrupt: &Interrupt,
    midway: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let total = tasks.len();
    let shared = Shared {
        open: Mutex::new(tasks.into()),
        ..Shared::default()
    };
    thread::scope(|scope| {
        for _ in 0..WORKERS.min(total) {
            scope.spawn(|| work(fleet, &shared, bar));
        }
        if let Err(error) = oversee(&shared, total, interrupt, midway) {
            shared.fail(error);
            fleet.abandon();
        }
    });
    let wrong = shared
        .wrong
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    interrupt.check()?;
    wrong.map_or(Ok(()), Err)
}

fn oversee(
    shared: &Shared,
    total: usize,
    interrupt: &Interrupt,
    midway: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let mut midway = Some(midway);
    loop {
        let done = shared.done.load(Ordering::Relaxed);
        if done * 2 >= total
            && let Some(midway) = midway.take()
        {
            midway()?;
        }
        if done >= total || shared.stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        interrupt.check()?;
        thread::sleep(LOOK_EVERY);
    }
}

fn work(fleet: &Fleet, shared: &Shared, bar: &ProgressBar) {
    while !shared.stop.load(Ordering::Relaxed) {
        let next = shared
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front();
        let Some(task) = next else { return };
        match fleet.perform(&task) {
            Ok(()) => {
                shared.done.fetch_add(1, Ordering::Relaxed);
                bar.inc(1);
            }
            Err(error) => shared.fail(error),
        }
    }
}

// === impl Shared ===

impl Shared {
    /// The first error counts; what follows it mostly follows from it.
    fn fail(&self, error: Error) {
        self.stop.store(true, Ordering::Relaxed);
        self.wrong
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(error);
    }
}
