//! A snapshot's chunks, decoded by other threads while this one builds the ledger: decoding is half of a restart.

use crate::codec::{Error, decode_chunk};
use berth_domain::ledger::Record;
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// More would only wait for the thread that builds.
const THREADS_MAX: usize = 3;
/// Chunks that a thread has ahead of the builder: some hundred KiB, so that a snapshot is never in memory twice.
const AHEAD: usize = 8;

/// What a chunk holds, or why it cannot be read, with its number.
pub type Decoded = (usize, Result<Vec<Record>, Error>);

/// Chunks under way, and what came of them.
struct Thread {
    chunks: SyncSender<(usize, Vec<u8>)>,
    records: Receiver<Decoded>,
}

/// Hands every chunk's records, in order, to `build`.
pub fn decoded<T>(
    chunks: &mut dyn Iterator<Item = Vec<u8>>,
    build: impl FnOnce(&mut dyn Iterator<Item = Decoded>) -> T,
) -> T {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let threads = processors.saturating_sub(1).clamp(1, THREADS_MAX);
    thread::scope(|scope| {
        let start = || {
            let (chunks, for_thread) = sync_channel::<(usize, Vec<u8>)>(AHEAD);
            let (from_thread, records) = sync_channel(AHEAD);
            scope.spawn(move || {
                for (number, chunk) in for_thread {
                    // Nobody listens any more after a chunk that cannot be read.
                    if from_thread.send((number, decode_chunk(&chunk))).is_err() {
                        return;
                    }
                }
            });
            Thread { chunks, records }
        };
        build(&mut InOrder {
            chunks,
            threads: (0..threads).map(|_| start()).collect(),
            under_way: VecDeque::new(),
            next: 0,
        })
    })
}

/// Chunk n goes to thread n modulo their number, and its records come back from there.
struct InOrder<'a> {
    chunks: &'a mut dyn Iterator<Item = Vec<u8>>,
    threads: Vec<Thread>,
    under_way: VecDeque<usize>,
    next: usize,
}

// === impl InOrder ===

impl InOrder<'_> {
    /// Keeps all threads busy; never more than they can take, so that sending never waits.
    fn hand_out(&mut self) {
        while self.under_way.len() < AHEAD * self.threads.len() {
            let Some(chunk) = self.chunks.next() else {
                return;
            };
            let thread = self.next % self.threads.len();
            if self.threads[thread]
                .chunks
                .send((self.next, chunk))
                .is_err()
            {
                return;
            }
            self.under_way.push_back(thread);
            self.next += 1;
        }
    }
}

impl Iterator for InOrder<'_> {
    type Item = Decoded;

    fn next(&mut self) -> Option<Decoded> {
        self.hand_out();
        let thread = self.under_way.pop_front()?;
        // A thread ends only after its last chunk; that it panicked is said by the scope.
        self.threads[thread].records.recv().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::SnapshotChunks;
    use crate::engine::samples::register_node;
    use berth_domain::Ledger;
    use berth_domain::command::Header;
    use berth_domain::id::ClusterId;

    /// Promise: records come in the order of their chunks, all of them, whatever the threads do; and the chunk that cannot
    /// be read is named, with nothing behind it taken.
    #[test]
    fn order_is_kept() {
        let mut ledger = Ledger::new(ClusterId::new("test").expect("a name"));
        let header = Header {
            ledger_time_ms: 1,
            wall_time_ms: 1,
        };
        let nodes = (0..30_000).map(|number| register_node(&format!("node-{number:04}"), 0));
        ledger.apply(&header, nodes.collect());
        let chunks: Vec<Vec<u8>> = SnapshotChunks::new(ledger.records()).collect();
        assert!(chunks.len() > 30, "{} are too few to tell", chunks.len());
        let expected: Vec<Record> = ledger.records().collect();
        let seen = decoded(&mut chunks.clone().into_iter(), |records| {
            let all = records.flat_map(|(_, records)| records.expect("good"));
            all.collect::<Vec<Record>>()
        });
        assert_eq!(format!("{seen:?}"), format!("{expected:?}"));

        let mut damaged = chunks;
        damaged[5] = vec![0xff; 9];
        let broken = decoded(&mut damaged.into_iter(), |records| {
            let mut records = records;
            Iterator::find_map(&mut records, |(number, records)| {
                records.is_err().then_some(number)
            })
        });
        assert_eq!(broken, Some(5));
    }
}
