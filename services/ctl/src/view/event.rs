//! Event groups as they are shown.

use berth_proto::v1;
use serde::Serialize;

use super::{present, shown, state};
use crate::moment::Moment;
use crate::output::Document;
use crate::table;

/// `{"events": [...], "older_exist": false, "revision": 12}`
#[derive(Debug, Serialize)]
pub struct Events {
    /// Oldest first.
    pub events: Vec<Event>,
    /// True: older ones match too; ask with a larger --limit, --until or --all.
    pub older_exist: bool,
    /// The history is complete up to this revision.
    pub revision: u64,
    /// In a table only rows of this kind and key are shown: the one thing that was asked for.
    #[serde(skip)]
    pub only: Option<(&'static str, String)>,
}

/// What one command changed.
#[derive(Debug, Serialize)]
pub struct Event {
    /// Gap-free over the whole history.
    pub revision: u64,
    /// Wall clock of the leader.
    pub time: String,
    /// The replicated clock that drives expiries.
    pub ledger_time_ms: u64,
    /// "bind", "release", "create_vswitch", ...
    pub cause: String,
    /// Who asked.
    pub principal: String,
    /// Why, in the caller's words; null if none was given.
    pub reason: Option<String>,
    /// Null if there was none.
    pub request_id: Option<String>,
    /// Null if the call was not traced.
    pub trace_id: Option<String>,
    /// Every row it changed.
    pub changes: Vec<Change>,
    /// Hash of the chain up to and with this one, hex.
    pub chain: String,
}

/// One row, before and after; null = not there.
#[derive(Debug, Serialize)]
pub struct Change {
    /// "address", "allocation", "claim", "node", "vswitch", ...
    pub kind: String,
    /// "10.0.3.7", ...
    pub key: String,
    /// In words.
    pub before: Option<String>,
    /// In words.
    pub after: Option<String>,
    /// Of an address; null for other rows.
    pub state_before: Option<&'static str>,
    /// Of an address; null for other rows.
    pub state_after: Option<&'static str>,
}

// === impl Events ===

impl Events {
    /// From groups, oldest first.
    pub fn new(groups: Vec<v1::EventGroup>, older_exist: bool, revision: u64) -> Self {
        Self {
            events: groups.into_iter().map(Event::from).collect(),
            older_exist,
            revision,
            only: None,
        }
    }

    /// The lines of one event; all of its rows if none is of what was asked for.
    fn rows(&self, event: &Event) -> Vec<Vec<String>> {
        let wanted = |change: &&Change| match &self.only {
            Some((kind, key)) => change.kind == *kind && change.key == *key,
            None => true,
        };
        let mut shown: Vec<&Change> = event.changes.iter().filter(wanted).collect();
        if shown.is_empty() {
            shown = event.changes.iter().collect();
        }
        event.rows(&shown)
    }
}

impl Document for Events {
    fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn text(&self) -> String {
        if self.events.is_empty() {
            return format!("nothing up to revision {}", self.revision);
        }
        let header = [
            "REVISION", "TIME", "WHAT", "ROW", "BEFORE", "AFTER", "WHO", "WHY",
        ];
        let mut text = table::columns(
            &header,
            self.events.iter().flat_map(|event| self.rows(event)),
        );
        if self.older_exist {
            text.push_str("\nolder ones are not shown; ask with --limit, --until or --all");
        }
        text
    }
}

// === impl Event ===

impl From<v1::EventGroup> for Event {
    fn from(group: v1::EventGroup) -> Self {
        Self {
            revision: group.revision,
            time: Moment(group.wall_time_ms).rfc3339(),
            ledger_time_ms: group.ledger_time_ms,
            cause: group.cause,
            principal: group.principal,
            reason: present(group.reason),
            request_id: present(group.request_id),
            trace_id: present(group.trace_id),
            changes: group.changes.into_iter().map(Change::from).collect(),
            chain: group.chain,
        }
    }
}

impl Event {
    /// A line per row; what all rows share is said on the first.
    fn rows(&self, changes: &[&Change]) -> Vec<Vec<String>> {
        let mut rows: Vec<Vec<String>> = changes.iter().map(|change| change.cells()).collect();
        if rows.is_empty() {
            rows.push(vec![String::new(); 3]);
        }
        let whole = |first: bool, cells: Vec<String>| {
            let once = |text: &str| {
                if first {
                    text.to_owned()
                } else {
                    " ".to_owned()
                }
            };
            let mut row = vec![
                once(&self.revision.to_string()),
                once(&self.time),
                once(&self.cause),
            ];
            row.extend(cells);
            row.extend([once(&self.principal), once(&shown(&self.reason))]);
            row
        };
        rows.into_iter()
            .enumerate()
            .map(|(position, cells)| whole(position == 0, cells))
            .collect()
    }
}

// === impl Change ===

impl From<v1::RowChange> for Change {
    fn from(change: v1::RowChange) -> Self {
        let word = |number: i32| match v1::AddressState::try_from(number) {
            Ok(v1::AddressState::Unspecified) | Err(_) => None,
            Ok(found) => Some(state::name(found)),
        };
        Self {
            state_before: word(change.state_before),
            state_after: word(change.state_after),
            kind: change.kind,
            key: change.key,
            before: present(change.before),
            after: present(change.after),
        }
    }
}

impl Change {
    fn cells(&self) -> Vec<String> {
        vec![
            format!("{} {}", self.kind, shortened(&self.key)),
            shown(&self.before),
            shown(&self.after),
        ]
    }
}

/// A container's 64 hex digits would leave no room for anything else; twelve are what people compare.
fn shortened(key: &str) -> String {
    const SHOWN: usize = 12;
    let is_id =
        |part: &str| part.len() > 2 * SHOWN && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    // Ids may be counted up, so the end tells them apart as well as the beginning.
    let short = |part: &str| format!("{}…{}", &part[..SHOWN / 2], &part[part.len() - SHOWN / 2..]);
    let parts = key.split('/').map(|part| {
        if is_id(part) {
            short(part)
        } else {
            part.to_owned()
        }
    });
    parts.collect::<Vec<_>>().join("/")
}
