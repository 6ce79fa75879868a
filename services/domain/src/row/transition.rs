//! Which state of an address may follow which: one table, drawn in OVERVIEW.md.

use super::AddressState;
use std::net::IpAddr;

/// An address's state without its details; an address without a row was never used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Free, and was never anything else.
    NeverUsed,
    /// See [`AddressState::Free`].
    Free,
    /// See [`AddressState::Reserved`].
    Reserved,
    /// See [`AddressState::Idle`].
    Idle,
    /// See [`AddressState::Bound`].
    Bound,
    /// See [`AddressState::Cooling`].
    Cooling,
    /// See [`AddressState::Releasing`].
    Releasing,
    /// See [`AddressState::Held`].
    Held,
    /// See [`AddressState::Disputed`].
    Disputed,
    /// See [`AddressState::Quarantined`].
    Quarantined,
    /// See [`AddressState::Foreign`].
    Foreign,
    /// See [`AddressState::Excluded`].
    Excluded,
}

/// Every transition that some command makes, and which one. What is not here never happens.
pub const TRANSITIONS: &[(Phase, Phase, &str)] = {
    use Phase::*;
    &[
        (NeverUsed, Idle, "stock"),
        (NeverUsed, Bound, "bind, confirm-node: it lives there"),
        (NeverUsed, Held, "create-claim"),
        (
            NeverUsed,
            Cooling,
            "confirm-node: its sandbox is just leaving",
        ),
        (Free, Idle, "stock"),
        (Free, Bound, "bind, confirm-node: it lives there"),
        (Free, Held, "create-claim"),
        (Free, Cooling, "confirm-node: its sandbox is just leaving"),
        (
            Idle,
            Cooling,
            "repair: its node is not there; confirm-node: its sandbox is just leaving",
        ),
        (
            Idle,
            Free,
            "reclaim, remove-node, confirm-node: it is warm no more",
        ),
        (Free, Reserved, "begin-job"),
        (NeverUsed, Reserved, "begin-job"),
        (Reserved, Idle, "advance-job: the cloud has it on the ENI"),
        (
            Reserved,
            Free,
            "advance-job: the cloud has it nowhere; recover",
        ),
        (Reserved, Foreign, "advance-job: somebody else has it"),
        (
            Reserved,
            Releasing,
            "advance-job: what was to come goes back; remove-node",
        ),
        (Idle, Releasing, "begin-job, remove-node"),
        (
            Releasing,
            Free,
            "advance-job: it is gone from its ENI; recover",
        ),
        (
            Releasing,
            Cooling,
            "advance-job: it is gone from its ENI, and the node is gone",
        ),
        (
            Releasing,
            Foreign,
            "advance-job: it never came, because somebody else has it",
        ),
        (
            Releasing,
            Releasing,
            "remove-node: another job takes the whole ENI",
        ),
        (Free, Foreign, "note-foreign"),
        (NeverUsed, Foreign, "note-foreign"),
        (Foreign, Free, "note-foreign"),
        (Idle, Bound, "bind, confirm-node: it lives there"),
        (
            Bound,
            Bound,
            "bind: a newer sandbox takes a claim's address over; confirm-node: another lives there",
        ),
        (
            Bound,
            Cooling,
            "release, bind: superseded, remove-node, delete-claim, repair, confirm-node: superseded",
        ),
        (
            Bound,
            Held,
            "release, bind: superseded, remove-node, repair",
        ),
        (Bound, Releasing, "remove-node: its ENI goes"),
        (Cooling, Releasing, "remove-node: its ENI goes"),
        (Bound, Disputed, "as to held: a stray uses it"),
        (Bound, Quarantined, "as to cooling: a stray uses it"),
        (Cooling, Free, "expire"),
        (Cooling, Idle, "expire: it stands on an ENI"),
        (Cooling, Cooling, "remove-node: it stands on an ENI no more"),
        (Cooling, Bound, "confirm-node: it lives there"),
        (Held, Bound, "bind, confirm-node: it lives there"),
        (Held, Cooling, "delete-claim, expire, repair"),
        (
            NeverUsed,
            Quarantined,
            "confirm-node, create-vswitch: a stray uses it",
        ),
        (Free, Quarantined, "confirm-node: a stray uses it"),
        (Idle, Quarantined, "confirm-node: a stray uses it"),
        (Cooling, Quarantined, "confirm-node: a stray uses it"),
        (Held, Disputed, "confirm-node: a stray uses it"),
        (
            Disputed,
            Held,
            "release, remove-node: the stray is gone; recover",
        ),
        (Disputed, Quarantined, "delete-claim, expire"),
        (
            Quarantined,
            Cooling,
            "release, remove-node: the stray is gone",
        ),
        (Quarantined, Free, "recover: every node reports anew"),
    ]
};

/// Whether some command makes this change.
pub fn allowed(before: Option<&AddressState>, after: Option<&AddressState>) -> bool {
    let (before, after) = (Phase::of(before), Phase::of(after));
    TRANSITIONS
        .iter()
        .any(|(from, to, _)| (*from, *to) == (before, after))
}

// === impl Phase ===

impl Phase {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::NeverUsed,
        Self::Free,
        Self::Reserved,
        Self::Idle,
        Self::Bound,
        Self::Cooling,
        Self::Releasing,
        Self::Held,
        Self::Disputed,
        Self::Quarantined,
        Self::Foreign,
        Self::Excluded,
    ];

    /// Of a row, or of an address that has none.
    pub fn of(state: Option<&AddressState>) -> Self {
        match state {
            None => Self::NeverUsed,
            Some(AddressState::Free { .. }) => Self::Free,
            Some(AddressState::Reserved { .. }) => Self::Reserved,
            Some(AddressState::Idle { .. }) => Self::Idle,
            Some(AddressState::Bound { .. }) => Self::Bound,
            Some(AddressState::Cooling { .. }) => Self::Cooling,
            Some(AddressState::Releasing { .. }) => Self::Releasing,
            Some(AddressState::Held { .. }) => Self::Held,
            Some(AddressState::Disputed { .. }) => Self::Disputed,
            Some(AddressState::Quarantined { .. }) => Self::Quarantined,
            Some(AddressState::Foreign) => Self::Foreign,
            Some(AddressState::Excluded) => Self::Excluded,
        }
    }

    /// Its name as people read it: "never used", "free".
    pub fn name(self) -> &'static str {
        match self {
            Self::NeverUsed => "never used",
            Self::Free => "free",
            Self::Reserved => "reserved",
            Self::Idle => "idle",
            Self::Bound => "bound",
            Self::Cooling => "cooling",
            Self::Releasing => "releasing",
            Self::Held => "held",
            Self::Disputed => "disputed",
            Self::Quarantined => "quarantined",
            Self::Foreign => "foreign",
            Self::Excluded => "excluded",
        }
    }
}

// === impl Change ===

impl super::Change {
    /// An address's change.
    pub(crate) fn address(
        vswitch: crate::id::VSwitchId,
        address: IpAddr,
        before: Option<AddressState>,
        after: Option<AddressState>,
    ) -> Self {
        Self::Address {
            vswitch,
            address,
            before,
            after,
        }
    }
}

#[cfg(test)]
mod tests;
