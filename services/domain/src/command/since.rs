//! Since which cluster version each command may be in the log. THE place to state it for a new command.
//!
//! A field that is added to a command is a new form of it: it has a version of its own, and the form without it keeps
//! its bytes. So a member never meets what it does not know, and cannot apply half of it.

use super::{Command, Vote};
use crate::version::{BASE, CARE, CLOUD, ClusterVersion, REHEARSAL};

/// The first form, or the one that says what the cloud calls it.
fn or_cloud(of_a_cloud: bool) -> ClusterVersion {
    match of_a_cloud {
        true => CLOUD,
        false => BASE,
    }
}

// === impl Command ===

impl Command {
    /// The cluster version that this command needs, in the form it has. Below it the journal does not propose it and the
    /// ledger refuses it. No wildcard here: whoever adds a command has to answer.
    pub fn since(&self) -> ClusterVersion {
        match self {
            Self::CreateVSwitch(create) => or_cloud(create.cloud.is_some()),
            Self::RegisterNode(register) => or_cloud(register.pool.is_some()),
            Self::DeleteVSwitch(_)
            | Self::RemoveNode(_)
            | Self::CreateClaim(_)
            | Self::DeleteClaim(_)
            | Self::Stock(_)
            | Self::Reclaim(_)
            | Self::Bind(_)
            | Self::Release(_)
            | Self::Expire(_)
            | Self::RemoveMember(_) => BASE,
            Self::RegisterMember(register) => match register.vote {
                Vote::AsKnown => BASE,
                Vote::Withheld | Vote::Given => CARE,
            },
            // It goes ahead of the version that it sets: see `written_at`.
            Self::SetClusterVersion(_) => BASE,
            Self::Repair(_) | Self::Recover(_) | Self::ConfirmNode(_) => CARE,
            Self::BeginJob(_)
            | Self::AdvanceJob(_)
            | Self::NoteForeign(_)
            | Self::SetNodePool(_)
            | Self::DeleteNodePool(_)
            | Self::SetVSwitch(_) => CLOUD,
            Self::Rehearse(_) => REHEARSAL,
        }
    }

    /// The version that an entry with this command is written at, on a cluster at `current`. The entry that raises the
    /// version is of the new one already, so that a member that cannot apply it stops before it and not after it.
    pub fn written_at(&self, current: ClusterVersion) -> ClusterVersion {
        match self {
            Self::SetClusterVersion(set) => current.max(set.to),
            _ => current,
        }
    }
}
