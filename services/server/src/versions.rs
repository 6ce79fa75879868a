//! Which cluster versions each member's program can apply, and which one the cluster is at: one book per process.
//!
//! Members say it themselves, in the greeting of every stream and when they join. Nothing of it is in the ledger but the
//! cluster version: what a program can apply changes with the program, and only its own word is worth anything.

mod raise;
#[cfg(test)]
mod tests;

pub use raise::{Hold, Raiser, Wait, begin};

use berth_domain::id::MemberId;
use berth_domain::version::{APPLIES, BASE, ClusterVersion, VersionRange};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// See the module; clones share it.
#[derive(Clone, Debug)]
pub struct Versions {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Of this replica's ledger: written by the raft thread.
    current: AtomicU32,
    heard: Mutex<BTreeMap<MemberId, VersionRange>>,
    /// Why the cluster version does not rise now; empty = there is no higher one, or nobody looks.
    waits_for: Mutex<String>,
    /// Between the look at all members and the raise nobody joins.
    joining: tokio::sync::Mutex<()>,
}

/// A member whose program cannot apply the cluster's version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "its program applies cluster version {theirs}, but the cluster is at {current}, which does not go back: start it with \
     the program that the other members run (`berthctl version show` names their versions)"
)]
pub struct CannotApply {
    /// What it applies.
    pub theirs: VersionRange,
    /// What the cluster is at.
    pub current: ClusterVersion,
}

/// A range as the wire has it. The first release said nothing, which is (0, 0).
pub fn range(lowest: u32, highest: u32) -> VersionRange {
    match (lowest, highest) {
        (0, 0) => VersionRange::UNSTATED,
        (lowest, highest) => VersionRange {
            lowest: ClusterVersion(lowest),
            highest: ClusterVersion(highest),
        },
    }
}

// === impl Versions ===

impl Versions {
    /// Of a ledger before its first command; of itself a program knows what it applies.
    pub fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                current: AtomicU32::new(BASE.0),
                heard: Mutex::default(),
                waits_for: Mutex::default(),
                joining: tokio::sync::Mutex::default(),
            }),
        }
    }

    /// What the cluster is at, as far as this replica has applied it.
    pub fn current(&self) -> ClusterVersion {
        ClusterVersion(self.shared.current.load(Ordering::Acquire))
    }

    /// The replica has applied this.
    pub fn reach(&self, version: ClusterVersion) {
        self.shared.current.store(version.0, Ordering::Release);
    }

    /// A member says what its program applies; refused if that does not have the cluster's version.
    pub fn admit(&self, member: MemberId, theirs: VersionRange) -> Result<(), CannotApply> {
        self.heard().insert(member, theirs);
        let current = self.current();
        match theirs.contains(current) {
            true => Ok(()),
            false => Err(CannotApply { theirs, current }),
        }
    }

    /// What a member said; none = nothing yet, in this process' life.
    pub fn of(&self, member: MemberId) -> Option<VersionRange> {
        self.heard().get(&member).copied()
    }

    /// Why the cluster version does not rise now, in one sentence; empty = there is nothing to wait for.
    pub fn waits_for(&self) -> String {
        let waits = self.shared.waits_for.lock();
        waits.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn wait_for(&self, what: String) {
        let mut waits = self
            .shared
            .waits_for
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if *waits != what {
            if !what.is_empty() {
                tracing::info!(reason = what, "the cluster version does not rise yet");
            }
            *waits = what;
        }
    }

    /// While this is held nobody joins and nothing is raised.
    pub async fn joining(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.shared.joining.lock().await
    }

    fn heard(&self) -> MutexGuard<'_, BTreeMap<MemberId, VersionRange>> {
        self.shared
            .heard
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The highest version that all of these can apply, this program included; or who cannot be counted on for more than the
    /// current one.
    pub fn common(&self, members: &[Seen]) -> Result<ClusterVersion, Wait> {
        let current = self.current();
        let mut common = APPLIES.highest;
        for member in members.iter().filter(|member| !member.is_me) {
            let id = member.id;
            let theirs = self.of(id).ok_or(Wait::Unheard { member: id })?;
            if !member.is_active && current < common {
                return Err(Wait::Silent { member: id });
            }
            if theirs.highest < common {
                common = theirs.highest;
            }
        }
        let behind = || {
            let behind = |member: &&Seen| {
                let theirs = self.of(member.id);
                !member.is_me && theirs.is_some_and(|theirs| theirs.highest == common)
            };
            members.iter().find(behind).map(|member| member.id)
        };
        match (common > current, common < APPLIES.highest) {
            (false, true) => Err(Wait::Behind {
                member: behind().unwrap_or_default(),
                applies: common,
                wanted: APPLIES.highest,
            }),
            _ => Ok(common),
        }
    }
}

impl Default for Versions {
    fn default() -> Self {
        Self::new()
    }
}

/// A member of the cluster, as the leader sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Who: voter, learner, or about to be either.
    pub id: MemberId,
    /// It is this replica.
    pub is_me: bool,
    /// It was heard of within the last election's time.
    pub is_active: bool,
}
