//! The pods of a story, and what happens to each of them.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Mutex as SharedMutex, MutexGuard, PoisonError};
use std::time::Duration;

use berth_proto::v1::facts_report::Report;
use futures::future::join_all;
use prost::Message;
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep};

use super::Shown;
use super::pod::Pod;
use crate::book::Book;
use crate::recorder::Recorder;
use crate::scenario::Churn;
use crate::setup::Prepared;

/// What the runtime gives an ADD. Longer than an election and a static address' two seconds.
const DEADLINE: Duration = Duration::from_secs(20);
const JOB: &str = "Job/load";
const STATEFUL_SET: &str = "StatefulSet/static";
const DEPLOYMENT: &str = "Deployment/rolled";

pub(crate) struct World {
    prepared: Arc<Prepared>,
    book: Arc<SharedMutex<Book>>,
    churn: Churn,
    numbers: Cell<u64>,
    /// Each locked while it moves: a StatefulSet never has two pods of one name.
    statics: Vec<Mutex<Option<Pod>>>,
    deployment: Mutex<Vec<Pod>>,
    closing: watch::Sender<bool>,
    add: RefCell<Recorder>,
    add_static: RefCell<Recorder>,
    del: RefCell<Recorder>,
}

// === impl World ===

impl World {
    pub(crate) fn new(
        churn: &Churn,
        prepared: Arc<Prepared>,
        book: Arc<SharedMutex<Book>>,
    ) -> Self {
        let statics = (0..churn.statics).map(|_| Mutex::new(None)).collect();
        Self {
            prepared,
            book,
            churn: churn.clone(),
            numbers: Cell::new(0),
            statics,
            deployment: Mutex::new(Vec::new()),
            closing: watch::Sender::new(false),
            add: RefCell::new(Recorder::new()),
            add_static: RefCell::new(Recorder::new()),
            del: RefCell::new(Recorder::new()),
        }
    }

    /// The static pods' facts, which must be known before their first ADD.
    pub(crate) fn pods_known_before(churn: &Churn) -> Vec<Report> {
        let fact = |index| {
            let mut pod = Pod::new(0, index, static_name(index as usize), STATEFUL_SET, "");
            pod.is_static = true;
            pod.fact(false)
        };
        (0..u64::from(churn.statics)).map(fact).collect()
    }

    /// Bytes of an ADD, without HTTP/2's own.
    pub(crate) fn payload_bytes(prepared: &Prepared) -> usize {
        let node = &prepared.nodes[0].name;
        let pod = Pod::new(prepared.run, 1, "job-000001".to_owned(), JOB, node);
        pod.allocate(prepared.cluster).encoded_len()
    }

    /// The static pods and the Deployment come first.
    pub(crate) async fn deploy(&self) {
        join_all((0..self.statics.len()).map(|index| self.reschedule(index))).await;
        let pods = self
            .churn
            .rolling_update
            .as_ref()
            .map_or(0, |update| update.pods);
        let mut deployment = self.deployment.lock().await;
        let fresh = join_all((0..pods).map(|_| self.replica())).await;
        deployment.extend(fresh.into_iter().flatten());
    }

    /// One job's pod: comes, stays, goes.
    pub(crate) async fn job(&self, node: usize, stay: Duration, due: Instant) {
        let number = self.number();
        let node = &self.prepared.nodes[node].name;
        let pod = self.pod(number, format!("job-{number:06}"), JOB, node);
        if !self.added(&pod, due).await {
            return;
        }
        let mut closing = self.closing.subscribe();
        tokio::select! {
            () = sleep(stay) => self.deleted(&pod).await,
            // What is held at the end stays, and is compared with the server's list.
            _ = closing.wait_for(|closing| *closing) => {}
        }
    }

    /// A static pod is deleted, if it is there, and comes again on another node of its zone.
    pub(crate) async fn reschedule(&self, index: usize) {
        let mut place = self.statics[index].lock().await;
        if *self.closing.borrow() {
            return;
        }
        let before = place.take();
        if let Some(pod) = &before {
            self.deleted(pod).await;
        }
        let node = self.another_node(index, before.as_ref());
        let mut pod = self.pod(self.number(), static_name(index), STATEFUL_SET, &node);
        pod.is_static = true;
        if self.added(&pod, Instant::now()).await {
            *place = Some(pod);
        }
    }

    /// The Deployment is replaced: `surge` new pods, then as many old ones go, until all are new.
    pub(crate) async fn roll(&self) {
        let Some(update) = &self.churn.rolling_update else {
            return;
        };
        let mut pods = self.deployment.lock().await;
        let old = std::mem::take(&mut *pods);
        for batch in old.chunks(update.surge as usize) {
            if *self.closing.borrow() {
                return;
            }
            let fresh = join_all(batch.iter().map(|_| self.replica())).await;
            pods.extend(fresh.into_iter().flatten());
            join_all(batch.iter().map(|pod| self.deleted(pod))).await;
        }
    }

    /// From now on nothing new begins.
    pub(crate) fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Stories that did not come to their end.
    pub(crate) fn unfinished(&self, stories: usize) {
        for _ in 0..stories {
            self.add.borrow_mut().failed("no answer");
        }
    }

    pub(crate) fn shown(&self, lasted: Duration) -> Shown {
        Shown {
            add: self.add.borrow().clone(),
            add_static: self.add_static.borrow().clone(),
            del: self.del.borrow().clone(),
            lasted,
        }
    }

    async fn replica(&self) -> Option<Pod> {
        let number = self.number();
        let nodes = &self.prepared.nodes;
        let node = &nodes[number as usize % nodes.len()].name;
        let pod = self.pod(number, format!("rolled-{number:06}"), DEPLOYMENT, node);
        self.added(&pod, Instant::now()).await.then_some(pod)
    }

    /// ADD; and a DEL, as a runtime sends it, if that failed.
    async fn added(&self, pod: &Pod, due: Instant) -> bool {
        self.prepared.report(|| pod.fact(false));
        let client = self.prepared.client.within(DEADLINE);
        let answer = client.allocate(pod.allocate(self.prepared.cluster)).await;
        let recorder = if pod.is_static {
            &self.add_static
        } else {
            &self.add
        };
        match answer {
            Ok(answer) => {
                recorder.borrow_mut().succeeded(due.elapsed());
                let addresses = answer.addresses.into_iter();
                let addresses: Vec<_> = addresses.map(|given| given.address).collect();
                if pod.is_static {
                    self.book()
                        .acquired_static(&pod.name, &pod.container_id, &addresses);
                } else {
                    self.book().acquired(&pod.container_id, &addresses);
                }
                true
            }
            Err(error) => {
                recorder.borrow_mut().failed(&reason(&error));
                self.book().unknown(&pod.container_id);
                self.deleted(pod).await;
                false
            }
        }
    }

    async fn deleted(&self, pod: &Pod) {
        self.book().releasing(&pod.container_id);
        let begun = Instant::now();
        let client = self.prepared.client.within(DEADLINE);
        match client.release(pod.release(self.prepared.cluster)).await {
            Ok(_) => {
                self.del.borrow_mut().succeeded(begun.elapsed());
                self.book().released(&pod.container_id);
            }
            Err(error) => self.del.borrow_mut().failed(&reason(&error)),
        }
        self.prepared.report(|| pod.fact(true));
    }

    fn another_node(&self, index: usize, before: Option<&Pod>) -> String {
        let zones = self.churn.cidrs.len();
        let of_zone = self.prepared.nodes.iter();
        let of_zone: Vec<_> = of_zone
            .filter(|node| node.vswitch == index % zones)
            .collect();
        let at = of_zone
            .iter()
            .position(|node| before.is_some_and(|pod| pod.node == node.name))
            .map_or(index / zones, |at| at + 1);
        of_zone[at % of_zone.len()].name.clone()
    }

    fn pod(&self, number: u64, name: String, owner: &'static str, node: &str) -> Pod {
        Pod::new(self.prepared.run, number, name, owner, node)
    }

    fn number(&self) -> u64 {
        self.numbers.replace(self.numbers.get() + 1)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn static_name(index: usize) -> String {
    format!("static-{index}")
}

fn reason(error: &berth_client::Error) -> String {
    use berth_client::Error;
    match error.refusal() {
        Some(refusal) => refusal.code().as_str_name().to_owned(),
        None => match error {
            Error::DeadlineExceeded { .. } => "deadline exceeded".to_owned(),
            Error::Unreachable { .. } => "unreachable".to_owned(),
            Error::Protocol { code, .. } => format!("{code:?}"),
            _ => "other".to_owned(),
        },
    }
}
