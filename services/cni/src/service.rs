//! The way to Berth: a client made from the configuration, and what its failures mean to a runtime.

use std::time::Duration;

use berth_client::{Attempt, Client, Options, TlsFiles};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::config::{Server, Tls};
use crate::environment::Verb;
use crate::error::{Code, Error};
use crate::request::Request;

/// A runtime asks for STATUS all the time and waits for it: a server that is away is news, not a reason to wait.
const STATUS_PATIENCE: Duration = Duration::from_secs(2);

/// Connects to nobody yet. All calls end by the deadline, counted from the start of this program.
pub fn open(request: &Request) -> Result<Client, Error> {
    let ipam = &request.config.ipam;
    let mut options = match &ipam.server {
        Server::Socket(path) => Options::socket(path),
        Server::Endpoints { endpoints, tls } => {
            let mut options = Options::endpoints(endpoints);
            options.tls = tls.as_ref().map(files);
            options
        }
    };
    options
        .traceparent
        .clone_from(&request.environment.trace_parent);
    let patience = match request.environment.verb {
        Verb::Status => ipam.deadline.min(STATUS_PATIENCE),
        _ => ipam.deadline,
    };
    let deadline = Instant::from_std(request.started + patience);
    Ok(Client::new(options)?.until(deadline))
}

fn files(tls: &Tls) -> TlsFiles {
    TlsFiles {
        authority: tls.ca.clone(),
        identity: Some((tls.cert.clone(), tls.key.clone())),
        server_name: None,
    }
}

// === impl Error ===

impl From<berth_client::Error> for Error {
    fn from(error: berth_client::Error) -> Self {
        use berth_client::Error as E;
        let message = error.to_string();
        let (code, details) = match &error {
            E::Refused(refusal) => return Self::refused(refusal),
            // What the servers said last says more than that time is up.
            E::DeadlineExceeded {
                refusal: Some(refusal),
                ..
            } => return Self::refused(refusal),
            E::Option { option, reason } => {
                return Self::config(format!("ipam.{option}: {reason}"));
            }
            E::Unreachable { attempts } => (Code::TryAgainLater, away("UNAVAILABLE", attempts)),
            E::DeadlineExceeded {
                sent: false,
                attempts,
                ..
            } => (Code::TryAgainLater, away("UNAVAILABLE", attempts)),
            E::DeadlineExceeded { attempts, .. } => {
                (Code::TryAgainLater, away("OUTCOME_UNKNOWN", attempts))
            }
            E::OutcomeUnknown { .. } => {
                (Code::TryAgainLater, json!({ "reason": "OUTCOME_UNKNOWN" }))
            }
            E::Protocol { .. } => (Code::Internal, json!({ "reason": "PROTOCOL" })),
        };
        let details = Some(details);
        Self {
            code,
            message,
            details,
        }
    }
}

fn away(reason: &str, attempts: &[Attempt]) -> Value {
    let attempt = |attempt: &Attempt| format!("{} {}", attempt.endpoint, attempt.failure);
    let attempts: Vec<String> = attempts.iter().map(attempt).collect();
    json!({ "reason": reason, "attempts": attempts })
}
