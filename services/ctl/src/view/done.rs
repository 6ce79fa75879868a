//! What is left to say when something was taken away.

use serde::Serialize;

use crate::output::Document;

/// `{"deleted": "node", "name": "worker-1", "revision": 12}`
#[derive(Debug, Serialize)]
pub struct Done {
    /// What kind of thing.
    pub deleted: &'static str,
    /// Which.
    pub name: String,
    /// The revision at which it was gone.
    pub revision: u64,
}

// === impl Done ===

impl Done {
    /// Of something that is not there any more.
    pub fn deleted(kind: &'static str, name: String, revision: u64) -> Self {
        Self {
            deleted: kind,
            name,
            revision,
        }
    }
}

impl Document for Done {
    fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn text(&self) -> String {
        format!(
            "{} {} is gone (revision {})",
            self.deleted, self.name, self.revision
        )
    }
}
