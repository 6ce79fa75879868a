//! The raft thread: drains the inbox, ticks, lets the replica work, does what it says.

mod intake;
mod perform;

use super::desk::Desk;
use super::event::{Event, Sink, Stopped};
use super::handle::{Command, Shared};
use super::log_thread::Disk;
use super::snapshot_thread::Fetcher;
use crate::log_store::{self, LogStore};
use crate::options::Options;
use crate::replica::input::Input;
use crate::replica::{Fatal, Replica};
use crate::state_machine::StateMachine;
use crate::transport::Transport;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
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
    pub(super) fetcher: Arc<Mutex<Fetcher>>,
    pub(super) sink: Sink<M>,
    pub(super) desk: Desk<M>,
    pub(super) clock: TickClock,
    pub(super) sync_micros: u64,
    pub(super) snapshot_micros: u64,
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
        TickClock {
            last_tick: Instant::now(),
        }
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
        while self
            .log_thread
            .as_ref()
            .is_some_and(|thread| !thread.is_finished())
        {
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

    fn tick(&mut self) -> Result<(), Stopped> {
        let ticks = self.clock.elapsed(self.options.tick);
        if ticks as usize >= self.options.election_ticks {
            tracing::warn!(
                ticks,
                "the raft thread was away longer than an election timeout"
            );
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
}

fn store_failed(error: log_store::Error) -> Stopped {
    Stopped::Fatal(Fatal::Store(error))
}
