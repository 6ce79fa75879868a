//! A member's embedder in the simulated world: the handle that the driver gives out, with its inbox emptied by the world
//! instead of a raft thread, and events handed to the same kind of sink.

use super::observed::Observed;
use super::workload::{Violation, Workload};
use super::world::World;
use crate::driver::desk::Desk;
use crate::driver::event::{Event, Sink, Stopped};
use crate::driver::handle::{Command, Handle, Shared};
use crate::log_store::LogStore as _;
use crate::replica::input::Input;
use crate::replica::output::Output;
use crate::state_machine::StateMachine;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, PoisonError};

/// The world's end of a handle.
pub struct Served<M: StateMachine> {
    inbox: Receiver<Command<M>>,
    shared: Arc<Shared>,
    pub(crate) desk: Desk<M>,
    sink: Option<Sink<M>>,
}

/// What a process is made of besides its disk.
pub struct Life<M: StateMachine> {
    /// In its initial state.
    pub machine: M,
    /// Who holds its handle; none = the world's own load is all there is.
    pub served: Option<Served<M>>,
}

// === impl Served ===

impl<M: StateMachine> Served<M> {
    /// A handle with room for so many commands, and the world's end of it.
    pub fn new(inbox_max: usize) -> (Handle<M>, Self) {
        let (sender, inbox) = sync_channel(inbox_max);
        let shared = Arc::new(Shared::default());
        let served = Served {
            inbox,
            shared: Arc::clone(&shared),
            desk: Desk::default(),
            sink: None,
        };
        (Handle::new(sender, shared), served)
    }

    /// Who hears events, one Vec per turn.
    pub fn with_sink(mut self, sink: Sink<M>) -> Self {
        self.sink = Some(sink);
        self
    }

    pub(crate) fn tell(&mut self, events: Vec<Event<M>>) {
        if let Some(sink) = &mut self.sink
            && !events.is_empty()
        {
            sink(events);
        }
    }

    /// The replica ended in good order or by itself: whoever waits is told, as by the driver.
    pub(crate) fn stop(&mut self, why: Stopped) {
        self.desk.close();
        self.tell(vec![Event::Stopped(why)]);
    }

    /// What the slots say, which is never lost in a full inbox.
    fn slots(&self) -> Vec<Input> {
        let durable = self.shared.durable_elsewhere.load(Ordering::Acquire);
        let stores = self
            .shared
            .known_stores
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let stores = stores.map(Input::KnownStores);
        stores
            .into_iter()
            .chain([Input::DurableElsewhere(durable)])
            .collect()
    }

    /// The event that an output is, or nothing if it answered somebody who waited.
    pub(crate) fn event(&mut self, output: Output<Observed<M>>, machine: &M) -> Option<Event<M>> {
        let desk = &mut self.desk;
        match output {
            Output::Applied {
                index,
                term,
                effect,
            } => {
                return Some(Event::Applied {
                    index,
                    term,
                    effect,
                });
            }
            Output::Role(role) => return Some(Event::Role(role)),
            Output::Dropped { data, reason } => return Some(Event::Dropped { data, reason }),
            Output::SnapshotInstalled { index } => return Some(Event::SnapshotInstalled { index }),
            Output::MembershipChanged {
                id,
                index,
                membership,
            } => {
                if let Some(done) = id.and_then(|id| desk.changes.remove(&id)) {
                    done(Ok(membership.clone()));
                }
                return Some(Event::MembershipChanged { index, membership });
            }
            Output::ChangeRefused { id, reason } => {
                if let Some(done) = desk.changes.remove(&id) {
                    done(Err(reason));
                }
            }
            Output::Transferred { id, result } => {
                if let Some(done) = desk.transfers.remove(&id) {
                    done(result);
                }
            }
            Output::ReadReady { id, .. } => {
                if let Some(query) = desk.reads.remove(&id) {
                    query(Ok(machine));
                }
            }
            Output::ReadRefused { id, reason } => {
                if let Some(query) = desk.reads.remove(&id) {
                    query(Err(reason));
                }
            }
            Output::Send { .. }
            | Output::Persist { .. }
            | Output::TakeSnapshot(_)
            | Output::FetchSnapshot { .. }
            | Output::Removed => {}
        }
        None
    }
}

// === impl World ===

impl<W: Workload> World<W> {
    /// Takes what a member's embedder has put into the inbox, as the raft thread does at the beginning of a turn.
    pub(crate) fn take_commands(&mut self, member: u64) -> Result<(), Violation> {
        let Some(served) = self.served_mut(member) else {
            return Ok(());
        };
        let mut commands = Vec::new();
        while let Ok(command) = served.inbox.try_recv() {
            commands.push(command);
        }
        for input in served.slots() {
            self.slot(member, input);
        }
        for command in commands {
            self.counts.commands += 1;
            self.take_command(member, command);
        }
        Ok(())
    }

    /// Does not make a turn of its own: only what is new in a slot is handed on.
    fn slot(&mut self, member: u64, input: Input) {
        let Some(life) = self.life_mut(member) else {
            return;
        };
        let is_known =
            matches!(input, Input::DurableElsewhere(index) if index == life.durable_elsewhere);
        if is_known {
            return;
        }
        if let Input::DurableElsewhere(index) = input {
            life.durable_elsewhere = index;
        }
        self.input(member, input);
    }

    fn take_command(&mut self, member: u64, command: Command<W::Machine>) {
        let highest = self.checker.highest_committed();
        let Some(node) = self.nodes.get_mut(&member) else {
            return;
        };
        let Some(life) = node.life.as_mut() else {
            return;
        };
        let Some(served) = life.served.as_mut() else {
            return;
        };
        let input = match command {
            Command::Propose(data) => Input::Propose(data),
            Command::Receive(from, messages) => Input::Messages { from, messages },
            Command::Unreachable(other) => Input::Unreachable(other),
            Command::Inspect(inspection) => {
                inspection(&life.replica.machine().inner, &life.replica.status());
                return;
            }
            Command::Read(query) => {
                self.last_id += 1;
                served.desk.reads.insert(self.last_id, query);
                life.reads.insert(self.last_id, highest);
                Input::Read(self.last_id)
            }
            Command::Transfer(to, done) => {
                self.last_id += 1;
                served.desk.transfers.insert(self.last_id, done);
                Input::Transfer {
                    id: self.last_id,
                    to,
                }
            }
            Command::Change(change, done) => {
                self.last_id += 1;
                served.desk.changes.insert(self.last_id, done);
                Input::Change {
                    id: self.last_id,
                    change,
                }
            }
            Command::ReadChunk(request) => {
                (request.done)(node.disk.read_chunk(request.index, request.number));
                Input::SnapshotServing { to: request.to }
            }
            // The driver's own threads say these; here the world is all of them.
            Command::Inside(_) | Command::Wake => return,
        };
        self.input(member, input);
    }

    pub(crate) fn served_mut(&mut self, member: u64) -> Option<&mut Served<W::Machine>> {
        self.life_mut(member)?.served.as_mut()
    }

    /// The process is gone with all it had in memory; nobody in it hears of it.
    pub(crate) fn process_ended(&mut self, member: u64) {
        self.checker.life_ended(member);
        self.workload.end_life(member);
    }

    /// The replica ended by itself, and says so before its process ends.
    pub(crate) fn stop_served(&mut self, member: u64, why: Stopped) {
        if let Some(served) = self.served_mut(member) {
            served.stop(why);
        }
    }
}
