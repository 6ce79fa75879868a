//! Backups as they are shown.

use std::path::PathBuf;

use serde::Serialize;

use crate::output::Document;

/// A backup that was written.
#[derive(Debug, Serialize)]
pub struct Saved {
    /// Where it is.
    pub file: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// The ledger's revision in it.
    pub revision: u64,
}

impl Document for Saved {
    fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn text(&self) -> String {
        format!(
            "{} holds the cluster as of revision {} ({} bytes); `berthctl snapshot inspect` shows what is in it",
            self.file.display(),
            self.revision,
            self.bytes
        )
    }
}
