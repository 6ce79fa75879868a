//! The thread that owns the disk's time. Batches and chunk reads go first, in order; staging fills the gaps.

use super::handle::{ChunkRequest, Command};
use super::inside::Inside;
use super::merge;
use crate::log_store::{Batch, Error, LogStore};
use crate::state_machine::StateMachine;
use bytes::Bytes;
use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Instant;

/// The disk and what waits for it.
pub(crate) struct Disk<M: StateMachine, S> {
    store: Mutex<S>,
    queue: Mutex<Queue>,
    changed: Condvar,
    raft: SyncSender<Command<M>>,
}

#[derive(Default)]
struct Queue {
    urgent: VecDeque<Urgent>,
    slow: VecDeque<Slow>,
    /// The log thread works on something urgent.
    is_busy: bool,
    is_closed: bool,
}

enum Urgent {
    Persist { number: u64, batch: Box<Batch> },
    ReadChunk(ChunkRequest),
}

/// Work for a snapshot, in its own order.
pub(crate) enum Slow {
    /// Stage one chunk.
    Stage {
        index: u64,
        number: u32,
        chunk: Bytes,
    },
    /// Everything before this is staged: tell the raft thread.
    Tell(Inside),
}

/// Chunks that may wait to be staged; the thread that makes them waits meanwhile.
const SLOW_MAX: usize = 8;

/// The driver stops, so does the snapshot.
pub(crate) struct Closed;

// === impl Disk ===

impl<M: StateMachine, S: LogStore> Disk<M, S> {
    pub(crate) fn new(store: S, raft: SyncSender<Command<M>>) -> Self {
        Disk {
            store: Mutex::new(store),
            queue: Mutex::default(),
            changed: Condvar::new(),
            raft,
        }
    }

    /// Queues a batch; the raft thread hears when it is durable.
    pub(crate) fn persist(&self, number: u64, batch: Batch) {
        self.queue().urgent.push_back(Urgent::Persist {
            number,
            batch: Box::new(batch),
        });
        self.changed.notify_all();
    }

    /// Writes on the calling thread if nothing is before it; does nothing if something is. Saves two thread
    /// hand-offs, which cost more than half a sync.
    pub(crate) fn persist_inline(&self, batch: &Batch) -> Option<Result<u64, Error>> {
        let queue = self.queue();
        if queue.is_busy || !queue.urgent.is_empty() {
            return None;
        }
        drop(queue);
        let mut store = self.store.try_lock().ok()?;
        Some(timed_write(&mut *store, batch))
    }

    pub(crate) fn read_chunk(&self, request: ChunkRequest) {
        self.queue().urgent.push_back(Urgent::ReadChunk(request));
        self.changed.notify_all();
    }

    /// Queues snapshot work; waits while much of it is queued.
    pub(crate) fn stage(&self, slow: Slow) -> Result<(), Closed> {
        let mut queue = self.queue();
        while queue.slow.len() >= SLOW_MAX && !queue.is_closed {
            queue = self
                .changed
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if queue.is_closed {
            return Err(Closed);
        }
        queue.slow.push_back(slow);
        self.changed.notify_all();
        Ok(())
    }

    /// Ends the log thread once what is urgent is done.
    pub(crate) fn close(&self) {
        self.queue().is_closed = true;
        self.changed.notify_all();
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        while let Some(work) = self.next() {
            match work {
                Work::Urgent(all) => self.do_urgent(all),
                Work::Slow(slow) => self.do_slow(slow),
            }
        }
    }

    fn next(&self) -> Option<Work> {
        let mut queue = self.queue();
        queue.is_busy = false;
        loop {
            if !queue.urgent.is_empty() {
                queue.is_busy = true;
                return Some(Work::Urgent(std::mem::take(&mut queue.urgent)));
            }
            if queue.is_closed {
                return None;
            }
            if let Some(slow) = queue.slow.pop_front() {
                self.changed.notify_all();
                return Some(Work::Slow(slow));
            }
            queue = self
                .changed
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn do_urgent(&self, mut all: VecDeque<Urgent>) {
        while let Some(urgent) = all.pop_front() {
            match urgent {
                Urgent::Persist { number, batch } => {
                    let (number, batch) = gather(number, *batch, &mut all);
                    if !self.write(number, &batch) {
                        return;
                    }
                }
                Urgent::ReadChunk(request) => {
                    let store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
                    let chunk = store.read_chunk(request.index, request.number);
                    drop(store);
                    (request.done)(chunk);
                }
            }
        }
    }

    fn write(&self, number: u64, batch: &Batch) -> bool {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let written = timed_write(&mut *store, batch);
        drop(store);
        match written {
            Ok(micros) => self.tell(Inside::Persisted {
                number,
                sync_micros: batch.must_sync.then_some(micros),
            }),
            Err(error) => {
                self.tell(Inside::StoreFailed(error));
                false
            }
        }
    }

    fn do_slow(&self, slow: Slow) {
        match slow {
            Slow::Stage {
                index,
                number,
                chunk,
            } => {
                let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
                let staged = store.stage_chunk(index, number, &chunk);
                drop(store);
                if let Err(error) = staged {
                    self.tell(Inside::StoreFailed(error));
                }
            }
            Slow::Tell(inside) => {
                self.tell(inside);
            }
        }
    }

    /// Waits for room: the raft thread never waits for this one, so it always comes. False once it is gone.
    fn tell(&self, inside: Inside) -> bool {
        self.raft.send(Command::Inside(inside)).is_ok()
    }
}

enum Work {
    Urgent(VecDeque<Urgent>),
    Slow(Slow),
}

/// Takes the batches right behind the first one that can share its write.
fn gather(mut number: u64, mut batch: Batch, all: &mut VecDeque<Urgent>) -> (u64, Batch) {
    while let Some(Urgent::Persist { .. }) = all.front() {
        let Some(Urgent::Persist {
            number: next_number,
            batch: next,
        }) = all.pop_front()
        else {
            break;
        };
        if let Some(next) = merge::join(&mut batch, *next) {
            all.push_front(Urgent::Persist {
                number: next_number,
                batch: Box::new(next),
            });
            break;
        }
        number = next_number;
    }
    (number, batch)
}

fn timed_write<S: LogStore>(store: &mut S, batch: &Batch) -> Result<u64, Error> {
    let began = Instant::now();
    store.write(batch)?;
    Ok(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX))
}

/// Starts the thread.
pub(crate) fn spawn<M: StateMachine, S: LogStore>(
    disk: Arc<Disk<M, S>>,
) -> io::Result<JoinHandle<()>> {
    Builder::new()
        .name("berth-log".to_owned())
        .spawn(move || disk.run())
}
