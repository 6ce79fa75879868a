//! Snapshot chunks: staged one by one, installed by one write, removed a few at a time.

use super::SledLog;
use super::head::Head;
use super::tail::Change;
use crate::Error;
use crate::checksum::{frame, unframe};
use berth_raft::log_store::{InstallSnapshot, SnapshotMeta};
use berth_raft::state_machine::CHUNK_BYTES_MAX;
use bytes::Bytes;
use sled::{Batch, IVec};
use std::collections::BTreeMap;

pub(super) const KIND: u8 = b's';

/// What was staged since the last installation.
///
/// Chunks are stored under a generation and not under their snapshot's index, so that a snapshot may be staged again, or
/// while another one of the same index is installed.
#[derive(Debug, Default)]
pub(super) struct Staging {
    /// By snapshot index.
    snapshots: BTreeMap<u64, Staged>,
    next_generation: u64,
}

#[derive(Debug)]
struct Staged {
    generation: u64,
    /// Each chunk's checksum and length by its number.
    chunks: BTreeMap<u32, (u32, usize)>,
}

/// Stores one chunk. Nothing points to it until a write installs its snapshot.
pub(super) fn stage(log: &mut SledLog, index: u64, number: u32, chunk: &[u8]) -> Result<(), Error> {
    if !log.loaded {
        return Err(Error::misuse("a snapshot chunk before the log was loaded"));
    }
    if chunk.len() > CHUNK_BYTES_MAX {
        let bytes = chunk.len();
        return Err(Error::misuse(format!(
            "a snapshot chunk of {bytes} bytes; {CHUNK_BYTES_MAX} is the most"
        )));
    }
    let staged = log.staging.of(index);
    let key = key(staged.generation, number);
    let checked = (crc32c::crc32c(chunk), chunk.len());
    staged.chunks.insert(number, checked);
    let mut changes = Batch::default();
    changes.insert(&key[..], frame(KIND, &key, chunk));
    log.database.apply_loose(changes)
}

/// Points the head at a staged snapshot, after checking that it is whole.
pub(super) fn install(
    log: &SledLog,
    install: &InstallSnapshot,
    head: &mut Head,
    tail: &mut Change<'_>,
    changes: &mut Batch,
) -> Result<(), Error> {
    let meta = &install.meta;
    if head
        .snapshot
        .as_ref()
        .is_some_and(|old| old.index > meta.index)
    {
        return Err(Error::misuse(format!(
            "a snapshot at {} that is older than the installed one",
            meta.index
        )));
    }
    head.snapshot_generation = log.staging.check(meta)?;
    if install.reset_log {
        if meta.index < head.truncated_index {
            let (index, floor) = (meta.index, head.truncated_index);
            return Err(Error::misuse(format!(
                "a snapshot at {index} below the log's floor {floor}"
            )));
        }
        tail.reset(&log.database, changes);
        head.truncated_index = meta.index;
        head.truncated_term = meta.term;
        head.last_index = meta.index;
        head.link = 0;
        head.membership = meta.membership.clone();
    }
    head.snapshot = Some(meta.clone());
    Ok(())
}

/// One chunk of the installed snapshot.
pub(super) fn read(log: &SledLog, index: u64, number: u32) -> Result<Bytes, Error> {
    let installed = log.head.snapshot.as_ref();
    if !installed.is_some_and(|meta| meta.index == index && number < meta.chunks) {
        return Err(Error::misuse(format!(
            "a reading of chunk {number} of the snapshot at {index}: it is not installed (any more)"
        )));
    }
    stored(log, number).inspect_err(|error| log.database.poison(error))
}

/// One chunk of the installed snapshot as it is stored, checked.
pub(super) fn stored(log: &SledLog, number: u32) -> Result<Bytes, Error> {
    let key = key(log.head.snapshot_generation, number);
    let Some(value) = log.database.value(&key)? else {
        return Err(log
            .database
            .damaged(format!("chunk {number} of the snapshot is gone")));
    };
    let chunk = unframe(KIND, &key, &value).map_err(|what| log.database.damaged(what))?;
    Ok(Bytes::copy_from_slice(chunk))
}

/// What earlier processes staged and never installed, or had not yet removed: names the keys to remove.
pub(super) fn leftovers(log: &mut SledLog, keys: Vec<IVec>) -> Vec<IVec> {
    let installed = log.head.snapshot.as_ref().map_or(0, |meta| meta.chunks);
    let installed_generation = log.head.snapshot_generation;
    let newest = keys
        .iter()
        .filter_map(|key| parse_key(key))
        .map(|(generation, _)| generation)
        .max();
    log.staging = Staging {
        snapshots: BTreeMap::new(),
        next_generation: newest.unwrap_or(0).max(installed_generation) + 1,
    };
    let is_installed = |key: &IVec| {
        parse_key(key).is_some_and(|(generation, number)| {
            generation == installed_generation && number < installed
        })
    };
    keys.into_iter().filter(|key| !is_installed(key)).collect()
}

/// `s`, the generation, the chunk's number.
fn key(generation: u64, number: u32) -> [u8; 13] {
    let mut key = [KIND; 13];
    key[1..9].copy_from_slice(&generation.to_be_bytes());
    key[9..].copy_from_slice(&number.to_be_bytes());
    key
}

fn parse_key(key: &[u8]) -> Option<(u64, u32)> {
    let (generation, number) = key.strip_prefix(&[KIND])?.split_at_checked(8)?;
    let generation = u64::from_be_bytes(generation.try_into().ok()?);
    Some((generation, u32::from_be_bytes(number.try_into().ok()?)))
}

// === impl Staging ===

impl Staging {
    fn of(&mut self, index: u64) -> &mut Staged {
        self.snapshots.entry(index).or_insert_with(|| {
            let generation = self.next_generation;
            self.next_generation += 1;
            Staged {
                generation,
                chunks: BTreeMap::new(),
            }
        })
    }

    /// Every chunk is there and together they have the right checksum. Says under which generation they are stored.
    fn check(&self, meta: &SnapshotMeta) -> Result<u64, Error> {
        let Some(staged) = self.snapshots.get(&meta.index) else {
            let index = meta.index;
            return Err(Error::misuse(format!(
                "a snapshot at {index} that was never staged"
            )));
        };
        let mut whole = 0;
        for number in 0..meta.chunks {
            let Some((checksum, length)) = staged.chunks.get(&number) else {
                return Err(Error::misuse(format!(
                    "a snapshot at {} whose chunk {number} of {} was never staged",
                    meta.index, meta.chunks
                )));
            };
            whole = crc32c::crc32c_combine(whole, *checksum, *length);
        }
        if whole != meta.crc {
            return Err(Error::misuse(format!(
                "a snapshot at {} that does not match its checksum",
                meta.index
            )));
        }
        Ok(staged.generation)
    }

    /// After an installation: names the keys of older stagings, and of superfluous chunks of the installed one.
    pub(super) fn settle(&mut self, installed: &SnapshotMeta) -> Vec<IVec> {
        let mut garbage = Vec::new();
        let newer = self.snapshots.split_off(&(installed.index + 1));
        for (index, staged) in std::mem::replace(&mut self.snapshots, newer) {
            let kept = if index == installed.index {
                installed.chunks
            } else {
                0
            };
            let superfluous = staged.chunks.into_keys().filter(|number| *number >= kept);
            garbage.extend(superfluous.map(|number| IVec::from(&key(staged.generation, number))));
        }
        garbage
    }
}

/// The keys of an installed snapshot that another one replaced.
pub(super) fn keys(generation: u64, meta: &SnapshotMeta) -> Vec<IVec> {
    (0..meta.chunks)
        .map(|number| IVec::from(&key(generation, number)))
        .collect()
}
