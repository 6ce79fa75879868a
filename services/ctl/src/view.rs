//! What is shown: own structs, so that the JSON names are ours to keep. Times are RFC 3339, absent values null.

pub mod allocation;
pub mod capacity;
pub mod check;
pub mod claim;
pub mod cloud;
pub mod done;
pub mod eni;
pub mod event;
pub mod explanation;
pub mod facts;
pub mod holder;
pub mod job;
pub mod member;
pub mod node;
pub mod plan;
pub mod pool;
pub mod preflight;
pub mod raft;
pub mod recovery;
pub mod snapshot;
pub mod state;
pub mod version;
pub mod vswitch;

use serde::Serialize;

use crate::moment::Moment;
use crate::output::Document;
use crate::table;

/// One thing of a list.
pub trait Item: Serialize {
    /// The columns' names.
    const HEADER: &'static [&'static str];
    /// The lines it takes in a table.
    fn rows(&self) -> Vec<Vec<String>>;
    /// All of it.
    fn in_full(&self) -> String;
    /// What a list without any says.
    const NONE: &'static str;
}

/// `{"items": [...], "revision": 12}`
#[derive(Debug, Serialize)]
pub struct List<T> {
    /// In the server's order.
    pub items: Vec<T>,
    /// The revision that the last page was true at.
    pub revision: u64,
    /// Show every field instead of a line each.
    #[serde(skip)]
    pub in_full: bool,
}

// === impl List ===

impl<T> Default for List<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            revision: 0,
            in_full: false,
        }
    }
}

impl<T> List<T> {
    /// Adds a page.
    pub fn extend<W: Into<T>>(&mut self, page: Vec<W>, revision: u64) {
        self.items.extend(page.into_iter().map(Into::into));
        self.revision = revision;
    }
}

impl<T: Item> Document for List<T> {
    fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn text(&self) -> String {
        if self.items.is_empty() {
            return T::NONE.to_owned();
        }
        if self.in_full {
            let full: Vec<String> = self.items.iter().map(Item::in_full).collect();
            return full.join("\n\n");
        }
        table::columns(T::HEADER, self.items.iter().flat_map(Item::rows))
    }
}

/// Empty on the wire means that there is none.
pub(crate) fn present(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// Zero on the wire means that there is none.
pub(crate) fn time(wall_ms: u64) -> Option<String> {
    (wall_ms != 0).then(|| Moment(wall_ms).rfc3339())
}

pub(crate) fn shown(value: &Option<String>) -> String {
    value.clone().unwrap_or_default()
}
