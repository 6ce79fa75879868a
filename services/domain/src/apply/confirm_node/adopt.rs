//! A living sandbox that fits becomes an allocation like any other.

use super::place::Fit;
use super::{LIVE_MAX, Work};
use crate::apply::ending::{self, Ending};
use crate::command::Live;
use crate::id::{AttachmentKey, Generation};
use crate::row::{AddressState, Allocation, Change, ClaimState, UNKNOWN_PARAMETERS};
use std::sync::Arc;

// === impl Work ===

impl Work<'_, '_> {
    pub(super) fn adopt(&mut self, live: &Live, fit: Fit) {
        let allocation = Arc::new(self.allocation(live, &fit));
        let before = fit.ended.iter().find(|row| row.key == allocation.key);
        let mut changes = vec![Change::Allocation {
            key: allocation.key.clone(),
            before: before.cloned(),
            after: Some(allocation.clone()),
        }];
        for address in &allocation.addresses {
            let after = AddressState::Bound {
                node: allocation.node,
                key: allocation.key.clone(),
                generation: allocation.generation,
            };
            let before = self.state(*address);
            changes.push(Change::address(
                allocation.vswitch,
                *address,
                before,
                Some(after),
            ));
        }
        if let Some(claim) = &fit.claim {
            let state = ClaimState::Bound {
                key: allocation.key.clone(),
                generation: allocation.generation,
                node: allocation.node,
            };
            changes.push(ending::replaced(claim, state));
        }
        for gone in &fit.ended {
            let ending = Ending {
                kept: &allocation.addresses,
                ..Ending::default()
            };
            ending::end(self.context, &mut changes, gone, ending);
            if gone.key != allocation.key {
                changes.push(ending::row_removed(gone));
            }
        }
        self.change(changes);
        self.adopted += 1;
    }

    fn allocation(&self, live: &Live, fit: &Fit) -> Allocation {
        let attachment = self.context.ledger.attachments.get(&live.key);
        let key: Option<Arc<AttachmentKey>> = attachment.map(|row| row.key().clone());
        Allocation {
            key: key.unwrap_or_else(|| Arc::new(live.key.clone())),
            generation: self.generation(),
            node: self.command.node,
            boot: live.boot.clone(),
            invoked_at_ms: live.invoked_at_ms,
            pod: live.pod.clone(),
            vswitch: fit.vswitch,
            eni: live.eni.clone(),
            addresses: live.addresses.clone(),
            claim: fit.claim.as_ref().map(|claim| claim.id),
            parameters: UNKNOWN_PARAMETERS,
            bound_at_ms: self.context.now_ms,
            bound_wall_ms: self.context.wall_ms,
        }
    }

    /// A generation is of one bind, and one word adopts many: they get numbers that the jump skipped, so no revision has
    /// or will have them. From above, far from what the old cluster gave.
    fn generation(&self) -> Generation {
        let since = self.context.revision.0.saturating_sub(self.began.0);
        let used = since.saturating_mul(LIVE_MAX as u64);
        let below = used
            .saturating_add(u64::from(self.adopted))
            .saturating_add(1);
        Generation(self.began.0.saturating_sub(below))
    }
}
