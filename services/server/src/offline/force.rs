//! A new cluster out of one member's directory, when the others are lost for good.
//!
//! The whole log counts, not only what this member knows to be committed: an entry that a quorum had made durable is in the
//! log of every member that could have been elected after it, and its caller may have been told. An entry that nobody was
//! told of takes effect as well; its caller was told nothing, which allows both.

use super::begin::{self, Begun, GROUPS_PER_COMMIT, Order, anew};
use super::{Error, Plan};
use crate::grpc::hex;
use crate::history::{Progress, record};
use crate::replica::LedgerMachine;
use berth_domain::Ledger;
use berth_domain::event::{Chain, EventGroup};
use berth_domain::id::{ClusterId, ClusterName, Revision};
use berth_domain::row::RecoveryKind;
use berth_raft::log_store::{Loaded, LogStore};
use berth_raft::state_machine::StateMachine;
use berth_store::directory::{Directory, Identity, Options};
use berth_store::history::{HistoryReader, HistoryWriter, Query, Record, Through};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// raft-rs numbers entries that carry commands so; the others change the membership.
const KIND_NORMAL: u8 = 0;

/// What one member's directory knows: compare those of all members, and take the one with the highest last term, then the
/// highest last index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Survivor {
    /// Whose.
    pub cluster_id: String,
    /// Whose.
    pub member_id: u64,
    /// The term of its log's last entry.
    pub last_term: u64,
    /// Its index.
    pub last_index: u64,
    /// How far it knows the log to be committed.
    pub commit_index: u64,
    /// The ledger's revision after the whole log.
    pub revision: u64,
    /// The history's hash after it, hex.
    pub chain: String,
    /// Who voted.
    pub voters: Vec<u64>,
    /// Revisions that its history lacks: it was still fetching them.
    pub missing_history: Vec<(u64, u64)>,
}

/// A directory that was read.
struct Old {
    survivor: Survivor,
    ledger: Ledger,
    with_facts: BTreeSet<ClusterName>,
    /// What the log says beyond the durable history.
    tail: Vec<EventGroup>,
    reader: HistoryReader,
}

/// What a member's directory knows. No replica may run on it.
///
/// # Errors
/// As the directory's, and if this version cannot read all of it.
pub fn survivor(directory: &Path, options: Options) -> Result<Survivor, Error> {
    Ok(read(directory, options)?.survivor)
}

/// What a forced recovery would leave waiting for whom. Nothing is written.
///
/// # Errors
/// As [`survivor`].
pub fn force_plan(directory: &Path, options: Options, order: &Order) -> Result<Plan, Error> {
    let old = read(directory, options)?;
    Plan::of(&old.ledger, RecoveryKind::Forced, order)
}

/// What is to be made of a member's directory.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// The new cluster's first directory; must be empty.
    pub into: &'a Path,
    /// By whom and why.
    pub order: &'a Order,
    /// The id of the cluster that is given up, as whoever orders it has typed it.
    pub confirmed: &'a str,
    /// Goes on although a part of the history is missing.
    pub without_history: bool,
}

/// Makes the new cluster's first member; the old directory stays as it is.
///
/// # Errors
/// `Unconfirmed`, `NotEmpty`, `Gap` unless that is wished for, and the disk's own.
pub fn force(directory: &Path, options: Options, wish: &Wish<'_>) -> Result<Begun, Error> {
    let Wish {
        into,
        order,
        confirmed,
        without_history,
    } = *wish;
    begin::check_empty(into)?;
    let old = read(directory, options)?;
    if confirmed != old.survivor.cluster_id {
        return Err(Error::Unconfirmed {
            said: confirmed.into(),
            cluster: old.survivor.cluster_id,
        });
    }
    let reader = old.reader;
    if let Some((first, last)) = old.survivor.missing_history.first().copied()
        && !without_history
    {
        return Err(Error::Gap { first, last });
    }
    let anew = anew(old.ledger, RecoveryKind::Forced, order)?;
    begin::make(into, options, &anew, &old.with_facts, |history| {
        copy(&reader, &old.survivor.missing_history, history)?;
        let mut tail = old.tail.iter().map(|group| record(0, group));
        tail.try_for_each(|record| begin::put(history, record))?;
        history.commit()?;
        Ok(())
    })
}

fn read(path: &Path, options: Options) -> Result<Old, Error> {
    let directory = Directory::open(path, options)?;
    let identity = directory.identity().clone();
    let cluster = ClusterId::new(&identity.cluster_id);
    let cluster = cluster.map_err(|error| Error::Option {
        option: "data-dir",
        reason: error.to_string(),
    })?;
    let mut log = directory.log()?;
    let loaded = log.load()?;
    if loaded.is_empty() {
        return Err(Error::Nothing { path: path.into() });
    }
    let history = directory.history()?;
    let through = history.1.through();
    let Replayed {
        machine,
        tail,
        snapshot_revision,
    } = replayed(&log, &loaded, cluster, through)?;
    let gaps = history.1.gaps();
    let mut missing: Vec<(u64, u64)> = gaps.iter().map(|gap| (gap.first, gap.last)).collect();
    if snapshot_revision > through.revision {
        // A snapshot came from the leader, and its history had not begun to follow.
        missing.push((through.revision + 1, snapshot_revision));
    }
    let ledger = machine.ledger().clone();
    Ok(Old {
        survivor: Survivor::of(&identity, &loaded, &ledger, missing),
        with_facts: machine.with_facts().clone(),
        ledger,
        tail,
        reader: history.1,
    })
}

struct Replayed {
    machine: LedgerMachine,
    tail: Vec<EventGroup>,
    snapshot_revision: u64,
}

/// The snapshot and the whole log behind it; the groups that the durable history does not have.
fn replayed<S: LogStore>(
    log: &S,
    loaded: &Loaded,
    cluster: ClusterId,
    through: Through,
) -> Result<Replayed, Error> {
    let mut machine = LedgerMachine::new(cluster, Arc::new(Progress::new(Revision(u64::MAX))));
    let mut applied = 0;
    if let Some(meta) = &loaded.snapshot {
        let chunks = (0..meta.chunks).map(|number| log.read_chunk(meta.index, number));
        let chunks = chunks.map(|chunk| chunk.map(Vec::from));
        let chunks = chunks.collect::<Result<Vec<Vec<u8>>, _>>()?;
        machine.restore(meta.index, &mut chunks.into_iter())?;
        applied = meta.index;
    }
    let snapshot_revision = machine.ledger().revision().0;
    let mut tail = Vec::new();
    for entry in &loaded.entries {
        if entry.index <= applied || entry.kind != KIND_NORMAL || entry.data.is_empty() {
            continue;
        }
        let effect = machine.apply(entry.index, &entry.data)?;
        for group in effect.groups.iter() {
            if group.revision.0 > through.revision {
                tail.push(group.clone());
            } else if group.revision.0 == through.revision && group.chain != Chain(through.chain) {
                return Err(Error::Contradiction {
                    revision: group.revision,
                });
            }
        }
    }
    Ok(Replayed {
        machine,
        tail,
        snapshot_revision,
    })
}

// === impl Survivor ===

impl Survivor {
    fn of(
        identity: &Identity,
        loaded: &Loaded,
        ledger: &Ledger,
        missing_history: Vec<(u64, u64)>,
    ) -> Self {
        let last = loaded.entries.last();
        let last = last.map(|entry| (entry.term, entry.index));
        let snapshot = loaded.snapshot.as_ref();
        let snapshot = snapshot.map(|meta| (meta.term, meta.index));
        let (last_term, last_index) = last.or(snapshot).unwrap_or_default();
        Self {
            cluster_id: identity.cluster_id.clone(),
            member_id: identity.member_id,
            last_term,
            last_index,
            commit_index: loaded.hard_state.commit,
            revision: ledger.revision().0,
            chain: hex(&ledger.chain().0),
            voters: loaded.membership.voters.clone(),
            missing_history,
        }
    }
}

/// The old history as it is, from its floor on; what lies before something that is missing is left out.
fn copy(
    reader: &HistoryReader,
    missing: &[(u64, u64)],
    history: &mut HistoryWriter,
) -> Result<(), Error> {
    let behind = missing.iter().map(|(_, last)| last + 1).max();
    let first = behind.unwrap_or(1).max(reader.floor());
    let last = reader.through().revision;
    begin::leave_out(history, first)?;
    let mut next = first;
    while next <= last {
        let page = reader.range(&Query {
            first_revision: next,
            limit: GROUPS_PER_COMMIT,
            ..Query::default()
        })?;
        for record in page.records {
            // Indexes are the old log's.
            begin::put(history, Record { index: 0, ..record })?;
        }
        history.commit()?;
        next = match page.next {
            Some(next) => next,
            None => break,
        };
    }
    Ok(())
}

impl fmt::Display for Survivor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "cluster      {}", self.cluster_id)?;
        writeln!(
            f,
            "member       {}, voters {:?}",
            self.member_id, self.voters
        )?;
        writeln!(
            f,
            "log          last term {}, last index {}, known committed {}",
            self.last_term, self.last_index, self.commit_index
        )?;
        writeln!(f, "revision     {}, hash {}", self.revision, &self.chain)?;
        for (first, last) in &self.missing_history {
            writeln!(f, "history      lacks revisions {first} to {last}")?;
        }
        write!(
            f,
            "Of all members' directories take the one with the highest last term, and of these the one with the \
             highest last index."
        )
    }
}
