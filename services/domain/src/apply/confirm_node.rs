//! A node's word after a recovery: what lives there is taken over where that fits, and else kept from everybody.

mod adopt;
mod place;
mod stray;

use super::ending;
use super::recovering::{self, is_own, settled};
use super::{Context, Decided, Decision, SETTLE_MS, invalid};
use crate::command::{ConfirmNode, Live, Word};
use crate::id::{AttachmentKey, ClaimId, NodeId, Revision};
use crate::outcome::{Outcome, Refusal};
use crate::row::{AddressState, Change, StrayCause, UNKNOWN_NODES};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Sandboxes in one word: several times what the largest node runs, and within an entry's share of the log.
pub const LIVE_MAX: usize = 2_048;
/// Addresses of one interface: one of each family is what we give; what a stranger gave may be a few more.
const LIVE_ADDRESSES_MAX: usize = 8;

/// What this command has decided so far, on top of the ledger.
struct Work<'a, 'b> {
    context: &'a Context<'b>,
    command: &'a ConfirmNode,
    /// The sandboxes named.
    named: BTreeSet<&'a AttachmentKey>,
    changes: Vec<Change>,
    /// Addresses as they are after the changes so far.
    now: BTreeMap<IpAddr, AddressState>,
    /// When the recovery began.
    began: Revision,
    adopted: u32,
    strays: u32,
}

pub(super) fn decide(context: &Context, command: &ConfirmNode) -> Decided {
    check(context, command)?;
    let owed = context.ledger.recovery();
    let owed = owed.filter(|row| row.is_open() && row.waiting.contains(&command.node));
    let Some(recovery) = owed else {
        let waiting = context.ledger.recovery().map_or(0, |row| row.waiting.len());
        return Ok(Decision::nothing(Outcome::Confirmed {
            adopted: 0,
            strays: 0,
            waiting: waiting as u32,
        }));
    };
    let waiting = recovery.waiting.len() as u32 - 1;
    let mut work = Work {
        context,
        command,
        named: command.live.iter().map(|live| &live.key).collect(),
        changes: Vec::new(),
        now: BTreeMap::new(),
        began: recovery.began,
        adopted: 0,
        strays: 0,
    };
    work.take_over();
    work.free_idle();
    let Work {
        mut changes,
        adopted,
        strays,
        ..
    } = work;
    recovering::settle(context, &mut changes, command.node);
    Ok(Decision {
        changes,
        outcome: Outcome::Confirmed {
            adopted,
            strays,
            waiting,
        },
    })
}

fn check(context: &Context, command: &ConfirmNode) -> Result<(), Refusal> {
    if command.node != UNKNOWN_NODES {
        context.node(command.node)?;
    } else if command.word == Word::Report {
        return Err(invalid(
            "node",
            "is nobody's id: a node reports under its own",
        ));
    }
    if command.word == Word::Admin && !command.live.is_empty() {
        return Err(invalid(
            "live",
            "is not empty: an administrator's word is that nothing lives there",
        ));
    }
    if command.live.len() > LIVE_MAX {
        return Err(invalid(
            "live",
            format!("has {} entries, {LIVE_MAX} are allowed", command.live.len()),
        ));
    }
    let keys: BTreeSet<_> = command.live.iter().map(|live| &live.key).collect();
    if keys.len() != command.live.len() {
        return Err(invalid("live", "names a sandbox twice"));
    }
    let bounded = |live: &Live| (1..=LIVE_ADDRESSES_MAX).contains(&live.addresses.len());
    match command.live.iter().find(|live| !bounded(live)) {
        Some(live) => Err(invalid(
            "live",
            format!(
                "{} has {} addresses, 1 to {LIVE_ADDRESSES_MAX} are allowed",
                live.key,
                live.addresses.len()
            ),
        )),
        None => Ok(()),
    }
}

// === impl Work ===

impl<'a> Work<'a, '_> {
    /// Those that fit first, so that what does not fit sees them.
    fn take_over(&mut self) {
        let command = self.command;
        let mut unfit: Vec<(&'a Live, StrayCause)> = Vec::new();
        let mut leaving: Vec<&'a Live> = Vec::new();
        for live in &command.live {
            if self.is_known(live) {
                continue;
            }
            if self.is_buried(live) {
                leaving.push(live);
                continue;
            }
            match self.place(live) {
                Ok(place) => self.adopt(live, place),
                Err(cause) => unfit.push((live, cause)),
            }
        }
        for (live, cause) in unfit {
            self.keep_from_everybody(live, cause);
        }
        let mut claims: BTreeMap<ClaimId, bool> = BTreeMap::new();
        for live in leaving {
            self.let_rest(live, &mut claims);
        }
        for (id, own) in claims {
            let claim = self.context.ledger.claim(id);
            let later = claim.and_then(|claim| settled(self.context, claim, own, SETTLE_MS));
            self.changes.extend(later);
        }
    }

    /// Its DEL has been heard, and its link may outlive that: what nobody else has got rests as after any DEL. Of the claims
    /// that it used it notes whether it was their own pod.
    fn let_rest(&mut self, live: &Live, claims: &mut BTreeMap<ClaimId, bool>) {
        let untouched = |at: &&IpAddr| !self.now.contains_key(*at);
        let addresses: Vec<IpAddr> = live.addresses.iter().filter(untouched).copied().collect();
        for address in addresses {
            let Some(vswitch) = self.context.ledger.vswitch_containing(address) else {
                continue;
            };
            match self.state(address) {
                None if vswitch.excludes(address) => {}
                None | Some(AddressState::Free { .. }) => {
                    let rests = ending::cooling(self.context, vswitch.id, NodeId(0), None);
                    self.pass(address, rests);
                }
                Some(AddressState::Idle { node, eni }) => {
                    let rests = ending::cooling(self.context, vswitch.id, node, eni.as_ref());
                    self.pass(address, rests);
                }
                // Of an earlier user, perhaps nearly over.
                Some(AddressState::Cooling { node, eni, .. }) => {
                    let node = node.unwrap_or(NodeId(0));
                    let rests = ending::cooling(self.context, vswitch.id, node, eni.as_ref());
                    self.pass(address, rests);
                }
                Some(AddressState::Held { claim: id }) => {
                    let claim = self.context.ledger.claim(id);
                    let own = claim.is_some_and(|claim| is_own(claim, &live.key, &live.pod));
                    *claims.entry(id).or_default() |= own;
                }
                Some(_) => {}
            }
        }
    }

    /// Its own bind is there as it says.
    fn is_known(&self, live: &Live) -> bool {
        let bound = self.context.ledger.allocation(&live.key);
        bound.is_some_and(|row| row.node == self.command.node && row.addresses == live.addresses)
    }

    /// Its DEL overtook the report.
    fn is_buried(&self, live: &Live) -> bool {
        let tombstone = self.context.ledger.tombstone(&live.key);
        tombstone
            .is_some_and(|row| row.boot == live.boot && row.invoked_at_ms >= live.invoked_at_ms)
    }

    fn state(&self, address: IpAddr) -> Option<AddressState> {
        let now = self.now.get(&address).cloned();
        now.or_else(|| self.context.ledger.address_state(address))
    }

    /// Adds changes, and sees addresses as they leave them.
    fn change(&mut self, changes: Vec<Change>) {
        for change in &changes {
            if let Change::Address {
                address,
                after: Some(after),
                ..
            } = change
            {
                self.now.insert(*address, after.clone());
            }
        }
        self.changes.extend(changes);
    }

    fn pass(&mut self, address: IpAddr, after: AddressState) {
        let before = self.state(address);
        if let Some(vswitch) = self.context.ledger.vswitch_containing(address) {
            let change = Change::address(vswitch.id, address, before, Some(after));
            self.change(vec![change]);
        }
    }

    /// The node's warm addresses are warm no more: it has said that no sandbox has them. What stands on an ENI stays there.
    fn free_idle(&mut self) {
        let since = self.context.revision;
        let standing: Vec<_> = match self.command.node {
            UNKNOWN_NODES => Vec::new(),
            node => self.context.ledger.node_standing(node).collect(),
        };
        for (address, state) in standing {
            let warm = matches!(state, AddressState::Idle { eni: None, .. });
            if warm && !self.now.contains_key(&address) {
                self.pass(address, AddressState::Free { since });
            }
        }
    }
}

#[cfg(test)]
mod tests;
