//! One sled database made durable: the only place that opens, syncs and reads sled.
//!
//! Durable means that [`Database::commit`] returned: sled's `flush()`, then `sync_data()` on a descriptor of our own.
//! After one error every later call fails.

mod parts;
mod witness;

use crate::checksum::{frame, unframe};
use crate::{Error, background};
pub(crate) use parts::{PAYLOAD_BYTES_MAX, part_key};
use sled::{Batch, Db, IVec, Mode};
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};
use uuid::Uuid;
use witness::Witness;

/// Values stay below this. sled moves a *page* above a quarter of its segment into a file that it never syncs (S6).
pub(crate) const VALUE_BYTES_MAX: usize = 60 * 1024;

/// sled splits a leaf by its number of items (16), not by bytes: with values of 60 KiB a page image reaches 1.2 MiB.
/// A quarter of this segment is 2 MiB, so no page ever becomes a file of its own. sled's default (512 KiB) would not do.
const SEGMENT_BYTES: usize = 8 << 20;

/// The ledger lives in memory; sled only needs its hot pages.
const CACHE_BYTES: u64 = 64 << 20;

/// The background thread only cleans segments; durability never waits for it.
const FLUSH_EVERY_MS: u64 = 500;

/// How long the lock of a database that this process has just closed may linger.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(5);
const LOCK_RETRY: Duration = Duration::from_millis(5);

/// The record that every commit rewrites. Smallest of all keys.
const HEAD_KEY: [u8; 1] = [1];

/// Small records after the head, so that its leaf (at most 16 items) holds no large neighbour that would be rewritten with it.
const PADDING_RECORDS: u8 = 40;

/// The last padding record names the store that the database is part of; empty until [`Database::belong_to`].
const OWNER_KEY: [u8; 2] = [HEAD_KEY[0], PADDING_RECORDS - 1];

const KIND_HEAD: u8 = b'h';
const KIND_PADDING: u8 = b'p';

/// How a database is opened.
#[derive(Clone, Copy, Debug)]
pub struct DatabaseOptions {
    /// sled's own choice between throughput and space; measured in `OVERVIEW.md`.
    pub(crate) mode: Mode,
    /// Only for the tests that show what is lost without it.
    pub(crate) barrier: bool,
    /// Only for the test that shows what comes of a failed sync that nobody heeds.
    #[cfg(feature = "planted")]
    pub(crate) heeds_sync_errors: bool,
}

/// An open database and what watches it.
#[derive(Debug)]
pub(crate) struct Database {
    db: Db,
    path: PathBuf,
    /// Our own descriptor of sled's file: sled never syncs when it says "flushed" (S1).
    file: File,
    /// sled's directory of pages stored outside; must never change (S6).
    blobs: File,
    blobs_changed: (i64, i64),
    witness: Witness,
    options: DatabaseOptions,
    first_error: OnceLock<String>,
}

// === impl DatabaseOptions ===

impl Default for DatabaseOptions {
    fn default() -> Self {
        Self {
            mode: Mode::HighThroughput,
            barrier: true,
            #[cfg(feature = "planted")]
            heeds_sync_errors: true,
        }
    }
}

impl DatabaseOptions {
    /// Prefers a smaller file over speed.
    pub fn low_space() -> Self {
        Self {
            mode: Mode::LowSpace,
            ..Self::default()
        }
    }

    /// A store that loses acknowledged data at a power cut: the negative control of the power-cut test.
    #[cfg(any(feature = "root-tests", feature = "planted"))]
    pub fn broken_without_barrier() -> Self {
        Self {
            barrier: false,
            ..Self::default()
        }
    }

    /// A store that goes on when its disk has failed to sync: the negative control of the failing disk.
    #[cfg(feature = "planted")]
    pub fn broken_heedless() -> Self {
        Self {
            heeds_sync_errors: false,
            ..Self::default()
        }
    }

    fn heeds_sync_errors(&self) -> bool {
        #[cfg(feature = "planted")]
        return self.heeds_sync_errors;
        #[cfg(not(feature = "planted"))]
        true
    }
}

// === impl Database ===

impl Database {
    /// Makes a new database and its witness; durable on return, the directory entries of `path` included.
    pub(crate) fn create(path: &Path, head: &[u8]) -> Result<(), Error> {
        fs::create_dir_all(path).map_err(Error::io("create", path))?;
        Witness::create(path)?;
        let database = Self::open(path, DatabaseOptions::default())?;
        let mut batch = Batch::default();
        for number in 0..PADDING_RECORDS {
            let key = [HEAD_KEY[0], number];
            batch.insert(&key, frame(KIND_PADDING, &key, &[]));
        }
        database.apply(batch, head)?;
        database.commit(0)?;
        drop(database);
        sync_tree(path)
    }

    /// Opens a database that [`Database::create`] made.
    pub(crate) fn open(path: &Path, options: DatabaseOptions) -> Result<Self, Error> {
        let witness = Witness::open(path)?;
        remove_unfinished_snapshots(path)?;
        let db = open_sled(path, options.mode)?;
        let file = open_own_descriptor(path)?;
        // sled wrote its snapshot file anew; make its name durable before anything is acknowledged.
        sync_directory(path)?;
        let blobs_path = path.join("blobs");
        let blobs = File::open(&blobs_path).map_err(Error::io("open", &blobs_path))?;
        let blobs_changed = changed_at(&blobs, &blobs_path)?;
        Ok(Self {
            db,
            path: path.to_owned(),
            file,
            blobs,
            blobs_changed,
            witness,
            options,
            first_error: OnceLock::new(),
        })
    }

    /// Refuses a database of another store, which was copied in here: its votes and entries are not this member's. One that
    /// names none yet is this store's from its next commit on.
    pub(crate) fn belong_to(&self, store: Uuid) -> Result<(), Error> {
        let value = self.value(&OWNER_KEY)?.unwrap_or_default();
        let owner = unframe(KIND_PADDING, &OWNER_KEY, &value).map_err(|what| self.damaged(what))?;
        if owner.is_empty() {
            return self.insert(
                &OWNER_KEY,
                frame(KIND_PADDING, &OWNER_KEY, store.as_bytes()),
            );
        }
        match Uuid::from_slice(owner) {
            Ok(owner) if owner == store => Ok(()),
            Ok(owner) => Err(self.damaged(format!(
                "it is part of another store, {owner}, and was copied here"
            ))),
            Err(_) => Err(self.damaged("the name of its store cannot be read")),
        }
    }

    /// The head record's payload.
    pub(crate) fn head(&self) -> Result<Vec<u8>, Error> {
        let Some(value) = self.value(&HEAD_KEY)? else {
            return Err(self.damaged("its head record is gone"));
        };
        let head = unframe(KIND_HEAD, &HEAD_KEY, &value);
        head.map(<[u8]>::to_vec).map_err(|what| self.damaged(what))
    }

    /// Stops if the head, which carries `sequence`, is older than the newest commit that was ever acknowledged.
    pub(crate) fn check_sequence(&self, sequence: u64) -> Result<(), Error> {
        let witnessed = self.witness.newest();
        if sequence < witnessed {
            return Err(self.damaged(format!(
                "it goes back to write {sequence}, but write {witnessed} was acknowledged"
            )));
        }
        Ok(())
    }

    /// Applies a batch and the head record together: all or nothing after a crash. Not yet durable.
    pub(crate) fn apply(&self, mut batch: Batch, head: &[u8]) -> Result<(), Error> {
        batch.insert(&HEAD_KEY, frame(KIND_HEAD, &HEAD_KEY, head));
        self.apply_loose(batch)
    }

    /// Replaces the head record alone: one record is all or nothing without a batch, which sled writes apart. Not yet durable.
    pub(crate) fn replace_head(&self, head: &[u8]) -> Result<(), Error> {
        self.insert(&HEAD_KEY, frame(KIND_HEAD, &HEAD_KEY, head))
    }

    /// Adds a payload of one part alone. Not yet durable.
    pub(crate) fn put_alone(&self, kind: u8, key: &[u8], payload: &[u8]) -> Result<(), Error> {
        let key = part_key(key, 0);
        self.insert(&key, frame(kind, &key, payload))
    }

    fn insert(&self, key: &[u8], value: Vec<u8>) -> Result<(), Error> {
        self.guarded(|| {
            let inserted = self.db.insert(key, value);
            inserted
                .map(drop)
                .map_err(Error::sled("insert into", &self.path))
        })
    }

    /// Applies records that nothing points to yet.
    pub(crate) fn apply_loose(&self, batch: Batch) -> Result<(), Error> {
        self.guarded(|| {
            self.db
                .apply_batch(batch)
                .map_err(Error::sled("apply a batch to", &self.path))
        })
    }

    /// Makes everything applied so far durable, then notes `sequence` as acknowledged.
    pub(crate) fn commit(&self, sequence: u64) -> Result<(), Error> {
        self.guarded(|| {
            self.db.flush().map_err(Error::sled("flush", &self.path))?;
            if self.options.barrier {
                match self.file.sync_data() {
                    Err(error) if self.options.heeds_sync_errors() => {
                        return Err(Error::io("sync", &self.path)(error));
                    }
                    _ => {}
                }
            }
            let changed = changed_at(&self.blobs, &self.path)?;
            if changed != self.blobs_changed {
                return Err(
                    self.damaged("sled put a page outside its file, where it is never synced")
                );
            }
            self.witness.note(sequence)
        })
    }

    /// Adds a payload of any size as consecutive values, and returns in how many.
    pub(crate) fn put_parts(&self, batch: &mut Batch, kind: u8, key: &[u8], payload: &[u8]) -> u16 {
        parts::put(batch, kind, key, payload)
    }

    /// Puts a payload of `count` parts together again.
    pub(crate) fn parts(&self, kind: u8, key: &[u8], count: u16) -> Result<Vec<u8>, Error> {
        let mut payload = Vec::new();
        for number in 0..count {
            let key = part_key(key, number);
            let Some(value) = self.value(&key)? else {
                return Err(self.damaged(format!("part {number} of a record is gone")));
            };
            let part = unframe(kind, &key, &value).map_err(|what| self.damaged(what))?;
            payload.extend_from_slice(part);
        }
        Ok(payload)
    }

    /// Removes a payload of `count` parts.
    pub(crate) fn remove_parts(&self, batch: &mut Batch, key: &[u8], count: u16) {
        for number in 0..count {
            batch.remove(part_key(key, number));
        }
    }

    /// One value as stored, frame included.
    pub(crate) fn value(&self, key: &[u8]) -> Result<Option<IVec>, Error> {
        self.guarded(|| self.db.get(key).map_err(Error::sled("read", &self.path)))
    }

    /// Every key from `first` to before `end`, in order. Only while nobody writes: sled's iteration is no snapshot (S15).
    pub(crate) fn keys(&self, first: &[u8], end: &[u8]) -> Result<Vec<IVec>, Error> {
        self.guarded(|| {
            let keys = self.db.range(first..end).keys();
            keys.collect::<Result<_, _>>()
                .map_err(Error::sled("list", &self.path))
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn damaged(&self, what: impl Into<String>) -> Error {
        Error::damaged(&self.path, what)
    }

    /// Fails if anything failed before.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let first = self.first_error.get().map(String::as_str);
        let reported = background::fault().filter(|_| self.options.heeds_sync_errors());
        match first.or(reported) {
            None => Ok(()),
            Some(first) => Err(Error::Poisoned {
                path: self.path.clone(),
                first: first.to_owned(),
            }),
        }
    }

    /// Runs one step unless an earlier one failed; remembers its failure.
    fn guarded<R>(&self, step: impl FnOnce() -> Result<R, Error>) -> Result<R, Error> {
        self.check()?;
        step().inspect_err(|error| self.poison(error))
    }

    /// After this every call fails.
    pub(crate) fn poison(&self, error: &Error) {
        self.first_error.get_or_init(|| error.to_string());
    }
}

/// Opens sled itself, waiting for its lock: our directory's lock keeps other processes away, but sled's own worker threads give
/// the file back a moment after the database was dropped, and so does a child between fork and exec.
fn open_sled(path: &Path, mode: Mode) -> Result<Db, Error> {
    let begun = Instant::now();
    loop {
        let config = sled::Config::new()
            .path(path)
            .mode(mode)
            .cache_capacity(CACHE_BYTES)
            .segment_size(SEGMENT_BYTES)
            .flush_every_ms(Some(FLUSH_EVERY_MS))
            .use_compression(false);
        match config.open() {
            Err(error) if is_lock_held(&error) && begun.elapsed() < LOCK_WAIT_MAX => {
                thread::sleep(LOCK_RETRY);
            }
            opened => return opened.map_err(Error::sled("open", path)),
        }
    }
}

/// sled wraps the system's error in its own words.
fn is_lock_held(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.to_string().contains("could not acquire lock"))
}

/// sled refuses to open beside a snapshot that a crash left half-written (S4).
fn remove_unfinished_snapshots(path: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(path).map_err(Error::io("list", path))? {
        let entry = entry.map_err(Error::io("list", path))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(entry.path()).map_err(Error::io("remove", &entry.path()))?;
        }
    }
    Ok(())
}

/// Opened after sled's own, and shown to be the same file.
fn open_own_descriptor(path: &Path) -> Result<File, Error> {
    let file_path = path.join("db");
    let file = File::open(&file_path).map_err(Error::io("open", &file_path))?;
    let opened = file.metadata().map_err(Error::io("inspect", &file_path))?;
    let named = fs::metadata(&file_path).map_err(Error::io("inspect", &file_path))?;
    if (opened.dev(), opened.ino()) != (named.dev(), named.ino()) {
        return Err(Error::damaged(
            path,
            "its file was replaced while it was opened",
        ));
    }
    Ok(file)
}

fn changed_at(directory: &File, path: &Path) -> Result<(i64, i64), Error> {
    let metadata = directory.metadata().map_err(Error::io("inspect", path))?;
    Ok((metadata.mtime(), metadata.mtime_nsec()))
}

/// Syncs a directory's own entries.
pub(crate) fn sync_directory(path: &Path) -> Result<(), Error> {
    let directory = File::open(path).map_err(Error::io("open", path))?;
    directory.sync_all().map_err(Error::io("sync", path))
}

/// Syncs every file and directory below `path`, then `path` itself (S8).
fn sync_tree(path: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(path).map_err(Error::io("list", path))? {
        let entry = entry.map_err(Error::io("list", path))?;
        let entry_path = entry.path();
        if entry_path.is_dir() {
            sync_tree(&entry_path)?;
        } else {
            let file = File::open(&entry_path).map_err(Error::io("open", &entry_path))?;
            file.sync_all().map_err(Error::io("sync", &entry_path))?;
        }
    }
    sync_directory(path)
}
