//! What the simulator may see of a replica, and what a message on the wire vouches for.

use super::Replica;
use crate::state_machine::StateMachine;
use protobuf::Message as _;
use raft::eraftpb::{Message, MessageType};

/// What must be durable at the sender before a message may leave (R7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vouched {
    /// The sender has seen this term; 0 for pre-votes, which promise nothing.
    pub term: u64,
    /// The sender has given its vote of this term to this member; 0 = no vote in it.
    pub vote: u64,
    /// The sender has all entries up to here; 0 = nothing said.
    pub index: u64,
}

// === impl Vouched ===

impl Vouched {
    /// What this encoded message vouches for; none if it does not parse.
    pub fn by(bytes: &[u8]) -> Option<Vouched> {
        let mut message = Message::default();
        message.merge_from_bytes(bytes).ok()?;
        let nothing = Vouched {
            term: message.term,
            vote: 0,
            index: 0,
        };
        Some(match message.get_msg_type() {
            MessageType::MsgRequestPreVote | MessageType::MsgRequestPreVoteResponse => {
                Vouched { term: 0, ..nothing }
            }
            MessageType::MsgRequestVote => Vouched {
                vote: message.from,
                ..nothing
            },
            MessageType::MsgRequestVoteResponse if !message.reject => Vouched {
                vote: message.to,
                ..nothing
            },
            MessageType::MsgAppendResponse if !message.reject => Vouched {
                index: message.index,
                ..nothing
            },
            _ => nothing,
        })
    }

    /// The kind of message, for scripts that hold one kind back.
    pub fn kind(bytes: &[u8]) -> Option<MessageKind> {
        let mut message = Message::default();
        message.merge_from_bytes(bytes).ok()?;
        Some(match message.get_msg_type() {
            MessageType::MsgHeartbeat => MessageKind::Heartbeat,
            MessageType::MsgHeartbeatResponse if message.context.is_empty() => {
                MessageKind::HeartbeatAnswer
            }
            MessageType::MsgHeartbeatResponse => MessageKind::ReadAnswer,
            MessageType::MsgAppend => MessageKind::Append,
            MessageType::MsgAppendResponse => MessageKind::AppendAnswer,
            MessageType::MsgSnapshot => MessageKind::Snapshot,
            MessageType::MsgRequestVote | MessageType::MsgRequestPreVote => {
                MessageKind::VoteRequest
            }
            MessageType::MsgRequestVoteResponse | MessageType::MsgRequestPreVoteResponse => {
                MessageKind::Vote
            }
            _ => MessageKind::Other,
        })
    }
}

/// Enough of an entry to compare logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryMark {
    /// Its index.
    pub index: u64,
    /// Its term.
    pub term: u64,
    /// CRC32 of its data.
    pub crc: u32,
}

// === impl EntryMark ===

impl EntryMark {
    /// The mark of an entry.
    pub fn of(index: u64, term: u64, data: &[u8]) -> Self {
        EntryMark {
            index,
            term,
            crc: crc32c::crc32c(data),
        }
    }
}

/// Kinds of peer messages a test may want to tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// A leader's sign of life.
    Heartbeat,
    /// Its answer.
    HeartbeatAnswer,
    /// The answer to a heartbeat that carries a read context.
    ReadAnswer,
    /// Entries.
    Append,
    /// Their acknowledgement or rejection.
    AppendAnswer,
    /// A snapshot's offer.
    Snapshot,
    /// A (pre-)candidate asks.
    VoteRequest,
    /// A (pre-)vote or its refusal.
    Vote,
    /// Anything else.
    Other,
}

// === impl Replica ===

impl<M: StateMachine> Replica<M> {
    /// Index, term and checksum of every entry in the log, durable or not.
    pub fn log_marks(&self) -> Vec<EntryMark> {
        self.node
            .store()
            .all()
            .map(|entry| EntryMark::of(entry.index, entry.term, &entry.data))
            .collect()
    }

    /// Entries known committed.
    pub fn commit(&self) -> u64 {
        self.node.raft.raft_log.committed
    }

    /// The current term.
    pub fn term(&self) -> u64 {
        self.node.raft.term
    }

    /// Puts an entry into raft without any of this crate's checks, to show what raft-rs does with it.
    pub fn propose_unchecked_removal(&mut self, member: u64) -> bool {
        let mut single = raft::eraftpb::ConfChangeSingle::default();
        single.set_change_type(raft::eraftpb::ConfChangeType::RemoveNode);
        single.node_id = member;
        let mut change = raft::eraftpb::ConfChangeV2::default();
        change.mut_changes().push(single);
        self.node.propose_conf_change(Vec::new(), change).is_ok()
    }
}
