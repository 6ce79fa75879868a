//! Queries, from any thread.

use super::index::{Run, hash};
use super::segment::{Header, Segment};
use super::state::{Pending, Shared};
use super::{Gap, Order, PAGE_BYTES_MAX, PAGE_RECORDS_MAX, Page, Query, Record, Through, Void};
use crate::Error;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Headers taken per look at the shared state.
const HEADERS_PER_LOOK: usize = 64;

/// Reads committed records. Cheap to clone; never waits for the writer's disk work. Blocks its thread while it reads the disk.
#[derive(Clone, Debug)]
pub struct HistoryReader {
    shared: Arc<Shared>,
}

/// A segment as it was found under the lock.
struct Found {
    header: Arc<Header>,
    young: Option<Arc<Segment>>,
}

// === impl HistoryReader ===

impl HistoryReader {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// How far the durable history reaches.
    pub fn through(&self) -> Through {
        self.shared.state().through
    }

    /// The oldest revision that retention keeps; 1 if nothing was dropped. What is missing above it is in [`HistoryReader::gaps`].
    pub fn floor(&self) -> u64 {
        self.shared.state().floor
    }

    /// What this replica has yet to fetch, oldest first. An answer about these revisions is incomplete.
    pub fn gaps(&self) -> Vec<Gap> {
        self.shared.state().gaps.clone()
    }

    /// Revisions that never were, oldest first. Nothing is missing there.
    pub fn voids(&self) -> Vec<Void> {
        self.shared.state().voids.clone()
    }

    /// Records that carry a posting key.
    ///
    /// # Errors
    /// `Damaged`, or sled's own.
    pub fn by_key(&self, key: &[u8], query: &Query) -> Result<Page, Error> {
        let found = self.candidates(key, query)?;
        let has_key = |record: &Record| {
            record
                .keys
                .binary_search_by(|have| have[..].cmp(key))
                .is_ok()
        };
        let mut collector = Collector::new(query);
        match query.order {
            Order::OldestFirst => self.fill(found.values(), query, &mut collector, has_key)?,
            Order::NewestFirst => {
                self.fill(found.values().rev(), query, &mut collector, has_key)?
            }
        };
        Ok(collector.page)
    }

    /// All records within bounds: for watching from a revision, and for sending them to another replica.
    ///
    /// # Errors
    /// `Damaged`, or sled's own.
    pub fn range(&self, query: &Query) -> Result<Page, Error> {
        let mut collector = Collector::new(query);
        let mut rest = *query;
        loop {
            let found = self.next_segments(&rest);
            let full = self.fill(found.iter(), &rest, &mut collector, |_| true)?;
            match found.last() {
                Some(last) if !full => rest.go_past(&last.header),
                _ => return Ok(collector.page),
            }
        }
    }

    /// One record, if it is kept and not in a gap.
    ///
    /// # Errors
    /// `Damaged`, or sled's own.
    pub fn record(&self, revision: u64) -> Result<Option<Record>, Error> {
        let query = Query {
            first_revision: revision,
            last_revision: revision,
            limit: 1,
            ..Query::default()
        };
        Ok(self.range(&query)?.records.pop())
    }

    /// The newest revision whose wall time is at or before `wall_ms`: the state at that moment.
    ///
    /// # Errors
    /// `Damaged`, or sled's own.
    pub fn revision_at(&self, wall_ms: u64) -> Result<Option<u64>, Error> {
        let query = Query {
            last_wall_ms: wall_ms,
            limit: 1,
            ..Query::default()
        };
        Ok(self
            .range(&query)?
            .records
            .pop()
            .map(|record| record.revision))
    }

    /// Segments that may hold the key, by first revision.
    fn candidates(&self, key: &[u8], query: &Query) -> Result<BTreeMap<u64, Found>, Error> {
        let look = self.look(query);
        let mut found: BTreeMap<u64, Found> = look.young;
        let hash = hash(key);
        let mut segments = Vec::new();
        for pending in look.pending {
            if pending.hashes.binary_search(&hash).is_ok() {
                segments.push(pending.first);
            }
        }
        for run in look.runs {
            let result = run.find(&self.shared.database, hash, &mut segments);
            result.inspect_err(|error| self.shared.database.poison(error))?;
        }
        let state = self.shared.state();
        for first in segments {
            let header = state.headers.get(&first);
            if let Some(header) = header.filter(|header| query.may_touch(header)) {
                found.insert(first, Found::complete(header.clone()));
            }
        }
        Ok(found)
    }

    /// Takes what a key query needs, all of one moment: a record is young, pending or in a run, never in two of them.
    fn look(&self, query: &Query) -> Look {
        let state = self.shared.state();
        let first = query.first_revision.max(state.floor);
        let oldest = state.covering(first).map_or(first, |header| header.first);
        let touched =
            |run: &&Arc<Run>| run.meta.first <= query.last_revision && run.meta.last >= oldest;
        let young = state
            .young
            .values()
            .filter(|segment| query.may_touch(&segment.header));
        Look {
            young: young
                .map(|segment| (segment.header.first, Found::young(segment)))
                .collect(),
            pending: state.pending.clone(),
            runs: state.runs.iter().filter(touched).cloned().collect(),
        }
    }

    /// The next segments within bounds, in the query's order.
    fn next_segments(&self, query: &Query) -> Vec<Found> {
        let state = self.shared.state();
        let first = query.first_revision.max(state.floor);
        if first > query.last_revision {
            return Vec::new();
        }
        let from = state.covering(first).map_or(first, |header| header.first);
        let within = state
            .headers
            .range(from..=query.last_revision)
            .map(|(_, header)| header);
        let touched = within.filter(|header| query.may_touch(header));
        let found = |header: &Arc<Header>| match state.young.get(&header.first) {
            Some(segment) => Found::young(segment),
            None => Found::complete(header.clone()),
        };
        match query.order {
            Order::OldestFirst => touched.take(HEADERS_PER_LOOK).map(found).collect(),
            Order::NewestFirst => touched.rev().take(HEADERS_PER_LOOK).map(found).collect(),
        }
    }

    /// Adds matching records of segments, in order, and says whether the page is full.
    fn fill<'a>(
        &self,
        segments: impl Iterator<Item = &'a Found>,
        query: &Query,
        collector: &mut Collector,
        keep: impl Fn(&Record) -> bool,
    ) -> Result<bool, Error> {
        let floor = self.floor();
        for found in segments {
            let Some(segment) = self.segment(found)? else {
                continue;
            };
            let records = &segment.records;
            let count = records.len();
            for position in 0..count {
                let record = match query.order {
                    Order::OldestFirst => &records[position],
                    Order::NewestFirst => &records[count - 1 - position],
                };
                let wanted = record.revision >= floor && query.admits(record) && keep(record);
                if wanted && collector.add(record, query, floor) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn segment(&self, found: &Found) -> Result<Option<Arc<Segment>>, Error> {
        match &found.young {
            Some(segment) => Ok(Some(segment.clone())),
            None => self.shared.segment(&found.header),
        }
    }
}

/// What a key query takes under the lock.
struct Look {
    young: BTreeMap<u64, Found>,
    pending: Vec<Arc<Pending>>,
    runs: Vec<Arc<Run>>,
}

/// A page being filled.
struct Collector {
    page: Page,
    bytes: usize,
    limit: usize,
}

// === impl Found ===

impl Found {
    fn young(segment: &Arc<Segment>) -> Self {
        Self {
            header: Arc::new(segment.header.clone()),
            young: Some(segment.clone()),
        }
    }

    fn complete(header: Arc<Header>) -> Self {
        Self {
            header,
            young: None,
        }
    }
}

// === impl Collector ===

impl Collector {
    fn new(query: &Query) -> Self {
        Self {
            page: Page::default(),
            bytes: 0,
            limit: query.limit.clamp(1, PAGE_RECORDS_MAX),
        }
    }

    /// Adds one record and says whether the page is full now.
    fn add(&mut self, record: &Record, query: &Query, floor: u64) -> bool {
        self.bytes += record.body.len();
        self.page.records.push(record.clone());
        if self.page.records.len() < self.limit && self.bytes < PAGE_BYTES_MAX {
            return false;
        }
        let next = match query.order {
            Order::OldestFirst => record.revision.checked_add(1),
            Order::NewestFirst => record.revision.checked_sub(1),
        };
        let first = query.first_revision.max(floor);
        self.page.next = next.filter(|next| (first..=query.last_revision).contains(next));
        true
    }
}

// === impl Query ===

impl Query {
    fn may_touch(&self, header: &Header) -> bool {
        header.first <= self.last_revision
            && header.last >= self.first_revision
            && header.wall_min_ms <= self.last_wall_ms
            && header.wall_max_ms >= self.first_wall_ms
    }

    fn admits(&self, record: &Record) -> bool {
        (self.first_revision..=self.last_revision).contains(&record.revision)
            && (self.first_wall_ms..=self.last_wall_ms).contains(&record.wall_ms)
    }

    fn go_past(&mut self, header: &Header) {
        match self.order {
            Order::OldestFirst => self.first_revision = header.last.saturating_add(1),
            Order::NewestFirst => self.last_revision = header.first.saturating_sub(1),
        }
    }
}
