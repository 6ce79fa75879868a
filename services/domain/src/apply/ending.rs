//! How an allocation ends: a dynamic address cools, a static one is kept for its claim.

use super::{Context, TOMBSTONE_MS, recovering};
use crate::id::{AttachmentKey, BootId, EniId, NodeId, VSwitchId};
use crate::planted::{self, Planted};
use crate::row::{AddressState, Allocation, Change, Claim, ClaimState, Policy, Tombstone};
use std::net::IpAddr;
use std::sync::Arc;

/// What is special about an ending.
#[derive(Clone, Copy, Default)]
pub(super) struct Ending<'a> {
    /// The claim's next holder may bind so much later.
    pub(super) settle_ms: u64,
    /// A `Delete` claim ends with it.
    pub(super) pod_gone: bool,
    /// These are bound anew in the same command, so they are left alone.
    pub(super) kept: &'a [IpAddr],
    /// No ENI carries a cooling address on: the node is gone.
    pub(super) node_gone: bool,
}

/// Ends an allocation: its addresses, its claim and its row. A row that is replaced in the same command is `replaced`.
pub(super) fn end(
    context: &Context,
    changes: &mut Vec<Change>,
    allocation: &Arc<Allocation>,
    ending: Ending,
) {
    let claim = allocation.claim.and_then(|id| context.ledger.claim(id));
    let claim = claim.filter(|_| ending.kept != allocation.addresses);
    let fires = |claim: &Claim| {
        claim.policy == Policy::Delete || planted::has(Planted::StaticReleasedOnDelete)
    };
    let ends = |claim: &&Arc<Claim>| fires(claim) && ending.pod_gone;
    match claim {
        Some(claim) if !ends(&claim) => {
            let state = AddressState::Held { claim: claim.id };
            pass(context, changes, allocation, ending.kept, |_| state.clone());
            changes.push(replaced(claim, held(context, claim, ending.settle_ms)));
        }
        claim => {
            let eni = allocation.eni.as_ref().filter(|_| !ending.node_gone);
            let rest = cooling(context, allocation.vswitch, allocation.node, eni);
            pass(context, changes, allocation, ending.kept, |_| rest.clone());
            changes.extend(claim.map(removed));
        }
    }
}

/// The change that takes an allocation's row away.
pub(super) fn row_removed(allocation: &Arc<Allocation>) -> Change {
    Change::Allocation {
        key: allocation.key.clone(),
        before: Some(allocation.clone()),
        after: None,
    }
}

fn pass(
    context: &Context,
    changes: &mut Vec<Change>,
    allocation: &Allocation,
    kept: &[IpAddr],
    after: impl Fn(IpAddr) -> AddressState,
) {
    for address in allocation
        .addresses
        .iter()
        .filter(|address| !kept.contains(address))
    {
        let before = context.ledger.address_state(*address);
        let after = recovering::unless_contested(context, *address, after(*address));
        changes.push(Change::address(
            allocation.vswitch,
            *address,
            before,
            Some(after),
        ));
    }
}

/// Rest from now on, as long as the vSwitch says; on its ENI if it has one.
pub(super) fn cooling(
    context: &Context,
    vswitch: VSwitchId,
    node: NodeId,
    eni: Option<&EniId>,
) -> AddressState {
    let vswitch = context.ledger.vswitch(vswitch);
    let cooling_ms = vswitch.map_or(0, |vswitch| match planted::has(Planted::CoolingIgnored) {
        true => 0,
        false => vswitch.cooling_ms,
    });
    AddressState::Cooling {
        until_ms: context.now_ms.saturating_add(cooling_ms),
        node: eni.map(|_| node),
        eni: eni.cloned(),
    }
}

/// A claim whose holder is gone.
pub(super) fn held(context: &Context, claim: &Claim, settle_ms: u64) -> ClaimState {
    let now_ms = context.now_ms;
    ClaimState::Held {
        since_ms: now_ms,
        settled_at_ms: now_ms.saturating_add(settle_ms),
        release_at_ms: match claim.policy {
            Policy::Ttl { ttl_ms } => Some(now_ms.saturating_add(ttl_ms)),
            Policy::Delete | Policy::Never => None,
        },
    }
}

/// The change of a claim's state.
pub(super) fn replaced(claim: &Arc<Claim>, state: ClaimState) -> Change {
    let generation = match &state {
        ClaimState::Bound { generation, .. } => *generation,
        ClaimState::Held { .. } => claim.generation,
    };
    let after = Claim {
        state,
        generation,
        ..(**claim).clone()
    };
    Change::Claim {
        id: claim.id,
        before: Some(claim.clone()),
        after: Some(Arc::new(after)),
    }
}

/// The change that ends a claim.
pub(super) fn removed(claim: &Arc<Claim>) -> Change {
    Change::Claim {
        id: claim.id,
        before: Some(claim.clone()),
        after: None,
    }
}

/// The change that remembers a DEL: what was invoked earlier in that boot comes too late.
pub(super) fn tombstone(
    context: &Context,
    key: &Arc<AttachmentKey>,
    boot: &BootId,
    invoked_at_ms: u64,
) -> Change {
    Change::Tombstone {
        key: key.clone(),
        before: context.ledger.tombstone(key).cloned(),
        after: Some(Tombstone {
            boot: boot.clone(),
            invoked_at_ms,
            expires_at_ms: context.now_ms.saturating_add(TOMBSTONE_MS),
        }),
    }
}
