//! Per cluster: a full list, then changes, with the source's epoch and version.

use super::list::List;
use crate::failure::Failure;
use berth_actors::Clock;
use berth_domain::command::FactsVersion;
use berth_domain::id::{ClusterName, Namespace, PodName};
use berth_domain::outcome::Refusal;
use berth_proto::v1;
use berth_proto::v1::facts_report::Report;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Facts older than this decide nothing (design §5).
pub const STALE_AFTER_MS: u64 = 120_000;

/// What Kubernetes says of one pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodFact {
    /// Its uid.
    pub uid: String,
    /// Where it is scheduled.
    pub node: String,
    /// As the source said them.
    pub labels: BTreeMap<String, String>,
    /// As the source said them.
    pub annotations: BTreeMap<String, String>,
    /// "StatefulSet/web"; empty for a bare pod.
    pub owner: String,
    /// It needs no address: it is on its host's network, or has ended.
    pub no_address: bool,
}

/// What is known of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// No source speaks for this cluster: decide without facts.
    NoSource,
    /// A source has begun and not synced, or has been silent too long; the reason is for people.
    Missing(String),
    /// Synced, and there is no such pod.
    Gone(FactsVersion),
    /// It is there.
    Known(Arc<PodFact>, FactsVersion),
}

/// All clusters' facts. Cheap to clone; every clone is the same memory.
#[derive(Clone)]
pub struct Facts {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    leading: bool,
    sessions: u64,
    clusters: HashMap<ClusterName, Cluster>,
    /// Called when facts of a cluster become usable that were not before.
    on_usable: Option<OnUsable>,
    /// Called with the node when a pod is scheduled to it.
    on_scheduled: Option<OnScheduled>,
}

type OnScheduled = Box<dyn Fn(&str) + Send>;
type OnUsable = Box<dyn Fn(&ClusterName) + Send>;

#[derive(Default)]
struct Cluster {
    /// Which stream may speak.
    session: u64,
    epoch: u64,
    /// The list that decides, once one is complete.
    current: Option<List>,
    /// The list under way; takes the place of `current` when it is complete.
    coming: Option<List>,
    /// A source spoke under the former leader: it is waited for until this monotonic time, ms.
    expected_until_ms: Option<u64>,
    /// The source ended its stream in good order: once its facts are stale they are forgotten.
    ended: bool,
}

/// One stream of one source.
#[derive(Debug)]
pub struct Session {
    facts: Facts,
    cluster: ClusterName,
    number: u64,
}

/// How the facts of one cluster stand, for the console and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Whose.
    pub cluster: ClusterName,
    /// Pods in the list that decides.
    pub pods: usize,
    /// Nodes in it.
    pub nodes: usize,
    /// Namespaces in it.
    pub namespaces: usize,
    /// Workloads in it.
    pub workloads: usize,
    /// Since the source was last heard, ms; none = no complete list yet.
    pub age_ms: Option<u64>,
}

// === impl Facts ===

impl Facts {
    /// Empty; takes nothing in before [`Facts::lead`].
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let state = Mutex::default();
        Self {
            inner: Arc::new(Inner { clock, state }),
        }
    }

    /// Starts a stream. A newer epoch of the same cluster replaces an older one; an older one is refused,
    /// and so is everything on a replica that does not lead.
    pub fn begin(&self, begin: &v1::FactsBegin) -> Result<Session, Failure> {
        let cluster = ClusterName::new(&begin.cluster)
            .map_err(|error| invalid("begin.cluster", error.to_string()))?;
        let mut state = self.state();
        if !state.leading {
            return Err(Failure::NotLeader {
                leader_endpoint: None,
            });
        }
        if begin.epoch == 0 {
            return Err(invalid("begin.epoch", "is 0: it starts at 1".into()));
        }
        state.sessions += 1;
        let number = state.sessions;
        let known = state.clusters.entry(cluster.clone()).or_default();
        if begin.epoch < known.epoch {
            let reason = format!(
                "{} is older than {}: another source has begun",
                begin.epoch, known.epoch
            );
            return Err(invalid("begin.epoch", reason));
        }
        known.session = number;
        known.epoch = begin.epoch;
        known.ended = false;
        known.coming = Some(List {
            epoch: begin.epoch,
            ..List::default()
        });
        let facts = self.clone();
        Ok(Session {
            facts,
            cluster,
            number,
        })
    }

    /// What is known of a pod now.
    pub fn pod(&self, cluster: &ClusterName, namespace: &Namespace, name: &PodName) -> Lookup {
        let now_ms = self.inner.clock.now_ms();
        let state = self.state();
        let Some(known) = state.clusters.get(cluster) else {
            return Lookup::NoSource;
        };
        match known.usable(now_ms) {
            Ok(Some(list)) => list.pod(namespace, name),
            Ok(None) => Lookup::NoSource,
            Err(reason) => Lookup::Missing(reason),
        }
    }

    /// The pods that are scheduled to a node and need an address, of all clusters whose facts can be used now.
    pub fn scheduled(&self, node: &str) -> Vec<(ClusterName, Namespace, PodName)> {
        let now_ms = self.inner.clock.now_ms();
        let state = self.state();
        let mut found = Vec::new();
        for (cluster, known) in &state.clusters {
            let Ok(Some(list)) = known.usable(now_ms) else {
                continue;
            };
            let pods = list.scheduled.get(node).into_iter().flatten();
            found.extend(
                pods.map(|(namespace, name)| (cluster.clone(), namespace.clone(), name.clone())),
            );
        }
        found.sort();
        found
    }

    /// How each cluster's facts stand.
    pub fn observe(&self) -> Vec<Observation> {
        let now_ms = self.inner.clock.now_ms();
        let state = self.state();
        let mut seen: Vec<Observation> = state
            .clusters
            .iter()
            .map(|(name, known)| known.observe(name, now_ms))
            .collect();
        seen.sort_by(|one, other| one.cluster.cmp(&other.cluster));
        seen
    }

    /// A term of our own begins with an empty memory. The clusters named had a source under the former leader;
    /// what needs their facts waits for them, up to two minutes.
    pub fn lead(&self, expected: impl IntoIterator<Item = ClusterName>) {
        let until_ms = self.inner.clock.now_ms() + STALE_AFTER_MS;
        let mut state = self.state();
        state.leading = true;
        state.clusters.clear();
        for cluster in expected {
            state.clusters.entry(cluster).or_default().expected_until_ms = Some(until_ms);
        }
    }

    /// The leadership is lost: everything is forgotten and every stream is refused.
    pub fn resign(&self) {
        let mut state = self.state();
        state.leading = false;
        state.clusters.clear();
    }

    /// Who is told when facts become usable; a short call that takes no lock of ours.
    pub fn on_usable(&self, call: impl Fn(&ClusterName) + Send + 'static) {
        self.state().on_usable = Some(Box::new(call));
    }

    /// Who is told of the node when a pod is scheduled to it; a short call that takes no lock of ours.
    pub fn on_scheduled(&self, call: impl Fn(&str) + Send + 'static) {
        self.state().on_scheduled = Some(Box::new(call));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics between two writes, so a poisoned state is whole.
        self.inner
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Facts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.observe()).finish()
    }
}

// === impl Session ===

impl Session {
    /// Takes one report in; the version to acknowledge.
    pub fn report(&mut self, message: v1::FactsReport) -> Result<u64, Failure> {
        let now_ms = self.facts.inner.clock.now_ms();
        let mut state = self.facts.state();
        if !state.leading {
            return Err(Failure::NotLeader {
                leader_endpoint: None,
            });
        }
        let known = state
            .clusters
            .get_mut(&self.cluster)
            .filter(|known| known.session == self.number);
        let Some(known) = known else {
            return Err(invalid(
                "begin",
                "another source has begun for this cluster".into(),
            ));
        };
        let was_usable = matches!(known.usable(now_ms), Ok(Some(_)));
        let version = message.version;
        let node = match &message.report {
            Some(Report::Pod(pod)) if !pod.gone && !pod.no_address => pod.node.clone(),
            _ => String::new(),
        };
        known.take(message, now_ms)?;
        if !was_usable
            && matches!(known.usable(now_ms), Ok(Some(_)))
            && let Some(call) = &state.on_usable
        {
            call(&self.cluster);
        }
        if let Some(call) = &state.on_scheduled
            && !node.is_empty()
        {
            call(&node);
        }
        Ok(version)
    }

    /// The source ended its stream in good order: its facts hold until they are stale and are forgotten then.
    pub fn end(self) {
        let mut state = self.facts.state();
        if let Some(known) = state.clusters.get_mut(&self.cluster)
            && known.session == self.number
        {
            known.ended = true;
        }
    }
}

// === impl Cluster ===

impl Cluster {
    /// The list that decides; none if nobody speaks for the cluster; else why there is no list.
    fn usable(&self, now_ms: u64) -> Result<Option<&List>, String> {
        if let Some(list) = &self.current {
            let age_ms = now_ms.saturating_sub(list.heard_at_ms);
            return match age_ms <= STALE_AFTER_MS {
                true => Ok(Some(list)),
                false if self.ended => Ok(None),
                false => Err(format!("are {} s old", age_ms / 1_000)),
            };
        }
        match self.expected_until_ms {
            _ if self.coming.is_some() && !self.ended => Err("have not synced".into()),
            Some(until_ms) if now_ms < until_ms => {
                Err("have not come back after the leader change".into())
            }
            _ => Ok(None),
        }
    }

    fn take(&mut self, message: v1::FactsReport, now_ms: u64) -> Result<(), Failure> {
        let Some(report) = message.report else {
            return Err(invalid("report", "is empty".into()));
        };
        let list = match (&mut self.coming, &mut self.current) {
            (Some(list), _) | (None, Some(list)) => list,
            (None, None) => {
                return Err(invalid(
                    "begin",
                    "is missing: a stream starts with it".into(),
                ));
            }
        };
        if message.version <= list.version {
            let reason = format!("{} is not above {}", message.version, list.version);
            return Err(invalid("version", reason));
        }
        list.version = message.version;
        list.heard_at_ms = now_ms;
        if matches!(report, Report::Synced(_)) {
            if let Some(list) = self.coming.take() {
                self.current = Some(list);
            }
            return Ok(());
        }
        list.take(report)
    }

    fn observe(&self, name: &ClusterName, now_ms: u64) -> Observation {
        let list = self.current.as_ref();
        let count = |of: fn(&List) -> usize| list.map_or(0, of);
        Observation {
            cluster: name.clone(),
            pods: count(|list| list.pods.len()),
            nodes: count(|list| list.nodes.len()),
            namespaces: count(|list| list.namespaces.len()),
            workloads: count(|list| list.workloads.len()),
            age_ms: list.map(|list| now_ms.saturating_sub(list.heard_at_ms)),
        }
    }
}

pub(super) fn invalid(field: &'static str, reason: String) -> Failure {
    Failure::Refused(Refusal::Invalid { field, reason })
}
