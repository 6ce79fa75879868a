//! An event group as a member tells it, in plain fields.

use berth_proto::v1;
use serde::{Deserialize, Serialize};

/// One event group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its place.
    pub revision: u64,
    /// Drives every expiry.
    pub ledger_time_ms: u64,
    /// Only shown.
    pub wall_time_ms: u64,
    /// Empty = none.
    pub request_id: String,
    /// The command's name: "bind".
    pub cause: String,
    /// What changed.
    pub rows: Vec<Row>,
    /// Hash of everything up to here.
    pub chain: String,
}

/// One row of the ledger, before and after, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// "address"
    pub kind: String,
    /// "10.0.3.7"
    pub key: String,
    /// Empty = it was not there.
    pub before: String,
    /// Empty = it is gone.
    pub after: String,
}

// === impl Group ===

impl From<v1::EventGroup> for Group {
    fn from(group: v1::EventGroup) -> Self {
        Self {
            revision: group.revision,
            ledger_time_ms: group.ledger_time_ms,
            wall_time_ms: group.wall_time_ms,
            request_id: group.request_id,
            cause: group.cause,
            rows: group.changes.into_iter().map(Row::from).collect(),
            chain: group.chain,
        }
    }
}

// === impl Row ===

impl From<v1::RowChange> for Row {
    fn from(change: v1::RowChange) -> Self {
        Self {
            kind: change.kind,
            key: change.key,
            before: change.before,
            after: change.after,
        }
    }
}
