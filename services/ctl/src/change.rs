//! What goes with everything that changes something: why, and the id that makes a repeat harmless.

use berth_proto::v1;
use clap::Args;

/// The longest reason that the servers keep.
const REASON_BYTES_MAX: usize = 256;

/// Options of every command that changes something.
#[derive(Debug, Clone, Args)]
pub struct Change {
    /// Why, up to 256 bytes; kept in the history. Without it the history says who typed the command
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub reason: Option<String>,
    /// An id of your own, up to 64 bytes: a repeat within 10 minutes answers with the first result
    #[arg(long, value_name = "ID")]
    pub request_id: Option<String>,
}

// === impl Change ===

impl Change {
    /// As the wire wants it; an empty request id is filled in by the client.
    pub fn to_wire(&self) -> v1::Change {
        v1::Change {
            request_id: self.request_id.clone().unwrap_or_default(),
            reason: self.reason_or_default(),
        }
    }

    /// The reason given, else "berthctl by NAME".
    pub fn reason_or_default(&self) -> String {
        let user = || std::env::var("USER").or_else(|_| std::env::var("LOGNAME"));
        self.reason
            .clone()
            .unwrap_or_else(|| default_reason(user().ok().as_deref()))
    }
}

fn default_reason(user: Option<&str>) -> String {
    let user: String = user.unwrap_or("an unnamed user").chars().take(64).collect();
    format!("berthctl by {user}")
}

fn reason(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err(
            "a reason is words; leave the option out to have your user name kept".to_owned(),
        );
    }
    if text.len() > REASON_BYTES_MAX {
        return Err(format!(
            "{} bytes; up to {REASON_BYTES_MAX} are kept",
            text.len()
        ));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Change, default_reason, reason};

    /// Promise: the history always says why: the words given, else who typed the command.
    #[test]
    fn a_change_always_has_a_reason() {
        let given = Change {
            reason: Some("drill".to_owned()),
            request_id: None,
        };
        assert_eq!(given.to_wire().reason, "drill");
        assert_eq!(default_reason(Some("ada")), "berthctl by ada");
        assert_eq!(default_reason(None), "berthctl by an unnamed user");
    }

    /// Promise: a reason that the servers would cut is refused here, with the limit.
    #[test]
    fn a_reason_has_a_limit() {
        assert!(reason(&"x".repeat(256)).is_ok());
        assert!(reason(&"x".repeat(257)).is_err_and(|error| error.contains("256")));
        assert!(reason("  ").is_err());
    }
}
