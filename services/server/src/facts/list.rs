//! What one source says of one cluster: its pods, nodes, namespaces and workloads.

use super::store::{Lookup, PodFact, invalid};
use crate::failure::Failure;
use berth_domain::command::FactsVersion;
use berth_domain::id::{Namespace, PodName};
use berth_proto::v1;
use berth_proto::v1::facts_report::Report;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Facts of one kind in one cluster; Kubernetes ends at 150,000 pods, so more is a runaway source.
const FACTS_MAX: usize = 500_000;

/// One list, and the changes since.
#[derive(Default)]
pub(super) struct List {
    pub(super) epoch: u64,
    pub(super) version: u64,
    pub(super) heard_at_ms: u64,
    pub(super) pods: HashMap<(Namespace, PodName), Arc<PodFact>>,
    /// Those that need an address, by their node.
    pub(super) scheduled: HashMap<String, BTreeSet<(Namespace, PodName)>>,
    pub(super) nodes: HashMap<String, v1::NodeFact>,
    pub(super) namespaces: HashMap<String, v1::NamespaceFact>,
    pub(super) workloads: HashMap<(String, String), v1::WorkloadFact>,
}

// === impl List ===

impl List {
    fn version(&self) -> FactsVersion {
        FactsVersion {
            epoch: self.epoch,
            version: self.version,
        }
    }

    pub(super) fn pod(&self, namespace: &Namespace, name: &PodName) -> Lookup {
        match self.pods.get(&(namespace.clone(), name.clone())) {
            Some(fact) => Lookup::Known(Arc::clone(fact), self.version()),
            None => Lookup::Gone(self.version()),
        }
    }

    pub(super) fn take(&mut self, report: Report) -> Result<(), Failure> {
        match report {
            Report::Pod(pod) => self.take_pod(pod),
            Report::Node(node) => put(&mut self.nodes, node.name.clone(), node.gone, node),
            Report::Namespace(namespace) => {
                let gone = namespace.gone;
                put(
                    &mut self.namespaces,
                    namespace.name.clone(),
                    gone,
                    namespace,
                )
            }
            Report::Workload(workload) => {
                let key = (workload.namespace.clone(), workload.name.clone());
                put(&mut self.workloads, key, workload.gone, workload)
            }
            Report::Begin(_) => Err(invalid(
                "begin",
                "comes once, at the start of a stream".into(),
            )),
            Report::Synced(_) | Report::Heartbeat(_) => Ok(()),
        }
    }

    /// Keeps the pods of each node that need an address.
    fn schedule(&mut self, key: &(Namespace, PodName), gone: bool, fact: &PodFact) {
        if let Some(before) = self.pods.get(key)
            && let Some(pods) = self.scheduled.get_mut(&before.node)
        {
            pods.remove(key);
            if pods.is_empty() {
                self.scheduled.remove(&before.node);
            }
        }
        if !gone && !fact.no_address && !fact.node.is_empty() {
            let pods = self.scheduled.entry(fact.node.clone()).or_default();
            pods.insert(key.clone());
        }
    }

    fn take_pod(&mut self, pod: v1::PodFact) -> Result<(), Failure> {
        let namespace = Namespace::new(&pod.namespace)
            .map_err(|error| invalid("pod.namespace", error.to_string()))?;
        let name =
            PodName::new(&pod.name).map_err(|error| invalid("pod.name", error.to_string()))?;
        let fact = PodFact {
            uid: pod.uid,
            node: pod.node,
            labels: pod.labels.into_iter().collect(),
            annotations: pod.annotations.into_iter().collect(),
            owner: pod.owner,
            no_address: pod.no_address,
        };
        let key = (namespace, name);
        self.schedule(&key, pod.gone, &fact);
        put(&mut self.pods, key, pod.gone, Arc::new(fact))
    }
}

fn put<K: Eq + std::hash::Hash, V>(
    facts: &mut HashMap<K, V>,
    key: K,
    gone: bool,
    fact: V,
) -> Result<(), Failure> {
    if gone {
        facts.remove(&key);
        return Ok(());
    }
    if facts.len() >= FACTS_MAX && !facts.contains_key(&key) {
        return Err(invalid(
            "report",
            format!("names more than {FACTS_MAX} objects of one kind"),
        ));
    }
    facts.insert(key, fact);
    Ok(())
}
