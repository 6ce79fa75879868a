//! From the server's failures to gRPC: one function, one table. The `details` bytes are an encoded berth.v1.Refusal.

use crate::failure::Failure;
use berth_domain::outcome::Refusal;
use berth_proto::v1::{self, RefusalCode};
use prost::Message;
use tonic::{Code, Status};

/// A status whose details carry the refusal.
pub fn status(failure: &Failure) -> Status {
    from_refusal(&refusal(failure))
}

/// The same for what the door itself refuses.
pub fn refused(code: RefusalCode, message: impl Into<String>) -> Status {
    from_refusal(&v1::Refusal {
        code: code.into(),
        message: message.into(),
        ..Default::default()
    })
}

/// The refusal in a status' details, if it is one of ours.
pub fn read(status: &Status) -> Option<v1::Refusal> {
    if status.details().is_empty() {
        return None;
    }
    v1::Refusal::decode(status.details()).ok()
}

fn from_refusal(refusal: &v1::Refusal) -> Status {
    let details = refusal.encode_to_vec().into();
    Status::with_details(code(refusal.code()), refusal.message.clone(), details)
}

/// The gRPC code of each refusal.
pub fn code(refusal: RefusalCode) -> Code {
    use RefusalCode as R;
    match refusal {
        R::Invalid => Code::InvalidArgument,
        R::NotFound => Code::NotFound,
        R::AlreadyExists | R::Overlap => Code::AlreadyExists,
        R::Exhausted | R::Cooling | R::NodeFull | R::Busy => Code::ResourceExhausted,
        R::ParametersChanged
        | R::Tombstone
        | R::HeldByLiveHolder
        | R::AddressInUse
        | R::InUse
        | R::StaleGeneration
        | R::FactsMissing
        | R::Membership
        | R::ClusterVersion
        | R::NotBroken
        | R::Recovering => Code::FailedPrecondition,
        R::Taken => Code::Aborted,
        R::OutOfRange => Code::OutOfRange,
        R::NotLeader | R::Unavailable | R::DiskLow | R::OutcomeUnknown => Code::Unavailable,
        R::DeadlineTooShort => Code::DeadlineExceeded,
        R::Denied => Code::PermissionDenied,
        R::Unspecified => Code::Unknown,
    }
}

fn refusal(failure: &Failure) -> v1::Refusal {
    let mut refusal = v1::Refusal {
        message: failure.to_string(),
        ..Default::default()
    };
    let code = match failure {
        Failure::Refused(reason) => ledger(reason, &mut refusal),
        Failure::Exhausted { .. } => RefusalCode::Exhausted,
        Failure::Cooling { retry_after_ms, .. } => {
            refusal.retry_after_ms = *retry_after_ms;
            RefusalCode::Cooling
        }
        Failure::HandOverPending {
            holder,
            retry_after_ms,
            ..
        } => {
            refusal.holder.clone_from(holder);
            refusal.retry_after_ms = *retry_after_ms;
            RefusalCode::HeldByLiveHolder
        }
        Failure::OutOfRange { field, .. } => {
            refusal.field = (*field).into();
            RefusalCode::OutOfRange
        }
        Failure::FactsMissing { .. } => RefusalCode::FactsMissing,
        Failure::NotLeader { leader_endpoint } => {
            refusal.leader_endpoint = leader_endpoint.clone().unwrap_or_default();
            RefusalCode::NotLeader
        }
        Failure::Busy { retry_after_ms, .. } => {
            refusal.retry_after_ms = *retry_after_ms;
            RefusalCode::Busy
        }
        Failure::DeadlineTooShort { .. } => {
            refusal.field = "deadline_ms".into();
            RefusalCode::DeadlineTooShort
        }
        Failure::Unknown { .. } => RefusalCode::OutcomeUnknown,
        Failure::Denied { .. } => RefusalCode::Denied,
        Failure::DiskLow { .. } => RefusalCode::DiskLow,
        Failure::Membership { .. } => RefusalCode::Membership,
        Failure::Unavailable { .. } => RefusalCode::Unavailable,
    };
    refusal.code = code.into();
    refusal
}

/// The ledger's own refusals; fills in what the message has fields for.
fn ledger(reason: &Refusal, refusal: &mut v1::Refusal) -> RefusalCode {
    match reason {
        Refusal::Invalid { field, .. } => {
            refusal.field = (*field).into();
            RefusalCode::Invalid
        }
        Refusal::NotFound { what, .. } => {
            refusal.field = what.to_lowercase();
            RefusalCode::NotFound
        }
        Refusal::AlreadyExists { .. } => RefusalCode::AlreadyExists,
        Refusal::Taken { .. } => RefusalCode::Taken,
        Refusal::AddressInUse { holder, .. } => {
            refusal.holder.clone_from(holder);
            RefusalCode::AddressInUse
        }
        Refusal::OutOfRange { .. } => RefusalCode::OutOfRange,
        Refusal::ParametersChanged { .. } => RefusalCode::ParametersChanged,
        Refusal::Tombstone { .. } => RefusalCode::Tombstone,
        Refusal::HeldByLiveHolder { holder, .. } => {
            refusal.holder.clone_from(holder);
            RefusalCode::HeldByLiveHolder
        }
        Refusal::StaleGeneration { .. } | Refusal::JobMovedOn { .. } => {
            RefusalCode::StaleGeneration
        }
        Refusal::NodeFull { .. } | Refusal::NoEniSlot { .. } | Refusal::EniFull { .. } => {
            RefusalCode::NodeFull
        }
        Refusal::Overlap { cidr, .. } => {
            let is_ipv6 = cidr.contains(':');
            refusal.field = if is_ipv6 { "ipv6_cidr" } else { "ipv4_cidr" }.into();
            RefusalCode::Overlap
        }
        Refusal::VersionTooLow { .. } | Refusal::VersionLowered { .. } => {
            RefusalCode::ClusterVersion
        }
        Refusal::NotBroken { .. } => RefusalCode::NotBroken,
        Refusal::InUse { by, .. } => {
            refusal.holder.clone_from(by);
            RefusalCode::InUse
        }
        Refusal::Recovering { .. } => RefusalCode::Recovering,
    }
}

// === impl Status ===

impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        status(&failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use berth_domain::id::{ClaimName, ClusterName, Namespace, PodName, VSwitchName};

    /// Promise: each failure has one code, and its details say the rest to programs.
    #[test]
    fn a_failure_carries_its_refusal() {
        let leader_endpoint = Some("http://127.0.0.1:7400".to_owned());
        let status = status(&Failure::NotLeader { leader_endpoint });
        assert_eq!(status.code(), Code::Unavailable);
        let refusal = read(&status).expect("details");
        assert_eq!(refusal.code(), RefusalCode::NotLeader);
        assert_eq!(refusal.leader_endpoint, "http://127.0.0.1:7400");
        let invalid = Refusal::Invalid {
            field: "page_size",
            reason: "is bad".into(),
        };
        let status = super::status(&Failure::Refused(invalid));
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(read(&status).expect("details").field, "page_size");
        assert_eq!(status.message(), "page_size: is bad");
    }

    /// Promise: a full vSwitch counts every state, and a cooling one says when to come again.
    #[test]
    fn a_full_vswitch_says_its_counts() {
        let vswitch = VSwitchName::new("a").expect("a name");
        let counts = "IPv4: 0 free, 252 bound".to_owned();
        let failure = Failure::Cooling {
            vswitch,
            counts,
            retry_after_ms: 700,
        };
        let status = status(&failure);
        assert!(status.message().contains("252 bound"));
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert_eq!(read(&status).expect("details").retry_after_ms, 700);
    }

    /// Promise: an address that waits for its hand-over says when to come again; one with a live holder does not.
    #[test]
    fn a_pending_hand_over_says_when() {
        let claim = ClaimName {
            cluster: ClusterName::new("one").expect("a name"),
            namespace: Namespace::new("web").expect("a name"),
            pod: PodName::new("db-0").expect("a name"),
        };
        let pending = status(&Failure::HandOverPending {
            claim: claim.clone(),
            holder: "c1".into(),
            retry_after_ms: 1_500,
        });
        let live = status(&Failure::Refused(Refusal::HeldByLiveHolder {
            claim,
            holder: "c1".into(),
            settled_at_ms: None,
        }));
        for (status, retry_after_ms) in [(pending, 1_500), (live, 0)] {
            assert_eq!(status.code(), Code::FailedPrecondition);
            let refusal = read(&status).expect("details");
            assert_eq!(refusal.code(), RefusalCode::HeldByLiveHolder);
            assert_eq!(
                (refusal.retry_after_ms, refusal.holder.as_str()),
                (retry_after_ms, "c1")
            );
        }
    }

    /// Promise: every refusal code that the wire has is mapped to a gRPC code of its own meaning.
    #[test]
    fn every_code_is_mapped() {
        let codes = (1..100).filter_map(|number| RefusalCode::try_from(number).ok());
        let codes: Vec<RefusalCode> = codes.collect();
        assert!(codes.len() >= 24, "{codes:?}");
        for refusal in codes {
            assert_ne!(code(refusal), Code::Unknown, "{refusal:?}");
        }
        assert_eq!(code(RefusalCode::Unspecified), Code::Unknown);
    }
}
