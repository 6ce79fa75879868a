//! Enough randomness for jitter and for ids that do not collide, without a library: the standard library seeds its
//! hashers from the operating system.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// A fresh id for a change that an administrator asks for: 32 hex digits, never seen before.
pub fn request_id() -> String {
    format!("{:016x}{:016x}", number(), number())
}

/// Between half of `duration` and all of it, so that many who wait do not come back at once.
pub(crate) fn jittered(duration: Duration) -> Duration {
    let share = (number() % 1024) as u32;
    duration / 2 + duration / 2 * share / 1024
}

fn number() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::{jittered, request_id};

    /// Promise: ten thousand ids, of several threads, are ten thousand.
    #[test]
    fn ids_do_not_collide() {
        let make = || (0..2_500).map(|_| request_id()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(make)).collect();
        let ids = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap());
        let ids: BTreeSet<_> = ids.collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| id.len() == 32));
    }

    /// Promise: jitter stays between half and all, and is spread.
    #[test]
    fn jitter_is_bounded_and_spread() {
        let all = Duration::from_millis(1_000);
        let waits: BTreeSet<_> = (0..1_000).map(|_| jittered(all)).collect();
        assert!(waits.iter().all(|wait| *wait >= all / 2 && *wait <= all));
        assert!(waits.len() > 300, "{}", waits.len());
    }
}
