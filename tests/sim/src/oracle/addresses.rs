//! A1, A2, A3, A4, A8, A11 and A16, from the history's rows and the fleet alone.

use super::{Network, Oracle, Standing, broken};
use crate::fleet::Fleet;
use berth_domain::event::EventGroup;
use berth_domain::id::VSwitchId;
use berth_domain::row::{AddressState, Allocation, VSwitch};
use berth_raft::simulation::workload::Violation;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// A node's word, by which what lives on it gets its bind back.
const ADOPTS: &str = "confirm-node";

// === impl Oracle ===

impl Oracle {
    pub(super) fn network(&mut self, id: VSwitchId, row: Option<&VSwitch>) {
        let Some(row) = row else {
            self.networks.remove(&id);
            return;
        };
        let mut usable = BTreeSet::new();
        let mut families = 0;
        for subnet in [&row.ipv4, &row.ipv6].into_iter().flatten() {
            families += 1;
            // Small networks only. On a routed one the first address is nobody's, and so is the last of IPv4.
            let (network, broadcast) = (subnet.cidr.network(), subnet.cidr.broadcast());
            let own = subnet.cidr.hosts().filter(|at| *at != network);
            usable.extend(own.filter(|at| network.is_ipv6() || *at != broadcast));
        }
        self.networks.insert(id, Network { usable, families });
    }

    /// An attachment got addresses.
    pub(super) fn bound(
        &mut self,
        group: &EventGroup,
        row: &Allocation,
        fleet: &Fleet,
    ) -> Result<(), Violation> {
        let key = &*row.key;
        let Some(network) = self.networks.get(&row.vswitch) else {
            return broken(
                "A16",
                format!("{key} was bound in a vSwitch that is not there"),
            );
        };
        let families: BTreeSet<bool> = row.addresses.iter().map(IpAddr::is_ipv6).collect();
        let fits = row.addresses.iter().all(|at| network.usable.contains(at));
        if !fits || families.len() != network.families || row.addresses.len() != network.families {
            return broken("A16", format!("{key} was given {:?}", row.addresses));
        }
        self.asked_for(group, row, fleet)?;
        for address in &row.addresses {
            if let Some(user) = fleet.users(*address).find(|user| user.key != *key) {
                return broken(
                    "A1",
                    format!(
                        "{address} was given to {key} at {} while {} sends from it",
                        group.revision, user.key
                    ),
                );
            }
            self.kept_for_another(*address, row)?;
        }
        self.committed
            .insert(row.generation.0, (key.clone(), row.addresses.clone()));
        Ok(())
    }

    /// A4: each invocation of an ADD is bound once. A8: none after the DEL that came later. H5: by somebody who asked.
    fn asked_for(
        &mut self,
        group: &EventGroup,
        row: &Allocation,
        fleet: &Fleet,
    ) -> Result<(), Violation> {
        let key = &*row.key;
        if fleet.sandbox_of(key).is_none() {
            return broken("H5", format!("{key} was bound and nobody asked for it"));
        }
        let invocation = (key.clone(), row.boot.clone(), row.invoked_at_ms);
        if !self.binds.insert(invocation) {
            return broken(
                "A4",
                format!(
                    "the ADD of {key} invoked at {} was bound twice",
                    row.invoked_at_ms
                ),
            );
        }
        let deleted = self.deleted.get(&(key.clone(), row.boot.clone()));
        // What its node has seen is there, though a DEL was acknowledged that the backup does not know: GC ends it.
        let is_seen = group.cause == ADOPTS;
        if !is_seen && deleted.is_some_and(|at| *at >= row.invoked_at_ms) {
            return broken(
                "A8",
                format!("{key} was bound after its DEL was acknowledged"),
            );
        }
        Ok(())
    }

    /// A3: an address that is kept for a pod goes to nobody else.
    fn kept_for_another(&self, address: IpAddr, row: &Allocation) -> Result<(), Violation> {
        let keeper = self
            .claims
            .values()
            .find(|kept| kept.addresses.contains(&address) && kept.pod != row.pod.name);
        match keeper {
            None => Ok(()),
            Some(kept) => broken(
                "A3",
                format!(
                    "{address} is kept for {}, and went to {}",
                    kept.pod, row.pod.name
                ),
            ),
        }
    }

    /// A2, A6, A7: an attachment ends only if somebody has ended its sandbox.
    pub(super) fn ended(
        &mut self,
        group: &EventGroup,
        row: &Allocation,
        fleet: &Fleet,
    ) -> Result<(), Violation> {
        let key = &*row.key;
        let Some(sandbox) = fleet.sandbox_of(key) else {
            return Ok(());
        };
        let is_this = sandbox.boot == row.boot && sandbox.invoked_at_ms == row.invoked_at_ms;
        if is_this && !sandbox.may_end {
            let id = if sandbox.uses(fleet.now) { "A2" } else { "A7" };
            return broken(
                id,
                format!(
                    "{key} was ended by {}'s {} at {}, and its sandbox lives",
                    group.principal, group.cause, group.revision
                ),
            );
        }
        Ok(())
    }

    /// A11: what was given back rests, in ledger time, before anybody has it.
    pub(super) fn address(
        &mut self,
        group: &EventGroup,
        address: IpAddr,
        after: Option<&AddressState>,
    ) -> Result<(), Violation> {
        let now_ms = group.ledger_time_ms;
        let next = match after {
            // Quarantined: a sandbox uses it that has no right to it.
            Some(AddressState::Bound { .. } | AddressState::Quarantined { .. }) => {
                Some(Standing::Bound)
            }
            Some(AddressState::Held { .. } | AddressState::Disputed { .. }) => Some(Standing::Held),
            Some(AddressState::Idle { .. }) => None,
            _ => match self.standing.get(&address) {
                Some(Standing::Released { at_ms }) => Some(Standing::Released { at_ms: *at_ms }),
                Some(_) => Some(Standing::Released { at_ms: now_ms }),
                None => None,
            },
        };
        let is_taken = matches!(next, Some(Standing::Bound | Standing::Held))
            || matches!(after, Some(AddressState::Idle { .. }));
        // What lives there need not have rested: it is the one that had it.
        if is_taken
            && group.cause != ADOPTS
            && let Some(Standing::Released { at_ms }) = self.standing.get(&address)
            && now_ms < at_ms + self.cooling_ms
        {
            return broken(
                "A11",
                format!(
                    "{address} was given back at {at_ms} and given out at {now_ms}; it rests {} ms",
                    self.cooling_ms
                ),
            );
        }
        match next {
            Some(next) => self.standing.insert(address, next),
            None => self.standing.remove(&address),
        };
        Ok(())
    }
}
