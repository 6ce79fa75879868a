//! What goes back.

use crate::simulator::refusal::Refusal;
use serde_json::{Value, json};

/// The end of one call.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// What stands in the body.
    pub body: Value,
    /// The caller never sees it: the connection is closed without a byte.
    pub lost: bool,
}

// === impl Answer ===

impl Answer {
    pub(super) fn done(mut body: Value, request_id: &str) -> Self {
        body["RequestId"] = json!(request_id);
        Self {
            status: 200,
            body,
            lost: false,
        }
    }

    /// An error as every RPC-style product writes it.
    pub fn refused(refusal: &Refusal, request_id: &str, host: &str) -> Self {
        let recommend = format!("https://api.aliyun.com/troubleshoot?q={}", refusal.code);
        let body = json!({
            "RequestId": request_id, "HostId": host, "Code": refusal.code,
            "Message": refusal.message, "Recommend": recommend,
        });
        Self {
            status: refusal.status,
            body,
            lost: false,
        }
    }

    /// The error's code; none = it succeeded.
    pub fn code(&self) -> Option<&str> {
        self.body["Code"].as_str()
    }
}
