//! Remembers, beside sled, the newest write that was acknowledged.
//!
//! sled takes a damaged end of its file for a torn write and silently goes back to an older state. The witness is written after
//! the data's sync and is itself never synced: it may lag after a power cut, it never leads. So a store older than its witness
//! has lost acknowledged data, and says so.

use crate::Error;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Two slots written in turn, each in a disk block of its own: a torn write leaves the other one whole.
const SLOT_DISTANCE_BYTES: u64 = 4096;
const SLOT_BYTES: usize = 20;
const MAGIC: [u8; 8] = *b"BERTHWIT";

#[derive(Debug)]
pub(super) struct Witness {
    file: File,
    path: PathBuf,
    newest: u64,
}

// === impl Witness ===

impl Witness {
    /// Writes both slots with zero and syncs.
    pub(super) fn create(database: &Path) -> Result<(), Error> {
        let path = path_beside(database);
        let file = File::create(&path).map_err(Error::io("create", &path))?;
        for slot in 0..2 {
            file.write_all_at(&encode(0), slot * SLOT_DISTANCE_BYTES)
                .map_err(Error::io("write", &path))?;
        }
        file.sync_all().map_err(Error::io("sync", &path))
    }

    pub(super) fn open(database: &Path) -> Result<Self, Error> {
        let path = path_beside(database);
        let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
        let slots = [0, SLOT_DISTANCE_BYTES as usize];
        let newest = slots
            .iter()
            .filter_map(|at| decode(bytes.get(*at..)?))
            .max();
        let Some(newest) = newest else {
            return Err(Error::damaged(
                database,
                "its witness does not match its checksum",
            ));
        };
        let file = OpenOptions::new()
            .write(true)
            .open(&path)
            .map_err(Error::io("open", &path))?;
        Ok(Self { file, path, newest })
    }

    /// The newest acknowledged write when this was opened.
    pub(super) fn newest(&self) -> u64 {
        self.newest
    }

    /// Call it only after the write is durable.
    pub(super) fn note(&self, sequence: u64) -> Result<(), Error> {
        let slot = sequence % 2;
        self.file
            .write_all_at(&encode(sequence), slot * SLOT_DISTANCE_BYTES)
            .map_err(Error::io("write", &self.path))
    }
}

fn path_beside(database: &Path) -> PathBuf {
    database.with_extension("witness")
}

fn encode(sequence: u64) -> [u8; SLOT_BYTES] {
    let mut slot = [0; SLOT_BYTES];
    slot[..8].copy_from_slice(&MAGIC);
    slot[8..16].copy_from_slice(&sequence.to_le_bytes());
    let checksum = crc32c::crc32c(&slot[..16]);
    slot[16..].copy_from_slice(&checksum.to_le_bytes());
    slot
}

fn decode(bytes: &[u8]) -> Option<u64> {
    let slot: [u8; SLOT_BYTES] = bytes.get(..SLOT_BYTES)?.try_into().ok()?;
    let sequence = u64::from_le_bytes(slot[8..16].try_into().ok()?);
    (slot == encode(sequence)).then_some(sequence)
}
