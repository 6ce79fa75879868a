//! What goes out: messages, writes, snapshots, answers, events.

use super::{INLINE_COMMANDS_MAX, INLINE_SYNC_MICROS_MAX, RaftThread, store_failed};
use crate::driver::event::{Event, Stopped};
use crate::driver::{merge, snapshot_thread};
use crate::log_store::{self, Batch, LogStore};
use crate::replica::input::Input;
use crate::replica::output::Output;
use crate::state_machine::StateMachine;
use std::sync::Arc;

// === impl RaftThread ===

impl<M: StateMachine, S: LogStore> RaftThread<M, S> {
    /// Lets the replica work until it has nothing more to say without new input.
    pub(super) fn work(&mut self, commands: usize) -> Result<(), Stopped> {
        loop {
            let outputs = self.replica.outputs().map_err(Stopped::Fatal)?;
            if outputs.is_empty() {
                return Ok(());
            }
            let mut batches = Vec::new();
            let is_removed = self.perform(outputs, &mut batches)?;
            if is_removed {
                batches
                    .into_iter()
                    .for_each(|(number, batch)| self.disk.persist(number, batch));
                return Err(Stopped::Removed);
            }
            let is_written = self.write(batches, commands)?;
            if !is_written && !self.replica.is_unfinished() {
                return Ok(());
            }
        }
    }

    /// Does everything but writing, and hands the turn's events on. True if this member was removed.
    fn perform(
        &mut self,
        outputs: Vec<Output<M>>,
        batches: &mut Vec<(u64, Batch)>,
    ) -> Result<bool, Stopped> {
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
            Output::Applied {
                index,
                term,
                effect,
            } => events.push(Event::Applied {
                index,
                term,
                effect,
            }),
            Output::Role(role) => events.push(Event::Role(role)),
            Output::Dropped { data, reason } => events.push(Event::Dropped { data, reason }),
            Output::SnapshotInstalled { index } => events.push(Event::SnapshotInstalled { index }),
            Output::MembershipChanged {
                id,
                index,
                membership,
            } => {
                if let Some(done) = id.and_then(|id| self.desk.changes.remove(&id)) {
                    done(Ok(membership.clone()));
                }
                events.push(Event::MembershipChanged { index, membership });
            }
            Output::ChangeRefused { id, reason } => {
                self.desk
                    .changes
                    .remove(&id)
                    .into_iter()
                    .for_each(|done| done(Err(reason)));
            }
            Output::Transferred { id, result } => {
                self.desk
                    .transfers
                    .remove(&id)
                    .into_iter()
                    .for_each(|done| done(result));
            }
            Output::ReadReady { id, .. } => {
                self.desk
                    .reads
                    .remove(&id)
                    .into_iter()
                    .for_each(|query| query(Ok(self.replica.machine())));
            }
            Output::ReadRefused { id, reason } => {
                self.desk
                    .reads
                    .remove(&id)
                    .into_iter()
                    .for_each(|query| query(Err(reason)));
            }
            Output::TakeSnapshot(freeze) => {
                snapshot_thread::take(Arc::clone(&self.disk), freeze).map_err(no_thread)?;
            }
            Output::FetchSnapshot { from, meta } => {
                let (disk, fetcher) = (Arc::clone(&self.disk), Arc::clone(&self.fetcher));
                snapshot_thread::fetch(disk, fetcher, from, meta).map_err(no_thread)?;
            }
            Output::Send { .. } | Output::Persist { .. } | Output::Removed => {}
        }
        Ok(())
    }

    /// True if it was written here and now, so that the replica has more to say.
    fn write(&mut self, batches: Vec<(u64, Batch)>, commands: usize) -> Result<bool, Stopped> {
        let is_calm = commands <= INLINE_COMMANDS_MAX && self.sync_micros <= INLINE_SYNC_MICROS_MAX;
        let mut written = false;
        for (number, batch) in joined(batches) {
            let result = if is_calm {
                self.disk.persist_inline(&batch)
            } else {
                None
            };
            match result {
                Some(Ok(micros)) => {
                    self.note_sync(batch.must_sync.then_some(micros));
                    self.handle(Input::Persisted(number))?;
                    written = true;
                }
                Some(Err(error)) => return Err(store_failed(error)),
                None => self.disk.persist(number, batch),
            }
        }
        Ok(written)
    }
}

/// One turn's batches share a write where they can.
fn joined(batches: Vec<(u64, Batch)>) -> Vec<(u64, Batch)> {
    let mut joined: Vec<(u64, Batch)> = Vec::new();
    for (number, batch) in batches {
        let rest = match joined.last_mut() {
            Some((last_number, last)) => {
                let rest = merge::join(last, batch);
                if rest.is_none() {
                    *last_number = number;
                }
                rest
            }
            None => Some(batch),
        };
        joined.extend(rest.map(|batch| (number, batch)));
    }
    joined
}

fn no_thread(error: std::io::Error) -> Stopped {
    store_failed(log_store::Error {
        doing: "start a snapshot's thread",
        source: Box::new(error),
    })
}
