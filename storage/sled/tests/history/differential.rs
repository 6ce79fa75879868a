//! Random appends, commits, restarts, retention, jumps and imports: every query answers as a plain list would.

use super::{fresh, open_at, record};
use berth_store::history::{HistoryReader, HistoryWriter, Order, Page, Query, Record, Through};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Step {
    Append {
        sizes: Vec<u32>,
        commit: bool,
    },
    /// Drops what is not committed, then makes the last records again, as a replay does.
    Restart {
        again: u8,
    },
    DropBefore {
        share: u8,
    },
    Jump {
        far: u8,
    },
    Import {
        count: u8,
    },
    Upkeep,
    Ask {
        query: Query,
        key: u8,
    },
}

fn any_query() -> impl Strategy<Value = Query> {
    let revisions = prop_oneof![2 => Just((0, u64::MAX)), 2 => (0..300u64, 0..300u64)];
    let walls = prop_oneof![3 => Just((0, u64::MAX)), 1 => (1000..2000u64, 1000..2000u64)];
    (revisions, walls, any::<bool>(), 0..60usize).prop_map(|(revisions, walls, newest, limit)| {
        Query {
            first_revision: revisions.0,
            last_revision: revisions.1,
            first_wall_ms: walls.0,
            last_wall_ms: walls.1,
            order: if newest {
                Order::NewestFirst
            } else {
                Order::OldestFirst
            },
            limit,
        }
    })
}

fn any_step() -> impl Strategy<Value = Step> {
    let size = prop_oneof![6 => 0..300u32, 2 => 5_000..40_000u32, 1 => 60_000..90_000u32];
    let sizes = prop_oneof![
        3 => prop::collection::vec(size.clone(), 0..4),
        1 => prop::collection::vec(size, 10..40),
    ];
    prop_oneof![
        12 => (sizes, any::<bool>()).prop_map(|(sizes, commit)| Step::Append { sizes, commit }),
        2 => any::<u8>().prop_map(|again| Step::Restart { again }),
        1 => any::<u8>().prop_map(|share| Step::DropBefore { share }),
        1 => any::<u8>().prop_map(|far| Step::Jump { far }),
        3 => any::<u8>().prop_map(|count| Step::Import { count }),
        2 => Just(Step::Upkeep),
        4 => (any_query(), 0..6u8).prop_map(|(query, key)| Step::Ask { query, key }),
    ]
}

struct Pair {
    directory: tempfile::TempDir,
    stores: Option<(HistoryWriter, HistoryReader)>,
    /// What is committed and kept.
    kept: BTreeMap<u64, Record>,
    /// Every record ever made, so that it can be made again.
    made: BTreeMap<u64, Record>,
    appended: u64,
    through: Through,
    floor: u64,
}

// === impl Pair ===

impl Pair {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let stores = Some(fresh(&directory.path().join("history")));
        Self {
            directory,
            stores,
            kept: BTreeMap::new(),
            made: BTreeMap::new(),
            appended: 0,
            through: Through::default(),
            floor: 1,
        }
    }

    fn writer(&mut self) -> &mut HistoryWriter {
        &mut self.stores.as_mut().unwrap().0
    }

    fn reader(&self) -> &HistoryReader {
        &self.stores.as_ref().unwrap().1
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Append { sizes, commit } => self.append(&sizes, commit),
            Step::Restart { again } => self.restart(again),
            Step::DropBefore { share } => {
                let floor = self.through.revision * u64::from(share) / 600;
                self.writer().drop_before(floor).unwrap();
                self.floor = self.floor.max(floor);
                self.kept = self.kept.split_off(&self.floor);
            }
            Step::Jump { far } => self.jump(far),
            Step::Import { count } => self.import(count),
            Step::Upkeep => {
                self.writer().upkeep().unwrap();
            }
            Step::Ask { query, key } => self.ask(query, key),
        }
    }

    fn append(&mut self, sizes: &[u32], commit: bool) {
        let next = self.appended + 1;
        let records: Vec<_> = sizes
            .iter()
            .zip(next..)
            .map(|(size, revision)| record(revision, *size as usize))
            .collect();
        self.appended += sizes.len() as u64;
        self.made.extend(
            records
                .iter()
                .map(|record| (record.revision, record.clone())),
        );
        self.writer().append(records).unwrap();
        if commit {
            self.commit();
        }
    }

    fn commit(&mut self) {
        if self.appended > self.through.revision {
            let index = self.made[&self.appended].index;
            self.writer().reach(index);
            let newly = self
                .made
                .range(self.through.revision + 1..self.appended + 1);
            self.kept
                .extend(newly.map(|(revision, record)| (*revision, record.clone())));
            let chain = self.made[&self.appended].chain;
            self.through = Through {
                revision: self.appended,
                index,
                chain,
            };
        }
        let through = self.writer().commit().unwrap();
        assert_eq!(through, self.through);
        assert_eq!(self.reader().through(), through);
    }

    fn restart(&mut self, again: u8) {
        drop(self.stores.take());
        self.stores = Some(open_at(&self.directory.path().join("history")));
        assert_eq!(self.writer().through(), self.through);
        let from = (self.through.revision + 1)
            .saturating_sub(again.into())
            .max(1);
        let again: Vec<_> = self
            .made
            .range(from..self.appended + 1)
            .map(|(_, record)| record.clone())
            .collect();
        // A jump leaves revisions that were never made here.
        let whole = again.first().is_some_and(|first| first.revision == from)
            && again.len() as u64 == self.appended + 1 - from;
        if whole {
            self.writer().append(again).unwrap();
        } else {
            let rest: Vec<_> = self
                .made
                .range(self.through.revision + 1..self.appended + 1)
                .map(|(_, record)| record.clone())
                .collect();
            self.writer().append(rest).unwrap();
        }
    }

    fn jump(&mut self, far: u8) {
        self.commit();
        let revision = self.appended + u64::from(far % 40);
        for missing in self.appended + 1..=revision {
            let bytes = if missing % 9 == 0 { 30_000 } else { 100 };
            self.made.insert(missing, record(missing, bytes));
        }
        if let Some(last) = self.made.get(&revision) {
            self.through = Through {
                revision,
                index: last.index,
                chain: last.chain,
            };
        }
        let through = self.through;
        self.writer().jump(through).unwrap();
        self.appended = revision;
    }

    fn import(&mut self, count: u8) {
        let gaps = self.reader().gaps();
        let Some(gap) = gaps.get(usize::from(count) % gaps.len().max(1)) else {
            return;
        };
        let last = gap.last.min(gap.first + u64::from(count % 30));
        let records: Vec<_> = self
            .made
            .range(gap.first..=last)
            .map(|(_, record)| record.clone())
            .collect();
        self.kept.extend(
            records
                .iter()
                .map(|record| (record.revision, record.clone())),
        );
        self.writer().import(records).unwrap();
    }

    fn ask(&self, query: Query, key: u8) {
        let key = match key {
            0 => "all".to_owned(),
            1..=3 => format!("ip/{key}"),
            4 => "node/1".to_owned(),
            _ => "nobody".to_owned(),
        };
        let reader = self.reader();
        self.assert_pages(query, |_| true, |query| reader.range(query).unwrap());
        let has_key = |record: &Record| record.keys.iter().any(|have| have == key.as_bytes());
        self.assert_pages(query, has_key, |query| {
            reader.by_key(key.as_bytes(), query).unwrap()
        });
        assert_eq!(reader.floor(), self.floor);
        let at = 1000 + query.limit as u64 * 15;
        let newest = self.kept.values().rfind(|record| record.wall_ms <= at);
        assert_eq!(
            reader.revision_at(at).unwrap(),
            newest.map(|record| record.revision)
        );
    }

    /// Pages through a query and compares all pages together with the list.
    fn assert_pages(
        &self,
        query: Query,
        keep: impl Fn(&Record) -> bool,
        ask: impl Fn(&Query) -> Page,
    ) {
        let inside = |record: &&Record| {
            (query.first_revision..=query.last_revision).contains(&record.revision)
                && (query.first_wall_ms..=query.last_wall_ms).contains(&record.wall_ms)
                && keep(record)
        };
        let mut expected: Vec<_> = self
            .kept
            .values()
            .filter(inside)
            .cloned()
            .map(sorted_keys)
            .collect();
        if query.order == Order::NewestFirst {
            expected.reverse();
        }
        let mut found = Vec::new();
        let mut next = query;
        loop {
            let page = ask(&next);
            assert!(page.records.len() <= query.limit.max(1));
            found.extend(page.records);
            match (page.next, query.order) {
                (Some(revision), Order::OldestFirst) => next.first_revision = revision,
                (Some(revision), Order::NewestFirst) => next.last_revision = revision,
                (None, _) => break,
            }
        }
        assert_eq!(found, expected);
    }
}

fn sorted_keys(mut record: Record) -> Record {
    record.keys.sort();
    record
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_query_answers_as_a_list_would(steps in prop::collection::vec(any_step(), 1..60)) {
        // Whatever was committed and kept is found by key, revision and time, in both orders, in pages of any size, across restarts.
        let mut pair = Pair::new();
        for step in steps {
            pair.take(step);
        }
        pair.restart(200);
        for key in 0..6 {
            pair.ask(Query { limit: 7, ..Query::default() }, key);
        }
    }
}
