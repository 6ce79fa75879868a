//! Ledger time: what drives every expiry. Late is allowed, early never is.

/// The leader's ledger clock for one term: what the ledger said when the term's first own entry was applied,
/// and the monotonic time that has passed since. A leader change adds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerClock {
    base_ms: u64,
    started_at_ms: u64,
}

// === impl LedgerClock ===

impl LedgerClock {
    /// `ledger_ms` as the ledger has it at monotonic `now_ms`.
    pub fn start(ledger_ms: u64, now_ms: u64) -> Self {
        Self {
            base_ms: ledger_ms,
            started_at_ms: now_ms,
        }
    }

    /// Ledger time at monotonic `now_ms`.
    pub fn ledger_ms(&self, now_ms: u64) -> u64 {
        self.base_ms + now_ms.saturating_sub(self.started_at_ms)
    }

    /// The monotonic time at which ledger time is `ledger_ms`; the start for what is past.
    pub fn monotonic_ms(&self, ledger_ms: u64) -> u64 {
        self.started_at_ms + ledger_ms.saturating_sub(self.base_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: a term's ledger time starts where the ledger stood, and runs with the monotonic clock only.
    #[test]
    fn a_leader_change_adds_nothing() {
        let first = LedgerClock::start(5_000, 100);
        assert_eq!(first.ledger_ms(100), 5_000);
        assert_eq!(first.ledger_ms(400), 5_300);
        // The next leader sees an entry stamped 5,300 and starts an hour later on its own clock.
        let second = LedgerClock::start(5_300, 3_600_000);
        assert_eq!(second.ledger_ms(3_600_000), 5_300);
        assert_eq!(second.ledger_ms(3_599_000), 5_300, "never back");
    }

    /// Promise: a wake-up set for a ledger time comes when that time is there, not before.
    #[test]
    fn monotonic_is_the_inverse() {
        let clock = LedgerClock::start(5_000, 100);
        assert_eq!(clock.ledger_ms(clock.monotonic_ms(7_000)), 7_000);
        assert_eq!(clock.monotonic_ms(10), 100);
    }
}
