//! Follows the ledger: jobs that begin, move on and end, and what their calls are made with.

use super::{Conducting, Out, State};
use crate::cloud::troubles::Troubles;
use crate::router::View;
use berth_cloud::conductor::{Conductor, Moment, Setting};
use berth_cloud::eni::Tags;
use berth_cloud::id::{CloudVSwitchId, InstanceId};
use berth_domain::id::*;
use berth_domain::row::{Change, Job, Node, VSwitch};
use std::collections::BTreeMap;
use std::sync::Arc;

/// No node's: a call for it is refused by the cloud, and a look says where the ENI is.
const UNKNOWN_INSTANCE: &str = "i-unknown";

// === impl State ===

impl State {
    pub(super) fn resume(&mut self, view: &View, now_ms: u64) {
        view.nodes().for_each(|node| self.know_node(node));
        view.vswitches().for_each(|row| self.know_vswitch(row));
        for pool in view.pools() {
            self.pools.insert(pool.id, Arc::clone(pool));
        }
        for eni in view.enis() {
            self.enis.insert(eni.number, Arc::clone(eni));
        }
        let moment = self.moment(now_ms);
        for job in view.jobs() {
            self.conduct(job, moment, Conductor::resumed);
        }
    }

    fn know_node(&mut self, node: &Node) {
        match node.pool {
            Some(pool) => self.pool_of.insert(node.id, pool),
            None => self.pool_of.remove(&node.id),
        };
        if let Some(instance) = InstanceId::new(node.identity.as_str()) {
            self.instances.insert(node.id, instance);
        }
    }

    fn know_vswitch(&mut self, row: &VSwitch) {
        if let Some(cloud) = row
            .cloud
            .as_ref()
            .and_then(|id| CloudVSwitchId::new(id.as_str()))
        {
            self.vswitches.insert(row.id, cloud);
        }
    }

    fn conduct(
        &mut self,
        job: &Arc<Job>,
        moment: Moment,
        conductor: fn(Setting, Arc<Job>, Arc<berth_domain::row::Eni>, Moment) -> Conductor,
    ) {
        let Some(eni) = self.enis.get(&job.eni).cloned() else {
            return; // the ledger has no job without its ENI (E2)
        };
        let setting = self.setting(job);
        let conducting = Conducting {
            conductor: conductor(setting, Arc::clone(job), eni, moment),
            lane: Conducting::lane(job.work),
            reporting: None,
            refused: None,
        };
        self.conducting.insert(job.id, conducting);
    }

    fn setting(&self, job: &Job) -> Setting {
        let instance = self.instances.get(&job.node).cloned();
        let vswitch = self.vswitches.get(&job.vswitch).cloned();
        Setting {
            cluster: self.cluster.to_string(),
            instance: instance.unwrap_or_else(|| {
                InstanceId::new(UNKNOWN_INSTANCE).expect("a name") // fixed text
            }),
            vswitch: vswitch.unwrap_or_else(|| {
                CloudVSwitchId::new("vsw-unknown").expect("a name") // fixed text
            }),
            resource_group: None,
            tags: self.tags(job.node),
        }
    }

    /// What ENIs of a node have to be tagged with, besides Berth's own.
    pub(super) fn tags(&self, node: NodeId) -> Tags {
        let pool = self.pool_of.get(&node).and_then(|id| self.pools.get(id));
        let tags = pool.into_iter().flat_map(|pool| &pool.eni_tags);
        tags.map(|tag| (tag.key.to_string(), tag.value.to_string()))
            .collect()
    }

    /// Applied changes, in order.
    pub fn on_changed(
        &mut self,
        changes: &[Change],
        now_ms: u64,
        troubles: &mut Troubles,
        out: &mut Vec<Out>,
    ) {
        let mut jobs: BTreeMap<JobId, Option<Arc<Job>>> = BTreeMap::new();
        for change in changes {
            match change {
                Change::Node {
                    after: Some(row), ..
                } => self.know_node(row),
                Change::Node {
                    id, after: None, ..
                } => {
                    self.pool_of.remove(id);
                    troubles.forget(*id);
                }
                Change::NodePool { id, after, .. } => {
                    match after {
                        Some(row) => self.pools.insert(*id, Arc::clone(row)),
                        None => self.pools.remove(id),
                    };
                }
                Change::VSwitch {
                    after: Some(row), ..
                } => self.know_vswitch(row),
                Change::Eni { number, after, .. } => {
                    for (id, job) in self.working_on(*number) {
                        jobs.entry(id).or_insert(Some(job));
                    }
                    match after {
                        Some(row) => self.enis.insert(*number, Arc::clone(row)),
                        None => self.enis.remove(number),
                    };
                }
                Change::Job { id, before, after } => {
                    for row in before.iter().chain(after) {
                        self.audits.touch(row.eni);
                    }
                    jobs.insert(*id, after.clone());
                }
                _ => {}
            }
        }
        for (id, job) in jobs {
            match job {
                Some(job) => self.moved(&job, now_ms, troubles),
                None => self.ended(id, now_ms, troubles),
            }
            self.drive(id, now_ms, troubles, out);
        }
        self.send(now_ms, out);
    }

    fn working_on(&self, eni: EniNumber) -> Vec<(JobId, Arc<Job>)> {
        let jobs = self.conducting.values();
        let jobs = jobs.map(|conducting| conducting.conductor.job());
        jobs.filter(|job| job.eni == eni)
            .map(|job| (job.id, Arc::clone(job)))
            .collect()
    }

    /// A job that was not here is this leader's own: what was there when it began was resumed then.
    fn moved(&mut self, job: &Arc<Job>, now_ms: u64, troubles: &mut Troubles) {
        let moment = self.moment(now_ms);
        let Some(conducting) = self.conducting.get_mut(&job.id) else {
            return self.conduct(job, moment, Conductor::begun);
        };
        let before = Arc::clone(conducting.conductor.job());
        let is_report = (job.step, job.attempt) != (before.step, before.attempt);
        if is_report {
            conducting.settle(&before, now_ms, troubles);
        }
        conducting.reporting = None;
        if let Some(eni) = self.enis.get(&job.eni) {
            conducting
                .conductor
                .moved(Arc::clone(job), Arc::clone(eni), moment);
        }
    }

    fn ended(&mut self, id: JobId, now_ms: u64, troubles: &mut Troubles) {
        if let Some(mut conducting) = self.conducting.remove(&id) {
            let job = Arc::clone(conducting.conductor.job());
            let was_refused = conducting.settle(&job, now_ms, troubles);
            if job.work.brings() && !was_refused {
                troubles.brought(&job);
            }
            troubles.slow(&job, None);
        }
    }
}

// === impl Conducting ===

impl Conducting {
    /// The ledger has taken the last report. Whether it was a refusal.
    fn settle(&mut self, job: &Job, now_ms: u64, troubles: &mut Troubles) -> bool {
        match self.refused.take() {
            Some((cause, why)) if job.work.brings() => {
                tracing::warn!(job = %job.id, node = %job.node, %cause, why, "the cloud refused");
                troubles.refused(cause, job, why, now_ms);
                true
            }
            Some(_) => true,
            None => false,
        }
    }
}
