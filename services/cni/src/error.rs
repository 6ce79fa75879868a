//! What the shim answers when it cannot do what was asked: the CNI code table, and the way from a refusal to a code.

use std::fmt;

use berth_proto::v1::{Refusal, RefusalCode};
use serde_json::{Value, json};

/// 0 to 99 are the specification's (CNI spec 1.1 §5 and STATUS), from 100 on they are Berth's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Code {
    /// The configuration's `cniVersion` is not spoken, or has no such verb.
    IncompatibleVersion = 1,
    /// A field is understood but not supported; the message names its key and value.
    UnsupportedField = 2,
    /// An environment variable is missing or malformed; the message names it.
    BadEnvironment = 4,
    /// Reading or writing failed on this machine.
    Io = 5,
    /// The input is not JSON.
    Decode = 6,
    /// The network configuration is wrong; the message names the key.
    BadConfig = 7,
    /// Nothing is wrong with the request: try again later.
    TryAgainLater = 11,
    /// STATUS: no ADD can be served.
    NotAvailable = 50,
    /// No address is left.
    Exhausted = 100,
    /// Addresses are free, but all still cool.
    Cooling = 101,
    /// The node may have no more.
    NodeFull = 102,
    /// No vSwitch fits the node.
    NoVSwitch = 103,
    /// The address has a live holder.
    HeldByLiveHolder = 104,
    /// The address waits until its old holder is known to be gone.
    HandOverPending = 105,
    /// Servers answer, but none of them leads.
    NoLeader = 108,
    /// The deadline is too short to finish; nothing was started.
    DeadlineTooShort = 109,
    /// A DEL, or a later ADD, has overtaken this call.
    Stale = 110,
    /// The attachment exists with other parameters.
    ParametersChanged = 111,
    /// CHECK: the attachment does not hold what `prevResult` says.
    NotHeld = 112,
    /// The caller may not do this.
    Denied = 113,
    /// A fault of the shim or of the server; please report it.
    Internal = 999,
}

/// One answer that is not a success.
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    /// For the runtime.
    pub code: Code,
    /// One sentence for people: what, the limit, what to do next. The kubelet shows it in the pod's events.
    pub message: String,
    /// For programs, as JSON: reason, field, holder, retry_after_ms, causes. Empty if there is no more to say.
    pub details: Option<Value>,
}

// === impl Error ===

impl Error {
    /// An error with nothing more to say than its sentence.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            details: None,
        }
    }

    /// Something is wrong in the network configuration.
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(Code::BadConfig, message)
    }

    /// The code, sentence and details of a server's refusal.
    pub fn refused(refusal: &Refusal) -> Self {
        Self {
            code: code_of(refusal),
            message: sentence(refusal),
            details: Some(details(refusal)),
        }
    }

    /// The error result (CNI spec 1.1 §5). `details` is a string there, so ours is JSON in a string.
    pub fn to_json(&self, cni_version: &str) -> Value {
        let mut object = json!({
            "cniVersion": cni_version,
            "code": self.code as u32,
            "msg": self.message,
        });
        if let Some(details) = &self.details {
            object["details"] = Value::String(details.to_string());
        }
        object
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (CNI code {})", self.message, self.code as u32)
    }
}

impl std::error::Error for Error {}

/// Never 3: it would tell the runtime that there is nothing to clean up, and after an ADD there may be.
fn code_of(refusal: &Refusal) -> Code {
    match refusal.code() {
        RefusalCode::Invalid => invalid(&refusal.field),
        RefusalCode::NotFound if refusal.field == "vswitch" => Code::NoVSwitch,
        RefusalCode::NotFound | RefusalCode::OutOfRange => Code::BadConfig,
        RefusalCode::Exhausted => Code::Exhausted,
        RefusalCode::Cooling => Code::Cooling,
        RefusalCode::NodeFull => Code::NodeFull,
        RefusalCode::HeldByLiveHolder if refusal.retry_after_ms > 0 => Code::HandOverPending,
        RefusalCode::AddressInUse | RefusalCode::HeldByLiveHolder => Code::HeldByLiveHolder,
        RefusalCode::ParametersChanged => Code::ParametersChanged,
        RefusalCode::Tombstone | RefusalCode::StaleGeneration => Code::Stale,
        RefusalCode::NotLeader => Code::NoLeader,
        RefusalCode::DeadlineTooShort => Code::DeadlineTooShort,
        RefusalCode::Denied => Code::Denied,
        RefusalCode::Taken
        | RefusalCode::FactsMissing
        | RefusalCode::Recovering
        | RefusalCode::Busy
        | RefusalCode::OutcomeUnknown
        | RefusalCode::DiskLow
        | RefusalCode::Unavailable => Code::TryAgainLater,
        RefusalCode::AlreadyExists
        | RefusalCode::Overlap
        | RefusalCode::InUse
        | RefusalCode::Membership
        | RefusalCode::ClusterVersion
        | RefusalCode::NotBroken
        | RefusalCode::Unspecified => Code::Internal,
    }
}

/// What came from the environment is its fault; the rest came from the configuration.
fn invalid(field: &str) -> Code {
    let from_environment = ["attachment.container_id", "attachment.interface", "pod."];
    if from_environment
        .iter()
        .any(|start| field.starts_with(start))
    {
        Code::BadEnvironment
    } else {
        Code::BadConfig
    }
}

/// The chain of reasons, outermost first.
fn sentence(refusal: &Refusal) -> String {
    let mut text = if refusal.message.is_empty() {
        refusal.code().as_str_name().to_owned()
    } else {
        refusal.message.clone()
    };
    for cause in &refusal.causes {
        text.push_str(": ");
        text.push_str(&sentence(cause));
    }
    text
}

fn details(refusal: &Refusal) -> Value {
    let name = refusal.code().as_str_name();
    let reason = name.strip_prefix("REFUSAL_CODE_").unwrap_or(name);
    let mut object = json!({ "reason": reason });
    for (key, text) in [("field", &refusal.field), ("holder", &refusal.holder)] {
        if !text.is_empty() {
            object[key] = Value::String(text.clone());
        }
    }
    if refusal.retry_after_ms > 0 {
        object["retry_after_ms"] = refusal.retry_after_ms.into();
    }
    if !refusal.causes.is_empty() {
        object["causes"] = refusal.causes.iter().map(details).collect();
    }
    object
}

#[cfg(test)]
mod tests;
