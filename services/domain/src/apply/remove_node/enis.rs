//! The ENIs of a node that is removed: each goes, with everything on it.

use crate::apply::Context;
use crate::apply::begin_job::leaving;
use crate::id::{JobId, NodeId};
use crate::row::{AddressState, Change, Eni, EniState, Job, Step, Work};
use std::net::IpAddr;
use std::sync::Arc;

/// An ENI of the node with the job that takes it away.
struct Goes<'a> {
    eni: &'a Arc<Eni>,
    job: JobId,
    /// What is on it now, or on its way.
    addresses: Vec<IpAddr>,
}

/// Takes the node's ENIs away. What its allocations and warm addresses become is in `changes` already; what is on an ENI does not
/// rest nowhere, as it says there, but leaves with it.
pub(super) fn leave(context: &Context, changes: &mut Vec<Change>, node: NodeId) {
    let enis: Vec<_> = context.ledger.enis_of(node).collect();
    for (place, eni) in enis.into_iter().enumerate() {
        // A node has far fewer ENIs than this.
        let fresh = JobId::of(context.revision, place as u8);
        let goes = goes(context, eni, fresh);
        let jobs: Vec<_> = context.ledger.jobs_of(node).collect();
        let of_this = jobs.into_iter().filter(|job| job.eni == eni.number);
        let released = release(context, changes, &goes);
        if eni.state != EniState::Leaving {
            changes.push(leaving(eni));
        }
        for job in of_this.filter(|job| job.id != goes.job) {
            changes.push(Change::Job {
                id: job.id,
                before: Some(job.clone()),
                after: None,
            });
        }
        if goes.job == fresh {
            changes.push(begun(context, &goes, released));
        }
    }
}

/// One that is not made yet keeps its job: only that one knows whether it is made meanwhile.
fn goes<'a>(context: &Context, eni: &'a Arc<Eni>, fresh: JobId) -> Goes<'a> {
    let creating = context.ledger.jobs_of(eni.node).find(|job| {
        job.eni == eni.number && (job.step == Step::Create || job.work == Work::DeleteEni)
    });
    Goes {
        eni,
        job: creating.map_or(fresh, |job| job.id),
        addresses: context.ledger.addresses_on(eni),
    }
}

/// Those that leave with the ENI. What is kept for a claim, or used by a stray, stays what it is.
fn release(context: &Context, changes: &mut Vec<Change>, goes: &Goes) -> Vec<IpAddr> {
    let after = AddressState::Releasing {
        node: None,
        job: goes.job,
    };
    let mut released = Vec::with_capacity(goes.addresses.len());
    for at in &goes.addresses {
        let said = changes.iter_mut().find_map(|change| match change {
            Change::Address { address, after, .. } if address == at => Some(after),
            _ => None,
        });
        match said {
            Some(said @ Some(AddressState::Cooling { .. } | AddressState::Free { .. })) => {
                *said = Some(after.clone());
            }
            Some(_) => continue,
            None => {
                let before = context.ledger.address_state(*at);
                changes.push(Change::address(
                    goes.eni.vswitch,
                    *at,
                    before,
                    Some(after.clone()),
                ));
            }
        }
        released.push(*at);
    }
    released
}

fn begun(context: &Context, goes: &Goes, addresses: Vec<IpAddr>) -> Change {
    let job = Job {
        id: goes.job,
        node: goes.eni.node,
        vswitch: goes.eni.vswitch,
        eni: goes.eni.number,
        work: Work::DeleteEni,
        addresses,
        step: Step::Detach,
        attempt: 0,
        began_ms: context.now_ms,
        step_since_ms: context.now_ms,
        doubt_until_ms: None,
        trouble: None,
    };
    Change::Job {
        id: job.id,
        before: None,
        after: Some(Arc::new(job)),
    }
}
