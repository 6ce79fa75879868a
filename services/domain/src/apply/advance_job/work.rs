//! One job in hand: what it becomes, and what changes with it.

use crate::apply::{Context, Decision, ending};
use crate::outcome::Outcome;
use crate::planted::{self, Planted};
use crate::row::{AddressState, CALL_LIFE_MS, Cause, Change, Eni, EniState, Job, Step};
use std::net::IpAddr;
use std::sync::Arc;

/// The job and its ENI as they become, and the changes so far.
pub(super) struct Working<'a> {
    context: &'a Context<'a>,
    before: &'a Arc<Job>,
    eni_before: &'a Arc<Eni>,
    pub(super) job: Job,
    pub(super) eni: Eni,
    changes: Vec<Change>,
    ended: bool,
    eni_ended: bool,
}

// === impl Working ===

impl<'a> Working<'a> {
    pub(super) fn new(context: &'a Context, job: &'a Arc<Job>, eni: &'a Arc<Eni>) -> Self {
        Self {
            context,
            before: job,
            eni_before: eni,
            job: (**job).clone(),
            eni: (**eni).clone(),
            changes: Vec::new(),
            ended: false,
            eni_ended: false,
        }
    }

    /// On to another step; what was unknown of the last one has been found out.
    pub(super) fn go(&mut self, step: Step) {
        self.job.step = step;
        self.job.attempt = 0;
        self.job.step_since_ms = self.context.now_ms;
        self.job.trouble = None;
    }

    /// The step is begun anew.
    pub(super) fn again(&mut self, step: Step, cause: Cause) {
        let attempt = self.job.attempt.saturating_add(1);
        self.go(step);
        self.job.attempt = attempt;
        self.job.trouble = Some(cause);
    }

    pub(super) fn trouble(&mut self, cause: Cause) {
        self.job.trouble = Some(cause);
    }

    /// A call of this job may take effect until then.
    pub(super) fn doubt(&mut self) {
        self.job.doubt_until_ms = Some(self.context.now_ms.saturating_add(CALL_LIFE_MS));
    }

    pub(super) fn no_doubt(&mut self) {
        self.job.doubt_until_ms = None;
    }

    /// Whether a call whose end is not known may still take effect.
    pub(super) fn in_doubt(&self) -> bool {
        let until_ms = self.job.doubt_until_ms;
        until_ms.is_some_and(|until_ms| until_ms > self.context.now_ms)
            && !planted::has(Planted::DoubtIgnored)
    }

    /// The job is done with these addresses: the cloud has them on the ENI.
    pub(super) fn idle(&mut self, addresses: &[IpAddr]) {
        let after = AddressState::Idle {
            node: self.eni.node,
            eni: self.eni.id.clone(),
        };
        self.pass(addresses, |_| after.clone());
        self.leave(addresses);
    }

    /// The job is done with these addresses: the cloud has them nowhere of ours. What was in use on a node that is gone rests first.
    pub(super) fn free(&mut self, addresses: &[IpAddr], foreign: &[IpAddr]) {
        let node_gone = self.context.ledger.node(self.eni.node).is_none();
        let after = match node_gone {
            true => ending::cooling(self.context, self.eni.vswitch, self.eni.node, None),
            false => AddressState::Free {
                since: self.context.revision,
            },
        };
        self.pass(addresses, |address| match foreign.contains(&address) {
            true => AddressState::Foreign,
            false => after.clone(),
        });
        self.leave(addresses);
    }

    /// What was to come goes back.
    pub(super) fn withdraw(&mut self) {
        let node = self.context.ledger.node(self.eni.node);
        let after = AddressState::Releasing {
            node: node.map(|row| row.id),
            job: self.job.id,
        };
        let addresses = self.job.addresses.clone();
        self.pass(&addresses, |_| after.clone());
    }

    fn pass(&mut self, addresses: &[IpAddr], after: impl Fn(IpAddr) -> AddressState) {
        for address in addresses {
            let before = self.context.ledger.address_state(*address);
            let after = after(*address);
            let change = Change::address(self.job.vswitch, *address, before, Some(after));
            self.changes.push(change);
        }
    }

    fn leave(&mut self, addresses: &[IpAddr]) {
        self.job
            .addresses
            .retain(|address| !addresses.contains(address));
    }

    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    pub(super) fn end_eni(&mut self) {
        self.eni_ended = true;
    }

    /// Whether its node was removed, or the ENI is to go for another reason.
    pub(super) fn is_leaving(&self) -> bool {
        self.eni.state == EniState::Leaving
    }

    pub(super) fn decision(self) -> Decision {
        let mut changes = self.changes;
        let eni = (!self.eni_ended).then_some(self.eni);
        if eni.as_ref() != Some(&**self.eni_before) {
            changes.push(Change::Eni {
                number: self.eni_before.number,
                before: Some(self.eni_before.clone()),
                after: eni.map(Arc::new),
            });
        }
        let job = (!self.ended).then_some(self.job);
        if job.as_ref() != Some(&**self.before) {
            changes.push(Change::Job {
                id: self.before.id,
                before: Some(self.before.clone()),
                after: job.map(Arc::new),
            });
        }
        Decision {
            changes,
            outcome: Outcome::Done,
        }
    }
}
