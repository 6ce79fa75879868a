//! A disk that forgets what was not synced, for the simulator.
//!
//! A crash keeps the synced state and a seeded subset of the batches written since: each of them whole or not at all.

use crate::log_store::{Batch, Error, HardState, Loaded, LogStore, SnapshotMeta};
use crate::memory::Content;
use crate::replica::{EntryMark, Vouched};
use crate::simulation::random::Random;
use bytes::Bytes;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One replica's disk; clones share it, so it survives its replica.
#[derive(Clone, Default)]
pub struct SimulatedDisk {
    platter: Arc<Mutex<Platter>>,
}

#[derive(Default)]
struct Platter {
    /// What a crash now would leave at least.
    durable: Content,
    /// What a reader sees.
    live: Content,
    /// Written since the last sync.
    unsynced: Vec<Batch>,
    /// Staged since the last sync.
    staged: Vec<((u64, u32), Bytes)>,
    /// The next write fails.
    is_failing: bool,
}

/// What is certain to survive a crash right now.
#[derive(Clone, Debug)]
pub struct Durable {
    /// Raft's promises.
    pub hard_state: HardState,
    /// The newest snapshot.
    pub snapshot: Option<SnapshotMeta>,
    /// The log ends here.
    pub last_index: u64,
}

// === impl SimulatedDisk ===

impl SimulatedDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// The power goes: un-synced batches are each kept or lost, as the seed says.
    pub fn crash(&self, random: &mut Random) {
        let mut platter = self.platter();
        for batch in std::mem::take(&mut platter.unsynced) {
            if random.chance(500) && batch.snapshot.is_none() {
                // A batch that does not fit without a lost one before it is lost with it.
                let mut attempt = platter.durable.clone();
                if attempt.apply(&batch).is_ok() {
                    platter.durable = attempt;
                }
            }
        }
        platter.staged.clear();
        platter.live = platter.durable.clone();
    }

    /// The next write fails.
    pub fn fail_next(&self) {
        self.platter().is_failing = true;
    }

    /// Whether this write fails; the one after it, by another process, does not.
    pub(crate) fn takes_error(&self) -> bool {
        std::mem::take(&mut self.platter().is_failing)
    }

    /// What would survive a crash right now, on a disk of its own.
    pub(crate) fn copy(&self) -> Self {
        let durable = self.platter().durable.clone();
        let platter = Platter {
            live: durable.clone(),
            durable,
            ..Platter::default()
        };
        Self {
            platter: Arc::new(Mutex::new(platter)),
        }
    }

    /// Everything is gone.
    pub fn wipe(&self) {
        *self.platter() = Platter::default();
    }

    /// What would survive a crash right now.
    pub fn durable(&self) -> Durable {
        let platter = self.platter();
        Durable {
            hard_state: platter.durable.hard_state,
            snapshot: platter.durable.snapshot.clone(),
            last_index: platter.durable.last_index(),
        }
    }

    /// Whether this entry would survive a crash right now, in the log or inside the snapshot.
    pub fn holds(&self, mark: EntryMark) -> bool {
        let platter = self.platter();
        let content = &platter.durable;
        if mark.index <= content.truncated_index {
            return true;
        }
        let position = (mark.index - content.truncated_index - 1) as usize;
        content
            .entries
            .get(position)
            .is_some_and(|entry| EntryMark::of(entry.index, entry.term, &entry.data) == mark)
    }

    /// R7: whether everything a message vouches for would survive a crash right now.
    pub fn backs(&self, vouched: Vouched) -> bool {
        let durable = self.durable();
        if vouched.term > durable.hard_state.term {
            return false;
        }
        // A newer term on the disk supersedes what the message says about an older one.
        if vouched.term < durable.hard_state.term {
            return true;
        }
        let vote_is_there = vouched.vote == 0 || vouched.vote == durable.hard_state.vote;
        vote_is_there && vouched.index <= durable.last_index
    }

    fn platter(&self) -> MutexGuard<'_, Platter> {
        self.platter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl LogStore ===

impl LogStore for SimulatedDisk {
    fn load(&mut self) -> Result<Loaded, Error> {
        Ok(self.platter().live.loaded())
    }

    fn write(&mut self, batch: &Batch) -> Result<(), Error> {
        let mut platter = self.platter();
        platter.live.apply(batch)?;
        platter.unsynced.push(batch.clone());
        if batch.must_sync {
            let staged = std::mem::take(&mut platter.staged);
            platter.durable.chunks.extend(staged);
            for batch in std::mem::take(&mut platter.unsynced) {
                platter.durable.apply(&batch)?;
            }
        }
        Ok(())
    }

    fn stage_chunk(&mut self, index: u64, number: u32, chunk: &[u8]) -> Result<(), Error> {
        let chunk = Bytes::copy_from_slice(chunk);
        let mut platter = self.platter();
        platter.live.chunks.insert((index, number), chunk.clone());
        platter.staged.push(((index, number), chunk));
        Ok(())
    }

    fn read_chunk(&self, index: u64, number: u32) -> Result<Bytes, Error> {
        self.platter().live.chunk(index, number)
    }
}
