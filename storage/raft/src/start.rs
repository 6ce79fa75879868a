//! How a replica comes to life: bootstrap, join or recover, and the checks that keep a wiped one from voting.

use crate::log_store::{
    Batch, HardState, InstallSnapshot, Loaded, LogStore, Membership, SnapshotMeta,
};
use crate::options::{ELECTION_TICKS_MIN, Options};
use crate::replica::{Fatal, Replica};
use crate::state_machine::StateMachine;
use crate::{log_store, state_machine};
use std::collections::BTreeSet;

/// Which life this is. The embedder says it outright; nothing is guessed from an empty directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// The very first start of a new cluster; every member of the list does it once with the same list.
    Bootstrap {
        /// All of them, this one too; they vote.
        members: Vec<u64>,
    },
    /// A new member with a fresh id: it waits for the leader's snapshot, first as a learner.
    Join,
    /// Every other start.
    Recover,
}

/// Why a replica did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store has content already.
    #[error("the store already holds a replica; start it without the bootstrap or join flag")]
    NotEmpty,
    /// The store has lost its content, or never had any.
    #[error(
        "the store is empty: bootstrap it if this is a new cluster; if this member was part of one, \
         its promises are lost and it must join as a new member under a new id"
    )]
    Empty,
    /// The list of members cannot be right.
    #[error("the member list {members:?} must name member {member} once, and nobody twice or as 0")]
    Members {
        /// This member.
        member: u64,
        /// The list.
        members: Vec<u64>,
    },
    /// An option is out of range.
    #[error("{option} is {value}; {rule}")]
    Option {
        /// Which.
        option: &'static str,
        /// What was given.
        value: u64,
        /// What is allowed.
        rule: &'static str,
    },
    /// The store contradicts itself (R8): a write was lost or the directory was tampered with.
    #[error("the store contradicts itself: {0}; set the directory aside and join as a new member")]
    Inconsistent(String),
    /// A snapshot chunk is not what was written.
    #[error(
        "the snapshot at index {index} is damaged; set the directory aside and join as a new member"
    )]
    DamagedSnapshot {
        /// Which.
        index: u64,
    },
    /// The disk failed.
    #[error("reading the store failed")]
    Store(#[from] log_store::Error),
    /// The machine refused its snapshot.
    #[error("restoring the state failed")]
    Machine(#[from] state_machine::Error),
    /// Replaying the log failed.
    #[error("replaying the log failed")]
    Replay(#[source] Box<Fatal>),
}

/// A cluster's log begins here, above 1, so that a newcomer always needs a snapshot and never replays from nothing.
pub const BOOTSTRAP_INDEX: u64 = 5;

/// The term of that first snapshot.
pub const BOOTSTRAP_TERM: u64 = 5;

/// Opens a replica on its store: checks, bootstraps if told so, restores the newest snapshot, replays what is
/// known committed. What the replay did comes with the first outputs.
pub fn open<M: StateMachine, S: LogStore>(
    store: &mut S,
    start: &Start,
    mut machine: M,
    options: Options,
) -> Result<Replica<M>, Error> {
    check_options(&options)?;
    let mut loaded = store.load()?;
    match (start, loaded.is_empty()) {
        (Start::Bootstrap { .. } | Start::Join, false) => return Err(Error::NotEmpty),
        (Start::Recover, true) => return Err(Error::Empty),
        (Start::Bootstrap { members }, true) => {
            bootstrap(store, &machine, options.member, members)?;
            loaded = store.load()?;
        }
        (Start::Join, true) | (Start::Recover, false) => {}
    }
    check(&mut loaded, &options)?;
    if let Some(meta) = &loaded.snapshot {
        restore(store, &mut machine, meta)?;
        if crate::options::broken!(options, ApplyTwice) {
            let again = loaded
                .entries
                .iter()
                .filter(|entry| entry.index <= meta.index);
            for entry in again.filter(|entry| entry.kind == 0 && !entry.data.is_empty()) {
                machine.apply(entry.index, &entry.data)?;
            }
        }
    }
    Replica::new(options, loaded, machine)
}

fn check_options(options: &Options) -> Result<(), Error> {
    let refuse = |option, value, rule| {
        Err(Error::Option {
            option,
            value,
            rule,
        })
    };
    if options.member == 0 {
        return refuse("member", 0, "ids begin at 1");
    }
    if options.election_ticks < ELECTION_TICKS_MIN {
        return refuse(
            "election_ticks",
            options.election_ticks as u64,
            "at least 3 are needed",
        );
    }
    if options.heartbeat_ticks == 0 || options.heartbeat_ticks >= options.election_ticks {
        return refuse(
            "heartbeat_ticks",
            options.heartbeat_ticks as u64,
            "it must be from 1 to below election_ticks",
        );
    }
    if options.snapshot_every_entries == 0 {
        return refuse("snapshot_every_entries", 0, "at least 1 is needed");
    }
    Ok(())
}

fn bootstrap<M: StateMachine, S: LogStore>(
    store: &mut S,
    machine: &M,
    member: u64,
    members: &[u64],
) -> Result<(), Error> {
    found(store, member, members, M::encode(machine.freeze()))
}

/// Makes an empty store the beginning of a new cluster whose machine is in the state that `chunks` encode. What
/// [`Start::Bootstrap`] does with an empty machine, for a cluster that goes on from another's state; then [`Start::Recover`].
///
/// # Errors
/// `NotEmpty`, `Members`, or the disk's own.
pub fn found<S: LogStore>(
    store: &mut S,
    member: u64,
    members: &[u64],
    encoded: impl Iterator<Item = Vec<u8>>,
) -> Result<(), Error> {
    if !store.load()?.is_empty() {
        return Err(Error::NotEmpty);
    }
    let unique: BTreeSet<u64> = members.iter().copied().collect();
    if unique.len() != members.len() || unique.contains(&0) || !unique.contains(&member) {
        return Err(Error::Members {
            member,
            members: members.to_vec(),
        });
    }
    let membership = Membership {
        voters: unique.into_iter().collect(),
        ..Membership::default()
    };
    let mut checksum = 0;
    let mut chunks = 0;
    for chunk in encoded {
        checksum = crc32c::crc32c_append(checksum, &chunk);
        store.stage_chunk(BOOTSTRAP_INDEX, chunks, &chunk)?;
        chunks += 1;
    }
    let meta = SnapshotMeta {
        index: BOOTSTRAP_INDEX,
        term: BOOTSTRAP_TERM,
        membership: membership.clone(),
        chunks,
        crc: checksum,
    };
    store.write(&Batch {
        hard_state: Some(HardState {
            term: BOOTSTRAP_TERM,
            vote: 0,
            commit: BOOTSTRAP_INDEX,
        }),
        membership: Some(membership),
        snapshot: Some(InstallSnapshot {
            meta,
            reset_log: true,
        }),
        must_sync: true,
        ..Batch::default()
    })?;
    Ok(())
}

/// R8, and V4: the commit index lies between the snapshot and the log's end, whatever was written lazily.
fn check(loaded: &mut Loaded, options: &Options) -> Result<(), Error> {
    let wrong = |text: String| Err(Error::Inconsistent(text));
    let last_index = loaded.truncated_index + loaded.entries.len() as u64;
    if loaded.snapshot.is_none() && !loaded.is_empty() {
        return wrong("it has a log but no snapshot".to_owned());
    }
    let snapshot_index = loaded.snapshot.as_ref().map_or(0, |meta| meta.index);
    if snapshot_index < loaded.truncated_index {
        let truncated = loaded.truncated_index;
        return wrong(format!(
            "the log begins after {truncated}, the snapshot ends at {snapshot_index}"
        ));
    }
    if last_index < snapshot_index {
        return wrong(format!(
            "the log ends at {last_index}, before the snapshot at {snapshot_index}"
        ));
    }
    for (expected, entry) in (loaded.truncated_index + 1..).zip(&loaded.entries) {
        if entry.index != expected {
            return wrong(format!(
                "entry {expected} is missing, {} follows",
                entry.index
            ));
        }
    }
    if !crate::options::broken!(*options, TrustCommit) {
        loaded.hard_state.commit = loaded.hard_state.commit.clamp(snapshot_index, last_index);
    }
    Ok(())
}

fn restore<M: StateMachine, S: LogStore>(
    store: &S,
    machine: &mut M,
    meta: &SnapshotMeta,
) -> Result<(), Error> {
    let mut checksum = 0;
    let mut failed = None;
    let mut chunks =
        (0..meta.chunks).map_while(|number| match store.read_chunk(meta.index, number) {
            Ok(chunk) => {
                checksum = crc32c::crc32c_append(checksum, &chunk);
                Some(chunk.to_vec())
            }
            Err(error) => {
                failed = Some(error);
                None
            }
        });
    let restored = machine.restore(meta.index, &mut chunks);
    // The machine may have stopped reading early; the checksum covers every chunk.
    chunks.by_ref().for_each(drop);
    drop(chunks);
    if let Some(error) = failed {
        return Err(error.into());
    }
    if checksum != meta.crc {
        return Err(Error::DamagedSnapshot { index: meta.index });
    }
    Ok(restored?)
}
