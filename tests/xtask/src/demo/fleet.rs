//! The pods: started, stopped and moved as kubelet and the controllers would.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::PATIENCE;
use super::facts::Facts;
use super::kubelet::{Kubelet, NAMESPACE, Sandbox};
use super::ownership::Ownership;
use super::report::Sample;
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;

/// Kubelet waits some 15 s before it tries again; the demo is less patient.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// Whose pod it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Any address.
    Deployment,
    /// Static addresses, kept for ever.
    StatefulSet,
}

/// What a worker is to do.
#[derive(Debug, Clone)]
pub enum Task {
    /// A pod that was not there.
    Start {
        pod: String,
        node: String,
        owner: Owner,
    },
    /// A pod goes for good.
    Stop { pod: String },
    /// A static pod is deleted, and re-created on another node.
    Move { pod: String, to: String },
}

#[derive(Debug, Clone)]
struct Running {
    sandbox: Sandbox,
    owner: Owner,
    addresses: Vec<String>,
}

/// All pods, and everything that was observed of them.
#[derive(Debug)]
pub struct Fleet {
    kubelet: Kubelet,
    facts: Facts,
    interrupt: Interrupt,
    running: Mutex<BTreeMap<String, Running>>,
    ownership: Mutex<Ownership>,
    samples: Mutex<Vec<Sample>>,
    /// One entry per re-creation of a static pod: what went wrong with its address, if anything.
    moves: Mutex<Vec<Option<String>>>,
    sequence: AtomicU64,
}

// === impl Fleet ===

impl Fleet {
    /// No pods yet.
    pub fn new(kubelet: Kubelet, facts: Facts, interrupt: Interrupt) -> Self {
        Self {
            kubelet,
            facts,
            interrupt,
            running: Mutex::default(),
            ownership: Mutex::default(),
            samples: Mutex::default(),
            moves: Mutex::default(),
            sequence: AtomicU64::new(1),
        }
    }

    /// Does one task to its end, retries included.
    pub fn perform(&self, task: &Task) -> Result<()> {
        match task {
            Task::Start { pod, node, owner } => self.start(pod, node, *owner, false).map(|_| ()),
            Task::Stop { pod } => self.stop(pod).map(|_| ()),
            Task::Move { pod, to } => {
                let before = self.stop(pod)?;
                let after = self.start(pod, to, Owner::StatefulSet, true)?;
                let wrong = (before.addresses != after).then(|| {
                    format!(
                        "{pod} had {} and has {}",
                        before.addresses.join(","),
                        after.join(",")
                    )
                });
                lock(&self.moves).push(wrong);
                Ok(())
            }
        }
    }

    /// Ends every call under way, so that nobody waits for its deadline.
    pub fn abandon(&self) {
        self.kubelet.kill_running();
    }

    /// Where a pod is and what it has.
    pub fn whereabouts(&self, pod: &str) -> Result<(String, Vec<String>)> {
        let running = lock(&self.running);
        let found = running
            .get(pod)
            .ok_or(Error::new(format!("{pod} does not run")))?;
        Ok((found.sandbox.node.clone(), found.addresses.clone()))
    }

    /// Pods of this owner, by name.
    pub fn names(&self, owner: Owner) -> Vec<String> {
        lock(&self.running)
            .iter()
            .filter(|(_, pod)| pod.owner == owner)
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// Takes the measurements made since the last call.
    pub fn drain_samples(&self) -> Vec<Sample> {
        std::mem::take(&mut *lock(&self.samples))
    }

    /// Every time two pods held one address.
    pub fn duplicates(&self) -> Vec<String> {
        lock(&self.ownership).duplicates().to_vec()
    }

    /// How many addresses pods have now.
    pub fn held(&self) -> usize {
        lock(&self.ownership).held()
    }

    /// One entry per re-creation: what went wrong, if anything.
    pub fn moves(&self) -> Vec<Option<String>> {
        lock(&self.moves).clone()
    }

    /// The stream of facts.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    fn start(&self, pod: &str, node: &str, owner: Owner, hand_over: bool) -> Result<Vec<String>> {
        let uid = format!(
            "{:08x}-0000-4000-8000-{:012x}",
            std::process::id(),
            self.next()
        );
        let mut sandbox = Sandbox {
            container: self.container(),
            node: node.to_owned(),
            pod: pod.to_owned(),
            uid,
        };
        let line = self.facts.tell(&fact(&sandbox, owner, false))?;
        if owner == Owner::StatefulSet && !hand_over {
            // The annotation must be known before the first ADD; later ones find the claim.
            self.facts.wait_until_taken(line)?;
        }
        let begun = Instant::now();
        for retries in 0.. {
            let called = Instant::now();
            let answer = self.kubelet.add(&sandbox);
            self.interrupt.check()?;
            match answer? {
                Ok(addresses) => {
                    let sample = Sample {
                        took: called.elapsed(),
                        waited: begun.elapsed(),
                        retries,
                        hand_over,
                    };
                    lock(&self.samples).push(sample);
                    for address in &addresses {
                        lock(&self.ownership).take(address, &sandbox.container);
                    }
                    let running = Running {
                        sandbox,
                        owner,
                        addresses: addresses.clone(),
                    };
                    lock(&self.running).insert(pod.to_owned(), running);
                    return Ok(addresses);
                }
                Err(words) if begun.elapsed() > PATIENCE => {
                    return Err(Error::new(format!(
                        "{pod} got no address on {node}: {words}"
                    )));
                }
                Err(_) => {
                    // What the runtime does: DEL of the failed sandbox, then a new one.
                    self.delete(&sandbox)?;
                    sandbox.container = self.container();
                    thread::sleep(TRY_AGAIN_AFTER);
                }
            }
        }
        Err(Error::new(format!("{pod} was tried too often")))
    }

    fn stop(&self, pod: &str) -> Result<Running> {
        let removed = lock(&self.running).remove(pod);
        let running = removed.ok_or(Error::new(format!("{pod} does not run")))?;
        for address in &running.addresses {
            lock(&self.ownership).give_back(address, &running.sandbox.container);
        }
        self.delete(&running.sandbox)?;
        self.facts
            .tell(&fact(&running.sandbox, running.owner, true))?;
        Ok(running)
    }

    /// DEL until it succeeds, as a runtime does.
    fn delete(&self, sandbox: &Sandbox) -> Result<()> {
        let begun = Instant::now();
        loop {
            let answer = self.kubelet.del(sandbox);
            self.interrupt.check()?;
            match answer? {
                Ok(()) => return Ok(()),
                Err(words) if begun.elapsed() > PATIENCE => {
                    return Err(Error::new(format!(
                        "DEL of {} does not succeed: {words}",
                        sandbox.pod
                    )));
                }
                Err(_) => thread::sleep(TRY_AGAIN_AFTER),
            }
        }
    }

    fn container(&self) -> String {
        format!("{:032x}{:032x}", std::process::id(), self.next())
    }

    fn next(&self) -> u64 {
        self.sequence.fetch_add(1, Ordering::Relaxed)
    }
}

// === impl Owner ===

impl Owner {
    /// As Kubernetes names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment/web",
            Self::StatefulSet => "StatefulSet/db",
        }
    }
}

fn fact(sandbox: &Sandbox, owner: Owner, gone: bool) -> serde_json::Value {
    let annotations = match owner {
        Owner::Deployment => json!({}),
        Owner::StatefulSet => json!({"berth.io/static-address": "never"}),
    };
    json!({
        "kind": "pod", "namespace": NAMESPACE, "name": sandbox.pod, "uid": sandbox.uid, "node": sandbox.node,
        "annotations": annotations, "owner": owner.name(), "gone": gone,
    })
}

/// A worker that panicked is reported by its scope; the value is whole all the same.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
