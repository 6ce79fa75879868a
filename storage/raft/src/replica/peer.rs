//! The border to the other replicas: nothing reaches raft-rs before it was looked at, because raft-rs panics on
//! malformed messages and believes whatever a peer says it is.

use super::{Fatal, Replica, convert, wire};
use crate::options::{ENTRY_BYTES_MAX, MESSAGE_BYTES_MAX, broken};
use crate::state_machine::StateMachine;
use crate::status::{Sender, StoreId};
use bytes::Bytes;
use protobuf::Message as _;
use raft::eraftpb::{Message, MessageType};
use std::collections::BTreeMap;

/// What is known of the other members.
#[derive(Default)]
pub(crate) struct Peers {
    known_stores: BTreeMap<u64, StoreId>,
    /// When each was last heard of, in ticks.
    heard: BTreeMap<u64, u64>,
    pub(crate) refused: u64,
}

/// Why a message was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    TooLarge,
    Malformed,
    /// A type that never travels between replicas: V1's reads, forwarded proposals, local signals.
    ForbiddenType,
    WrongReceiver,
    WrongSender,
    /// The sender's id belongs to another store: its promises are not this store's.
    WrongStore,
    /// Neither a member nor something a member would have to listen to.
    Stranger,
    BadEntries,
    BadIndex,
    BadSnapshot,
    /// This replica has no state yet, so it has no vote to give.
    NoVoteYet,
    /// It would make this replica campaign while it must not.
    NotNow,
}

/// No term or index comes near it in the life of a cluster; raft-rs adds to them without looking.
const NUMBER_MAX: u64 = 1 << 60;

// === impl Peers ===

impl Peers {
    pub(crate) fn set_known_stores(&mut self, stores: BTreeMap<u64, StoreId>) {
        self.known_stores = stores;
    }

    pub(crate) fn heard_at(&self, member: u64) -> Option<u64> {
        self.heard.get(&member).copied()
    }

    fn is_wrong_store(&self, from: Sender) -> bool {
        self.known_stores
            .get(&from.member)
            .is_some_and(|store| *store != from.store)
    }
}

// === impl Replica ===

impl<M: StateMachine> Replica<M> {
    pub(super) fn receive(&mut self, from: Sender, messages: Vec<Bytes>) -> Result<(), Fatal> {
        for bytes in messages {
            match self.look_at(from, &bytes) {
                Ok(message) => {
                    self.peers.heard.insert(from.member, self.ticks);
                    self.step_peer(message)?;
                    self.settle_election_timeout();
                }
                Err(refusal) => {
                    self.peers.refused += 1;
                    tracing::debug!(from = from.member, ?refusal, "peer message refused");
                }
            }
        }
        Ok(())
    }

    fn look_at(&self, from: Sender, bytes: &Bytes) -> Result<Message, Refusal> {
        if bytes.len() > MESSAGE_BYTES_MAX {
            return Err(Refusal::TooLarge);
        }
        if !broken!(self.options, TrustAnyStore) && self.peers.is_wrong_store(from) {
            return Err(Refusal::WrongStore);
        }
        if !wire::is_plain(bytes) {
            return Err(Refusal::Malformed);
        }
        let mut message = Message::default();
        // Keeps entries as slices of the message instead of copying them.
        let mut input = protobuf::CodedInputStream::from_carllerche_bytes(bytes);
        message
            .merge_from(&mut input)
            .map_err(|_| Refusal::Malformed)?;
        if message.from != from.member || from.member == self.options.member {
            return Err(Refusal::WrongSender);
        }
        if message.to != self.options.member {
            return Err(Refusal::WrongReceiver);
        }
        // None of these are ever set by us; set, they steer elections or force snapshots.
        if message.priority != 0
            || message.deprecated_priority != 0
            || message.request_snapshot != 0
        {
            return Err(Refusal::Malformed);
        }
        let numbers = [
            message.term,
            message.index,
            message.log_term,
            message.commit,
            message.reject_hint,
        ];
        if numbers.iter().any(|number| *number > NUMBER_MAX) {
            return Err(Refusal::Malformed);
        }
        self.look_at_type(&message)?;
        Ok(message)
    }

    fn look_at_type(&self, message: &Message) -> Result<(), Refusal> {
        let is_stranger = !convert::takes_part(&self.membership, message.from);
        let raft = &self.node.raft;
        match message.get_msg_type() {
            MessageType::MsgAppend => check_entries(message),
            MessageType::MsgSnapshot => self.check_snapshot(message),
            MessageType::MsgHeartbeat if message.term == 0 => Err(Refusal::Malformed),
            MessageType::MsgHeartbeat => Ok(()),
            // A replica that never had a state may be a wiped voter: it must not vote at all.
            MessageType::MsgRequestVote | MessageType::MsgRequestPreVote => {
                if self.membership.voters.is_empty() {
                    Err(Refusal::NoVoteYet)
                } else {
                    check_term(message)
                }
            }
            MessageType::MsgTimeoutNow if message.from != raft.leader_id => Err(Refusal::Stranger),
            MessageType::MsgTimeoutNow if !self.may_campaign() => Err(Refusal::NotNow),
            MessageType::MsgTimeoutNow => check_term(message),
            // Answers count towards quorums: only members give them.
            _ if is_stranger => Err(Refusal::Stranger),
            MessageType::MsgAppendResponse => {
                let beyond =
                    message.index > raft.raft_log.last_index() && message.term == raft.term;
                if beyond && !message.reject {
                    Err(Refusal::BadIndex)
                } else {
                    check_term(message)
                }
            }
            MessageType::MsgHeartbeatResponse
            | MessageType::MsgRequestVoteResponse
            | MessageType::MsgRequestPreVoteResponse => check_term(message),
            _ => Err(Refusal::ForbiddenType),
        }
    }

    fn check_snapshot(&self, message: &Message) -> Result<(), Refusal> {
        check_term(message)?;
        let meta =
            convert::snapshot_from_raft(message.get_snapshot()).ok_or(Refusal::BadSnapshot)?;
        let membership = &meta.membership;
        let mut voters = membership.voters.clone();
        voters.extend(&membership.learners);
        voters.sort_unstable();
        let is_unique =
            voters.windows(2).all(|pair| pair[0] != pair[1]) && voters.first() != Some(&0);
        if meta.index == 0
            || meta.index > NUMBER_MAX
            || meta.term == 0
            || meta.term > message.term
            || membership.voters.is_empty()
            || !is_unique
        {
            return Err(Refusal::BadSnapshot);
        }
        Ok(())
    }

    /// Hands a checked message to raft, except a snapshot, which is fetched first.
    fn step_peer(&mut self, mut message: Message) -> Result<(), Fatal> {
        if broken!(self.options, IgnoreRollback) {
            message.commit = message.commit.min(self.node.raft.raft_log.last_index());
        }
        match message.get_msg_type() {
            MessageType::MsgSnapshot => return self.snapshot_offered(message),
            MessageType::MsgHeartbeat if message.term >= self.node.raft.term => {
                // raft-rs would panic. The leader only says what this member once acknowledged in this term.
                let last_index = self.node.raft.raft_log.last_index();
                if message.commit > last_index {
                    return Err(Fatal::RolledBack {
                        acknowledged: message.commit,
                        last_index,
                    });
                }
            }
            _ => {}
        }
        self.step(message);
        Ok(())
    }

    /// Steps raft; a message of a member that has just left is normal around membership changes.
    pub(super) fn step(&mut self, message: Message) {
        if let Err(error) = self.node.step(message) {
            tracing::debug!(%error, "raft dropped a message");
        }
    }

    pub(super) fn unreachable(&mut self, member: u64) {
        self.node.report_unreachable(member);
        self.snapshot_lost(member);
    }
}

fn check_term(message: &Message) -> Result<(), Refusal> {
    // raft-rs takes term 0 for a local message, which it trusts.
    if message.term == 0 {
        Err(Refusal::Malformed)
    } else {
        Ok(())
    }
}

fn check_entries(message: &Message) -> Result<(), Refusal> {
    check_term(message)?;
    // raft-rs takes term 0 for "no such entry" and finds that it matches behind the log's end.
    if message.log_term == 0 {
        return Err(Refusal::BadEntries);
    }
    let mut term = message.log_term;
    for (expected, entry) in (message.index + 1..).zip(message.get_entries()) {
        if entry.index != expected || entry.term < term || entry.term > message.term {
            return Err(Refusal::BadEntries);
        }
        if entry.data.len() > ENTRY_BYTES_MAX {
            return Err(Refusal::TooLarge);
        }
        term = entry.term;
    }
    Ok(())
}
