//! A replica that runs: its parts, how a fault in one of them ends it, and how it is taken down.

use super::begin::{Advertised, Begun};
use super::doors::Door;
use super::signals::Signals;
use super::{Bound, Error, health};
use crate::cloud::Provision;
use crate::config::{Certificates, CloudName, Config};
use crate::engine::{Engine, EngineOptions, Registered};
use crate::metrics::{self, Calls, Gauges};
use crate::peer::{
    Announcement, Book, Links, Membership, Myself, PeerDoor, PeerHistories, PeerSnapshots,
    Registry, Replica, slow_disk,
};
use crate::versions::Raiser;
use berth_cloud::alibaba::client::{Client, Settings};
use berth_cloud::budget::Limits;
use berth_cloud::{Cloud, Routed};
use berth_domain::id::{ClusterId, MemberId};
use berth_raft::status::Role;
use berth_store::directory::Note;
use berth_telemetry::Registry as MetricRegistry;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::{debug, info, warn};

/// A leader that cannot hand over in this time stops without it: the others elect one in a second.
const HAND_OVER: Duration = Duration::from_secs(4);
/// What is under way at the doors is answered in this time, or cut off.
const DRAIN: Duration = Duration::from_secs(5);

/// See the module.
pub(super) struct Running {
    engine: Engine,
    myself: Myself,
    replica: Arc<dyn Replica>,
    membership: Arc<Membership>,
    registry: Arc<Registry>,
    note: Note,
    links: Links,
    book: Book,
    disagreed: Arc<Notify>,
    peer_certificates: Option<Certificates>,
    faults: (mpsc::UnboundedSender<Error>, mpsc::UnboundedReceiver<Error>),
    closing: watch::Sender<bool>,
    /// What is asked there is answered before the end.
    doors: Vec<JoinHandle<()>>,
    /// Of the other replicas. Their streams last as long as they do: nobody waits for the end of one.
    peers: Option<JoinHandle<()>>,
    helpers: Vec<JoinHandle<()>>,
}

// === impl Running ===

impl Running {
    /// The replica starts; nobody is served yet.
    pub fn start(
        config: &Config,
        begun: Begun,
        advertised: Advertised,
        peer_certificates: Option<Certificates>,
    ) -> Result<Self, Error> {
        let Begun {
            directory,
            start,
            members,
            told,
            client_endpoints,
            myself,
        } = begun;
        let registry = Arc::new(Registry::new(&members));
        let note = directory.note();
        if told.members.is_empty() {
            remember(&note, registry.noted(&myself.cluster_id));
        }
        registry.tell(told);
        let links = Links::default();
        let (id, certificates) = (|| myself.clone(), || peer_certificates.clone());
        let engine = Engine::start(EngineOptions {
            directory,
            start,
            transport: Box::new(links.transport()),
            snapshots: Box::new(PeerSnapshots::new(id(), certificates(), links.clone())),
            histories: Box::new(PeerHistories::new(id(), certificates(), links.clone())),
            tick: Duration::from_millis(config.tick_ms),
            snapshot_every_entries: config.snapshot_every_entries,
            snapshot_keep_entries: config.snapshot_keep_entries,
            client_endpoints,
            first_version: config.hold.first(),
            cloud: Some(provision(config)?),
        })?;
        let book = Book::default();
        let disagreed = Arc::new(Notify::new());
        let (membership, replica) = doors_of(&engine, &registry, &myself, &book, &disagreed);
        let mut running = Self {
            engine,
            myself,
            replica,
            membership,
            registry,
            note,
            links,
            book,
            disagreed,
            peer_certificates,
            faults: mpsc::unbounded_channel(),
            closing: watch::Sender::new(false),
            doors: Vec::new(),
            peers: None,
            helpers: Vec::new(),
        };
        running.help(config, advertised);
        Ok(running)
    }

    /// What goes on beside the doors: links follow the membership, learners get votes, the leader is told of us.
    fn help(&mut self, config: &Config, advertised: Advertised) {
        let follow = self.follow_members();
        self.helpers.push(tokio::spawn(follow));
        let membership = Arc::clone(&self.membership);
        self.helpers
            .push(tokio::spawn(async move { membership.supervise().await }));
        let (book, gate) = (self.book.clone(), self.engine.gate());
        self.helpers
            .push(tokio::spawn(async move { book.keep(&gate).await }));
        let watch = slow_disk::watch(self.engine.gate(), self.book.clone());
        self.helpers.push(tokio::spawn(watch));
        let raiser = Raiser::new(self.engine.gate(), config.hold);
        self.helpers
            .push(tokio::spawn(async move { raiser.supervise().await }));
        self.announce(config, advertised);
    }

    /// Tells the leader of us, now and whenever we and another disagree on the members; a cluster that will not have us ends the process.
    fn announce(&mut self, config: &Config, advertised: Advertised) {
        let announcement = Announcement {
            myself: self.myself.clone(),
            name: config.name.to_string(),
            client: advertised.client,
            peer: advertised.peer,
        };
        let (membership, registry) = (Arc::clone(&self.membership), Arc::clone(&self.registry));
        let (certificates, disagreed) =
            (self.peer_certificates.clone(), Arc::clone(&self.disagreed));
        let faults = self.faults.0.clone();
        self.helpers.push(tokio::spawn(async move {
            let (membership, certificates) = (&*membership, certificates.as_ref());
            let made = announcement.make(membership, &registry, certificates).await;
            let refused = match made {
                Ok(()) => {
                    let repeated =
                        announcement.repeat(&disagreed, membership, &registry, certificates);
                    repeated.await
                }
                Err(refused) => refused,
            };
            if faults.send(refused.into()).is_err() {
                debug!("the cluster's refusal came after the end");
            }
        }));
    }

    /// Registry, links and raft's known stores follow what the ledger says of the members.
    fn follow_members(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut members = self.engine.members();
        let (registry, links) = (Arc::clone(&self.registry), self.links.clone());
        let (myself, replica) = (self.myself.clone(), Arc::clone(&self.replica));
        let (certificates, handle) = (self.peer_certificates.clone(), self.engine.handle());
        let note = self.note.clone();
        async move {
            loop {
                let registered = members.borrow_and_update().clone();
                // Before the first registration there is nothing to know, and the list holds.
                if !registered.rows.is_empty() {
                    registry.update(&registered);
                    handle.set_known_stores(registry.stores());
                }
                let addresses = registry.addresses();
                links.update(&myself, certificates.as_ref(), &replica, &addresses);
                if !registered.rows.is_empty() {
                    let (note, text) = (note.clone(), registry.noted(&myself.cluster_id));
                    let noted = tokio::task::spawn_blocking(move || remember(&note, text));
                    noted.await.unwrap_or_default(); // it says itself what went wrong
                }
                tokio::select! {
                    changed = members.changed() => if changed.is_err() {
                        return;
                    },
                    () = registry.is_told() => {}
                }
            }
        }
    }

    /// Opens all three doors.
    pub fn open(&mut self, bound: Bound, client_certificates: Option<Certificates>) {
        let metrics = MetricRegistry::new();
        let calls = Calls::register(&metrics);
        let gauges = Gauges::register(&metrics, self.links.clone());
        let peers = Door {
            listener: bound.peer,
            certificates: self.peer_certificates.clone(),
            calls: calls.clone(),
        };
        let peers = peers.peers(
            self.myself.clone(),
            Arc::clone(&self.replica),
            self.closed(),
        );
        self.peers = Some(self.serve(peers));
        let (reporter, health) = tonic_health::server::health_reporter();
        let clients = Door {
            listener: bound.client,
            certificates: client_certificates,
            calls,
        };
        let clients = self.serve(clients.clients(
            self.engine.gate(),
            Arc::clone(&self.membership),
            health,
            self.closed(),
        ));
        let follow = health::follow(reporter, self.engine.role(), self.closed());
        self.helpers.push(tokio::spawn(follow));
        let scrapes = metrics::serve(
            bound.metrics.into_inner(),
            metrics,
            gauges,
            self.engine.gate(),
            self.closed(),
        );
        let scrapes = self.serve(scrapes);
        self.doors = vec![clients, scrapes];
    }

    /// A door whose fall ends the process.
    fn serve<E: Into<Error>>(
        &self,
        door: impl Future<Output = Result<(), E>> + Send + 'static,
    ) -> JoinHandle<()> {
        let faults = self.faults.0.clone();
        tokio::spawn(async move {
            if let Err(error) = door.await
                && faults.send(error.into()).is_err()
            {
                debug!("a door fell after the end");
            }
        })
    }

    fn closed(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut closing = self.closing.subscribe();
        async move {
            // A sender that is gone closes as well.
            drop(closing.wait_for(|closing| *closing).await);
        }
    }

    /// Until a leader serves, here or elsewhere, and this replica knows where it is and is known to it;
    /// false if we are told to stop before.
    pub async fn until_known(&mut self, signals: &mut Signals) -> Result<bool, Error> {
        let known = known(
            self.engine.role(),
            self.engine.members(),
            self.myself.member,
        );
        tokio::select! {
            () = known => Ok(true),
            () = signals.first() => Ok(false),
            error = fault(&mut self.engine, &mut self.faults.1) => Err(error),
        }
    }

    /// Until something breaks that cannot be mended.
    pub async fn broken(&mut self) -> Error {
        fault(&mut self.engine, &mut self.faults.1).await
    }

    /// Hands the leadership over, answers what is under way, stops the replica's threads.
    pub async fn down(self) {
        let leads = self.engine.role().borrow().leads();
        if leads {
            self.hand_over().await;
        }
        self.closing.send_replace(true);
        let drained = timeout(DRAIN, futures::future::join_all(self.doors)).await;
        if drained.is_err() {
            warn!("calls were still under way and are cut off");
        }
        for task in self.helpers.iter().chain(&self.peers) {
            task.abort();
        }
        self.engine.shutdown().await;
        info!("stopped");
    }

    async fn hand_over(&self) {
        let gate = self.engine.gate();
        match timeout(HAND_OVER, gate.transfer_leadership(None)).await {
            Ok(Ok(to)) => info!(%to, "leadership handed over"),
            Ok(Err(reason)) => info!(%reason, "leadership could not be handed over"),
            Err(_) => warn!("leadership was not handed over in time"),
        }
    }
}

/// For the next start. Nothing depends on it, so a disk that has no room for it is said and not feared.
fn remember(note: &Note, text: String) {
    if note.read().as_ref() == Some(&text) {
        return;
    }
    if let Err(error) = note.write(&text) {
        warn!(%error, "the members could not be noted for the next start");
    }
}

/// What other replicas meet: who becomes a member, and the replica itself.
fn doors_of(
    engine: &Engine,
    registry: &Arc<Registry>,
    myself: &Myself,
    book: &Book,
    disagreed: &Arc<Notify>,
) -> (Arc<Membership>, Arc<dyn Replica>) {
    let cluster = ClusterId::new(&myself.cluster_id).expect("checked"); // the engine has started with it
    let (gate, handle) = (engine.gate(), engine.handle());
    let membership = Membership::new(
        gate.clone(),
        handle.clone(),
        Arc::clone(registry),
        cluster,
        book.clone(),
    );
    let membership = Arc::new(membership);
    let replica = PeerDoor {
        handle,
        registry: Arc::clone(registry),
        membership: Arc::clone(&membership),
        gate,
        book: book.clone(),
        disagreed: Arc::clone(disagreed),
    };
    (membership, Arc::new(replica))
}

/// Pending for ever if the replica ends before: then a fault says so.
async fn known(
    mut role: watch::Receiver<Role>,
    mut members: watch::Receiver<Registered>,
    me: MemberId,
) {
    loop {
        let now = *role.borrow_and_update();
        let rows = members.borrow_and_update().rows.clone();
        let is_known = |id: u64| rows.iter().any(|row| row.id.0 == id);
        let leader = if now.leads() { Some(me.0) } else { now.leader };
        if health::reaches_a_leader(&now) && is_known(me.0) && leader.is_some_and(is_known) {
            return;
        }
        let changed = tokio::select! {
            changed = role.changed() => changed,
            changed = members.changed() => changed,
        };
        if changed.is_err() {
            return std::future::pending().await;
        }
    }
}

/// The first of what the replica and the doors say.
async fn fault(engine: &mut Engine, faults: &mut mpsc::UnboundedReceiver<Error>) -> Error {
    tokio::select! {
        stopped = engine.stopped() => Error::Stopped(stopped.to_string()),
        Some(error) = faults.recv() => error,
    }
}

/// The client of the cloud that was named, with what the environment says of keys and endpoints.
fn provision(config: &Config) -> Result<Provision, Error> {
    let cloud: Arc<dyn Cloud> = match &config.cloud {
        Some((CloudName::Alibaba, region)) => {
            Arc::new(Client::new(Settings::from_environment(region.clone())?)?)
        }
        None => Arc::new(Routed),
    };
    Ok(Provision::of(cloud, Limits::default()))
}
