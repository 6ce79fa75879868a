//! A new cluster's first member out of a ledger and its history: the same for a restore and for a forced recovery.

use super::Error;
use crate::codec::{SnapshotChunks, encode_clusters};
use crate::history::record;
use berth_domain::Ledger;
use berth_domain::apply::JUMP_MIN;
use berth_domain::command::{Command, Header, Proposal, Recover, SetClusterVersion};
use berth_domain::event::EventGroup;
use berth_domain::id::{ClusterId, ClusterName, Principal, Reason, RequestId};
use berth_domain::row::RecoveryKind;
use berth_raft::start::{BOOTSTRAP_INDEX, found};
use berth_store::directory::{Directory, Found, Options};
use berth_store::history::{HistoryWriter, Record};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use uuid::Uuid;

/// Revisions begin at this many per ms since 1970, if that is more than the least jump: no cluster makes so many, so two
/// restores of one backup, one after the other, never give the same number to two things.
const REVISIONS_PER_MS: u64 = 1_000;

/// Event groups in one commit of the new history: some MiB.
pub(super) const GROUPS_PER_COMMIT: usize = 4_096;

/// What is ordered, by whom and why; all of it goes into the history.
#[derive(Clone, Debug)]
pub struct Order {
    /// The new cluster's id; none = a random one.
    pub cluster: Option<ClusterId>,
    /// Who orders it: "admin/anna".
    pub principal: Principal,
    /// Why.
    pub reason: Reason,
    /// Nodes may have joined since that the ledger does not know.
    pub unknown_nodes: bool,
    /// Now, ms since 1970.
    pub wall_ms: u64,
}

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// The new cluster.
    pub cluster: ClusterId,
    /// Its one member.
    pub member: u64,
    /// The revision of the recovery.
    pub revision: u64,
    /// Reports that are waited for.
    pub waits_for: usize,
}

/// A ledger that goes on as the new cluster's, and the groups that say so.
#[derive(Clone, Debug)]
pub struct Anew {
    /// As it goes on.
    pub ledger: Ledger,
    /// In order; the last is the recovery.
    pub groups: Vec<EventGroup>,
}

/// Lets the ledger go on as another cluster's.
///
/// # Errors
/// What the ledger refuses: an id that is the old one.
pub fn anew(mut ledger: Ledger, kind: RecoveryKind, order: &Order) -> Result<Anew, Error> {
    let random = || ClusterId::new(&Uuid::new_v4().to_string()).expect("short and plain"); // a uuid is 36 letters, digits and '-'
    let recover = Recover {
        cluster: order.cluster.clone().unwrap_or_else(random),
        kind,
        revision_jump: jump(&ledger, order.wall_ms),
        unknown_nodes: order.unknown_nodes,
    };
    let header = Header {
        // Ledger time goes on where it stood: late, never early.
        ledger_time_ms: ledger.ledger_time_ms(),
        wall_time_ms: order.wall_ms,
    };
    let recover = Command::Recover(recover);
    let proposal = |command| Proposal {
        principal: order.principal.clone(),
        request_id: RequestId::new("").expect("allowed"), // the empty text is one of those allowed
        trace_id: None,
        reason: order.reason.clone(),
        facts: None,
        command,
    };
    let mut proposals = Vec::new();
    if ledger.version() < recover.since() {
        // The new cluster's only member is this program.
        let to = recover.since();
        proposals.push(proposal(Command::SetClusterVersion(SetClusterVersion {
            to,
        })));
    }
    proposals.push(proposal(recover));
    let applied = ledger.apply(&header, proposals);
    for answer in applied.answers {
        answer.result.map_err(Error::Refused)?;
    }
    Ok(Anew {
        ledger,
        groups: applied.groups,
    })
}

fn jump(ledger: &Ledger, wall_ms: u64) -> u64 {
    let by_clock = wall_ms.saturating_mul(REVISIONS_PER_MS);
    by_clock.saturating_sub(ledger.revision().0).max(JUMP_MIN)
}

/// A history that begins with this revision: what was before it is not known here.
pub(super) fn leave_out(history: &mut HistoryWriter, first: u64) -> Result<(), Error> {
    if first > 1 {
        history.skip_to(first)?;
        history.drop_before(first)?;
    }
    Ok(())
}

/// The next record; revisions between it and the one before it never were.
pub(super) fn put(history: &mut HistoryWriter, record: Record) -> Result<(), Error> {
    let reached = history.through().revision + history.buffered() as u64;
    if record.revision > reached + 1 {
        history.commit()?;
        history.skip_to(record.revision)?;
    }
    history.append(vec![record])?;
    if history.buffered() >= GROUPS_PER_COMMIT {
        history.commit()?;
    }
    Ok(())
}

/// Refuses whatever is not an empty or a new directory.
pub(super) fn check_empty(path: &Path) -> Result<(), Error> {
    if Directory::inspect(path)? == Found::Unfinished {
        // Left by a restore that was cut short: nothing in it ever counted.
        return Ok(());
    }
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(source) => {
            return Err(Error::Directory {
                path: path.into(),
                source,
            });
        }
    };
    for entry in entries {
        let entry = entry.map_err(|source| Error::Directory {
            path: path.into(),
            source,
        })?;
        let found = entry.file_name().to_string_lossy().into_owned();
        // A mount point's own.
        if found != "lost+found" {
            return Err(Error::NotEmpty {
                path: path.into(),
                found,
            });
        }
    }
    Ok(())
}

/// Makes the directory: the history as `history` writes it, the recovery behind it, and the ledger as the log's beginning.
pub(super) fn make(
    path: &Path,
    options: Options,
    anew: &Anew,
    with_facts: &BTreeSet<ClusterName>,
    history: impl FnOnce(&mut HistoryWriter) -> Result<(), Error>,
) -> Result<Begun, Error> {
    check_empty(path)?;
    let (cluster, member) = (anew.ledger.cluster().clone(), fresh_member());
    Directory::build(path, cluster.as_str(), member, options, |directory| {
        let (mut writer, reader) = directory.history()?;
        history(&mut writer)?;
        for group in &anew.groups {
            put(&mut writer, record(BOOTSTRAP_INDEX, group))?;
        }
        writer.reach(BOOTSTRAP_INDEX);
        writer.commit()?;
        drop((writer, reader));
        let chunks = SnapshotChunks::new(anew.ledger.records());
        let chunks = chunks.chain(encode_clusters(with_facts));
        let mut log = directory.log()?;
        found(&mut log, member, &[member], chunks)?;
        Ok::<(), Error>(())
    })?;
    let recovery = anew.ledger.recovery();
    Ok(Begun {
        cluster,
        member,
        revision: anew.ledger.revision().0,
        waits_for: recovery.map_or(0, |recovery| recovery.waiting.len()),
    })
}

/// Of no member of the old cluster, and of none of another restore.
fn fresh_member() -> u64 {
    loop {
        // A version 4 uuid's fixed bits are shifted away.
        let id = Uuid::new_v4().as_u64_pair().0 >> 16;
        if id != 0 {
            return id;
        }
    }
}
