//! Whether what lives can be called its own: by the rules of a bind, but for room, because it is there already.

use super::Work;
use crate::apply::given;
use crate::command::Live;
use crate::id::{ClaimName, VSwitchId};
use crate::row::{AddressState, Allocation, Claim, StrayCause};
use std::net::IpAddr;
use std::sync::Arc;

/// Where a living sandbox fits.
pub(super) struct Fit {
    pub(super) vswitch: VSwitchId,
    /// Its pod's own, with just these addresses.
    pub(super) claim: Option<Arc<Claim>>,
    /// Of this node, not named by it, and in the way: gone by the node's own word.
    pub(super) ended: Vec<Arc<Allocation>>,
}

// === impl Work ===

impl Work<'_, '_> {
    pub(super) fn place(&self, live: &Live) -> Result<Fit, StrayCause> {
        let ledger = self.context.ledger;
        let first = ledger.vswitch_containing(live.addresses[0]);
        let vswitch = first.ok_or(StrayCause::OutOfRange)?;
        for address in &live.addresses {
            given::in_range(vswitch, *address).map_err(|_| StrayCause::OutOfRange)?;
        }
        if given::families_complete(vswitch, &live.addresses).is_err() {
            return Err(StrayCause::Families);
        }
        let own = ClaimName {
            cluster: live.key.cluster.clone(),
            namespace: live.pod.namespace.clone(),
            pod: live.pod.name.clone(),
        };
        let claim = ledger
            .claim_named(&own)
            .filter(|claim| claim.addresses == live.addresses);
        let mut fit = Fit {
            vswitch: vswitch.id,
            claim: claim.cloned(),
            ended: Vec::new(),
        };
        if let Some(bound) = ledger.allocation(&live.key) {
            self.end(&mut fit, live, bound, StrayCause::BoundElsewhere)?;
        }
        for address in &live.addresses {
            self.check_address(&mut fit, live, *address)?;
        }
        Ok(fit)
    }

    fn check_address(&self, fit: &mut Fit, live: &Live, address: IpAddr) -> Result<(), StrayCause> {
        let ledger = self.context.ledger;
        if self.now.contains_key(&address) || ledger.is_contested(address) {
            return Err(StrayCause::UsedTwice);
        }
        match ledger.address_state(address) {
            Some(AddressState::Bound { key, .. }) => {
                let bound = ledger.allocation(&key).ok_or(StrayCause::BoundToAnother)?;
                self.end(fit, live, bound, StrayCause::BoundToAnother)
            }
            Some(AddressState::Held { claim }) => {
                match fit.claim.as_ref().is_some_and(|own| own.id == claim) {
                    true => Ok(()),
                    false => Err(StrayCause::HeldForAnother),
                }
            }
            None
            | Some(
                AddressState::Free { .. }
                | AddressState::Idle { .. }
                | AddressState::Cooling { .. },
            ) => Ok(()),
            Some(_) => Err(StrayCause::UsedTwice),
        }
    }

    /// What is bound in the way must be this node's, unnamed by it, and leave nothing that would have to be decided too.
    fn end(
        &self,
        fit: &mut Fit,
        live: &Live,
        bound: &Arc<Allocation>,
        cause: StrayCause,
    ) -> Result<(), StrayCause> {
        let replaced = *bound.key == live.key;
        let gone = bound.node == self.command.node
            && (replaced || !self.named.contains(&*bound.key))
            && !bound.addresses.iter().any(|at| self.now.contains_key(at));
        let own_claim = match bound.claim {
            None => true,
            Some(id) => fit.claim.as_ref().is_some_and(|own| own.id == id),
        };
        if !gone || !own_claim {
            return Err(cause);
        }
        if !fit.ended.iter().any(|known| known.key == bound.key) {
            fit.ended.push(bound.clone());
        }
        Ok(())
    }
}
