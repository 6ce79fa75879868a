//! One world at a time: two of them on two cores would measure each other.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

static TURN: Mutex<()> = Mutex::new(());

/// Waits for this test's turn.
pub fn turn() -> MutexGuard<'static, ()> {
    // A test that failed has cleaned up after itself.
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often: what the variable says, else what is enough for every change.
pub fn wanted(variable: &str, default: usize) -> usize {
    let said = std::env::var(variable);
    said.map_or(default, |said| said.parse().expect("a number"))
}

/// "28 times, p50 0.8 s, p99 1.4 s"; printed, never judged.
pub fn spread(mut all: Vec<Duration>) -> String {
    all.sort_unstable();
    let at = |percent: usize| all.get((all.len() * percent / 100).min(all.len().saturating_sub(1)));
    let text = |percent| {
        at(percent)
            .map(|found| format!("{found:.2?}"))
            .unwrap_or_default()
    };
    format!("{} times, p50 {}, p99 {}", all.len(), text(50), text(99))
}
