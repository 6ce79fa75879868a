//! Older forms of the records, brought up to today's by numbered steps, record by record.

use super::{Record, STATE_VERSION};
use crate::ledger::Error;

/// From one form to the next. Each stays for as long as a snapshot of its form may be met.
#[derive(Clone, Copy, Debug)]
pub struct Upgrade {
    /// The form that it reads; it makes the next one.
    pub from: u32,
    /// What is different, in one sentence.
    pub what: &'static str,
    /// What becomes of a record behind the header; none = it is left out.
    pub record: fn(Record) -> Option<Record>,
}

/// Every step that this program knows, in order, without a gap up to [`STATE_VERSION`].
pub const UPGRADES: &[Upgrade] = &[
    Upgrade {
        from: 1,
        what: "a record of the cluster's own row; without one the cluster is at its first version",
        record: Some,
    },
    Upgrade {
        from: 2,
        what: "records of node pools, ENIs and jobs; without them there are none",
        record: Some,
    },
];

/// The steps that lead from this form to today's.
pub(super) fn steps(upgrades: &[Upgrade], found: u32) -> Result<&[Upgrade], Error> {
    let oldest = upgrades.first().map_or(STATE_VERSION, |step| step.from);
    if !(oldest..=STATE_VERSION).contains(&found) {
        return Err(Error::StateVersion {
            found,
            oldest,
            newest: STATE_VERSION,
        });
    }
    Ok(&upgrades[(found - oldest) as usize..])
}

/// One record through all steps.
pub(super) fn apply(steps: &[Upgrade], record: Record) -> Option<Record> {
    let through = |record: Option<Record>, step: &Upgrade| record.and_then(step.record);
    steps.iter().fold(Some(record), through)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ledger;
    use crate::apply::testing::*;
    use crate::row::Node;
    use crate::version::CARE;
    use std::sync::Arc;

    /// Promise: the steps are numbered without a gap and end at today's form.
    #[test]
    fn the_table_has_no_gap() {
        let froms: Vec<u32> = UPGRADES.iter().map(|step| step.from).collect();
        let expected: Vec<u32> = (froms[0]..STATE_VERSION).collect();
        assert_eq!(froms, expected);
    }

    /// The form 0 that never was: its nodes kept their warm targets in tens.
    const FROM_THE_BEGINNING: [Upgrade; 3] = [
        Upgrade {
            from: 0,
            what: "warm targets are counted singly",
            record: |record| {
                Some(match record {
                    Record::Node(row) => Record::Node(Arc::new(Node {
                        warm_target: row.warm_target * 10,
                        ..(*row).clone()
                    })),
                    record => record,
                })
            },
        },
        UPGRADES[0],
        UPGRADES[1],
    ];

    fn of_form(records: Vec<Record>, form: u32) -> Vec<Record> {
        let relabelled = |record: Record| match record {
            Record::Header(mut header) => {
                header.state_version = form;
                Record::Header(header)
            }
            record => record,
        };
        records.into_iter().map(relabelled).collect()
    }

    /// Promise: a snapshot of an older form is read through every step in turn, and gives the ledger that it means.
    #[test]
    fn an_older_form_is_brought_up() {
        let mut world = World::new();
        world.bind(world.add("a", "10.0.0.5"));
        world.warm_target(30);
        let today: Vec<Record> = world.ledger.records().collect();
        let tenth = |record: &Record| match record {
            Record::Node(row) => Record::Node(Arc::new(Node {
                warm_target: row.warm_target / 10,
                ..(**row).clone()
            })),
            record => record.clone(),
        };
        let old: Vec<Record> = of_form(today.iter().map(tenth).collect(), 0);
        let ledger = Ledger::from_older_records(old.clone(), &FROM_THE_BEGINNING).expect("read");
        assert_eq!(
            ledger.node(world.nodes[0]),
            world.ledger.node(world.nodes[0])
        );
        assert_eq!(ledger.digest(), world.ledger.digest());
    }

    /// Promise (negative control): without its step an older form is refused, and so is a newer one, with the numbers.
    #[test]
    fn a_form_without_a_step_is_refused() {
        let records = || World::new().ledger.records().collect();
        let refused = |form| {
            Ledger::from_records(of_form(records(), form))
                .map(|_| "a ledger")
                .expect_err("refused")
        };
        let numbers = |found| Error::StateVersion {
            found,
            oldest: 1,
            newest: 3,
        };
        assert_eq!(refused(0), numbers(0));
        assert_eq!(refused(4), numbers(4));
        assert!(
            refused(4)
                .to_string()
                .contains("state version 4, this program reads 1 to 3")
        );
    }

    /// Promise: a snapshot that lost the record of its cluster version, or has one that its form does not have, is refused.
    #[test]
    fn a_lost_cluster_version_is_noticed() {
        let mut world = World::new();
        world.raise(CARE);
        let records: Vec<Record> = world.ledger.records().collect();
        let restored = Ledger::from_records(records.clone()).expect("whole");
        assert_eq!(restored.version(), CARE);
        let lost = records
            .iter()
            .filter(|record| !matches!(record, Record::Cluster(_)));
        assert!(matches!(
            Ledger::from_records(lost.cloned()),
            Err(Error::Form { version: 2, .. })
        ));
        let early = Ledger::from_records(of_form(records, 1));
        assert!(matches!(early, Err(Error::Form { version: 1, .. })));
    }
}
