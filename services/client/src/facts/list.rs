//! The facts as they stand, and what has changed since somebody last looked.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use berth_proto::v1::FactsBegin;
use berth_proto::v1::facts_report::Report;
use tokio::sync::Notify;

#[derive(Debug)]
pub(super) struct List {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    facts: BTreeMap<Key, Report>,
    /// Since the stream began or caught up; none are kept while there is no stream.
    fresh: Vec<Report>,
    streaming: bool,
    changes: u64,
    epoch: u64,
}

/// Which stream has been told how much.
#[derive(Debug)]
pub(super) struct Told {
    epoch: u64,
    /// All changes up to this one.
    pub(super) changes: u64,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Namespace(String),
    Node(String),
    Workload(String, String),
    /// With the uid: two pods of one name may overlap for a moment.
    Pod(String, String, String),
}

// === impl List ===

impl List {
    pub(super) fn new(facts: impl IntoIterator<Item = Report>) -> Self {
        let list = Self {
            state: Mutex::default(),
            changed: Notify::new(),
        };
        // So that even an empty list is something to be settled.
        list.state().changes = 1;
        for fact in facts {
            list.state().apply(fact);
        }
        list
    }

    pub(super) fn change(&self, fact: Report) {
        let mut state = self.state();
        state.apply(fact.clone());
        if state.streaming {
            state.fresh.push(fact);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// How many changes there have been.
    pub(super) fn changes(&self) -> u64 {
        self.state().changes
    }

    /// Ready when there is something to tell.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// The full list, for a stream of a newer epoch than all before.
    pub(super) fn begin(&self, cluster: &str, source: &str) -> (FactsBegin, Vec<Report>, Told) {
        let mut state = self.state();
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
        let now_ms = since_1970.map_or(0, |since| since.as_millis() as u64);
        state.epoch = now_ms.max(state.epoch + 1);
        state.fresh.clear();
        state.streaming = true;
        let begin = FactsBegin {
            cluster: cluster.to_owned(),
            source: source.to_owned(),
            epoch: state.epoch,
        };
        let told = Told {
            epoch: state.epoch,
            changes: state.changes,
        };
        (begin, state.facts.values().cloned().collect(), told)
    }

    /// What changed since, in order. Nothing for a stream that is not the newest.
    pub(super) fn since(&self, told: &mut Told) -> Vec<Report> {
        let mut state = self.state();
        if told.epoch != state.epoch {
            return Vec::new();
        }
        told.changes = state.changes;
        std::mem::take(&mut state.fresh)
    }

    /// The stream is no more; the next one begins with the full list.
    pub(super) fn ended(&self) {
        let mut state = self.state();
        state.streaming = false;
        state.fresh.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that runs under the lock can leave it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl State ===

impl State {
    fn apply(&mut self, fact: Report) {
        self.changes += 1;
        let Some((key, gone)) = key(&fact) else {
            return;
        };
        if gone {
            self.facts.remove(&key);
        } else {
            self.facts.insert(key, fact);
        }
    }
}

/// What a fact is about, and whether that is no more. None for what is not a fact.
fn key(fact: &Report) -> Option<(Key, bool)> {
    match fact {
        Report::Namespace(fact) => Some((Key::Namespace(fact.name.clone()), fact.gone)),
        Report::Node(fact) => Some((Key::Node(fact.name.clone()), fact.gone)),
        Report::Workload(fact) => {
            let key = Key::Workload(fact.namespace.clone(), fact.name.clone());
            Some((key, fact.gone))
        }
        Report::Pod(fact) => {
            let (namespace, name) = (fact.namespace.clone(), fact.name.clone());
            Some((Key::Pod(namespace, name, fact.uid.clone()), fact.gone))
        }
        Report::Begin(_) | Report::Synced(_) | Report::Heartbeat(_) => None,
    }
}
