//! Why a command was not done: one line, and what to do next.

use std::io;
use std::path::PathBuf;

use berth_client::Error as CallError;

/// Why a command was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cluster refused, or could not be reached.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A certificate without the authority that the servers are checked against.
    #[error(
        "--tls-cert without --tls-ca: name the file of the authority that signed the servers' certificates"
    )]
    NoAuthority,
    /// What was asked for is not there.
    #[error("{what}; {next}")]
    NothingFound {
        /// What.
        what: String,
        /// What to do.
        next: String,
    },
    /// A member of that name takes part already.
    #[error(
        "member {name} is there already, as a {role}; choose another name, or see `berthctl member replace --help`"
    )]
    MemberKnown {
        /// Which.
        name: String,
        /// As what.
        role: String,
    },
    /// A line of the input is no fact.
    #[error("line {line} of the input is no fact: {source}; see `berthctl facts report --help`")]
    Line {
        /// From 1.
        line: u64,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A file of ours.
    #[error("{} cannot be written", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A plan's file that is not there, or cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A plan's file that is no plan.
    #[error("{} is no plan: {reason}; see `berthctl plan check --help`", path.display())]
    NoPlan {
        /// Which.
        path: PathBuf,
        /// Where, and what is wrong there.
        reason: String,
    },
    /// What the environment says of the cloud cannot be.
    #[error("the cloud cannot be asked")]
    Cloud(#[from] berth_cloud::alibaba::client::SetupError),
    /// A backup that did not come to its end.
    #[error("the backup did not come to its end ({0}), and nothing was kept of it: try again")]
    CutOff(String),
    /// A long answer that did not come to its end.
    #[error("the answer did not come to its end ({0}): try again")]
    CutShort(String),
    /// The server's program cannot be run.
    #[error("{} cannot be run, which does this: install it on this machine, or name it with the variable BERTHD", program.display())]
    NoServer {
        /// Which.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The question to one of several replicas ended without an answer.
    #[error("the question was not finished")]
    Stopped(#[source] tokio::task::JoinError),
    /// The input cannot be read.
    #[error("the input cannot be read")]
    Input(#[source] io::Error),
    /// The answer cannot be written.
    #[error("the answer cannot be written")]
    Output(#[source] io::Error),
    /// The answer cannot be shown as JSON.
    #[error("the answer cannot be shown as JSON")]
    Json(#[source] serde_json::Error),
}

// === impl Error ===

impl Error {
    /// One line: what, why, and what to do next.
    pub fn sentence(&self) -> String {
        let mut sentence = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let text = error.to_string();
            // Some errors say their cause themselves.
            if !sentence.contains(&text) {
                sentence = format!("{sentence}: {text}");
            }
            cause = error.source();
        }
        if let Self::Call(error) = self {
            let reasons = because(error)
                .into_iter()
                .chain(next(error).map(str::to_owned));
            for addition in reasons {
                // The last "not now" is often the last failure of an endpoint too.
                if !sentence.contains(&addition) {
                    sentence = format!("{sentence}; {addition}");
                }
            }
        }
        sentence.replace('\n', " ")
    }
}

/// The reasons that Berth gave beneath the first one, and the last "not now" before the deadline.
fn because(error: &CallError) -> Option<String> {
    let refusal = error.refusal()?;
    let mut reasons: Vec<&str> = refusal
        .causes
        .iter()
        .map(|cause| cause.message.as_str())
        .collect();
    if !matches!(error, CallError::Refused(_)) {
        reasons.insert(0, &refusal.message);
    }
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// What a person does about it. A refusal's own words say that themselves.
fn next(error: &CallError) -> Option<&'static str> {
    match error {
        CallError::Refused(_) => None,
        CallError::Option { .. } => Some("see `berthctl --help`"),
        CallError::Unreachable { .. } => {
            Some("start berthd there, or name another server with --endpoint or BERTH_ENDPOINTS")
        }
        CallError::DeadlineExceeded { .. } => {
            Some("`berthctl raft status` shows who leads; --timeout gives it longer")
        }
        CallError::OutcomeUnknown { .. } => Some("look before you do it again"),
        CallError::Protocol { .. } => {
            Some("is that a Berth server's client port, and of the same version?")
        }
    }
}

#[cfg(test)]
mod tests {
    use berth_client::{Attempt, Error as CallError};
    use berth_proto::v1::{Refusal, RefusalCode};

    use super::Error;

    /// Promise: every failure is one line that says what to do next.
    #[test]
    fn every_failure_is_one_line_with_a_next_step() {
        let attempt = Attempt {
            endpoint: "http://10.0.0.1:7400".to_owned(),
            failure: "connection refused".to_owned(),
        };
        let unreachable = Error::from(CallError::Unreachable {
            attempts: vec![attempt],
        })
        .sentence();
        assert_eq!(
            unreachable,
            "no server can be reached: http://10.0.0.1:7400 connection refused; start berthd there, or name another \
             server with --endpoint or BERTH_ENDPOINTS"
        );
        let word = str::to_owned;
        let below = Refusal {
            code: RefusalCode::Cooling.into(),
            message: word("3 are cooling"),
            ..Refusal::default()
        };
        let refusal = Refusal {
            message: word("no address\nleft"),
            causes: vec![below],
            ..Refusal::default()
        };
        let refused = Error::from(CallError::Refused(Box::new(refusal.clone()))).sentence();
        assert_eq!(refused, "no address left; 3 are cooling");
        let late = CallError::DeadlineExceeded {
            sent: true,
            refusal: Some(Box::new(refusal)),
            attempts: Vec::new(),
        };
        let late = Error::from(late).sentence();
        assert!(
            late.contains("no address left; 3 are cooling; `berthctl raft status`"),
            "{late}"
        );
    }
}
