//! Event groups as they are shown.

use berth_proto::v1;
use serde::Serialize;

use super::{present, state};
use crate::moment::Moment;
use crate::output::Document;

/// A terminal of 100 columns is common; what is longer stands on lines of its own.
const LINE_CHARACTERS: usize = 100;
/// Between two columns.
const COLUMN_GAP: usize = 2;

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

    /// The rows of one event that are shown; all of them if none is of what was asked for.
    fn shown<'a>(&self, event: &'a Event) -> Vec<&'a Change> {
        let wanted = |change: &&Change| match &self.only {
            Some((kind, key)) => change.kind == *kind && change.key == *key,
            None => true,
        };
        let shown: Vec<&Change> = event.changes.iter().filter(wanted).collect();
        if shown.is_empty() {
            return event.changes.iter().collect();
        }
        shown
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
        let header = ["REVISION", "TIME", "WHAT"].map(str::to_owned);
        let firsts = self.events.iter().map(Event::first_line);
        let widths = widths(std::iter::once(header.clone()).chain(firsts));
        let mut lines = vec![aligned(&header, widths)];
        for event in &self.events {
            lines.push(aligned(&event.first_line(), widths));
            let changes = self.shown(event).into_iter();
            lines.extend(changes.flat_map(|change| change.lines(widths[0] + COLUMN_GAP)));
        }
        let mut text = lines.join("\n");
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
    /// Revision, time, and what was done by whom and why.
    fn first_line(&self) -> [String; 3] {
        let why = match &self.reason {
            Some(reason) => format!(": {reason}"),
            None => String::new(),
        };
        let what = format!("{} by {}{why}", self.cause, self.principal);
        [self.revision.to_string(), self.time.clone(), what]
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
    /// The row, and what became of it: on one line where that fits.
    fn lines(&self, indent: usize) -> Vec<String> {
        let row = format!("{:indent$}{} {}:", "", self.kind, shortened(&self.key));
        let became = match (&self.before, &self.after) {
            (None, None) => return vec![row],
            (None, Some(after)) => vec![format!("now {after}")],
            (Some(before), None) => vec![format!("no more, was {before}")],
            (Some(before), Some(after)) => vec![before.clone(), format!("→ {after}")],
        };
        let together = format!("{row} {}", became.join(" "));
        if together.chars().count() <= LINE_CHARACTERS {
            return vec![together];
        }
        let below = became.iter().map(|part| format!("{:indent$}  {part}", ""));
        std::iter::once(row).chain(below).collect()
    }
}

/// The widest of each column but the last.
fn widths(rows: impl Iterator<Item = [String; 3]>) -> [usize; 2] {
    rows.fold([0, 0], |[revision, time], row| {
        [revision.max(row[0].len()), time.max(row[1].len())]
    })
}

fn aligned(row: &[String; 3], [revision, time]: [usize; 2]) -> String {
    let [first, second, rest] = row;
    format!("{first:revision$}  {second:time$}  {rest}")
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
