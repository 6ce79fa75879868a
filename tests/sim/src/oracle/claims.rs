//! A3 over time: a claim ends by its policy or by an administrator, and in no other way.

use super::{Kept, Oracle, broken};
use crate::fleet::Fleet;
use berth_domain::event::EventGroup;
use berth_domain::id::ClaimId;
use berth_domain::row::{Claim, ClaimState, Policy};
use berth_raft::simulation::workload::Violation;

// === impl Oracle ===

impl Oracle {
    pub(super) fn claim(
        &mut self,
        group: &EventGroup,
        id: ClaimId,
        (before, after): (Option<&Claim>, Option<&Claim>),
        fleet: &Fleet,
    ) -> Result<(), Violation> {
        match (before, after) {
            (None, Some(claim)) => self.claim_made(id, claim, group, fleet),
            (Some(before), Some(claim)) => self.claim_changed(id, (before, claim), group),
            (_, None) => self.claim_ended(id, group, fleet),
        }
    }

    fn claim_made(
        &mut self,
        id: ClaimId,
        claim: &Claim,
        group: &EventGroup,
        fleet: &Fleet,
    ) -> Result<(), Violation> {
        let overlaps = |kept: &&Kept| kept.addresses.iter().any(|at| claim.addresses.contains(at));
        if let Some(other) = self.claims.values().find(overlaps) {
            return broken(
                "A3",
                format!("{:?} of {} are claimed again", claim.addresses, other.pod),
            );
        }
        let kept = Kept {
            pod: claim.name.pod.clone(),
            addresses: claim.addresses.clone(),
            policy: claim.policy,
            free_since_ms: free_since(claim, group),
            began_at: fleet.now,
        };
        self.claims.insert(id, kept);
        Ok(())
    }

    fn claim_changed(
        &mut self,
        id: ClaimId,
        (before, claim): (&Claim, &Claim),
        group: &EventGroup,
    ) -> Result<(), Violation> {
        let Some(kept) = self.claims.get_mut(&id) else {
            return broken("H1", format!("claim {id} changes and was never made"));
        };
        if kept.addresses != claim.addresses || kept.pod != claim.name.pod {
            return broken(
                "A3",
                format!("claim {id} of {} had {:?}", kept.pod, kept.addresses),
            );
        }
        // A claim beside which a stray ends settles later, and is free no shorter for that.
        if !held_on(before, claim) {
            kept.free_since_ms = free_since(claim, group);
        }
        Ok(())
    }

    fn claim_ended(
        &mut self,
        id: ClaimId,
        group: &EventGroup,
        fleet: &Fleet,
    ) -> Result<(), Violation> {
        let Some(kept) = self.claims.remove(&id) else {
            return broken("H1", format!("claim {id} ends and was never made"));
        };
        if self.given_up.contains(&id) {
            return Ok(());
        }
        let pod = fleet.pod_named(kept.pod.as_str());
        let now_ms = group.ledger_time_ms;
        let fires = match kept.policy {
            Policy::Never => false,
            Policy::Ttl { ttl_ms } => kept
                .free_since_ms
                .is_some_and(|since| now_ms >= since + ttl_ms),
            // The pod's object was gone at some time since the claim began.
            Policy::Delete => pod.is_some_and(|pod| fleet.pods[pod].absent_at >= kept.began_at),
        };
        match fires {
            true => Ok(()),
            false => broken(
                "A3",
                format!(
                    "the claim of {} ({:?}) ended by {} before its policy fired",
                    kept.pod, kept.policy, group.cause
                ),
            ),
        }
    }
}

/// Nobody had it before, and nobody has had it since.
fn held_on(before: &Claim, after: &Claim) -> bool {
    let since = |claim: &Claim| match claim.state {
        ClaimState::Held { since_ms, .. } => Some(since_ms),
        ClaimState::Bound { .. } => None,
    };
    since(before).is_some_and(|earlier| since(after) == Some(earlier))
}

fn free_since(claim: &Claim, group: &EventGroup) -> Option<u64> {
    matches!(claim.state, ClaimState::Held { .. }).then_some(group.ledger_time_ms)
}
