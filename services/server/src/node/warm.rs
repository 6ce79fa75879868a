//! A node's warm addresses: bound first, and asked for ahead of need.

use super::choice;
use crate::router::View;
use berth_domain::address::Family;
use berth_domain::apply::ADDRESSES_MAX;
use berth_domain::choose::{Families, NodeStock};
use berth_domain::id::{EniId, VSwitchId};
use berth_domain::row::Change;
use std::net::IpAddr;

/// A vSwitch that had none is asked again after this: warmth is a convenience, the pods of others come first.
const REST_MS: u64 = 5_000;

/// See the module.
#[derive(Debug)]
pub(super) struct Warm {
    stock: NodeStock,
    /// Until then nobody is asked; monotonic.
    rest_until_ms: u64,
}

/// What to ask a vSwitch for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shortfall {
    pub vswitch: VSwitchId,
    pub families: Families,
    pub count: u32,
}

// === impl Warm ===

impl Warm {
    pub fn new(stock: NodeStock) -> Self {
        Self {
            stock,
            rest_until_ms: 0,
        }
    }

    /// A warm set, promised to the caller; none if there is no complete one.
    pub fn take(
        &mut self,
        vswitch: VSwitchId,
        families: Families,
    ) -> Option<(Option<EniId>, Vec<IpAddr>)> {
        self.stock.take(vswitch, families)
    }

    /// The same, but from none of these ENIs.
    pub fn take_beside(
        &mut self,
        vswitch: VSwitchId,
        families: Families,
        blocked: &[EniId],
    ) -> Option<(Option<EniId>, Vec<IpAddr>)> {
        self.stock.take_beside(vswitch, families, blocked)
    }

    /// What stands on the node's ENIs.
    pub fn stock(&self) -> &NodeStock {
        &self.stock
    }

    /// What was taken is not needed.
    pub fn give_back(&mut self, addresses: &[IpAddr]) {
        self.stock.give_back(addresses);
    }

    pub fn observe(&mut self, change: &Change) {
        self.stock.observe(change);
    }

    /// What is to be asked for now, and counts as asked for from now on.
    pub fn shortfall(&mut self, view: &View, now_ms: u64) -> Option<Shortfall> {
        let node = self.stock.node();
        if node.warm_target == 0 || now_ms < self.rest_until_ms {
            return None;
        }
        let vswitch = choice::of_zone(node, view).ok()?.into_iter().next()?;
        let families = Families::of(&vswitch);
        // What comes is stocked by one command. A vSwitch has one family at least, and the quotient is small.
        let fit = (ADDRESSES_MAX / families.iter().count().max(1)) as u32;
        let count = self.stock.wanted(vswitch.id, families).min(fit);
        if count == 0 {
            return None;
        }
        self.stock.asked(vswitch.id, count);
        Some(Shortfall {
            vswitch: vswitch.id,
            families,
            count,
        })
    }

    /// So many that were asked for are here, or will not come.
    pub fn answered(&mut self, vswitch: VSwitchId, count: u32) {
        self.stock.answered(vswitch, count);
    }

    /// There were none: when to ask again.
    pub fn rest(&mut self, now_ms: u64) -> u64 {
        self.rest_until_ms = now_ms + REST_MS;
        self.rest_until_ms
    }

    /// How many are warm, of both families.
    pub fn len(&self, view: &View) -> usize {
        let of = |vswitch: VSwitchId| {
            Family::ALL
                .into_iter()
                .map(|family| self.stock.warm(vswitch, family))
                .sum::<usize>()
        };
        view.vswitches().map(|vswitch| of(vswitch.id)).sum()
    }
}
