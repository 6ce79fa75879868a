//! Many seeds, on as many threads as there are processors; each seed on one thread of its own from beginning to end.

use crate::panics;
use crate::plan::Plan;
use crate::run::{Broken, Ground, Report};
use berth_raft::simulation::workload::Violation;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

/// What became of a seed.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Which.
    pub seed: u64,
    /// What it did, or which rule it broke.
    pub result: Result<Report, Broken>,
}

/// Every so many seeds one is run twice.
const TWICE_EVERY: u64 = 50;

/// And of those with a disaster, which are few, more of them.
const DISASTER_TWICE_EVERY: u64 = 10;

/// Runs a seed; a panic is that seed's violation.
pub fn one(ground: &Ground, seed: u64, plan: &Plan, log: bool) -> Outcome {
    panics::remember();
    drop(panics::taken());
    let run = AssertUnwindSafe(|| ground.run(seed, plan, log));
    let result = catch_unwind(run);
    let result = match panics::taken() {
        Some(text) => Err(Broken {
            violation: Violation::new("panic", text),
            moment: 0,
        }),
        // What panicked has said so to the hook.
        None => result.unwrap_or_else(|_| unreachable!("a panic is remembered")),
    };
    Outcome { seed, result }
}

/// Runs a seed, and some seeds twice: both must be the same byte for byte.
pub fn checked(ground: &Ground, seed: u64, plan: &Plan) -> Outcome {
    let outcome = one(ground, seed, plan, false);
    let every = match plan.disaster {
        Some(_) => DISASTER_TWICE_EVERY,
        None => TWICE_EVERY,
    };
    if !seed.is_multiple_of(every) {
        return outcome;
    }
    let again = one(ground, seed, plan, false);
    let traces =
        [&outcome, &again].map(|outcome| outcome.result.as_ref().map(|report| report.trace).ok());
    match traces[0] == traces[1] {
        true => outcome,
        false => Outcome {
            seed,
            result: Err(Broken {
                violation: Violation::new(
                    "A18",
                    format!("two runs of the seed differ: {traces:?}"),
                ),
                moment: 0,
            }),
        },
    }
}

/// Runs seeds in order on several threads; `done` hears of each as it ends, and says whether to go on.
pub fn run(
    ground: &Ground,
    seeds: std::ops::Range<u64>,
    threads: usize,
    plan: impl Fn(u64) -> Plan + Sync,
    done: impl FnMut(Outcome) -> bool + Send,
) {
    let next = AtomicU64::new(seeds.start);
    let done = Mutex::new(done);
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let outcome = checked(ground, seed, &plan(seed));
                    let goes_on = done.lock().unwrap_or_else(PoisonError::into_inner)(outcome);
                    if !goes_on {
                        next.store(seeds.end, Ordering::Relaxed);
                    }
                }
            });
        }
    });
}
