//! Why a call has no answer: one closed set.

use std::fmt;

use berth_proto::v1::{Refusal, RefusalCode};
use tonic::Code;

/// Why a call has no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// An option is wrong; nothing was sent.
    #[error("{option}: {reason}")]
    Option {
        /// Which: "endpoint", "tls.ca".
        option: &'static str,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// Berth said no, and asking again will not help by itself.
    #[error("{}", .0.message)]
    Refused(Box<Refusal>),
    /// No endpoint could be connected to. Nothing was sent.
    #[error("no server can be reached: {}", Listed(attempts))]
    Unreachable {
        /// The last of each endpoint.
        attempts: Vec<Attempt>,
    },
    /// The deadline passed first.
    #[error("no answer before the deadline: {}", Listed(attempts))]
    DeadlineExceeded {
        /// Whether anything was sent that may have had an effect.
        sent: bool,
        /// The last refusal that said "not now": busy, no leader, disk low.
        refusal: Option<Box<Refusal>>,
        /// The last of each endpoint.
        attempts: Vec<Attempt>,
    },
    /// It was sent, and whether it had an effect is not known. Only for calls that must not be repeated blindly.
    #[error("{endpoint} did not answer, so whether it was done is not known: {reason}")]
    OutcomeUnknown {
        /// Whom it was sent to.
        endpoint: String,
        /// What broke.
        reason: String,
    },
    /// The other side answered outside the protocol: not a Berth server, another version, a message too large.
    #[error("{endpoint} answered {code:?}: {message}")]
    Protocol {
        /// Who answered.
        endpoint: String,
        /// gRPC's.
        code: Code,
        /// The other side's words.
        message: String,
    },
}

/// What became of one endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// As given, or as a leader hint named it.
    pub endpoint: String,
    /// "connection refused", "is not the leader".
    pub failure: String,
}

struct Listed<'a>(&'a [Attempt]);

// === impl Error ===

impl Error {
    /// What Berth said, whether as the answer or as the last "not now" before the deadline.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::DeadlineExceeded { refusal, .. } => refusal.as_deref(),
            _ => None,
        }
    }

    /// The code of [`Error::refusal`]; unspecified if Berth said nothing.
    pub fn code(&self) -> RefusalCode {
        self.refusal()
            .map_or(RefusalCode::Unspecified, Refusal::code)
    }
}

// === impl Listed ===

impl fmt::Display for Listed<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return formatter.write_str("the first try had not ended");
        }
        for (at, attempt) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "; " };
            write!(formatter, "{comma}{} {}", attempt.endpoint, attempt.failure)?;
        }
        Ok(())
    }
}
