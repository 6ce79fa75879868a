//! The raft thread: drains the inbox, ticks, lets the replica work, does what it says.

use super::desk::Desk;
use super::event::{Event, Sink, Stopped};
use super::handle::{Command, Shared};
use super::inside::Inside;
use super::log_thread::Disk;
use super::source::SnapshotSource;
use super::snapshot_thread;
use crate::log_store::{self, Batch, LogStore};
use crate::options::Options;
use crate::replica::input::Input;
use crate::replica::output::Output;
use crate::replica::{Fatal, Replica};
use crate::state_machine::StateMachine;
use crate::transport::Transport;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Everything the raft thread owns.
pub(crate) struct RaftThread<M: StateMachine, S: LogStore> {
    pub(super) replica: Replica<M>,
    pub(super) options: Options,
    pub(super) inbox: Receiver<Command<M>>,
    pub(super) shared: Arc<Shared>,
    pub(super) disk: Arc<Disk<M, S>>,
    pub(super) log_thread: Option<JoinHandle<()>>,
    pub(super) transport: Box<dyn Transport>,
    pub(super) source: Arc<Mutex<Box<dyn SnapshotSource>>>,
    pub(super) sink: Sink<M>,
    pub(super) desk: Desk<M>,
    pub(super) clock: TickClock,
    pub(super) sync_micros: u64,
}

/// Turns time into ticks.
pub(crate) struct TickClock {
    last_tick: Instant,
}

/// Commands per turn, so that ticks and messages leave in between.
const DRAIN_MAX: usize = 1024;

/// Above this many commands in a turn there is a crowd, and the log thread's hand-off is shared by all of it.
const INLINE_COMMANDS_MAX: usize = 4;

/// A disk slower than this must not hold the raft thread up: heartbeats would be late.
const INLINE_SYNC_MICROS_MAX: u64 = 2_000;

/// Ticks caught up after a stall; all of them at once would start an election that nobody needs.
const TICK_BURST_MAX: u32 = 2;

/// The moving average's weight: one part in eight is new.
const AVERAGE_PARTS: u64 = 8;

// === impl TickClock ===

impl TickClock {
    pub(crate) fn start() -> Self {
        TickClock { last_tick: Instant::now() }
    }

    fn until_next(&self, tick: Duration) -> Duration {
        (self.last_tick + tick).saturating_duration_since(Instant::now())
    }

    /// Whole ticks since the last call.
    fn elapsed(&mut self, tick: Duration) -> u32 {
        let away = self.last_tick.elapsed();
        let ticks = (away.as_nanos() / tick.as_nanos().max(1)).min(u128::from(u32::MAX)) as u32;
        self.last_tick += tick.saturating_mul(ticks);
        ticks
    }
}

// === impl RaftThread ===

impl<M: StateMachine, S: LogStore> RaftThread<M, S> {
    /// Runs until shut down, removed or broken; the last thing the embedder hears is why.
    pub(super) fn run(mut self) {
        let stopped = self.turns();
        self.desk.close();
        self.refuse_inbox();
        self.disk.close();
        // The log thread may be telling us something: keep taking it until the thread has ended.
        while self.log_thread.as_ref().is_some_and(|thread| !thread.is_finished()) {
            match self.inbox.recv_timeout(Duration::from_millis(1)) {
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if let Some(Err(_)) = self.log_thread.take().map(JoinHandle::join) {
            tracing::error!("the log thread panicked");
        }
        (self.sink)(vec![Event::Stopped(stopped)]);
    }

    fn turns(&mut self) -> Stopped {
        // What the replay did, and a lone voter's election, wait for nothing.
        let mut turn = self.work(0);
        loop {
            match turn {
                Ok(()) => turn = self.turn(),
                Err(stopped) => return stopped,
            }
        }
    }

    fn turn(&mut self) -> Result<(), Stopped> {
        let commands = self.drain()?;
        self.take_shared()?;
        self.tick()?;
        self.work(commands)
    }

    fn drain(&mut self) -> Result<usize, Stopped> {
        let first = match self.inbox.recv_timeout(self.clock.until_next(self.options.tick)) {
            Ok(command) => command,
            Err(RecvTimeoutError::Timeout) => return Ok(0),
            Err(RecvTimeoutError::Disconnected) => return Err(Stopped::Shutdown),
        };
        self.take(first)?;
        let mut commands = 1;
        while commands < DRAIN_MAX
            && let Ok(command) = self.inbox.try_recv()
        {
            self.take(command)?;
            commands += 1;
        }
        Ok(commands)
    }

    fn take_shared(&mut self) -> Result<(), Stopped> {
        if self.shared.shutdown.load(Ordering::Acquire) {
            return Err(Stopped::Shutdown);
        }
        self.handle(Input::DurableElsewhere(self.shared.durable_elsewhere.load(Ordering::Acquire)))?;
        let stores = self.shared.known_stores.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(stores) = stores {
            self.handle(Input::KnownStores(stores))?;
        }
        Ok(())
    }

    fn tick(&mut self) -> Result<(), Stopped> {
        let ticks = self.clock.elapsed(self.options.tick);
        if ticks as usize >= self.options.election_ticks {
            tracing::warn!(ticks, "the raft thread was away longer than an election timeout");
            self.handle(Input::Paused)?;
        }
        for _ in 0..ticks.min(TICK_BURST_MAX) {
            self.handle(Input::Tick)?;
        }
        Ok(())
    }

    fn handle(&mut self, input: Input) -> Result<(), Stopped> {
        self.replica.handle(input).map_err(Stopped::Fatal)
    }

    fn take(&mut self, command: Command<M>) -> Result<(), Stopped> {
        match command {
            Command::Propose(data) => self.handle(Input::Propose(data)),
            Command::Receive(from, messages) => self.handle(Input::Messages { from, messages }),
            Command::Unreachable(member) => self.handle(Input::Unreachable(member)),
            Command::Inspect(inspection) => {
                let mut status = self.replica.status();
                status.sync_micros = self.sync_micros;
                inspection(self.replica.machine(), &status);
                Ok(())
            }
            Command::Read(query) => {
                let id = self.desk.next_id();
                self.desk.reads.insert(id, query);
                self.handle(Input::Read(id))
            }
            Command::Transfer(to, done) => {
                let id = self.desk.next_id();
                self.desk.transfers.insert(id, done);
                self.handle(Input::Transfer { id, to })
            }
            Command::Change(change, done) => {
                let id = self.desk.next_id();
                self.desk.changes.insert(id, done);
                self.handle(Input::Change { id, change })
            }
            Command::ReadChunk(request) => {
                let to = request.to;
                self.disk.read_chunk(request);
                self.handle(Input::SnapshotServing { to })
            }
            Command::Inside(inside) => self.take_inside(inside),
            Command::Wake => Ok(()),
        }
    }

    fn take_inside(&mut self, inside: Inside) -> Result<(), Stopped> {
        match inside {
            Inside::Persisted { number, sync_micros } => {
                self.note_sync(sync_micros);
                self.handle(Input::Persisted(number))
            }
            Inside::StoreFailed(error) => Err(store_failed(error)),
            Inside::SnapshotTaken(meta) => self.handle(Input::SnapshotTaken(meta)),
            Inside::SnapshotArrived { meta, chunks } => self.handle(Input::SnapshotArrived { meta, chunks }),
            Inside::SnapshotFailed { index } => self.handle(Input::SnapshotFailed { index }),
        }
    }

    fn note_sync(&mut self, micros: Option<u64>) {
        let Some(micros) = micros else { return };
        self.sync_micros = match self.sync_micros {
            0 => micros,
            average => (average * (AVERAGE_PARTS - 1) + micros) / AVERAGE_PARTS,
        };
    }

    /// Lets the replica work until it has nothing more to say without new input.
    fn work(&mut self, commands: usize) -> Result<(), Stopped> {
        loop {
            let outputs = self.replica.outputs().map_err(Stopped::Fatal)?;
            if outputs.is_empty() {
                return Ok(());
            }
            let mut batches = Vec::new();
            let is_removed = self.perform(outputs, &mut batches)?;
            if is_removed {
                batches.into_iter().for_each(|(number, batch)| self.disk.persist(number, batch));
                return Err(Stopped::Removed);
            }
            if !self.write(batches, commands)? {
                return Ok(());
            }
        }
    }

    /// Does everything but writing, and hands the turn's events on. True if this member was removed.
    fn perform(&mut self, outputs: Vec<Output<M>>, batches: &mut Vec<(u64, Batch)>) -> Result<bool, Stopped> {
        let mut events = Vec::new();
        let mut is_removed = false;
        for output in outputs {
            match output {
                Output::Send { to, messages } => self.transport.send(to, messages),
                Output::Persist { number, batch } => batches.push((number, batch)),
                Output::Removed => is_removed = true,
                other => self.answer(other, &mut events)?,
            }
        }
        if !events.is_empty() {
            (self.sink)(events);
        }
        Ok(is_removed)
    }

    fn answer(&mut self, output: Output<M>, events: &mut Vec<Event<M>>) -> Result<(), Stopped> {
        match output {
            Output::Applied { index, term, effect } => events.push(Event::Applied { index, term, effect }),
            Output::Role(role) => events.push(Event::Role(role)),
            Output::Dropped { data, reason } => events.push(Event::Dropped { data, reason }),
            Output::SnapshotInstalled { index } => events.push(Event::SnapshotInstalled { index }),
            Output::MembershipChanged { id, index, membership } => {
                if let Some(done) = id.and_then(|id| self.desk.changes.remove(&id)) {
                    done(Ok(membership.clone()));
                }
                events.push(Event::MembershipChanged { index, membership });
            }
            Output::ChangeRefused { id, reason } => {
                self.desk.changes.remove(&id).into_iter().for_each(|done| done(Err(reason)));
            }
            Output::Transferred { id, result } => {
                self.desk.transfers.remove(&id).into_iter().for_each(|done| done(result));
            }
            Output::ReadReady { id, .. } => {
                self.desk.reads.remove(&id).into_iter().for_each(|query| query(Ok(self.replica.machine())));
            }
            Output::ReadRefused { id, reason } => {
                self.desk.reads.remove(&id).into_iter().for_each(|query| query(Err(reason)));
            }
            Output::TakeSnapshot(freeze) => {
                snapshot_thread::take(Arc::clone(&self.disk), freeze).map_err(no_thread)?;
            }
            Output::FetchSnapshot { from, meta } => {
                let (disk, source) = (Arc::clone(&self.disk), Arc::clone(&self.source));
                snapshot_thread::fetch(disk, source, from, meta).map_err(no_thread)?;
            }
            Output::Send { .. } | Output::Persist { .. } | Output::Removed => {}
        }
        Ok(())
    }

    /// True if it was written here and now, so that the replica has more to say.
    fn write(&mut self, batches: Vec<(u64, Batch)>, commands: usize) -> Result<bool, Stopped> {
        let is_calm = commands <= INLINE_COMMANDS_MAX && self.sync_micros <= INLINE_SYNC_MICROS_MAX;
        let mut written = false;
        for (number, batch) in batches {
            let must_sync = batch.must_sync;
            if !is_calm {
                self.disk.persist(number, batch);
                continue;
            }
            match self.disk.persist_inline(batch) {
                Ok(Ok(micros)) => {
                    self.note_sync(must_sync.then_some(micros));
                    self.handle(Input::Persisted(number))?;
                    written = true;
                }
                Ok(Err(error)) => return Err(store_failed(error)),
                Err(batch) => self.disk.persist(number, batch),
            }
        }
        Ok(written)
    }

    /// Answers what was still in the inbox when the thread stopped.
    fn refuse_inbox(&mut self) {
        use crate::replica::output::{ChangeRefused, DropReason, ReadRefused, TransferRefused};
        let mut events = Vec::new();
        while let Ok(command) = self.inbox.try_recv() {
            match command {
                Command::Propose(data) => events.push(Event::Dropped { data, reason: DropReason::Stopping }),
                Command::Read(query) => query(Err(ReadRefused::Stopping)),
                Command::Change(_, done) => done(Err(ChangeRefused::Stopping)),
                Command::Transfer(_, done) => done(Err(TransferRefused::Stopping)),
                _ => {}
            }
        }
        if !events.is_empty() {
            (self.sink)(events);
        }
    }
}

fn store_failed(error: log_store::Error) -> Stopped {
    Stopped::Fatal(Fatal::Store(error))
}

fn no_thread(error: std::io::Error) -> Stopped {
    store_failed(log_store::Error { doing: "start a snapshot's thread", source: Box::new(error) })
}
