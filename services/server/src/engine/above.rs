//! What of a replica stands above raft: actors, journal, ears, gate. The engine puts threads and disks under it; the
//! simulator puts its own under the same.

use super::ears::Ears;
use super::{Registered, Stopped};
use crate::cloud::Provision;
use crate::facts::Facts;
use crate::history::{self, Feeder, Progress};
use crate::journal::{self, Journal, WallClock};
use crate::leader::{Admission, ClientEndpoints, Disk, Gate, Parts, REQUESTS_MAX};
use crate::replica::{Handle, LedgerMachine};
use crate::router::{Aside, Draw, Mailboxes, Router, Scheduled, Wanted};
use crate::versions::Versions;
use berth_actors::{Address, Spawner};
use berth_domain::id::{ClusterId, Endpoint, MemberId, Revision};
use berth_domain::version::ClusterVersion;
use berth_raft::driver::event::Sink;
use berth_raft::status::Role;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use tokio::sync::{mpsc, watch};

/// The raft driver, once it runs. What is asked before that finds nobody.
pub type Raft = Arc<OnceLock<Handle>>;

/// What it stands on.
pub struct Ground {
    /// Whose ledger.
    pub cluster: ClusterId,
    /// This process start's uuid.
    pub boot: [u8; 16],
    /// Starts the actors; its clock is theirs.
    pub spawner: Spawner,
    /// The time of day.
    pub wall: WallClock,
    /// Does what takes long.
    pub aside: Aside,
    /// The raft driver, perhaps not yet.
    pub raft: Raft,
    /// Takes event groups.
    pub feeder: Feeder,
    /// How far they are durable.
    pub progress: Arc<Progress>,
    /// Where members listen for clients, as far as is known before the ledger says it.
    pub client_endpoints: BTreeMap<MemberId, Endpoint>,
    /// Told why the replica stopped by itself.
    pub faults: mpsc::UnboundedSender<Stopped>,
    /// How much may wait.
    pub limits: Limits,
    /// What a new cluster begins at, if this replica is its first leader.
    pub first_version: ClusterVersion,
    /// Where ENIs are made; none = nowhere.
    pub cloud: Option<Provision>,
}

/// How much may wait where.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// In the journal.
    pub journal: journal::Limits,
    /// In the actors of a term.
    pub mailboxes: Mailboxes,
    /// Requests on their way through the router: it passes each on within a microsecond.
    pub router: usize,
    /// Commands that no entry has yet; the journal itself refuses earlier.
    pub propositions: usize,
    /// ADDs under way at the gate.
    pub requests: usize,
}

/// See the module.
pub struct Above {
    /// Finds actors.
    pub router: Address<Router>,
    /// Makes entries.
    pub journal: Address<Journal>,
    /// Who leads; `ready` once the leader's actors are there.
    pub role: watch::Receiver<Role>,
    /// Who is registered in the ledger.
    pub members: watch::Receiver<Registered>,
    facts: Facts,
    endpoints: ClientEndpoints,
    progress: Arc<Progress>,
    versions: Versions,
    requests: usize,
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self {
            journal: journal::Limits::default(),
            mailboxes: Mailboxes::default(),
            router: 65_536,
            propositions: 65_536,
            requests: REQUESTS_MAX,
        }
    }
}

// === impl Above ===

impl Above {
    /// Starts the actors, on the `LocalSet` it is called on. With it come the machine for raft to drive, in its initial
    /// state, and the ears that must hear raft's events.
    pub fn new(ground: Ground) -> (Self, LedgerMachine, Sink<LedgerMachine>) {
        let Ground {
            spawner,
            raft,
            progress,
            limits,
            ..
        } = ground;
        let facts = Facts::new(Arc::clone(spawner.clock()));
        let journal = Journal::new(ground.boot, offer(&raft), ground.wall);
        let journal = spawner.spawn(journal.with_limits(limits.journal), limits.propositions);
        let (announce, role) = watch::channel(Role::default());
        let router = Router::new(
            spawner.clone(),
            journal.clone(),
            facts.clone(),
            draw(&raft, ground.aside),
            announce,
        )
        .with_first_version(ground.first_version)
        .with_cloud(ground.cloud);
        let router = spawner.spawn(router.with_mailboxes(limits.mailboxes), limits.router);
        let wanted = router.clone();
        facts.on_usable(move |_| wanted.deliver(Wanted));
        let told = router.clone();
        facts.on_scheduled(move |node| told.deliver(Scheduled(node.to_owned())));

        let machine = LedgerMachine::new(ground.cluster, Arc::clone(&progress));
        let versions = machine.versions();
        let endpoints = ClientEndpoints::new(ground.client_endpoints.into());
        let (registered, members) = watch::channel(Registered::default());
        let ears = Ears {
            feeder: ground.feeder,
            router: router.clone(),
            restored: machine.restored(),
            revision: Revision::default(),
            members: BTreeMap::new(),
            endpoints: Arc::clone(&endpoints),
            registered,
            faults: ground.faults,
            is_first: true,
        };
        let above = Self {
            router,
            journal,
            role,
            members,
            facts,
            endpoints,
            progress,
            versions,
            requests: limits.requests,
        };
        (above, machine, ears.sink())
    }

    /// The way in, once raft runs.
    pub fn gate(&self, handle: Handle, history: history::Reader, disk: Disk) -> Gate {
        Gate::new(Parts {
            router: self.router.clone(),
            handle,
            role: self.role.clone(),
            endpoints: Arc::clone(&self.endpoints),
            history,
            progress: Arc::clone(&self.progress),
            facts: self.facts.clone(),
            disk,
            versions: self.versions.clone(),
            admission: Admission::new(self.requests),
        })
    }
}

fn offer(raft: &Raft) -> journal::Offer {
    let raft = Arc::clone(raft);
    Box::new(move |data| {
        raft.get()
            .is_some_and(|handle| handle.propose(data).is_ok())
    })
}

fn draw(raft: &Raft, aside: Aside) -> Draw {
    let raft = Arc::clone(raft);
    Draw::new(aside, move |look| {
        // A look that finds no room is dropped, which whoever asked notices.
        let taken = raft
            .get()
            .map(|handle| handle.inspect(Box::new(move |machine, _| look(machine))));
        if !matches!(taken, Some(Ok(()))) {
            tracing::debug!("the raft thread has no time to look");
        }
    })
}
