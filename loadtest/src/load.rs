//! The two ways to load a target.
//!
//! Closed: so many requests are always under way; it shows how much is possible. Open: requests arrive by a schedule that
//! does not care about answers, and each is timed from the moment at which it was due; it shows what callers feel,
//! without the pauses of a slow server being left out of the count (coordinated omission).

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use tokio::task::{JoinSet, LocalSet};
use tokio::time::{Instant, sleep_until, timeout};

use crate::random::Random;
use crate::recorder::Recorder;
use crate::target::Target;

/// After the last arrival of an open loop; what is not answered then counts as failed.
const ANSWERED_WITHIN: Duration = Duration::from_secs(15);

/// Longer than any load; an instant this far away can still be named.
const NO_END: Duration = Duration::from_secs(365 * 24 * 3_600);

/// How long a round is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Length {
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
}

/// What a round showed.
pub(crate) struct Measured {
    pub(crate) recorder: Recorder,
    /// From the end of the warm-up to the last answer that counts.
    pub(crate) lasted: Duration,
    /// Open loop: arrivals in the measured part.
    pub(crate) arrivals: Option<u64>,
}

struct Shared<T> {
    target: T,
    next: Rc<Cell<u64>>,
    recorder: RefCell<Recorder>,
    measure_from: Instant,
    until: Instant,
}

/// `next` numbers the requests, across rounds. `measuring` runs when the warm-up ends.
pub(crate) async fn closed<T: Target>(
    target: T,
    in_flight: u32,
    length: Length,
    next: Rc<Cell<u64>>,
    measuring: impl FnOnce() + 'static,
) -> Measured {
    let shared = Rc::new(Shared::new(target, length, next));
    let mut callers = JoinSet::new();
    LocalSet::new()
        .run_until(async {
            for _ in 0..in_flight {
                callers.spawn_local(call_on(Rc::clone(&shared)));
            }
            sleep_until(shared.measure_from).await;
            measuring();
            while callers.join_next().await.is_some() {}
        })
        .await;
    shared.measured(None)
}

/// So many requests in all, `in_flight` always under way.
pub(crate) async fn counted<T: Target>(
    target: T,
    in_flight: u32,
    count: u64,
    next: Rc<Cell<u64>>,
) -> Measured {
    let until = next.get() + count;
    let no_end = Length {
        warm_up: Duration::ZERO,
        measured: NO_END,
    };
    let shared = Rc::new(Shared::new(target, no_end, next));
    let mut callers = JoinSet::new();
    LocalSet::new()
        .run_until(async {
            for _ in 0..in_flight {
                let shared = Rc::clone(&shared);
                callers.spawn_local(async move {
                    while shared.next.get() < until {
                        shared.call(shared.number(), Instant::now()).await;
                    }
                });
            }
            while callers.join_next().await.is_some() {}
        })
        .await;
    shared.measured(None)
}

/// As [`closed`], with arrivals as a Poisson process.
pub(crate) async fn open<T: Target>(
    target: T,
    per_second: u32,
    length: Length,
    next: Rc<Cell<u64>>,
    measuring: impl FnOnce() + 'static,
) -> Measured {
    let shared = Rc::new(Shared::new(target, length, next));
    let gap = Duration::from_secs(1) / per_second;
    let arrivals = LocalSet::new()
        .run_until(arrive(Rc::clone(&shared), gap, measuring))
        .await;
    shared.measured(Some(arrivals))
}

async fn arrive<T: Target>(shared: Rc<Shared<T>>, gap: Duration, measuring: impl FnOnce()) -> u64 {
    let mut random = Random::new(shared.next.get());
    let mut calls = JoinSet::new();
    let mut measuring = Some(measuring);
    let mut arrivals = 0;
    let mut due = Instant::now();
    loop {
        due += random.exponential(gap);
        if due >= shared.until {
            break;
        }
        sleep_until(due).await;
        if due >= shared.measure_from {
            arrivals += 1;
            if let Some(measuring) = measuring.take() {
                measuring();
            }
        }
        let (shared, number) = (Rc::clone(&shared), shared.number());
        calls.spawn_local(async move { shared.call(number, due).await });
        while calls.try_join_next().is_some() {}
    }
    let rest = async { while calls.join_next().await.is_some() {} };
    if timeout(ANSWERED_WITHIN, rest).await.is_err() {
        for _ in 0..calls.len() {
            shared.recorder.borrow_mut().failed("no answer");
        }
    }
    arrivals
}

async fn call_on<T: Target>(shared: Rc<Shared<T>>) {
    while Instant::now() < shared.until {
        let number = shared.number();
        shared.call(number, Instant::now()).await;
    }
}

// === impl Shared ===

impl<T: Target> Shared<T> {
    fn new(target: T, length: Length, next: Rc<Cell<u64>>) -> Self {
        let measure_from = Instant::now() + length.warm_up;
        Self {
            target,
            next,
            recorder: RefCell::new(Recorder::new()),
            measure_from,
            until: measure_from + length.measured,
        }
    }

    fn number(&self) -> u64 {
        let number = self.next.get();
        self.next.set(number + 1);
        number
    }

    /// Due in the measured part counts, whenever it is answered.
    async fn call(&self, number: u64, due: Instant) {
        let outcome = self.target.perform(number).await;
        if due < self.measure_from {
            return;
        }
        let mut recorder = self.recorder.borrow_mut();
        match outcome {
            Ok(()) => recorder.succeeded(due.elapsed()),
            Err(reason) => recorder.failed(&reason),
        }
    }

    fn measured(&self, arrivals: Option<u64>) -> Measured {
        Measured {
            recorder: self.recorder.borrow().clone(),
            lasted: self.measure_from.elapsed(),
            arrivals,
        }
    }
}

#[cfg(test)]
mod tests;
