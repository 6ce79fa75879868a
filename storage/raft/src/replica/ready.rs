//! The Ready loop, in raft-rs's asynchronous form. The order in here is the safety of the whole thing:
//! a leader's messages leave before its own disk has the entries; a follower's acknowledgements and votes only after.

use super::output::Output;
use super::snapshot::Arrived;
use super::write::Work;
use super::{Fatal, Replica, convert};
use crate::log_store::Batch;
use crate::options::broken;
use crate::state_machine::StateMachine;
use raft::eraftpb::Message;
use raft::{Ready, StateRole};

// === impl Replica ===

impl<M: StateMachine> Replica<M> {
    /// Processes Readies until raft has nothing more to say without new input, and applies what they commit unless
    /// somebody waits: an entry takes a millisecond to apply, which the other members and the disk can use.
    pub(super) fn work(&mut self) -> Result<(), Fatal> {
        loop {
            while !self.is_removed && self.node.has_ready() {
                self.process_ready()?;
                self.settle_election_timeout();
            }
            if !self.is_unfinished() || self.outbox.iter().any(Output::is_awaited) {
                return Ok(());
            }
            self.apply_committed()?;
        }
    }

    fn process_ready(&mut self) -> Result<(), Fatal> {
        let mut ready = self.node.ready();
        let number = ready.number();
        let mut messages = ready.take_messages();
        // A lone voter leads without anybody's vote, so before its own is durable: a crash would lead the same term again,
        // with other entries, and a learner that has the first ones would take both for the same.
        let mut early = Vec::new();
        if !self.term_is_durable() && !broken!(self.options, LeadBeforePersist) {
            std::mem::swap(&mut messages, &mut early);
        }
        self.send(messages);
        for state in ready.take_read_states() {
            self.read_confirmed(&state.request_ctx, state.index);
        }
        early.extend(ready.take_persisted_messages());
        let committed = ready.take_committed_entries();
        let (batch, installs) = self.take_batch(&mut ready)?;
        // raft reads entries back from the cache from here on; the disk follows in its own time.
        self.node.advance_append_async(ready);
        self.write(Work {
            ready: number,
            batch,
            installs,
            vouching: early,
        });
        self.committed.extend(committed);
        Ok(())
    }

    /// What a Ready wants written, put into the cache at once.
    fn take_batch(&mut self, ready: &mut Ready) -> Result<(Batch, Option<Arrived>), Fatal> {
        let mut batch = Batch {
            must_sync: ready.must_sync(),
            ..Batch::default()
        };
        batch.hard_state = ready.hs().map(convert::hard_state_from_raft);
        let mut installs = None;
        if !ready.snapshot().is_empty() {
            let (install, arrived) = self.install_snapshot(ready.snapshot())?;
            batch.membership = Some(install.meta.membership.clone());
            batch.snapshot = Some(install);
            installs = Some(arrived);
        }
        let entries = ready.take_entries();
        batch.entries = entries.iter().map(convert::entry_from_raft).collect();
        self.node.mut_store().append(&entries);
        Ok((batch, installs))
    }

    /// Groups messages by receiver, keeping their order; encoded here, so that nobody outside needs raft-rs.
    pub(super) fn send(&mut self, messages: Vec<Message>) {
        let mut by_receiver: Vec<(u64, Vec<bytes::Bytes>)> = Vec::new();
        for message in messages {
            let Some(encoded) = encode(&message) else {
                continue;
            };
            match by_receiver.iter_mut().find(|(to, _)| *to == message.to) {
                Some((_, list)) => list.push(encoded),
                None => by_receiver.push((message.to, vec![encoded])),
            }
        }
        for (to, messages) in by_receiver {
            self.outbox.push(Output::Send { to, messages });
        }
    }

    pub(super) fn is_raft_leader(&self) -> bool {
        self.node.raft.state == StateRole::Leader
    }
}

fn encode(message: &Message) -> Option<bytes::Bytes> {
    use protobuf::Message as _;
    match message.write_to_bytes() {
        Ok(bytes) => Some(bytes.into()),
        Err(error) => {
            // Only a message beyond protobuf's own limits; our entries are far smaller. raft sends again.
            tracing::error!(%error, "a raft message could not be encoded");
            None
        }
    }
}
