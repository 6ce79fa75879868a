//! What a failed try means: the end of the call, or a reason to try on.

use std::error::Error as _;
use std::time::Duration;

use berth_proto::v1::{Refusal, RefusalCode};
use prost::Message;
use tonic::{Code, Status};

use crate::Error;
use crate::route::chain;

pub(super) enum Verdict {
    /// The call has its answer.
    Final(Error),
    /// Another one leads; which, if it was said.
    NotLeader {
        leader: Option<String>,
        refusal: Box<Refusal>,
    },
    /// The same again, later.
    NotNow {
        wait: Option<Duration>,
        refusal: Box<Refusal>,
    },
    /// The connection or the server went away; whether the request had an effect is not known.
    Broken(String),
    /// The time sent along has run out.
    TooLate,
}

pub(super) fn judge(endpoint: &str, status: Status) -> Verdict {
    match refusal(&status) {
        Some(refusal) => of_refusal(refusal),
        None => of_status(endpoint, status),
    }
}

/// Berth's own words. Every refusal of a Berth server has them; what comes without is from beneath or from a stranger.
fn refusal(status: &Status) -> Option<Refusal> {
    let details = status.details();
    let refusal = (!details.is_empty())
        .then(|| Refusal::decode(details))?
        .ok()?;
    // A code of a newer server is a refusal too; none at all is a stranger's bytes.
    (refusal.code != RefusalCode::Unspecified as i32).then_some(refusal)
}

fn of_refusal(refusal: Refusal) -> Verdict {
    match refusal.code() {
        RefusalCode::NotLeader => {
            let leader = refusal.leader_endpoint.clone();
            let leader = (!leader.is_empty()).then_some(leader);
            let refusal = Box::new(refusal);
            Verdict::NotLeader { leader, refusal }
        }
        RefusalCode::Busy
        | RefusalCode::Unavailable
        | RefusalCode::DiskLow
        | RefusalCode::OutcomeUnknown => {
            let advised = refusal.retry_after_ms;
            let wait = (advised > 0).then(|| Duration::from_millis(advised));
            let refusal = Box::new(refusal);
            Verdict::NotNow { wait, refusal }
        }
        _ => Verdict::Final(Error::Refused(Box::new(refusal))),
    }
}

fn of_status(endpoint: &str, status: Status) -> Verdict {
    // tonic's own words for the time sent along, here and in its server.
    let timed_out = status.message().contains("Timeout expired");
    if status.code() == Code::DeadlineExceeded || (status.code() == Code::Cancelled && timed_out) {
        return Verdict::TooLate;
    }
    let from_beneath = status.source().is_some();
    if from_beneath || matches!(status.code(), Code::Unavailable | Code::Cancelled) {
        // The status' own words say less, and say it at length.
        let said = status.source().map(chain);
        return Verdict::Broken(said.unwrap_or_else(|| status.message().to_owned()));
    }
    Verdict::Final(Error::Protocol {
        endpoint: endpoint.to_owned(),
        code: status.code(),
        message: status.message().to_owned(),
    })
}
