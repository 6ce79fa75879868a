//! What callers want of the servers, and its way there: tries, hints, patience, as the client keeps them.

use berth_domain::command::Proposal;
use berth_domain::id::{AttachmentKey, Revision};
use berthd::leader::Report;
use berthd::node::{Allocate, Collect, Release};

/// Names a call.
pub type CallId = u64;
/// Names one delivery of a call to a server; the trace id of what that proposes.
pub type Delivery = u64;

/// What is wanted.
#[derive(Clone, Debug)]
pub enum Body {
    /// ADD.
    Add(Box<Allocate>),
    /// DEL.
    Del(Box<Release>),
    /// GC.
    Collect(Box<Collect>),
    /// An administrator's command.
    Propose(Box<Proposal>),
    /// A node's word, after a restore.
    Report(Box<Report>),
    /// A linearizable look at one attachment.
    Read(AttachmentKey),
    /// The same, of whatever state the replica has.
    ReadStale(AttachmentKey),
}

/// One call of one caller, until it is answered or given up.
#[derive(Clone, Debug)]
pub struct Call {
    /// What is wanted.
    pub body: Body,
    /// On which node the caller is; none = an administrator.
    pub node: Option<usize>,
    /// It gives up then, in moments.
    pub until: u64,
    /// Whom it asks next.
    pub target: u64,
    /// When, in moments.
    pub next_at: u64,
    /// What was known when it began: a read must not see less.
    pub floor: Revision,
}

/// The trace id of a delivery.
pub fn trace_id(delivery: Delivery) -> [u8; 16] {
    let mut id = [0x77; 16];
    id[8..].copy_from_slice(&delivery.to_be_bytes());
    id
}

/// The delivery that a trace id names.
pub fn delivery_of(trace_id: &[u8; 16]) -> Option<Delivery> {
    let (head, number) = trace_id.split_at(8);
    let number = number.try_into().ok()?;
    (head == [0x77; 8]).then(|| u64::from_be_bytes(number))
}

// === impl Body ===

impl Body {
    /// As it is sent: with what is left of the deadline, and a trace of its own.
    pub fn stamped(&self, delivery: Delivery, left_ms: u64) -> Self {
        let trace = Some(trace_id(delivery));
        let mut body = self.clone();
        match &mut body {
            Self::Add(add) => (add.trace_id, add.deadline_ms) = (trace, left_ms),
            Self::Del(del) => (del.trace_id, del.deadline_ms) = (trace, left_ms),
            Self::Collect(collect) => (collect.trace_id, collect.deadline_ms) = (trace, left_ms),
            Self::Propose(proposal) => proposal.trace_id = trace,
            Self::Report(report) => report.trace_id = trace,
            Self::Read(_) | Self::ReadStale(_) => {}
        }
        body
    }
}
