//! What of one member stands above raft, as the shipped engine assembles it, on a `LocalSet` that dies with the process.

use crate::answer::Answer;
use crate::call::{Body, CallId, Delivery};
use crate::history::{History, Shelf};
use crate::plan::Plan;
use crate::wire::Place;
use berth_actors::{Clock, MonotonicClock, Spawner};
use berth_domain::id::{ClusterId, Endpoint, MemberId};
use berth_domain::version::APPLIES;
use berth_raft::simulation::served::{Life, Served};
use berth_raft::simulation::workload::Begin;
use berthd::cloud::Provision;
use berthd::engine::above::{Above, Ground, Raft};
use berthd::history;
use berthd::leader::{Disk, Gate};
use berthd::replica::{Handle, LedgerMachine};
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, LocalSet};

/// Work that takes long, waiting for its time.
type Aside = Arc<Mutex<VecDeque<Box<dyn FnOnce() + Send>>>>;

/// One process, above raft.
pub struct Server {
    // Dropped first: what its tasks hold goes with them, before anything that they reach.
    local: LocalSet,
    gate: Gate,
    handle: Handle,
    /// Keeps the actors alive.
    _above: Above,
    outbox: Rc<RefCell<Vec<(Delivery, Answer)>>>,
    under_way: BTreeMap<Delivery, (JoinHandle<()>, Visit)>,
    /// The history's thread.
    pub history: History,
    aside: Aside,
    /// Work aside with the moment at which it is done.
    working: VecDeque<(u64, Box<dyn FnOnce() + Send>)>,
    faults: mpsc::UnboundedReceiver<berthd::engine::Stopped>,
    /// Of its life, in the cloud.
    pub life: u64,
}

/// Who came, with what.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Whose.
    pub call: CallId,
    /// From where.
    pub place: Place,
    /// What.
    pub body: Body,
}

/// What every process of a run shares.
pub struct Site<'a> {
    /// The one runtime, with paused time.
    pub runtime: &'a Runtime,
    /// How large everything is.
    pub plan: &'a Plan,
    /// An empty store: histories are not read from it in this world.
    pub store: &'a berth_store::history::HistoryReader,
    /// The member's wall clock, ms.
    pub wall: Arc<AtomicU64>,
    /// Which cluster it is of.
    pub cluster: &'a ClusterId,
}

/// The cluster that every run begins with.
pub fn cluster() -> ClusterId {
    ClusterId::new("simulated").expect("plain") // fixed text within the limit
}

/// Where a member would listen for clients.
pub fn endpoint(member: u64) -> Endpoint {
    Endpoint::new(&format!("http://member-{member}:7400")).expect("graphic") // a word and a number
}

/// Whom a hint names.
pub fn member_at(endpoint: &str) -> Option<u64> {
    let rest = endpoint.strip_prefix("http://member-")?;
    rest.strip_suffix(":7400")?.parse().ok()
}

// === impl Server ===

impl Server {
    /// A process starts.
    pub fn start(
        site: &Site<'_>,
        begin: &Begin,
        shelf: &Shelf,
        cloud: Option<(Provision, u64)>,
    ) -> (Self, Life<LedgerMachine>) {
        let (cloud, life) = cloud.map_or((None, 0), |(provision, life)| (Some(provision), life));
        let local = LocalSet::new();
        let (handle, served) = Served::new(site.plan.inbox);
        let raft = Raft::default();
        raft.get_or_init(|| handle.clone());
        let (history, feeder, progress) = History::new(shelf);
        let aside = Aside::default();
        let later = Arc::clone(&aside);
        let wall = Arc::clone(&site.wall);
        let (told, faults) = mpsc::unbounded_channel();
        let (above, machine, sink) = {
            let _runtime = site.runtime.enter();
            let _local = local.enter();
            let clock: Arc<dyn Clock> = Arc::new(MonotonicClock::start());
            Above::new(Ground {
                cluster: site.cluster.clone(),
                boot: begin.boot,
                spawner: match site.plan.plain_actors {
                    true => Spawner::plain(clock),
                    false => Spawner::new(clock),
                },
                wall: Arc::new(move || wall.load(Ordering::Relaxed)),
                aside: Arc::new(move |work| {
                    later
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push_back(work);
                }),
                raft,
                feeder,
                progress: Arc::clone(&progress),
                client_endpoints: (1..=64)
                    .map(|member| (MemberId(member), endpoint(member)))
                    .collect(),
                faults: told,
                limits: site.plan.limits,
                first_version: APPLIES.highest,
                cloud,
            })
        };
        let served = served.with_sink(sink);
        let reader = history::Reader::new(site.store.clone(), progress);
        let gate = above.gate(handle.clone(), reader, Disk::default());
        handle.set_durable_elsewhere(shelf.index);
        let server = Self {
            local,
            gate,
            handle,
            _above: above,
            outbox: Rc::default(),
            under_way: BTreeMap::new(),
            history,
            aside,
            working: VecDeque::new(),
            faults,
            life,
        };
        let served = Some(served);
        (server, Life { machine, served })
    }

    /// Where its tasks run.
    pub fn local(&mut self) -> &mut LocalSet {
        &mut self.local
    }

    /// The way in.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Why it stopped by itself, if it did.
    pub fn fault(&mut self) -> Option<String> {
        self.faults.try_recv().ok().map(|stopped| stopped.0)
    }

    /// Says how far the history is durable.
    pub fn tell_durable(&self, index: u64) {
        self.handle.set_durable_elsewhere(index);
    }

    /// A request has arrived.
    pub fn serve(&mut self, delivery: Delivery, visit: Visit) {
        let (gate, outbox) = (self.gate.clone(), Rc::clone(&self.outbox));
        let body = visit.body.clone();
        let task = self.local.spawn_local(async move {
            let answer = Answer::of(&gate, body).await;
            outbox.borrow_mut().push((delivery, answer));
        });
        self.under_way.insert(delivery, (task, visit));
    }

    /// Its caller has gone away: the door drops the handler.
    pub fn cancel(&mut self, delivery: Delivery) {
        if let Some((task, _)) = self.under_way.remove(&delivery) {
            task.abort();
        }
    }

    /// What was answered since the last look.
    pub fn answers(&mut self) -> Vec<(Delivery, Visit, Answer)> {
        let answers = self.outbox.take().into_iter();
        answers
            .filter_map(|(delivery, answer)| {
                let (_, visit) = self.under_way.remove(&delivery)?;
                Some((delivery, visit, answer))
            })
            .collect()
    }

    /// Work aside that is done by now; the frozen copies that it reads grow old meanwhile.
    pub fn work_aside(&mut self, now: u64, mut moments: impl FnMut() -> u64) {
        let new = std::mem::take(&mut *self.aside.lock().unwrap_or_else(PoisonError::into_inner));
        for work in new {
            self.working.push_back((now + moments(), work));
        }
        let (done, rest): (VecDeque<_>, VecDeque<_>) = std::mem::take(&mut self.working)
            .into_iter()
            .partition(|(due, _)| *due <= now);
        self.working = rest;
        for (_, work) in done {
            work();
        }
    }
}
