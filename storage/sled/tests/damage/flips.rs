//! Bit rot: any bit of any file of a stopped store may be wrong, any file may be too short.

use berth_raft::log_store::{
    Batch, Entry, HardState, InstallSnapshot, Loaded, LogStore, SnapshotMeta,
};
use berth_store::Error;
use berth_store::directory::{Directory, Options};
use berth_store::history::{Order, Query, Record, Through};
use bytes::Bytes;
use std::error::Error as _;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Damages per file, each on a fresh copy.
const DAMAGES_PER_FILE: u64 = 60;

/// Everything that can be read from a store.
#[derive(Debug, PartialEq)]
struct Content {
    hard_state: HardState,
    truncated: (u64, u64),
    entries: Vec<Entry>,
    snapshot: Option<SnapshotMeta>,
    chunks: Vec<Bytes>,
    through: Through,
    records: Vec<Record>,
    by_key: Vec<Vec<u64>>,
}

/// What became of a damaged store.
#[derive(Debug)]
enum Outcome {
    /// Our own checks refused it.
    Refused,
    /// sled or the system refused it.
    RefusedBelow,
    /// The content is the same.
    Harmless,
    /// The content is another one and nobody noticed.
    Wrong(Box<Content>),
}

fn options() -> Options {
    Options {
        ballast_bytes: 0,
        watermark_bytes: 0,
        ..Options::default()
    }
}

fn entry(index: u64) -> Entry {
    let data = Bytes::from(format!(
        "entry {index} {}",
        "x".repeat((index % 300) as usize)
    ));
    Entry {
        index,
        term: 1 + index / 100,
        kind: 0,
        data,
        context: Bytes::new(),
    }
}

fn record(revision: u64) -> Record {
    Record {
        revision,
        index: revision,
        wall_ms: revision * 10,
        chain: [revision as u8; 32],
        keys: vec![format!("ip/{}", revision % 7).into_bytes()],
        body: Bytes::from(format!(
            "record {revision} {}",
            "y".repeat((revision % 900) as usize)
        )),
    }
}

/// A store with everything in it: compacted log, snapshot, young and complete segments, runs of the index.
fn build(path: &Path) {
    let directory = Directory::create(path, "cluster", 1, options()).unwrap();
    let mut log = directory.log().unwrap();
    log.load().unwrap();
    for first in (1..=400).step_by(8) {
        let hard_state = Some(HardState {
            term: 1 + first / 100,
            vote: 1,
            commit: first,
        });
        let entries = (first..first + 8).map(entry).collect();
        log.write(&Batch {
            entries,
            hard_state,
            must_sync: true,
            ..Batch::default()
        })
        .unwrap();
    }
    let chunks = [vec![5; 30_000], vec![6; 9000]];
    for (number, chunk) in chunks.iter().enumerate() {
        log.stage_chunk(200, number as u32, chunk).unwrap();
    }
    let crc = crc32c::crc32c(&chunks.concat());
    let meta = SnapshotMeta {
        index: 200,
        term: 3,
        chunks: 2,
        crc,
        ..SnapshotMeta::default()
    };
    let snapshot = Some(InstallSnapshot {
        meta,
        reset_log: false,
    });
    log.write(&Batch {
        snapshot,
        compact_to: Some((195, 2)),
        must_sync: true,
        ..Batch::default()
    })
    .unwrap();
    let (mut history, _) = directory.history().unwrap();
    let mut next = 1;
    for commit in 1..=60 {
        let count = if commit % 3 == 0 { 1 } else { 60 };
        history
            .append((next..next + count).map(record).collect())
            .unwrap();
        history.commit().unwrap();
        next += count;
    }
}

fn read(path: &Path) -> Result<Content, Error> {
    let directory = Directory::open(path, options())?;
    directory.expect(Some("cluster"), Some(1))?;
    let mut log = directory.log()?;
    let unwrap = |error: berth_raft::log_store::Error| match error.source.downcast::<Error>() {
        Ok(error) => *error,
        Err(other) => panic!("{other}"),
    };
    let Loaded {
        hard_state,
        snapshot,
        truncated_index,
        truncated_term,
        entries,
        ..
    } = log.load().map_err(unwrap)?;
    let mut chunks = Vec::new();
    if let Some(meta) = &snapshot {
        for number in 0..meta.chunks {
            chunks.push(log.read_chunk(meta.index, number).map_err(unwrap)?);
        }
    }
    let (_writer, reader) = directory.history()?;
    let query = Query {
        order: Order::OldestFirst,
        limit: 10_000,
        ..Query::default()
    };
    let mut by_key = Vec::new();
    for key in 0..7 {
        let page = reader.by_key(format!("ip/{key}").as_bytes(), &query)?;
        by_key.push(page.records.iter().map(|record| record.revision).collect());
    }
    Ok(Content {
        hard_state,
        truncated: (truncated_index, truncated_term),
        entries,
        snapshot,
        chunks,
        through: reader.through(),
        records: reader.range(&query)?.records,
        by_key,
    })
}

/// Opens a damaged copy. sled panics on some damages (pitfall S11); berthd is built to abort then, which is a refusal too.
fn judge(path: &Path, sound: &Content) -> Outcome {
    match catch_unwind(AssertUnwindSafe(|| read(path))) {
        Err(_) => Outcome::RefusedBelow,
        Ok(Err(error @ (Error::Sled { .. } | Error::Io { .. }))) => {
            assert!(error.source().is_some());
            Outcome::RefusedBelow
        }
        Ok(Err(_)) => Outcome::Refused,
        Ok(Ok(content)) if content == *sound => Outcome::Harmless,
        Ok(Ok(content)) => Outcome::Wrong(Box::new(content)),
    }
}

/// Changes one file: one bit, mostly where something is written, or its length.
fn damage(file: &Path, number: u64) -> String {
    let mut bytes = fs::read(file).unwrap();
    let random = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23) as usize;
    if number % 10 == 9 {
        let length = random % bytes.len();
        bytes.truncate(length);
        fs::write(file, bytes).unwrap();
        return format!("cut to {length} bytes");
    }
    let written: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
    let at = match number % 10 {
        8 => random % bytes.len(),
        // The newest writes are at the end.
        6 | 7 => written[written.len() - 1 - random % written.len().min(400)],
        _ => written[random % written.len()],
    };
    bytes[at] ^= 1 << (random % 8);
    fs::write(file, bytes).unwrap();
    format!("bit {} of byte {at}", random % 8)
}

fn files(root: &Path, below: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join(below)).unwrap() {
        let name = below.join(entry.unwrap().file_name());
        match root.join(&name).is_dir() {
            true => found.extend(files(root, &name)),
            false => found.push(name),
        }
    }
    found
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.join("log/blobs")).unwrap();
    fs::create_dir_all(to.join("history/blobs")).unwrap();
    for file in files(from, Path::new("")) {
        fs::copy(from.join(&file), to.join(&file)).unwrap();
    }
}

#[test]
fn a_damaged_file_is_noticed_or_does_not_matter() {
    // Flips bits in and shortens every file of a stopped store: it is refused, or everything in it is as it was. Never other data.
    let fast = Path::new("/dev/shm");
    let place = if fast.is_dir() {
        tempfile::tempdir_in(fast)
    } else {
        tempfile::tempdir()
    }
    .unwrap();
    let original = place.path().join("original");
    build(&original);
    let sound = {
        let witness = place.path().join("sound");
        copy(&original, &witness);
        read(&witness).unwrap()
    };
    let (mut refused, mut refused_below, mut harmless) = (0, 0, 0);
    for file in files(&original, Path::new("")) {
        // Nobody reads the lock file's content.
        if file == Path::new("lock") || fs::metadata(original.join(&file)).unwrap().len() == 0 {
            continue;
        }
        for number in 0..DAMAGES_PER_FILE {
            let path = place.path().join("damaged");
            copy(&original, &path);
            let what = damage(&path.join(&file), number);
            match judge(&path, &sound) {
                Outcome::Refused => refused += 1,
                Outcome::RefusedBelow => refused_below += 1,
                Outcome::Harmless => harmless += 1,
                Outcome::Wrong(content) => panic!(
                    "{}, {what}: wrong data, not noticed: {content:?}",
                    file.display()
                ),
            }
            fs::remove_dir_all(&path).unwrap();
        }
    }
    println!("refused by us {refused}, by sled or the system {refused_below}, harmless {harmless}");
    // Without our own checks these would have been wrong data: sled opened them without a word.
    assert!(refused > 20, "only {refused} refused by our own checks");
}
