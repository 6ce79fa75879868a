//! Every address that was ever used, in order, with its state in sixteen bytes, and those that cool by time.

use super::slab::Slab;
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
    /// Number without its last bits → slot.
    blocks: Sorted<u128, u32>,
    rows: Slab<Block, BLOCKS_SHARED>,
    length: usize,
    /// (until, address).
    cooling: Sorted<(u64, u128), (), CHUNK_DUE>,
}

/// Neighbours, half a kilobyte: addresses are given out one after the other.
const BLOCK: usize = 32;
/// Blocks shared as one.
const BLOCKS_SHARED: usize = 128;
/// Only the two ends of a queue change, and longer chunks make fewer to share.
pub(super) const CHUNK_DUE: usize = 256;

#[derive(Clone, Debug)]
struct Block {
    places: [Option<Place>; BLOCK],
    used: usize,
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
                AddressState::Reserved { node, .. } | AddressState::Idle { node, .. } => {
                    Some(*node)
                }
                AddressState::Cooling { node, .. } | AddressState::Releasing { node, .. } => *node,
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

// === impl Block ===

impl Default for Block {
    fn default() -> Self {
        Self {
            places: [const { None }; BLOCK],
            used: 0,
        }
    }
}

fn block_of(number: u128) -> (u128, usize) {
    let size = BLOCK as u128;
    (number / size, (number % size) as usize)
}

// === impl Addresses ===

impl Addresses {
    pub(crate) fn get(&self, number: u128) -> Option<&Place> {
        let (block, place) = block_of(number);
        let row = self.rows.get(*self.blocks.get(&block)?)?;
        row.places[place].as_ref()
    }

    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Puts an address's new place; what it was comes back. None = never used.
    pub(crate) fn set(&mut self, number: u128, after: Option<Place>) -> Option<Place> {
        let until_ms = after.as_ref().and_then(Place::until_ms);
        let before = self.put(number, after);
        if let Some(until_ms) = before.as_ref().and_then(Place::until_ms) {
            self.cooling.remove(&(until_ms, number));
        }
        if let Some(until_ms) = until_ms {
            self.cooling.insert((until_ms, number), ());
        }
        before
    }

    fn put(&mut self, number: u128, after: Option<Place>) -> Option<Place> {
        let (block, place) = block_of(number);
        let slot = match self.blocks.get(&block) {
            Some(slot) => *slot,
            None => {
                after.as_ref()?;
                let slot = self.rows.insert(Block::default());
                self.blocks.insert(block, slot);
                slot
            }
        };
        let row = self.rows.get_mut(slot)?;
        let come = after.is_some();
        let before = std::mem::replace(&mut row.places[place], after);
        match (before.is_some(), come) {
            (false, true) => {
                row.used += 1;
                self.length += 1;
            }
            (true, false) => {
                row.used -= 1;
                self.length -= 1;
                if row.used == 0 {
                    self.rows.remove(slot);
                    self.blocks.remove(&block);
                }
            }
            _ => {}
        }
        before
    }

    /// Those in a span, in order.
    pub(crate) fn span(&self, (first, last): (u128, u128)) -> impl Iterator<Item = (u128, &Place)> {
        let blocks = self.blocks.from(block_of(first).0);
        let rows = blocks.filter_map(|(block, slot)| Some((block, self.rows.get(*slot)?)));
        rows.flat_map(|(block, row)| {
            let numbered = row.places.iter().enumerate();
            numbered.filter_map(move |(at, place)| {
                Some((block * BLOCK as u128 + at as u128, place.as_ref()?))
            })
        })
        .skip_while(move |(number, _)| *number < first)
        .take_while(move |(number, _)| *number <= last)
    }

    /// Cooling ones, the first due first: (until, address).
    pub(crate) fn cooling(&self) -> impl Iterator<Item = (u64, u128)> {
        self.cooling.iter().map(|(due, ())| due)
    }

    pub(crate) fn cooling_len(&self) -> usize {
        self.cooling.len()
    }

    #[cfg(test)]
    pub(crate) fn forget_due(&mut self, number: u128) {
        let due = self.cooling().find(|(_, cooling)| *cooling == number);
        due.map(|due| self.cooling.remove(&due));
    }
}
