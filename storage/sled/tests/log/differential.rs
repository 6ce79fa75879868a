//! Random batches, conflicts, compactions, snapshots and restarts: the log on sled and the one in memory stay the same.

use super::{entry, meta, open};
use berth_raft::log_store::{Batch, HardState, InstallSnapshot, Loaded, LogStore, Membership};
use berth_raft::memory::Memory;
use berth_store::SledLog;
use proptest::prelude::*;

/// One thing to do; its numbers are fitted to what the log holds by then.
#[derive(Clone, Debug)]
enum Step {
    /// Goes `back` entries into the log, then appends entries of these sizes.
    Append {
        back: u8,
        sizes: Vec<u32>,
        new_term: bool,
        sync: bool,
    },
    Promise {
        vote: u64,
        commit: u64,
    },
    Change {
        voters: Vec<u64>,
        auto_leave: bool,
    },
    Compact {
        share: u8,
    },
    Snapshot {
        share: u8,
        beyond: u8,
        chunks: Vec<u16>,
        reset: bool,
        staged_twice: bool,
    },
    StageInVain {
        beyond: u8,
    },
    Reopen,
}

fn any_size() -> impl Strategy<Value = u32> {
    prop_oneof![
        8 => 0..400u32,
        2 => 10_000..70_000u32,
        1 => 60_000..200_000u32,
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    let sizes = || prop::collection::vec(any_size(), 1..12);
    let append = (
        prop_oneof![4 => Just(0u8), 3 => 1..20u8, 1 => any::<u8>()],
        sizes(),
        any::<bool>(),
        any::<bool>(),
    );
    let snapshot = (
        any::<u8>(),
        any::<u8>(),
        prop::collection::vec(any::<u16>(), 0..6),
        any::<bool>(),
        any::<bool>(),
    );
    prop_oneof![
        8 => append.prop_map(|(back, sizes, new_term, sync)| Step::Append { back, sizes, new_term, sync }),
        2 => (any::<u64>(), any::<u64>()).prop_map(|(vote, commit)| Step::Promise { vote, commit }),
        1 => (prop::collection::vec(any::<u64>(), 0..4), any::<bool>())
            .prop_map(|(voters, auto_leave)| Step::Change { voters, auto_leave }),
        2 => any::<u8>().prop_map(|share| Step::Compact { share }),
        2 => snapshot.prop_map(|(share, beyond, chunks, reset, staged_twice)| {
            Step::Snapshot { share, beyond, chunks, reset, staged_twice }
        }),
        1 => any::<u8>().prop_map(|beyond| Step::StageInVain { beyond }),
        2 => Just(Step::Reopen),
    ]
}

/// Both stores, and the term to write with.
struct Pair {
    directory: tempfile::TempDir,
    sled: Option<SledLog>,
    model: Memory,
    term: u64,
}

// === impl Pair ===

impl Pair {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        SledLog::create(&directory.path().join("log")).unwrap();
        let mut pair = Self {
            directory,
            sled: None,
            model: Memory::new(),
            term: 1,
        };
        pair.reopen();
        pair
    }

    fn state(&mut self) -> Loaded {
        self.model.load().unwrap()
    }

    fn write(&mut self, batch: &Batch) {
        self.sled.as_mut().unwrap().write(batch).unwrap();
        self.model.write(batch).unwrap();
    }

    fn reopen(&mut self) {
        drop(self.sled.take());
        let mut log = open(&self.directory.path().join("log"));
        let loaded = log.load().unwrap();
        assert_same(&loaded, &self.state());
        if let Some(meta) = &loaded.snapshot {
            for number in 0..meta.chunks {
                let expected = self.model.read_chunk(meta.index, number).unwrap();
                assert_eq!(log.read_chunk(meta.index, number).unwrap(), expected);
            }
        }
        self.sled = Some(log);
    }

    fn take(&mut self, step: Step) {
        let state = self.state();
        let floor = state.truncated_index;
        let last = floor + state.entries.len() as u64;
        match step {
            Step::Append {
                back,
                sizes,
                new_term,
                sync,
            } => {
                self.term += u64::from(new_term);
                let first = last + 1 - (last - floor).min(back.into());
                let term = self.term;
                let entries = sizes
                    .iter()
                    .zip(first..)
                    .map(|(size, index)| entry(index, term, *size as usize));
                let entries: Vec<_> = entries.collect();
                let end = first + entries.len() as u64 - 1;
                // One batch may do everything at once.
                let floor = first.saturating_sub(10);
                self.write(&Batch {
                    hard_state: new_term.then_some(HardState {
                        term,
                        vote: 1,
                        commit: end,
                    }),
                    compact_to: (back % 2 == 1).then_some((floor, term)),
                    entries,
                    must_sync: sync,
                    ..Batch::default()
                });
            }
            Step::Promise { vote, commit } => {
                let hard_state = Some(HardState {
                    term: self.term,
                    vote,
                    commit: commit.min(last),
                });
                self.write(&Batch {
                    hard_state,
                    ..Batch::default()
                });
            }
            Step::Change { voters, auto_leave } => {
                let membership = Some(Membership {
                    voters,
                    auto_leave,
                    ..Membership::default()
                });
                self.write(&Batch {
                    membership,
                    must_sync: true,
                    ..Batch::default()
                });
            }
            Step::Compact { share } => {
                let index = floor + (last - floor) * u64::from(share) / 255;
                self.write(&Batch {
                    compact_to: Some((index, self.term)),
                    ..Batch::default()
                });
            }
            Step::Snapshot {
                share,
                beyond,
                chunks,
                reset,
                staged_twice,
            } => {
                // A leader's snapshot may lie before, in or after what is there.
                let within = floor + (last - floor) * u64::from(share) / 255;
                let index = match reset && share % 2 == 0 {
                    true => last + u64::from(beyond),
                    false => within,
                };
                self.snapshot(index, &chunks, reset, staged_twice);
            }
            Step::StageInVain { beyond } => {
                let index = last + u64::from(beyond);
                self.sled
                    .as_mut()
                    .unwrap()
                    .stage_chunk(index, 0, b"never installed")
                    .unwrap();
            }
            Step::Reopen => self.reopen(),
        }
    }

    fn snapshot(&mut self, index: u64, sizes: &[u16], reset_log: bool, staged_twice: bool) {
        if self
            .state()
            .snapshot
            .as_ref()
            .is_some_and(|old| old.index > index)
        {
            return;
        }
        let chunks: Vec<Vec<u8>> = sizes
            .iter()
            .map(|size| vec![*size as u8; usize::from(*size) % 60_000])
            .collect();
        for _ in 0..1 + u32::from(staged_twice) {
            // In any order.
            for (number, chunk) in chunks.iter().enumerate().rev() {
                self.sled
                    .as_mut()
                    .unwrap()
                    .stage_chunk(index, number as u32, chunk)
                    .unwrap();
                self.model.stage_chunk(index, number as u32, chunk).unwrap();
            }
        }
        let staged_nothing = chunks.is_empty();
        if staged_nothing {
            return;
        }
        let mut meta = meta(index, self.term, &chunks);
        meta.membership.voters = vec![index];
        // A leader's snapshot may come with the entries after it.
        let after = index + 1..index + 1 + 3 * u64::from(reset_log);
        let term = self.term;
        self.write(&Batch {
            membership: reset_log.then(|| meta.membership.clone()),
            snapshot: Some(InstallSnapshot { meta, reset_log }),
            entries: after.map(|index| entry(index, term, 50)).collect(),
            must_sync: true,
            ..Batch::default()
        });
    }
}

fn assert_same(loaded: &Loaded, expected: &Loaded) {
    assert_eq!(loaded.hard_state, expected.hard_state);
    assert_eq!(loaded.membership, expected.membership);
    assert_eq!(loaded.snapshot, expected.snapshot);
    assert_eq!(loaded.truncated_index, expected.truncated_index);
    assert_eq!(loaded.truncated_term, expected.truncated_term);
    assert_eq!(loaded.entries, expected.entries);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_log_on_sled_is_the_log_in_memory(steps in prop::collection::vec(any_step(), 1..40)) {
        // Whatever was written is what comes back, across conflicts, compaction, snapshots and restarts.
        let mut pair = Pair::new();
        for step in steps {
            pair.take(step);
        }
        pair.reopen();
        // And once more after nothing happened.
        pair.reopen();
    }
}
