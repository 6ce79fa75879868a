//! Every address that was ever used, in order, with its state in sixteen bytes, and those that cool by time.

use super::sorted::Sorted;
use crate::id::{ClaimId, NodeId, Revision};
use crate::row::{AddressState, Phase};
use std::sync::Arc;

/// An [`AddressState`] as it is kept: a bound one names the slot of its attachment.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Free {
        since: Revision,
    },
    Idle {
        node: NodeId,
    },
    Bound {
        node: NodeId,
        slot: u32,
    },
    Cooling {
        until_ms: u64,
    },
    Held {
        claim: ClaimId,
    },
    /// Whatever names an ENI, or is rare.
    Other(Arc<AddressState>),
}

/// All used addresses of all vSwitches; CIDRs never overlap, so an address alone is the key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Addresses {
    places: Sorted<u128, Place>,
    /// (until, address).
    cooling: Sorted<(u64, u128), ()>,
}

// === impl Place ===

impl Place {
    /// `slot` is asked for a bound state only.
    pub(crate) fn of(state: &AddressState, slot: impl FnOnce() -> Option<u32>) -> Option<Self> {
        Some(match state {
            AddressState::Free { since } => Self::Free { since: *since },
            AddressState::Idle { node, eni: None } => Self::Idle { node: *node },
            AddressState::Bound { node, .. } => Self::Bound {
                node: *node,
                slot: slot()?,
            },
            AddressState::Cooling {
                until_ms,
                node: None,
                eni: None,
            } => Self::Cooling {
                until_ms: *until_ms,
            },
            AddressState::Held { claim } => Self::Held { claim: *claim },
            other => Self::Other(Arc::new(other.clone())),
        })
    }

    pub(crate) fn phase(&self) -> Phase {
        match self {
            Self::Free { .. } => Phase::Free,
            Self::Idle { .. } => Phase::Idle,
            Self::Bound { .. } => Phase::Bound,
            Self::Cooling { .. } => Phase::Cooling,
            Self::Held { .. } => Phase::Held,
            Self::Other(state) => Phase::of(Some(state)),
        }
    }

    /// The node on which the address stands, if it stands on one.
    pub(crate) fn node(&self) -> Option<NodeId> {
        match self {
            Self::Idle { node } | Self::Bound { node, .. } => Some(*node),
            Self::Other(state) => match &**state {
                AddressState::Reserved { node, .. }
                | AddressState::Idle { node, .. }
                | AddressState::Releasing { node, .. } => Some(*node),
                AddressState::Cooling { node, .. } => *node,
                _ => None,
            },
            _ => None,
        }
    }

    fn until_ms(&self) -> Option<u64> {
        match self {
            Self::Cooling { until_ms } => Some(*until_ms),
            Self::Other(state) => match &**state {
                AddressState::Cooling { until_ms, .. } => Some(*until_ms),
                _ => None,
            },
            _ => None,
        }
    }
}

// === impl Addresses ===

impl Addresses {
    pub(crate) fn get(&self, number: u128) -> Option<&Place> {
        self.places.get(&number)
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Puts an address's new place; what it was comes back. None = never used.
    pub(crate) fn set(&mut self, number: u128, place: Option<Place>) -> Option<Place> {
        let until_ms = place.as_ref().and_then(Place::until_ms);
        let before = match place {
            Some(place) => self.places.insert(number, place),
            None => self.places.remove(&number),
        };
        if let Some(until_ms) = before.as_ref().and_then(Place::until_ms) {
            self.cooling.remove(&(until_ms, number));
        }
        if let Some(until_ms) = until_ms {
            self.cooling.insert((until_ms, number), ());
        }
        before
    }

    /// Those in a span, in order.
    pub(crate) fn span(&self, (first, last): (u128, u128)) -> impl Iterator<Item = (u128, &Place)> {
        self.places
            .from(first)
            .take_while(move |(number, _)| *number <= last)
    }

    /// Cooling ones, the first due first: (until, address).
    pub(crate) fn cooling(&self) -> impl Iterator<Item = (u64, u128)> {
        self.cooling.iter().map(|(due, ())| due)
    }

    pub(crate) fn cooling_len(&self) -> usize {
        self.cooling.len()
    }
}
