//! Replicas in one process, and the wires between them, which can be cut.

use crate::engine::{Engine, EngineOptions};
use crate::history::{Fetched, Source};
use crate::leader::Gate;
use crate::replica::Handle;
use berth_domain::id::{Endpoint, MemberId};
use berth_domain::version::{BASE, ClusterVersion};
use berth_raft::driver::source::{FetchError, SnapshotSource};
use berth_raft::log_store::SnapshotMeta;
use berth_raft::start::Start;
use berth_raft::status::Sender;
use berth_raft::transport::Transport;
use berth_store::Directory;
use berth_store::directory::Options;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::LocalSet;

/// Everybody who can be reached.
#[derive(Clone, Default)]
pub struct Wires {
    ends: Arc<Mutex<BTreeMap<u64, End>>>,
    cut: Arc<Mutex<BTreeSet<u64>>>,
}

#[derive(Clone)]
struct End {
    handle: Handle,
    store: [u8; 16],
    gate: Gate,
}

/// One replica's way to the others.
#[derive(Clone)]
struct Wire {
    from: u64,
    wires: Wires,
}

/// Replicas with their directories.
pub struct Cluster {
    pub wires: Wires,
    pub engines: BTreeMap<u64, Engine>,
    directories: BTreeMap<u64, TempDir>,
    thresholds: (u64, u64),
    first_version: ClusterVersion,
    /// What each is told of where clients reach the others.
    client_endpoints: BTreeMap<MemberId, Endpoint>,
}

/// What the list says of where clients reach a member.
pub fn listed(id: u64) -> (MemberId, Endpoint) {
    let endpoint = format!("http://listed-{id}:7400");
    (MemberId(id), Endpoint::new(&endpoint).expect("short"))
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs a test on a runtime like the server's.
pub fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    LocalSet::new().block_on(&runtime, test);
}

// === impl Cluster ===

impl Cluster {
    /// Begun, and one leads.
    pub async fn begin(size: u64) -> Self {
        Self::begin_with(size, (20_000, 5_000)).await
    }

    /// As a program does that applies up to this version.
    pub async fn begin_at(size: u64, first_version: ClusterVersion) -> Self {
        let mut cluster = Self::new(size, (20_000, 5_000));
        cluster.first_version = first_version;
        cluster.bootstrap();
        cluster
    }

    /// With snapshots after so many entries, keeping so many.
    pub async fn begin_with(size: u64, thresholds: (u64, u64)) -> Self {
        let mut cluster = Self::new(size, thresholds);
        cluster.bootstrap();
        cluster
    }

    fn new(size: u64, thresholds: (u64, u64)) -> Self {
        Self {
            wires: Wires::default(),
            engines: BTreeMap::new(),
            directories: (1..=size)
                .map(|id| (id, TempDir::new().expect("a directory")))
                .collect(),
            thresholds,
            first_version: BASE,
            client_endpoints: (1..=size).map(listed).collect(),
        }
    }

    fn bootstrap(&mut self) {
        let members: Vec<u64> = self.directories.keys().copied().collect();
        for id in members.iter().copied() {
            let directory =
                Directory::create(&self.path(id), "test", id, options()).expect("created");
            let members = members.clone();
            self.start_on(id, directory, Start::Bootstrap { members });
        }
    }

    /// What programs that start from now on apply.
    pub fn upgrade(&mut self, first_version: ClusterVersion) {
        self.first_version = first_version;
    }

    fn start_on(&mut self, id: u64, directory: Directory, start: Start) {
        let store = directory.identity().store.into_bytes();
        let wire = Wire {
            from: id,
            wires: self.wires.clone(),
        };
        let engine = Engine::start(EngineOptions {
            directory,
            start,
            // Several replicas must not lose their leader to a busy test machine.
            tick: Duration::from_millis(if self.directories.len() > 1 { 50 } else { 20 }),
            snapshot_every_entries: self.thresholds.0,
            snapshot_keep_entries: self.thresholds.1,
            transport: Box::new(wire.clone()),
            snapshots: Box::new(wire.clone()),
            histories: Box::new(wire),
            client_endpoints: self.client_endpoints.clone(),
            first_version: self.first_version,
            cloud: None,
        })
        .expect("started");
        let end = End {
            handle: engine.handle(),
            store,
            gate: engine.gate(),
        };
        self.wires.ends.lock().expect("whole").insert(id, end);
        self.engines.insert(id, engine);
    }

    /// Goes on with what is in its directory. A snapshot that was being made when the replica ended holds it a little longer.
    pub async fn restart(&mut self, id: u64) {
        let path = self.path(id);
        let directory = tokio::time::timeout(Duration::from_secs(10), async {
            loop {
                match Directory::open(&path, options()) {
                    Ok(directory) => return directory,
                    Err(berth_store::Error::InUse { .. }) => {
                        tokio::time::sleep(Duration::from_millis(1)).await
                    }
                    Err(error) => panic!("{error}"),
                }
            }
        });
        let directory = directory.await.expect("the directory is let go");
        self.start_on(id, directory, Start::Recover);
    }

    pub fn path(&self, id: u64) -> std::path::PathBuf {
        let path: &Path = self.directories[&id].path();
        path.join("data")
    }

    /// Ends one in order, without a hand-over.
    pub async fn end(&mut self, id: u64) {
        self.wires.ends.lock().expect("whole").remove(&id);
        let engine = self.engines.remove(&id).expect("runs");
        engine.shutdown().await;
    }

    /// Waits until one of those that are not cut off leads and serves.
    pub async fn leader(&self) -> (u64, Gate) {
        let serving = self.engines.iter().map(|(id, engine)| {
            let (id, gate, mut role, wires) =
                (*id, engine.gate(), engine.role(), self.wires.clone());
            Box::pin(async move {
                loop {
                    role.wait_for(|role| role.leads() && role.ready)
                        .await
                        .expect("runs");
                    if !wires.is_cut(id) {
                        return (id, gate);
                    }
                    role.wait_for(|role| !role.leads()).await.expect("runs");
                }
            })
        });
        futures::future::select_all(serving).await.0
    }

    pub async fn shutdown(mut self) {
        for (_, engine) in std::mem::take(&mut self.engines) {
            engine.shutdown().await;
        }
    }
}

fn options() -> Options {
    Options {
        ballast_bytes: 0,
        watermark_bytes: 0,
        ..Options::default()
    }
}

// === impl Wires ===

impl Wires {
    pub fn cut(&self, id: u64) {
        self.cut.lock().expect("whole").insert(id);
    }

    pub fn mend(&self, id: u64) {
        self.cut.lock().expect("whole").remove(&id);
    }

    fn is_cut(&self, id: u64) -> bool {
        self.cut.lock().expect("whole").contains(&id)
    }

    fn end(&self, from: u64, to: u64) -> Option<End> {
        let reached = !self.is_cut(from) && !self.is_cut(to);
        self.ends
            .lock()
            .expect("whole")
            .get(&to)
            .filter(|_| reached)
            .cloned()
    }
}

// === impl Wire ===

impl Transport for Wire {
    fn send(&mut self, to: u64, messages: Vec<Bytes>) {
        let own = self
            .wires
            .ends
            .lock()
            .expect("whole")
            .get(&self.from)
            .map(|end| end.store);
        if let (Some(store), Some(end)) = (own, self.wires.end(self.from, to)) {
            let sender = Sender {
                member: self.from,
                store,
            };
            // A full inbox loses messages, as a network does.
            end.handle.receive(sender, messages).ok();
        }
    }
}

impl SnapshotSource for Wire {
    fn fetch(
        &mut self,
        from: u64,
        meta: &SnapshotMeta,
        first: u32,
        chunk: &mut dyn FnMut(Bytes) -> Result<(), FetchError>,
    ) -> Result<(), FetchError> {
        for number in first..meta.chunks {
            let end = self
                .wires
                .end(self.from, from)
                .ok_or_else(|| FetchError("unreachable".into()))?;
            let (done, answer) = mpsc::channel();
            let told = Box::new(move |chunk| drop(done.send(chunk)));
            let asked = end.handle.read_chunk(self.from, meta.index, number, told);
            asked.map_err(|full| FetchError(Box::new(full)))?;
            let bytes = answer.recv().map_err(|error| FetchError(Box::new(error)))?;
            chunk(bytes.map_err(|error| FetchError(Box::new(error)))?)?;
        }
        Ok(())
    }
}

impl Source for Wire {
    fn fetch(&mut self, first: u64, last: u64) -> Result<Fetched, Failure> {
        use berth_domain::id::Revision;
        let others: Vec<u64> = self
            .wires
            .ends
            .lock()
            .expect("whole")
            .keys()
            .copied()
            .collect();
        let others = others.into_iter().filter(|id| *id != self.from);
        for end in others.filter_map(|id| self.wires.end(self.from, id)) {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let asked = end
                .gate
                .history()
                .encoded_after(Revision(first - 1), Revision(last), 7);
            let timed = async { tokio::time::timeout(Duration::from_secs(2), asked).await };
            if let Ok(Ok(groups)) = runtime.block_on(timed) {
                return Ok(Fetched { groups });
            }
        }
        Err("nobody has them".into())
    }
}
