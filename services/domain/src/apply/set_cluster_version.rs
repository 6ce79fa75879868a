//! Raises the cluster version. That every member can apply it was seen by the leader, who alone can ask them.

use super::{Context, Decided, Decision};
use crate::command::SetClusterVersion;
use crate::outcome::{Outcome, Refusal};
use crate::row::{Change, Cluster};

pub(super) fn decide(context: &Context, command: &SetClusterVersion) -> Decided {
    let before = context.ledger.cluster_row();
    let (current, to) = (before.version, command.to);
    if to < current {
        return Err(Refusal::VersionLowered { current, to });
    }
    if to == current {
        return Ok(Decision::nothing(Outcome::Done));
    }
    let change = Change::Cluster {
        before,
        after: Cluster { version: to },
    };
    Ok(Decision {
        changes: vec![change],
        outcome: Outcome::Done,
    })
}

#[cfg(test)]
mod tests;
