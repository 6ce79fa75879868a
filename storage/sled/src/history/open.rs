//! Reading a history's headers and index back, trusting nothing.

use super::head::Head;
use super::index::{self, Run};
use super::segment::{self, Header, KIND_HEADER, Segment};
use super::state::{Pending, Shared, State};
use super::{HistoryReader, HistoryWriter};
use crate::Error;
use crate::checksum::unframe;
use crate::database::{Database, DatabaseOptions};
use crate::upgrade::HISTORY_HEAD;
use std::iter::Peekable;
use std::path::Path;
use std::sync::Arc;

pub(super) fn open(
    path: &Path,
    options: DatabaseOptions,
) -> Result<(HistoryWriter, HistoryReader), Error> {
    let database = Database::open(path, options)?;
    let head = HISTORY_HEAD.brought_up(database.head()?, database.path())?;
    let Some(head) = Head::decode(&head) else {
        return Err(database.damaged("its head record cannot be read"));
    };
    database.check_sequence(head.sequence)?;
    remove_unfinished_runs(&database, &head)?;
    let state = read_state(&database, &head)?;
    let doomed = head.doomed.iter().map(|meta| Run::given_up(*meta));
    let doomed = doomed.map(Arc::new).collect();
    let shared = Arc::new(Shared::new(database, state));
    let reader = HistoryReader::new(shared.clone());
    Ok((HistoryWriter::new(shared, head, doomed), reader))
}

fn read_state(database: &Database, head: &Head) -> Result<State, Error> {
    let mut state = State {
        through: head.through,
        floor: head.floor,
        gaps: head.gaps.clone(),
        voids: head.voids.clone(),
        ..State::default()
    };
    for header in read_headers(database)? {
        state.headers.insert(header.first, Arc::new(header));
    }
    check_coverage(database, head, &state)?;
    for header in state.headers.values().filter(|header| !header.complete) {
        let young = Arc::new(Segment::read(database, header)?);
        state.young.insert(header.first, young);
    }
    for first in &head.pending {
        let Some(header) = state.headers.get(first) else {
            return Err(database.damaged(format!("the history segment at {first} is gone")));
        };
        let segment = Segment::read(database, header)?;
        state.pending.push(Arc::new(Pending::of(&segment)));
    }
    for meta in &head.runs {
        state.runs.push(Arc::new(Run::open(database, *meta)?));
    }
    Ok(state)
}

fn read_headers(database: &Database) -> Result<Vec<Header>, Error> {
    let mut headers = Vec::new();
    for key in database.keys(&[KIND_HEADER], &[KIND_HEADER + 1])? {
        let value = database.value(&key)?.unwrap_or_default();
        let payload = unframe(KIND_HEADER, &key, &value).map_err(|what| database.damaged(what))?;
        let header = Header::decode(payload);
        let header = header.filter(|header| segment::key(KIND_HEADER, header.first)[..] == *key);
        headers.push(header.ok_or_else(|| database.damaged("a history header cannot be read"))?);
    }
    Ok(headers)
}

/// From the floor to the newest revision everything is in exactly one segment, in a known gap or in a void, and the chain
/// joins.
fn check_coverage(database: &Database, head: &Head, state: &State) -> Result<(), Error> {
    let mut holes = holes(head);
    let mut reached = head.floor.saturating_sub(1);
    let mut chain = None;
    for header in state.headers.values() {
        while let Some(hole) =
            holes.next_if(|hole| hole.first == reached + 1 && hole.last < header.first)
        {
            reached = hole.last;
            chain = hole.chain.or(chain);
        }
        let below_floor = header.first < head.floor && chain.is_none();
        let joins = chain.is_none_or(|chain| [chain, [0; 32]].contains(&header.chain_before));
        if !(below_floor || header.first == reached + 1 && joins) {
            let first = header.first;
            return Err(
                database.damaged(format!("the history has a hole or a break before {first}"))
            );
        }
        if header.last >= head.floor {
            reached = header.last;
            chain = Some(header.chain_last);
        }
    }
    while let Some(hole) = holes.next_if(|hole| hole.first == reached + 1) {
        reached = hole.last;
        chain = hole.chain.or(chain);
    }
    let through = head.through;
    let joins = chain.is_none_or(|chain| chain == through.chain);
    if reached != through.revision || !joins || holes.next().is_some() {
        let newest = through.revision;
        return Err(database.damaged(format!("the history ends at {reached}, not at {newest}")));
    }
    Ok(())
}

/// Revisions without a segment.
struct Hole {
    first: u64,
    last: u64,
    /// After it; none = as before it, nothing having been there.
    chain: Option<[u8; 32]>,
}

/// Gaps and voids, oldest first.
fn holes(head: &Head) -> Peekable<std::vec::IntoIter<Hole>> {
    let gaps = head.gaps.iter().map(|gap| Hole {
        first: gap.first,
        last: gap.last,
        chain: Some(gap.chain),
    });
    let voids = head.voids.iter().map(|void| Hole {
        first: void.first,
        last: void.last,
        chain: None,
    });
    let mut holes: Vec<Hole> = gaps.chain(voids).collect();
    holes.sort_by_key(|hole| hole.first);
    holes.into_iter().peekable()
}

/// A crash may leave blocks of a run that was never finished: of the newest one, or of a merge. The next merge starts over.
fn remove_unfinished_runs(database: &Database, head: &Head) -> Result<(), Error> {
    let mut keys = Vec::new();
    for (first, end) in index::keys_from(head.next_run) {
        keys.extend(database.keys(&first, &end)?);
    }
    for (first, end) in index::keys_of(head.merging) {
        keys.extend(database.keys(&first, &end)?);
    }
    let mut batch = sled::Batch::default();
    keys.into_iter().for_each(|key| batch.remove(key));
    database.apply_loose(batch)
}
