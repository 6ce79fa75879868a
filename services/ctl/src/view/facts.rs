//! What is left to say when all facts have been reported.

use serde::Serialize;

use crate::output::Document;

/// `{"lines": 12}`
#[derive(Debug, Serialize)]
pub struct Reported {
    /// Lines read, every one of them acknowledged.
    pub lines: u64,
}

// === impl Reported ===

impl Document for Reported {
    fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn text(&self) -> String {
        format!("{} lines acknowledged", self.lines)
    }
}
