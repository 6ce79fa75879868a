//! Reading everything back, trusting nothing: checksums, links, continuity, and that nothing acknowledged is gone (S12).

use super::head::Head;
use super::tail::{Chunk, Tail};
use super::{SledLog, chunk, snapshot};
use crate::Error;
use crate::database::Database;
use crate::upgrade::LOG_HEAD;
use berth_raft::log_store::{Entry, Loaded, SnapshotMeta};
use std::collections::BTreeMap;

pub(super) fn load(log: &mut SledLog) -> Result<Loaded, Error> {
    let head = LOG_HEAD.brought_up(log.database.head()?, log.database.path())?;
    let head = Head::decode(&head);
    let Some(mut head) = head else {
        return Err(log.database.damaged("its head record cannot be read"));
    };
    let (tail, entries) = read_entries(&log.database, &mut head)?;
    log.database.check_sequence(head.sequence)?;
    log.head = head;
    log.tail = tail;
    log.garbage = log.tail.compact(log.head.truncated_index).into();
    if let Some(meta) = &log.head.snapshot {
        check_snapshot(log, meta)?;
    }
    let stored = log
        .database
        .keys(&[snapshot::KIND], &[snapshot::KIND + 1])?;
    let leftovers = snapshot::leftovers(log, stored);
    log.garbage
        .extend(leftovers.into_iter().map(|key| vec![key]));
    log.loaded = true;
    Ok(Loaded {
        hard_state: log.head.hard_state,
        membership: log.head.membership.clone(),
        snapshot: log.head.snapshot.clone(),
        truncated_index: log.head.truncated_index,
        truncated_term: log.head.truncated_term,
        entries,
    })
}

/// The chunks, and the entries above the floor. A chunk of a later write than the head's brings the head up to date.
fn read_entries(database: &Database, head: &mut Head) -> Result<(Tail, Vec<Entry>), Error> {
    let parts = count_parts(database)?;
    let mut tail = Tail::default();
    let mut entries: Vec<Entry> = Vec::new();
    let mut expected: Option<(u64, u32)> = None;
    for (first, parts) in parts {
        let payload = database
            .parts(chunk::KIND, &chunk::key(first), parts)?
            .into();
        let decoded = chunk::decode(&payload).filter(|read| {
            read.entries
                .first()
                .is_some_and(|entry| entry.index == first)
        });
        let Some(read) = decoded else {
            return Err(database.damaged(format!("the log chunk at {first} cannot be read")));
        };
        let last = first + read.entries.len() as u64 - 1;
        let link = chunk::link(&payload);
        if expected.is_some_and(|expected| expected != (first, read.previous_link)) {
            return Err(database.damaged(format!("the log has a gap before {first}")));
        }
        // What lies wholly below the floor waits for its removal; a snapshot may have cut the chain there.
        expected = (last > head.truncated_index).then_some((last + 1, link));
        tail.chunks.insert(first, Chunk { last, parts, link });
        if read.sequence > head.sequence {
            head.sequence = read.sequence;
            head.hard_state = read.hard_state;
            head.last_index = last;
            head.link = link;
        }
        let above = read
            .entries
            .into_iter()
            .filter(|entry| entry.index > head.truncated_index);
        entries.extend(above);
    }
    check_ends(database, head, &entries, expected)?;
    Ok((tail, entries))
}

/// How many parts each chunk has; they are numbered without a gap.
fn count_parts(database: &Database) -> Result<BTreeMap<u64, u16>, Error> {
    let mut parts: BTreeMap<u64, u16> = BTreeMap::new();
    for key in database.keys(&[chunk::KIND], &[chunk::KIND + 1])? {
        let parsed = chunk::parse_key(&key);
        let next = parsed.map(|(first, part)| (parts.entry(first).or_default(), part));
        match next {
            Some((count, part)) if *count == part => *count += 1,
            _ => return Err(database.damaged("a log record is gone or out of place")),
        }
    }
    Ok(parts)
}

/// The log reaches from the floor to the last index that the head knows.
fn check_ends(
    database: &Database,
    head: &Head,
    entries: &[Entry],
    reached: Option<(u64, u32)>,
) -> Result<(), Error> {
    let first = entries
        .first()
        .map_or(head.last_index + 1, |entry| entry.index);
    if first != head.truncated_index + 1 {
        return Err(database.damaged(format!(
            "the log begins at {first}, not at {}",
            head.truncated_index + 1
        )));
    }
    let end = (head.last_index + 1, head.link);
    match reached {
        None if head.last_index == head.truncated_index => Ok(()),
        Some(reached) if reached == end => Ok(()),
        _ => Err(database.damaged(format!("the log does not end at {}", head.last_index))),
    }
}

/// Every chunk of the installed snapshot is there and together they match.
fn check_snapshot(log: &SledLog, meta: &SnapshotMeta) -> Result<(), Error> {
    let mut checksum = 0;
    for number in 0..meta.chunks {
        checksum = crc32c::crc32c_append(checksum, &snapshot::stored(log, number)?);
    }
    if checksum != meta.crc {
        return Err(log.database.damaged(format!(
            "the snapshot at {} does not match its checksum",
            meta.index
        )));
    }
    Ok(())
}
