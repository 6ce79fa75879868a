//! What a NodeActor has in hand: an ADD or a DEL, with whoever waits for its answer.

use super::choice::{Choice, Plan};
use super::message::{Allocate, Allocated, Collected, Release, Released};
use crate::failure::Failure;
use crate::spans;
use berth_actors::Reply;
use berth_domain::id::{AttachmentKey, Revision};
use berth_domain::outcome::Answer;
use std::sync::Arc;
use tracing::Span;

/// The answer of an ADD.
pub type Allocating = Result<Allocated, Failure>;
/// The answer of a DEL.
pub type Releasing = Result<Released, Failure>;
/// The answer of a GC.
pub type Collecting = Result<Collected, Failure>;

/// Who asks, until it is told.
#[derive(Debug)]
pub struct Caller<T> {
    /// The request's span.
    pub span: Span,
    /// Who is told.
    pub reply: Reply<T>,
}

/// One thing to do for one attachment.
#[derive(Debug)]
pub(super) enum Work {
    /// An ADD.
    Add(Add),
    /// A DEL.
    Del(Del),
}

/// An ADD in hand.
#[derive(Debug)]
pub(super) struct Add {
    pub request: Arc<Allocate>,
    pub key: Arc<AttachmentKey>,
    /// Digest of what was asked for.
    pub parameters: [u8; 16],
    /// Monotonic; what is not proposed by then is refused.
    pub give_up_at_ms: u64,
    /// Monotonic; what is in no entry by then is given up.
    pub until_ms: u64,
    /// When it came; how long a missing pod is waited for counts from here.
    pub came_at_ms: u64,
    pub span: Span,
    /// The first is the one that caused the bind.
    pub callers: Vec<Reply<Allocating>>,
    /// How often the ledger has refused a choice.
    pub refused: u32,
    pub phase: Phase,
}

/// How far an ADD is.
#[derive(Debug)]
pub(super) enum Phase {
    /// Nothing is under way.
    New,
    /// It waits for something that will be said, or for a time.
    Parked(Failure),
    /// It waits for addresses of the plan's candidate with this number.
    Asking {
        plan: Plan,
        candidate: usize,
        /// Ends with the answer.
        _grant: Span,
    },
    /// Its bind is in the journal, under this number.
    Proposed { number: u64, choice: Choice },
}

/// A DEL in hand.
#[derive(Debug)]
pub(super) struct Del {
    pub request: Arc<Release>,
    pub key: Arc<AttachmentKey>,
    pub span: Span,
    pub callers: Vec<Reply<Releasing>>,
    /// Monotonic; what is in no entry by then is given up.
    pub until_ms: u64,
    /// The GCs that wait for it; none if a DEL says it.
    pub jobs: Vec<u64>,
    /// Its release is in the journal, under this number.
    pub proposed: Option<u64>,
}

/// A GC in hand.
#[derive(Debug)]
pub(super) struct Job {
    pub reply: Option<Reply<Collecting>>,
    pub left: usize,
    pub revision: Revision,
    pub released: u32,
}

// === impl Work ===

impl Work {
    /// Under which number the journal has it.
    pub fn proposed(&self) -> Option<u64> {
        match self {
            Self::Add(add) => match add.phase {
                Phase::Proposed { number, .. } => Some(number),
                _ => None,
            },
            Self::Del(del) => del.proposed,
        }
    }
}

// === impl Add ===

impl Add {
    /// Tells everybody the same; only the first caller's ADD made something.
    pub fn answer(self, answer: Allocating) {
        if let Err(failure) = &answer {
            spans::failed(&self.span, failure);
        }
        for (number, caller) in self.callers.into_iter().enumerate() {
            let own = answer.clone().map(|allocated| Allocated {
                created: allocated.created && number == 0,
                ..allocated
            });
            caller.answer(own);
        }
    }

    /// Whether another ADD of the key asks for the very same, so that one answer serves both.
    pub fn is_same(&self, other: &Self) -> bool {
        self.parameters == other.parameters
            && self.request.boot == other.request.boot
            && self.request.invoked_at_ms == other.request.invoked_at_ms
    }
}

// === impl Del ===

impl Del {
    /// Tells everybody.
    pub fn answer(self, answer: Releasing) {
        for caller in self.callers {
            caller.answer(answer.clone());
        }
    }

    /// Takes another's callers in if one release serves both; gives it back otherwise. A shim that waits in vain repeats
    /// itself, a runtime calls it anew, and a queue of repetitions would make everybody wait longer still.
    ///
    /// The very same call, sent again, may join at any time. One that was invoked at another time joins what is not proposed
    /// yet, and the later one's time counts: what it ends, the earlier one does too.
    pub fn join(&mut self, other: Self) -> Option<Self> {
        let (own, others) = (self.request.invoked_at_ms, other.request.invoked_at_ms);
        if !self.is_alike(&other) || (own != others && self.proposed.is_some()) {
            return Some(other);
        }
        if others > own {
            self.request = other.request;
            self.span = other.span;
        }
        self.until_ms = self.until_ms.max(other.until_ms);
        self.callers.extend(other.callers);
        self.jobs.extend(other.jobs);
        None
    }

    /// Whether a GC says it rather than a DEL.
    pub fn is_collected(&self) -> bool {
        !self.jobs.is_empty()
    }

    /// Whether both want the same, apart from the time that they were invoked at.
    fn is_alike(&self, other: &Self) -> bool {
        let (one, two) = (&self.request, &other.request);
        self.is_collected() == other.is_collected()
            && one.principal == two.principal
            && one.node == two.node
            && one.boot == two.boot
            && one.generation == two.generation
    }

    /// Whether it was invoked after this ADD, so that the ADD must not take effect any more.
    pub fn ends(&self, add: &Add) -> bool {
        !self.is_collected()
            && self.request.boot == add.request.boot
            && self.request.invoked_at_ms >= add.request.invoked_at_ms
    }
}

/// What a DEL's answer says to its caller.
pub(crate) fn released(answer: &Answer) -> Releasing {
    use berth_domain::outcome::Outcome;
    match &answer.result {
        Ok(Outcome::Released { released }) => Ok(Released {
            revision: answer.revision,
            released: *released,
        }),
        Ok(_) => Err(Failure::Unavailable {
            reason: "the ledger answered a release with something else".into(),
        }),
        Err(refusal) => Err(Failure::Refused(refusal.clone())),
    }
}
