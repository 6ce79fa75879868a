//! What has to be so at every moment, whatever was lost or is late.

use super::Cloud;
use berth_cloud::conductor::{TAG_CLUSTER, TAG_JOB};
use berth_cloud::eni::EniStatus;
use berth_cloud::simulator::eni::Eni;
use berth_domain::Ledger;
use berth_domain::id::{EniId, JobId};
use berth_domain::row::AddressState;
use berth_raft::simulation::workload::Violation;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

// === impl Cloud ===

impl Cloud {
    /// E4: an address that is granted or warm is on its ENI in the cloud, and that on a machine. E5: one that is free, or was never used, is on none of
    /// ours. E6: each of our ENIs is in a row, or a job is making it. And the cloud broke none of its own quotas.
    pub fn check(&self, ledger: &Ledger) -> Result<(), Violation> {
        if let Some(text) = self.simulator.check().into_iter().next() {
            return Err(Violation::new("E4", format!("the cloud: {text}")));
        }
        let truth = self.truth();
        granted(ledger, &truth)?;
        for (id, eni) in &truth {
            for address in addresses(eni) {
                let state = ledger.address_state(address);
                if matches!(state, None | Some(AddressState::Free { .. })) {
                    let text = format!("{address} is free, and on {id}");
                    return Err(Violation::new("E5", text));
                }
            }
            let job = eni.tags.get(TAG_JOB).and_then(|text| text.parse().ok());
            let is_made = job.is_some_and(|job| ledger.job(JobId(job)).is_some());
            let is_known = ledger.enis().any(|row| {
                let known = row.id.as_ref().map(EniId::as_str);
                known == Some(id.as_str())
            });
            if !is_made && !is_known {
                let text = format!("{id} of job {job:?} is in no row and no job makes it");
                return Err(Violation::new("E6", text));
            }
        }
        Ok(())
    }

    /// Our ENIs, by the cloud's name.
    fn truth(&self) -> BTreeMap<String, &Eni> {
        let ours = self.simulator.enis();
        let ours = ours.filter(|eni| eni.tags.contains_key(TAG_CLUSTER));
        ours.map(|eni| (eni.id.clone(), eni)).collect()
    }
}

fn granted(ledger: &Ledger, truth: &BTreeMap<String, &Eni>) -> Result<(), Violation> {
    let sets: BTreeMap<&String, BTreeSet<IpAddr>> = truth
        .iter()
        .map(|(id, eni)| (id, addresses(eni).collect()))
        .collect();
    let is_on = |eni: Option<&EniId>, at: &IpAddr| {
        let id = eni.map(ToString::to_string);
        let set = id.as_ref().and_then(|id| sets.get(id));
        let there = id.as_ref().and_then(|id| truth.get(id));
        let is_attached = there.is_some_and(|eni| eni.status == EniStatus::InUse);
        is_attached && set.is_some_and(|set| set.contains(at))
    };
    for node in ledger.nodes() {
        for (at, state) in ledger.node_standing(node.id) {
            if let AddressState::Idle { eni, .. } = state
                && !is_on(eni.as_ref(), &at)
            {
                let text = format!("{at} is warm on {eni:?}, and not there");
                return Err(Violation::new("E4", text));
            }
        }
        for allocation in ledger.node_allocations(node.id) {
            let missing = |at: &&IpAddr| !is_on(allocation.eni.as_ref(), at);
            if let Some(at) = allocation.addresses.iter().find(missing) {
                let (key, eni) = (&allocation.key, &allocation.eni);
                let text = format!("{at} of {key} is not on {eni:?}");
                return Err(Violation::new("E4", text));
            }
        }
    }
    Ok(())
}

fn addresses(eni: &Eni) -> impl Iterator<Item = IpAddr> {
    eni.addresses().into_iter()
}

/// Nodes' ENIs and jobs, as the ledger has them, for a run that does not settle.
pub fn in_words(ledger: &Ledger) -> String {
    let jobs = ledger.jobs().map(|job| {
        let (work, step) = (job.work.name(), job.step.name());
        format!(
            "job {} of {}: {work} at {step}, attempt {}, {:?}, doubt until {:?}, {:?}",
            job.id, job.node, job.attempt, job.trouble, job.doubt_until_ms, job.addresses
        )
    });
    let enis = ledger.enis().map(|eni| {
        let on_it = ledger.addresses_on(eni).into_iter();
        let on_it = on_it.map(|at| format!("{at} {:?}", ledger.address_state(at)));
        let on_it: Vec<String> = on_it.collect();
        format!(
            "ENI {} of {} {:?}: {}",
            eni.number,
            eni.node,
            eni.state,
            on_it.join(", ")
        )
    });
    let all: Vec<String> = enis.chain(jobs).collect();
    format!("at {} ms: {}", ledger.ledger_time_ms(), all.join("; "))
}
