//! Follows a history group by group: H1 and H3, and H2 where it goes back to the beginning.

use berth_domain::Ledger;
use berth_domain::event::{Chain, EventGroup};
use berth_domain::id::{ClusterId, Revision};
use berth_domain::invariant::{self, Violation};

/// See the module.
pub struct Walk {
    /// Revision and chain of the last group; none = before the first of a history whose beginning was dropped.
    last: Option<(Revision, Chain)>,
    first: Option<Revision>,
    groups: u64,
    times_ms: (u64, u64),
    replayed: Option<Ledger>,
}

// === impl Walk ===

impl Walk {
    /// From this revision on; 1 = from the beginning. With a cluster the groups are replayed, if nothing was dropped.
    pub fn new(first_revision: Revision, replay: Option<ClusterId>) -> Self {
        let whole = first_revision.0 <= 1;
        Self {
            last: whole.then_some((Revision(0), Chain::default())),
            first: None,
            groups: 0,
            times_ms: (0, 0),
            replayed: replay.filter(|_| whole).map(Ledger::new),
        }
    }

    /// The next group.
    ///
    /// # Errors
    /// What does not hold. The walk is over then.
    pub fn follow(&mut self, group: &EventGroup) -> Result<(), Violation> {
        self.first.get_or_insert(group.revision);
        self.groups += 1;
        self.last = Some(match self.last {
            Some(last) => invariant::chain_follows(last, std::slice::from_ref(group))?,
            // What it hashes on was dropped by retention.
            None => (group.revision, group.chain),
        });
        let times_ms = (group.ledger_time_ms, group.wall_time_ms);
        if times_ms.0 < self.times_ms.0 || times_ms.1 < self.times_ms.1 {
            return Err(Violation {
                id: "H1",
                what: format!("time goes back at {}", group.revision),
            });
        }
        self.times_ms = times_ms;
        let Some(ledger) = &mut self.replayed else {
            return Ok(());
        };
        let replayed = ledger.replay(group);
        replayed.map_err(|error| Violation {
            id: "H2",
            what: format!("group {} cannot be replayed: {error}", group.revision),
        })
    }

    /// The first group's revision; none = there was none.
    pub fn first(&self) -> Option<Revision> {
        self.first
    }

    /// Of the last group; zero before the first.
    pub fn reached(&self) -> (Revision, Chain) {
        self.last.unwrap_or_default()
    }

    /// Groups so far.
    pub fn groups(&self) -> u64 {
        self.groups
    }

    /// Whether the groups were replayed, and gave this ledger.
    ///
    /// # Errors
    /// H2: they gave another.
    pub fn gives(&self, ledger: &Ledger) -> Result<bool, Violation> {
        match &self.replayed {
            None => Ok(false),
            Some(replayed) if replayed.digest() == ledger.digest() => Ok(true),
            Some(_) => Err(Violation {
                id: "H2",
                what: format!(
                    "a replay of the history up to {} gives another ledger",
                    ledger.revision()
                ),
            }),
        }
    }
}
