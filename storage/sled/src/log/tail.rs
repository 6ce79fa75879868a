//! Which chunks the log has, and how a batch of entries changes them.

use super::chunk::{self, Stored};
use super::head::Head;
use crate::Error;
use crate::database::{Database, PAYLOAD_BYTES_MAX, VALUE_BYTES_MAX, part_key};
use berth_raft::log_store::Entry;
use bytes::Bytes;
use sled::IVec;
use std::collections::BTreeMap;

/// A stored chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) last: u64,
    pub(super) parts: u16,
    pub(super) link: u32,
}

/// Every stored chunk by its first index.
#[derive(Debug, Default)]
pub(super) struct Tail {
    pub(super) chunks: BTreeMap<u64, Chunk>,
}

/// What one write does to the tail; takes effect only once the write is applied.
pub(super) struct Change<'a> {
    before: &'a Tail,
    /// Chunks from this first index on are gone.
    cut_from: u64,
    added: Vec<(u64, Chunk)>,
    /// Everything before this write is void; its keys become garbage.
    reset: bool,
}

// === impl Tail ===

impl Tail {
    /// Forgets chunks that lie wholly at or below the floor, and names each one's keys.
    pub(super) fn compact(&mut self, floor: u64) -> Vec<Vec<IVec>> {
        let mut keys = Vec::new();
        while let Some(entry) = self.chunks.first_entry() {
            if entry.get().last > floor {
                break;
            }
            let (first, chunk) = entry.remove_entry();
            keys.push(part_keys(first, chunk).collect());
        }
        keys
    }
}

fn part_keys(first: u64, chunk: Chunk) -> impl Iterator<Item = IVec> {
    (0..chunk.parts).map(move |part| IVec::from(part_key(&chunk::key(first), part)))
}

// === impl Change ===

impl<'a> Change<'a> {
    pub(super) fn of(before: &'a Tail) -> Self {
        Self {
            before,
            cut_from: u64::MAX,
            added: Vec::new(),
            reset: false,
        }
    }

    /// Voids the whole log: it goes on after `index`.
    pub(super) fn reset(&mut self, database: &Database, changes: &mut sled::Batch) {
        self.reset = true;
        for (first, chunk) in &self.before.chunks {
            database.remove_parts(changes, &chunk::key(*first), chunk.parts);
        }
    }

    /// Puts entries, after removing a conflicting suffix.
    pub(super) fn append(
        &mut self,
        database: &Database,
        head: &mut Head,
        entries: &[Entry],
        changes: &mut sled::Batch,
    ) -> Result<(), Error> {
        let Some(first) = entries.first().map(|entry| entry.index) else {
            return Ok(());
        };
        check_continuity(head, entries)?;
        if first <= head.last_index {
            self.cut(database, head, first, changes)?;
        }
        let mut rest = entries;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(chunk::fitting(rest));
            self.put(database, head, now, changes)?;
            rest = later;
        }
        Ok(())
    }

    /// Removes everything from `first` on; a chunk that straddles it is written again without its end.
    fn cut(
        &mut self,
        database: &Database,
        head: &mut Head,
        first: u64,
        changes: &mut sled::Batch,
    ) -> Result<(), Error> {
        let kept = self.before.chunks.range(..first).next_back();
        let kept = kept.map(|(start, chunk)| (*start, *chunk));
        for (start, chunk) in self.before.chunks.range(first..) {
            database.remove_parts(changes, &chunk::key(*start), chunk.parts);
        }
        self.cut_from = first;
        head.link = kept.map_or(0, |(_, chunk)| chunk.link);
        let Some((start, chunk)) = kept.filter(|(_, chunk)| chunk.last >= first) else {
            return Ok(());
        };
        self.cut_from = start;
        let Stored {
            previous_link,
            mut entries,
            ..
        } = read(database, start, chunk)?;
        database.remove_parts(changes, &chunk::key(start), chunk.parts);
        entries.retain(|entry| entry.index < first);
        head.link = previous_link;
        self.put(database, head, &entries, changes)
    }

    fn put(
        &mut self,
        database: &Database,
        head: &mut Head,
        entries: &[Entry],
        changes: &mut sled::Batch,
    ) -> Result<(), Error> {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            return Ok(());
        };
        let payload = chunk::encode(head, entries);
        if payload.len() > PAYLOAD_BYTES_MAX {
            let (index, bytes) = (first.index, payload.len());
            return Err(Error::misuse(format!(
                "entry {index} of {bytes} bytes; {PAYLOAD_BYTES_MAX} is the most"
            )));
        }
        let parts = database.put_parts(changes, chunk::KIND, &chunk::key(first.index), &payload);
        head.link = chunk::link(&payload);
        head.last_index = last.index;
        let added = Chunk {
            last: last.index,
            parts,
            link: head.link,
        };
        self.added.push((first.index, added));
        Ok(())
    }

    /// Leaves the borrow of the tail behind.
    pub(super) fn finish(self) -> Finished {
        Finished {
            cut_from: if self.reset { 0 } else { self.cut_from },
            added: self.added,
        }
    }
}

/// A change that was applied to the disk.
pub(super) struct Finished {
    cut_from: u64,
    added: Vec<(u64, Chunk)>,
}

// === impl Finished ===

impl Finished {
    pub(super) fn take_effect(self, tail: &mut Tail) {
        tail.chunks.split_off(&self.cut_from);
        tail.chunks.extend(self.added);
    }
}

/// The entries as one value right behind the last chunk, the head brought up to them. None if they are not: they replace
/// others, or take more than one value.
pub(super) fn alone(head: &mut Head, entries: &[Entry]) -> Result<Option<(Vec<u8>, Chunk)>, Error> {
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
        return Ok(None);
    };
    check_continuity(head, entries)?;
    if first.index <= head.last_index || chunk::fitting(entries) < entries.len() {
        return Ok(None);
    }
    let payload = chunk::encode(head, entries);
    if payload.len() > VALUE_BYTES_MAX {
        return Ok(None);
    }
    head.link = chunk::link(&payload);
    head.last_index = last.index;
    let added = Chunk {
        last: last.index,
        parts: 1,
        link: head.link,
    };
    Ok(Some((payload, added)))
}

/// Reads one chunk back.
pub(super) fn read(database: &Database, first: u64, chunk: Chunk) -> Result<Stored, Error> {
    let payload = database.parts(chunk::KIND, &chunk::key(first), chunk.parts)?;
    let decoded = chunk::decode(&Bytes::from(payload));
    decoded.ok_or_else(|| database.damaged(format!("the log chunk at {first} cannot be read")))
}

/// No gap before the entries, none between them, nothing below the floor, and terms never fall.
pub(super) fn check_continuity(head: &Head, entries: &[Entry]) -> Result<(), Error> {
    let first = entries[0].index;
    if first <= head.truncated_index || first > head.last_index + 1 {
        return Err(Error::misuse(format!(
            "entries from {first}; the log has {} to {}",
            head.truncated_index + 1,
            head.last_index
        )));
    }
    let neighbours = entries.iter().zip(&entries[1..]);
    for (entry, next) in neighbours {
        if next.index != entry.index + 1 || next.term < entry.term {
            let (index, term) = (entry.index, entry.term);
            return Err(Error::misuse(format!(
                "entry {} of term {} after entry {index} of term {term}",
                next.index, next.term
            )));
        }
    }
    Ok(())
}
