//! What writer and readers share: everything that is known without reading the disk.

use super::index::Run;
use super::segment::{Header, Segment};
use super::{Gap, Through, Void};
use crate::Error;
use crate::database::Database;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Decoded segments kept, of about 200 KiB each: a reader that pages through one segment decodes it once.
const CACHE_SEGMENTS: usize = 16;

/// A complete segment that no run covers yet.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) first: u64,
    /// Sorted, without repeats.
    pub(super) hashes: Vec<u64>,
}

/// What a moment's state consists of. Its parts never change: a reader that took them may go on without the lock.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) through: Through,
    pub(super) floor: u64,
    pub(super) gaps: Vec<Gap>,
    pub(super) voids: Vec<Void>,
    /// Every segment, by first revision.
    pub(super) headers: BTreeMap<u64, Arc<Header>>,
    /// The incomplete ones, whole.
    pub(super) young: BTreeMap<u64, Arc<Segment>>,
    pub(super) pending: Vec<Arc<Pending>>,
    pub(super) runs: Vec<Arc<Run>>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) database: Database,
    state: RwLock<State>,
    cache: Mutex<VecDeque<Arc<Segment>>>,
}

// === impl Shared ===

impl Shared {
    pub(super) fn new(database: Database, state: State) -> Self {
        Self {
            database,
            state: RwLock::new(state),
            cache: Mutex::default(),
        }
    }

    /// Never held while the disk is read.
    pub(super) fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn cache(&self) -> MutexGuard<'_, VecDeque<Arc<Segment>>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A segment from memory or from the disk; `None` if retention has dropped it.
    pub(super) fn segment(&self, header: &Header) -> Result<Option<Arc<Segment>>, Error> {
        let cached = self
            .cache()
            .iter()
            .find(|segment| segment.header == *header)
            .cloned();
        if cached.is_some() {
            return Ok(cached);
        }
        let read = Segment::read(&self.database, header);
        if self.state().floor > header.last {
            return Ok(None);
        }
        let segment = read.inspect_err(|error| self.database.poison(error))?;
        let segment = Arc::new(segment);
        let mut cache = self.cache();
        if cache.len() == CACHE_SEGMENTS {
            cache.pop_back();
        }
        cache.push_front(segment.clone());
        Ok(Some(segment))
    }
}

// === impl State ===

impl State {
    /// The segment that has a revision.
    pub(super) fn covering(&self, revision: u64) -> Option<&Arc<Header>> {
        let (_, header) = self.headers.range(..=revision).next_back()?;
        (header.last >= revision).then_some(header)
    }
}
