//! One replica, put together: directory, log, history, raft, actors, gate. Knows nothing of gRPC or listeners.
//!
//! Threads: the caller's (door, router, actors and journal share it), the raft thread, the log thread, the history thread.

pub mod above;
mod ears;
mod space;

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;

use crate::cloud::Provision;
use crate::history;
use crate::leader::{Disk, Gate};
use crate::replica::Handle;
use crate::router::Aside;
use above::{Above, Ground, Limits, Raft};
use berth_actors::{Clock, MonotonicClock, Spawner};
use berth_domain::id::{self, ClusterId, Endpoint, MemberId, Revision};
use berth_domain::row::Member;
use berth_domain::version::ClusterVersion;
use berth_raft::driver::source::SnapshotSource;
use berth_raft::driver::{self, Running};
use berth_raft::options::Options;
use berth_raft::start::Start;
use berth_raft::status::Role;
use berth_raft::transport::Transport;
use berth_store::Directory;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

/// A member that reads no chunk for so long has lost its transfer, which is then offered again: 5 s as shipped, as long as
/// its connection is given to come back.
const SNAPSHOT_PATIENCE_TICKS: u64 = 100;

/// Who is registered in the ledger, as far as a replica has applied it.
#[derive(Clone, Debug, Default)]
pub struct Registered {
    /// When that changed last.
    pub revision: Revision,
    /// Everybody; none before the first registration.
    pub rows: Vec<Arc<Member>>,
}

/// What a replica is started with.
pub struct EngineOptions {
    /// Locked, and ours.
    pub directory: Directory,
    /// Bootstrap, join or recover.
    pub start: Start,
    /// One raft tick.
    pub tick: Duration,
    /// A snapshot is taken after so many log entries.
    pub snapshot_every_entries: u64,
    /// So many entries stay in the log behind a snapshot.
    pub snapshot_keep_entries: u64,
    /// How messages leave.
    pub transport: Box<dyn Transport>,
    /// Where other replicas' snapshots come from.
    pub snapshots: Box<dyn SnapshotSource>,
    /// Where event groups come from that this replica has never applied.
    pub histories: Box<dyn history::Source>,
    /// Where members listen for clients, as far as is known before the ledger says it: a follower names its leader
    /// from the first moment.
    pub client_endpoints: BTreeMap<MemberId, Endpoint>,
    /// What a new cluster begins at, if this replica is its first leader.
    pub first_version: ClusterVersion,
    /// Where ENIs are made; none = nowhere.
    pub cloud: Option<Provision>,
}

/// Why a replica stopped by itself: one line with all causes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Stopped(pub String);

/// Why a replica did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory's stores.
    #[error("the store cannot be opened")]
    Store(#[from] berth_store::Error),
    /// The directory's identity is not one of a cluster.
    #[error("the data directory names an impossible cluster")]
    Cluster(#[from] id::Error),
    /// Raft refused.
    #[error("the replica cannot run")]
    Raft(#[from] driver::Error),
    /// The system refused a thread.
    #[error("a thread could not be started")]
    Thread(#[from] io::Error),
}

/// A running replica.
pub struct Engine {
    gate: Gate,
    handle: Handle,
    above: Above,
    stopped: mpsc::UnboundedReceiver<Stopped>,
    running: Running,
    history: history::Writer,
    space: tokio::task::JoinHandle<()>,
}

// === impl Engine ===

impl Engine {
    /// Opens and starts everything. Call it on a `LocalSet`: the actors stay on its thread.
    /// Restoring and replaying happen before it returns.
    pub fn start(options: EngineOptions) -> Result<Self, Error> {
        let identity = options.directory.identity().clone();
        let cluster = ClusterId::new(&identity.cluster_id)?;
        let log = options.directory.log()?;
        let (store, reader) = options.directory.history()?;
        let raft = Raft::default();
        let (faults, stopped) = mpsc::unbounded_channel();
        let reports = reports(&raft, faults.clone());
        let (history, feeder, progress) =
            history::Writer::start(store, reader.clone(), Some(options.histories), reports)?;

        let clock: Arc<dyn Clock> = Arc::new(MonotonicClock::start());
        let boot = Uuid::new_v4();
        let (above, machine, sink) = Above::new(Ground {
            cluster,
            boot: boot.into_bytes(),
            spawner: Spawner::new(clock),
            wall: wall_clock(),
            aside: aside(),
            raft: Arc::clone(&raft),
            feeder,
            progress: Arc::clone(&progress),
            client_endpoints: options.client_endpoints,
            faults,
            limits: Limits::default(),
            first_version: options.first_version,
            cloud: options.cloud,
        });
        let (handle, running) = driver::run(driver::Parts {
            options: Options {
                #[cfg(feature = "planted")]
                mutant: crate::planted::mutant(),
                tick: options.tick,
                snapshot_every_entries: options.snapshot_every_entries,
                keep_entries: options.snapshot_keep_entries,
                snapshot_patience_ticks: SNAPSHOT_PATIENCE_TICKS,
                ..Options::new(identity.member_id, boot.into_bytes(), boot.as_u64_pair().0)
            },
            start: options.start,
            store: log,
            machine,
            transport: options.transport,
            source: options.snapshots,
            sink,
        })?;
        // What the history said before this is said again.
        handle.set_durable_elsewhere(reader.through().index);
        raft.get_or_init(|| handle.clone());

        let disk = Disk::default();
        let history_reader = history::Reader::new(reader, progress);
        let gate = above.gate(handle.clone(), history_reader, disk.clone());
        let space = tokio::task::spawn_local(space::watch(options.directory, disk, gate.clone()));
        Ok(Self {
            gate,
            handle,
            above,
            stopped,
            running,
            history,
            space,
        })
    }

    /// The way in.
    pub fn gate(&self) -> Gate {
        self.gate.clone()
    }

    /// The raft driver: for messages of other replicas and changes of who takes part.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Who leads; `ready` once the leader's actors are there.
    pub fn role(&self) -> watch::Receiver<Role> {
        self.above.role.clone()
    }

    /// Who is registered in the ledger, as far as this replica has applied it.
    pub fn members(&self) -> watch::Receiver<Registered> {
        self.above.members.clone()
    }

    /// Waits until the replica stops by itself, which it does for a reason only: the process should say it and end.
    pub async fn stopped(&mut self) -> Stopped {
        match self.stopped.recv().await {
            Some(stopped) => stopped,
            // Everybody who could say why is gone.
            None => Stopped("its threads have ended".into()),
        }
    }

    /// Ends everything, with all that was applied durable in the history. Hand the leadership over first
    /// ([`Gate::transfer_leadership`]): the others then need no election.
    pub async fn shutdown(self) {
        self.space.abort();
        // It holds the directory's lock; that it was cancelled is what was asked for.
        drop(self.space.await);
        self.handle.shutdown();
        let (running, history) = (self.running, self.history);
        let ended = tokio::task::spawn_blocking(move || {
            if running.join().is_err() {
                tracing::error!("the raft thread panicked");
            }
            history.finish();
        });
        if let Err(error) = ended.await {
            tracing::error!(%error, "the replica's threads did not end in order");
        }
        self.above.router.stop();
        self.above.journal.stop();
    }
}

/// The history tells raft how far it is durable: the log is compacted no further.
fn reports(raft: &Raft, faults: mpsc::UnboundedSender<Stopped>) -> history::Reports {
    let raft = Arc::clone(raft);
    history::Reports {
        durable: Box::new(move |index| {
            if let Some(handle) = raft.get() {
                handle.set_durable_elsewhere(index);
            }
        }),
        failed: Box::new(move |error| ears::tell(&faults, &error)),
    }
}

/// The runtime's threads for work that takes long.
fn aside() -> Aside {
    let runtime = tokio::runtime::Handle::current();
    // Whoever waits for the work is told by the work.
    Arc::new(move |work| drop(runtime.spawn_blocking(work)))
}

fn wall_clock() -> crate::journal::WallClock {
    Arc::new(|| {
        let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        // A clock before 1970 shows 0; the ledger never goes back.
        since_1970.map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
    })
}
