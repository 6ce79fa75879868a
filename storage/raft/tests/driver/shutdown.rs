//! What is left of a replica when its end was waited for: nothing that could write.

use super::*;
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc::Sender as Channel;

/// Counts what is staged, and says when it is closed.
struct Watched {
    inner: Memory,
    staged: Arc<AtomicUsize>,
    is_closed: Arc<AtomicBool>,
}

/// Waits for a word before it brings its first chunk.
struct Stuck {
    entered: Channel<()>,
    word: Receiver<()>,
    /// Whether the chunk was taken.
    taken: Channel<bool>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.is_closed.store(true, Ordering::SeqCst);
    }
}

impl LogStore for Watched {
    fn load(&mut self) -> Result<Loaded, log_store::Error> {
        self.inner.load()
    }

    fn write(&mut self, batch: &Batch) -> Result<(), log_store::Error> {
        self.inner.write(batch)
    }

    fn stage_chunk(
        &mut self,
        index: u64,
        number: u32,
        chunk: &[u8],
    ) -> Result<(), log_store::Error> {
        self.staged.fetch_add(1, Ordering::SeqCst);
        self.inner.stage_chunk(index, number, chunk)
    }

    fn read_chunk(&self, index: u64, number: u32) -> Result<Bytes, log_store::Error> {
        self.inner.read_chunk(index, number)
    }
}

impl SnapshotSource for Stuck {
    fn fetch(
        &mut self,
        _from: u64,
        _meta: &SnapshotMeta,
        _first: u32,
        chunk: &mut dyn FnMut(Bytes) -> Result<(), FetchError>,
    ) -> Result<(), FetchError> {
        self.entered.send(()).unwrap();
        self.word.recv().unwrap();
        let taken = chunk(number(1));
        self.taken.send(taken.is_ok()).unwrap();
        taken
    }
}

#[test]
fn a_stuck_fetch_neither_delays_the_end_nor_writes_after_it() {
    // Promise: once a replica was joined its store is closed, whatever a snapshot's thread still waits for.
    let registry = Members::default();
    let members = with_a_learner_to_come(&registry);
    let (entered, is_in) = channel();
    let (speak, word) = channel();
    let (taken, was_taken) = channel();
    let (staged, is_closed) = (Arc::default(), Arc::default());
    let store = Watched {
        inner: Memory::new(),
        staged: Arc::clone(&staged),
        is_closed: Arc::clone(&is_closed),
    };
    let source = Stuck {
        entered,
        word,
        taken,
    };
    let newcomer = begin_with(&registry, 4, Start::Join, store, Box::new(source));
    is_in.recv_timeout(PATIENCE).unwrap();
    newcomer.handle.shutdown();
    let (joined, has_joined) = channel();
    let running = newcomer.running;
    std::thread::spawn(move || joined.send(running.join().is_ok()));
    assert!(has_joined.recv_timeout(PATIENCE).unwrap());
    assert!(is_closed.load(Ordering::SeqCst), "somebody holds the store");
    speak.send(()).unwrap();
    assert!(
        !was_taken.recv_timeout(PATIENCE).unwrap(),
        "a chunk after the end"
    );
    assert_eq!(staged.load(Ordering::SeqCst), 0);
    shut_down(members);
}
