//! The embedder's hand on a running replica. Cheap to clone; no call blocks.

use crate::log_store;
use crate::log_store::Membership;
use crate::replica::input::Change;
use crate::replica::output::{ChangeRefused, ReadRefused, TransferRefused};
use crate::state_machine::StateMachine;
use crate::status::{Sender, Status, StoreId};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};

/// A running replica.
pub struct Handle<M: StateMachine> {
    inbox: SyncSender<Command<M>>,
    shared: Arc<Shared>,
}

/// The inbox is full, or the replica has stopped. What was handed in is gone; a closure is dropped uncalled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the replica's inbox is full")]
pub struct Full;

/// Called with the state once it is certain to contain every write that was answered before the read began.
pub type Query<M> = Box<dyn FnOnce(Result<&M, ReadRefused>) + Send>;
/// Called with whatever state this replica has.
pub type Inspection<M> = Box<dyn FnOnce(&M, &Status) + Send>;
/// Called with the new leader.
pub type TransferDone = Box<dyn FnOnce(Result<u64, TransferRefused>) + Send>;
/// Called with the membership once the change is applied.
pub type ChangeDone = Box<dyn FnOnce(Result<Membership, ChangeRefused>) + Send>;
/// Called with a snapshot's chunk.
pub type ChunkDone = Box<dyn FnOnce(Result<Bytes, log_store::Error>) + Send>;

/// What travels through the inbox.
pub(crate) enum Command<M: StateMachine> {
    Propose(Bytes),
    Receive(Sender, Vec<Bytes>),
    Unreachable(u64),
    Read(Query<M>),
    Inspect(Inspection<M>),
    Transfer(Option<u64>, TransferDone),
    Change(Change, ChangeDone),
    ReadChunk(ChunkRequest),
    Inside(super::inside::Inside),
    Wake,
}

/// Which chunk, for whom.
pub(crate) struct ChunkRequest {
    pub to: u64,
    pub index: u64,
    pub number: u32,
    pub done: ChunkDone,
}

/// What must never be lost in a full inbox.
#[derive(Default)]
pub(crate) struct Shared {
    pub durable_elsewhere: AtomicU64,
    pub known_stores: Mutex<Option<BTreeMap<u64, StoreId>>>,
    pub shutdown: AtomicBool,
}

// === impl Handle ===

impl<M: StateMachine> Clone for Handle<M> {
    fn clone(&self) -> Self {
        Handle {
            inbox: self.inbox.clone(),
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<M: StateMachine> Handle<M> {
    pub(crate) fn new(inbox: SyncSender<Command<M>>, shared: Arc<Shared>) -> Self {
        Handle { inbox, shared }
    }

    /// Proposes an entry. Its effect comes as `Event::Applied`, a certain refusal as `Event::Dropped`;
    /// after a lost leadership neither may come.
    pub fn propose(&self, data: Bytes) -> Result<(), Full> {
        self.put(Command::Propose(data))
    }

    /// Takes a peer's messages, in order. Losing them is allowed.
    pub fn receive(&self, from: Sender, messages: Vec<Bytes>) -> Result<(), Full> {
        self.put(Command::Receive(from, messages))
    }

    /// Says that the last messages to this member were not delivered.
    pub fn unreachable(&self, member: u64) -> Result<(), Full> {
        self.put(Command::Unreachable(member))
    }

    /// A linearizable read; only a leader answers. The closure runs on the raft thread: keep it short.
    pub fn read(&self, query: Query<M>) -> Result<(), Full> {
        self.put(Command::Read(query))
    }

    /// Looks at this replica's state, perhaps stale. The closure runs on the raft thread: keep it short.
    pub fn inspect(&self, inspection: Inspection<M>) -> Result<(), Full> {
        self.put(Command::Inspect(inspection))
    }

    /// Hands the leadership over, to this member or to the best one; ends within two election timeouts.
    pub fn transfer_leadership(&self, to: Option<u64>, done: TransferDone) -> Result<(), Full> {
        self.put(Command::Transfer(to, done))
    }

    /// Changes who takes part; `done` is called when the change is applied here, or refused.
    pub fn change_membership(&self, change: Change, done: ChangeDone) -> Result<(), Full> {
        self.put(Command::Change(change, done))
    }

    /// Reads a chunk of this replica's snapshot that ends at `index`, for member `to` who fetches it.
    /// Which snapshot is newest: `Status::snapshot`.
    pub fn read_chunk(
        &self,
        to: u64,
        index: u64,
        number: u32,
        done: ChunkDone,
    ) -> Result<(), Full> {
        self.put(Command::ReadChunk(ChunkRequest {
            to,
            index,
            number,
            done,
        }))
    }

    /// Says that everything up to this index is durable outside the log (the history's `through_index`).
    /// The log is never compacted beyond it. Only ever rises.
    pub fn set_durable_elsewhere(&self, index: u64) {
        self.shared
            .durable_elsewhere
            .fetch_max(index, Ordering::AcqRel);
    }

    /// Says which store each member is registered with. Replaces what was said before.
    pub fn set_known_stores(&self, stores: BTreeMap<u64, StoreId>) {
        *self
            .shared
            .known_stores
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(stores);
        self.nudge();
    }

    /// Stops the threads; `Event::Stopped` is the last event. Hand the leadership over first.
    pub fn shutdown(&self) {
        self.shared.shutdown.store(true, Ordering::Release);
        self.nudge();
    }

    fn put(&self, command: Command<M>) -> Result<(), Full> {
        self.inbox.try_send(command).map_err(|_| Full)
    }

    /// A full inbox wakes the raft thread just as well.
    fn nudge(&self) {
        if self.inbox.try_send(Command::Wake).is_err() {
            tracing::trace!("the raft thread is awake already, or gone");
        }
    }
}
