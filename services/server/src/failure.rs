//! Why a request was not served: the server's closed set. Only the door knows how it looks on the wire.

use berth_domain::id::{ClaimName, ClusterName, VSwitchName};
use berth_domain::outcome::Refusal;
use std::net::IpAddr;

/// Why not. `Display` is one sentence for people that says what to do next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The ledger refused it: a value, the same on every replica.
    #[error("{0}")]
    Refused(Refusal),
    /// No address is left, and none comes back by itself before the deadline.
    #[error(
        "vSwitch {vswitch} has no address left ({counts}): release some, or create another vSwitch in the zone"
    )]
    Exhausted {
        /// Which.
        vswitch: VSwitchName,
        /// Every state, counted, per family.
        counts: String,
    },
    /// All fit addresses are cooling.
    #[error(
        "vSwitch {vswitch} has only addresses that still cool ({counts}): try again in {retry_after_ms} ms"
    )]
    Cooling {
        /// Which.
        vswitch: VSwitchName,
        /// Every state, counted, per family.
        counts: String,
        /// When the next one is available.
        retry_after_ms: u64,
    },
    /// The claim's address rests after its last sandbox, whose link may still be there. It comes free by itself.
    #[error("claim {claim} is held by {holder}: try again in {retry_after_ms} ms")]
    HandOverPending {
        /// Which.
        claim: ClaimName,
        /// Who has it, in words.
        holder: String,
        /// When it may be had, ms from now; 1 at least.
        retry_after_ms: u64,
    },
    /// An address that was asked for by name is not one that may be given out.
    #[error("{field}: {address} {reason}")]
    OutOfRange {
        /// Which field, as the caller knows it.
        field: &'static str,
        /// Which.
        address: IpAddr,
        /// Why not, with the CIDRs in which it would have to lie.
        reason: String,
    },
    /// What Kubernetes says of the pod decides, and it has not been said, or not lately.
    #[error(
        "the facts of cluster {cluster} {reason}: see that their source (operator, berthctl facts report) runs"
    )]
    FactsMissing {
        /// Whose.
        cluster: ClusterName,
        /// "have not synced", "are 130 s old".
        reason: String,
    },
    /// Another replica leads, or none does at the moment. Nothing was started.
    #[error("this replica does not lead; {}", leader_sentence(.leader_endpoint.as_deref()))]
    NotLeader {
        /// Where the leader listens for clients, if it is known.
        leader_endpoint: Option<String>,
    },
    /// A queue is full. Nothing was started.
    #[error("the server is busy ({what}): try again in {retry_after_ms} ms")]
    Busy {
        /// Which queue.
        what: &'static str,
        /// When to try again.
        retry_after_ms: u64,
    },
    /// The caller waits too short a time. Nothing was started.
    #[error("the deadline is too short: give at least {needed_ms} ms")]
    DeadlineTooShort {
        /// What would do.
        needed_ms: u64,
    },
    /// Whether it was done is not known: leadership or the deadline was lost in mid-flight. A retry is idempotent.
    #[error("the outcome is not known ({reason}): repeat the same request")]
    Unknown {
        /// What was lost.
        reason: &'static str,
    },
    /// The principal may not do this.
    #[error("{principal} may not {what}")]
    Denied {
        /// Who.
        principal: String,
        /// What was tried.
        what: String,
    },
    /// The leader's disk is nearly full: ADD and changes by administrators wait, DEL and reads are served.
    #[error(
        "the leader's disk has only {free_bytes} bytes left: make room on it, or hand leadership over"
    )]
    DiskLow {
        /// What is left.
        free_bytes: u64,
    },
    /// The membership cannot be changed like this, or not at the moment. Nothing was changed.
    #[error("the membership was not changed: {reason}")]
    Membership {
        /// Why, and what to do.
        reason: String,
    },
    /// It cannot be served now.
    #[error("not available now: {reason}")]
    Unavailable {
        /// Why, and what to do.
        reason: String,
    },
}

fn leader_sentence(endpoint: Option<&str>) -> String {
    match endpoint {
        Some(endpoint) => format!("ask {endpoint}"),
        None => "no leader is known yet, try again".into(),
    }
}

// === impl Failure ===

impl Failure {
    /// Whether what was asked for certainly did not happen.
    pub fn is_certain(&self) -> bool {
        !matches!(self, Self::Unknown { .. })
    }

    /// The same of a step that follows one that was done: what was asked for has happened, so this must not say that it has
    /// not. Only a refusal stands: it is true of what is there now.
    pub fn after_it_was_done(self) -> Self {
        match self {
            Self::Refused(_) | Self::Unknown { .. } => self,
            _ => Self::Unknown {
                reason: "it was done, and the replica could not say what came of it",
            },
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: what was done is never said not to have happened because a later step failed; a refusal stays one (the
    /// control).
    #[test]
    fn done_is_not_undone_by_what_follows() {
        let stopping = Failure::Unavailable {
            reason: "the replica is stopping, ask another".into(),
        };
        assert!(stopping.is_certain());
        assert!(!stopping.after_it_was_done().is_certain());
        let not_leader = Failure::NotLeader {
            leader_endpoint: None,
        };
        assert!(!not_leader.after_it_was_done().is_certain());
        let gone = Failure::Refused(Refusal::NotFound {
            what: "claim",
            name: "a".into(),
        });
        assert!(matches!(gone.after_it_was_done(), Failure::Refused(_)));
    }
}
