//! What comes in: the inbox, the shared slots, the log thread's reports.

use super::{AVERAGE_PARTS, DRAIN_MAX, RaftThread, store_failed};
use crate::driver::event::{Event, Stopped};
use crate::driver::handle::Command;
use crate::driver::inside::Inside;
use crate::log_store::LogStore;
use crate::replica::input::Input;
use crate::replica::output::{ChangeRefused, DropReason, ReadRefused, TransferRefused};
use crate::state_machine::StateMachine;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::sync::mpsc::RecvTimeoutError;

// === impl RaftThread ===

impl<M: StateMachine, S: LogStore> RaftThread<M, S> {
    pub(super) fn drain(&mut self) -> Result<usize, Stopped> {
        let first = match self
            .inbox
            .recv_timeout(self.clock.until_next(self.options.tick))
        {
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

    pub(super) fn take_shared(&mut self) -> Result<(), Stopped> {
        if self.shared.shutdown.load(Ordering::Acquire) {
            return Err(Stopped::Shutdown);
        }
        self.handle(Input::DurableElsewhere(
            self.shared.durable_elsewhere.load(Ordering::Acquire),
        ))?;
        let stores = self
            .shared
            .known_stores
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(stores) = stores {
            self.handle(Input::KnownStores(stores))?;
        }
        Ok(())
    }

    fn take(&mut self, command: Command<M>) -> Result<(), Stopped> {
        match command {
            Command::Propose(data) => self.handle(Input::Propose(data)),
            Command::Receive(from, messages) => self.handle(Input::Messages { from, messages }),
            Command::Unreachable(member) => self.handle(Input::Unreachable(member)),
            Command::Inspect(inspection) => {
                let mut status = self.replica.status();
                status.sync_micros = self.sync_micros;
                status.snapshot_micros = self.snapshot_micros;
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
            Inside::Persisted {
                number,
                sync_micros,
            } => {
                self.note_sync(sync_micros);
                self.handle(Input::Persisted(number))
            }
            Inside::StoreFailed(error) => Err(store_failed(error)),
            Inside::SnapshotTaken { meta, micros } => {
                self.snapshot_micros = micros;
                self.handle(Input::SnapshotTaken(meta))
            }
            Inside::SnapshotArrived { meta, chunks } => {
                self.handle(Input::SnapshotArrived { meta, chunks })
            }
            Inside::SnapshotFailed { index } => self.handle(Input::SnapshotFailed { index }),
        }
    }

    pub(super) fn note_sync(&mut self, micros: Option<u64>) {
        let Some(micros) = micros else { return };
        self.sync_micros = match self.sync_micros {
            0 => micros,
            average => (average * (AVERAGE_PARTS - 1) + micros) / AVERAGE_PARTS,
        };
    }

    /// Answers what was still in the inbox when the thread stopped.
    pub(super) fn refuse_inbox(&mut self) {
        let mut events = Vec::new();
        while let Ok(command) = self.inbox.try_recv() {
            match command {
                Command::Propose(data) => events.push(Event::Dropped {
                    data,
                    reason: DropReason::Stopping,
                }),
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
