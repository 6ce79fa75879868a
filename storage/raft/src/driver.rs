//! Does a replica's IO: one raft thread, one log thread, one thread per snapshot while it is made or fetched.
//!
//! The only place of this crate with clocks and threads.

pub mod event;
pub mod handle;
pub mod source;

mod closing;
pub(crate) mod desk;
mod inside;
mod log_thread;
mod merge;
mod raft_thread;
mod snapshot_thread;

use crate::log_store::LogStore;
use crate::options::Options;
use crate::start::{self, Start};
use crate::state_machine::StateMachine;
use crate::transport::Transport;
use event::Sink;
use handle::{Handle, Shared};
use source::SnapshotSource;
use std::io;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};

/// Everything a running replica is made of.
pub struct Parts<M: StateMachine, S: LogStore> {
    /// Settings.
    pub options: Options,
    /// Which life this is.
    pub start: Start,
    /// Its disk.
    pub store: S,
    /// Its machine, in the initial state; restored from the newest snapshot before anything runs.
    pub machine: M,
    /// Where its messages go.
    pub transport: Box<dyn Transport>,
    /// Where other members' snapshots come from.
    pub source: Box<dyn SnapshotSource>,
    /// Who hears what happened.
    pub sink: Sink<M>,
}

/// A replica's threads and its store; join them after `Handle::shutdown`.
#[derive(Debug)]
pub struct Running {
    thread: JoinHandle<()>,
    store: closing::Closed,
}

/// Why a replica did not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store, the options or the life named do not fit.
    #[error("the replica did not start")]
    Start(#[from] start::Error),
    /// The system refused a thread.
    #[error("a thread could not be started")]
    Thread(#[source] io::Error),
}

/// What may wait for the raft thread; above it callers hear `Full`, which is back-pressure.
const INBOX_MAX: usize = 4096;

/// Opens the store, restores and replays on the caller's thread, then starts the raft thread and the log thread.
pub fn run<M: StateMachine, S: LogStore>(
    parts: Parts<M, S>,
) -> Result<(Handle<M>, Running), Error> {
    let Parts {
        options,
        start,
        mut store,
        machine,
        transport,
        source,
        sink,
    } = parts;
    let replica = start::open(&mut store, &start, machine, options.clone())?;
    let (store, closed) = closing::Closing::new(store);
    let (sender, inbox) = sync_channel(INBOX_MAX);
    let shared = Arc::new(Shared::default());
    let disk = Arc::new(log_thread::Disk::new(store, sender.clone()));
    let log_thread = log_thread::spawn(Arc::clone(&disk)).map_err(Error::Thread)?;
    let fetcher = snapshot_thread::Fetcher::new(source);
    let raft_thread = raft_thread::RaftThread {
        replica,
        options,
        inbox,
        shared: Arc::clone(&shared),
        disk,
        log_thread: Some(log_thread),
        transport,
        fetcher: Arc::new(Mutex::new(fetcher)),
        sink,
        desk: desk::Desk::default(),
        clock: raft_thread::TickClock::start(),
        sync_micros: 0,
        snapshot_micros: 0,
    };
    let thread = Builder::new()
        .name("berth-raft".to_owned())
        .spawn(move || raft_thread.run())
        .map_err(Error::Thread)?;
    let running = Running {
        thread,
        store: closed,
    };
    Ok((Handle::new(sender, shared), running))
}

// === impl Running ===

impl Running {
    /// Waits until the raft thread and the log thread have ended and the store is closed: from then on nothing of this
    /// replica writes to its directory. A snapshot's thread may still wait for its source, but has no store any more.
    /// An error means that a thread panicked.
    pub fn join(self) -> Result<(), Box<dyn std::any::Any + Send>> {
        self.thread.join()?;
        self.store.wait();
        Ok(())
    }
}
