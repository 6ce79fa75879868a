//! In which boots a node was heard of. Their ids have no order; which is newer is known only by which came first.

use berth_domain::id::BootId;
use berth_domain::row::Allocation;
use std::collections::VecDeque;

/// So many ended boots are remembered: a request of an older one would have been under way through as many reboots.
const ENDED_MAX: usize = 8;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Boots {
    now: Option<BootId>,
    /// Oldest first.
    ended: VecDeque<BootId>,
}

// === impl Boots ===

impl Boots {
    /// As the ledger's binds show them, in the order in which they were made.
    pub fn of(allocations: &[impl AsRef<Allocation>]) -> Self {
        let mut rows: Vec<&Allocation> = allocations.iter().map(AsRef::as_ref).collect();
        rows.sort_by_key(|row| row.generation);
        let mut boots = Self::default();
        for row in rows {
            boots.hear(&row.boot);
        }
        boots
    }

    /// The one it is in; none if nothing is known.
    pub fn now(&self) -> Option<&BootId> {
        self.now.as_ref()
    }

    /// Whether this one is over: what comes of it was under way for too long. A caller that names none is believed.
    pub fn is_ended(&self, boot: &BootId) -> bool {
        self.ended.contains(boot)
    }

    /// Whether it is another one than before. One that has ended never comes back.
    pub fn hear(&mut self, boot: &BootId) -> bool {
        if boot.as_str().is_empty() || self.now.as_ref() == Some(boot) || self.is_ended(boot) {
            return false;
        }
        if let Some(before) = self.now.replace(boot.clone()) {
            self.ended.push_back(before);
            if self.ended.len() > ENDED_MAX {
                self.ended.pop_front();
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boot(number: usize) -> BootId {
        BootId::new(&format!("boot-{number}")).expect("a name")
    }

    /// Promise: the boot heard of last is the node's, and one that has ended stays ended, through as many as are remembered.
    #[test]
    fn an_ended_boot_stays_ended() {
        let mut boots = Boots::default();
        assert!(!boots.hear(&BootId::new("").expect("allowed")));
        for number in 0..=ENDED_MAX {
            assert!(boots.hear(&boot(number)));
            assert!(!boots.hear(&boot(number)), "it is known");
        }
        for number in 0..ENDED_MAX {
            assert!(boots.is_ended(&boot(number)) && !boots.hear(&boot(number)));
        }
        assert_eq!(boots.now(), Some(&boot(ENDED_MAX)));
        assert!(
            boots.hear(&boot(100)) && !boots.is_ended(&boot(0)),
            "forgotten"
        );
    }
}
