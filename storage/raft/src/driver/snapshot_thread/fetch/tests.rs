//! A fetch that is cut off, by a source that is told when to fail.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use super::*;
use crate::memory::Memory;
use crate::simulation::counter::Counter;
use std::sync::mpsc::sync_channel;

type TestDisk = Disk<Counter, Memory>;

/// From whom, and from which chunk on.
type Asked = Arc<Mutex<Vec<(u64, u32)>>>;

/// Brings these chunks, and breaks after so many of them, once per entry.
struct Breaking {
    chunks: Vec<Bytes>,
    breaks_after: Vec<usize>,
    asked: Asked,
}

impl SnapshotSource for Breaking {
    fn fetch(
        &mut self,
        from: u64,
        _meta: &SnapshotMeta,
        first: u32,
        chunk: &mut dyn FnMut(Bytes) -> Result<(), FetchError>,
    ) -> Result<(), FetchError> {
        self.asked.lock().unwrap().push((from, first));
        let breaks_after = self.breaks_after.pop().unwrap_or(usize::MAX);
        let rest = self.chunks.iter().skip(first as usize);
        for (number, bytes) in rest.enumerate() {
            if number == breaks_after {
                return Err(FetchError(Box::from("the connection broke")));
            }
            chunk(bytes.clone())?;
        }
        Ok(())
    }
}

fn chunks() -> Vec<Bytes> {
    [&b"one"[..], b"two", b"three"]
        .map(Bytes::from_static)
        .to_vec()
}

fn meta(index: u64) -> SnapshotMeta {
    let append = |sum, chunk: &Bytes| crc32c::crc32c_append(sum, chunk);
    SnapshotMeta {
        index,
        chunks: 3,
        crc: chunks().iter().fold(0, append),
        ..SnapshotMeta::default()
    }
}

/// Breaks once after so many chunks, each time that it is in the list; the last one first.
fn begin(breaks_after: &[usize]) -> (Arc<TestDisk>, Fetcher, Asked) {
    // Nobody drains the queue; it holds more than two fetches of three chunks.
    let (raft, _) = sync_channel(1);
    let disk = Arc::new(Disk::new(Memory::new(), raft));
    let asked = Asked::default();
    let source = Breaking {
        chunks: chunks(),
        breaks_after: breaks_after.to_vec(),
        asked: Arc::clone(&asked),
    };
    (disk, Fetcher::new(Box::new(source)), asked)
}

/// Promise: a fetch that was cut off goes on at the first chunk that is missing, also from another member.
#[test]
fn a_fetch_goes_on_where_it_was() {
    let (disk, mut fetcher, asked) = begin(&[1, 1]);
    let weak = Arc::downgrade(&disk);
    fetcher.all(&weak, 1, &meta(9)).unwrap_err();
    fetcher.all(&weak, 1, &meta(9)).unwrap_err();
    assert_eq!(fetcher.all(&weak, 2, &meta(9)).unwrap(), chunks());
    assert_eq!(*asked.lock().unwrap(), [(1, 0), (1, 1), (2, 2)]);
}

/// Promise: a beginning is never used for another snapshot, nor for one of the same index with other contents.
#[test]
fn another_snapshot_begins_anew() {
    let (disk, mut fetcher, asked) = begin(&[1, 1]);
    let weak = Arc::downgrade(&disk);
    fetcher.all(&weak, 1, &meta(9)).unwrap_err();
    let mut other = meta(9);
    other.crc += 1;
    fetcher.all(&weak, 1, &other).unwrap_err();
    assert_eq!(fetcher.all(&weak, 1, &meta(12)).unwrap(), chunks());
    assert_eq!(*asked.lock().unwrap(), [(1, 0), (1, 0), (1, 0)]);
}

/// Promise: a whole that does not match its checksum is refused and forgotten, or it would be completed wrongly for ever.
#[test]
fn a_wrong_whole_is_forgotten() {
    let (disk, mut fetcher, asked) = begin(&[]);
    let weak = Arc::downgrade(&disk);
    let mut wrong = meta(9);
    wrong.crc += 1;
    for _ in 0..2 {
        let refused = fetcher.all(&weak, 1, &wrong).unwrap_err();
        assert_eq!(refused.0.to_string(), "the checksum of all chunks is wrong");
    }
    assert_eq!(*asked.lock().unwrap(), [(1, 0), (1, 0)]);
}
