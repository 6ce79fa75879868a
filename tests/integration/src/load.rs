//! Simulated nodes and pods that use a cluster while it is disturbed, and write down all that they see.

mod administrator;
mod caller;
mod chance;
mod nodes;
mod pods;
mod recorder;
mod statics;

pub use chance::Chance;
pub use recorder::Recorder;

use crate::ground::{MEMBERS, address};
use crate::record::{Answer, Record, Write};
use caller::Caller;
use nodes::Nodes;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// Dynamic pods at a time; half of the addresses, so that some are always free and each is used again soon.
const PODS: usize = 14;
/// Static pods.
const STATICS: usize = 4;
/// The vSwitch of all, 30 addresses to give out.
const CIDR: &str = "10.9.0.0/27";
/// Short, so that addresses come round; long enough that skipping it is seen.
const COOLING_MS: u64 = 1_500;

/// A load that runs.
pub struct Load {
    /// None once it was waited for.
    thread: Option<JoinHandle<()>>,
    recorder: Arc<Recorder>,
    stop: Arc<AtomicBool>,
}

/// What everybody of a load shares.
pub(crate) struct Shared {
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) nodes: Nodes,
    pub(crate) stop: Arc<AtomicBool>,
    pub(crate) seed: u64,
}

// === impl Load ===

impl Load {
    /// Begins in the namespace at this path: makes vSwitch, nodes and claims, then pods come and go.
    /// Returns when all of it is made.
    pub fn start(clients: PathBuf, seed: u64, recorder: Recorder) -> Self {
        let recorder = Arc::new(recorder);
        let stop = Arc::new(AtomicBool::new(false));
        let (made, is_made) = std::sync::mpsc::channel();
        let shared = Arc::new(Shared {
            recorder: Arc::clone(&recorder),
            nodes: Nodes::new(),
            stop: Arc::clone(&stop),
            seed,
        });
        let run = move || {
            berth_testkit::namespace::Namespace::enter_path(Path::new(&clients));
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let runtime = runtime.expect("a runtime");
            let local = tokio::task::LocalSet::new();
            local.block_on(&runtime, async move {
                prepare(&shared).await;
                made.send(()).expect("somebody waits");
                everybody(shared).await;
            });
        };
        let thread = Builder::new()
            .name("load".into())
            .spawn(run)
            .expect("a thread");
        is_made.recv().expect("the load's world is made");
        Self {
            thread: Some(thread),
            recorder,
            stop,
        }
    }

    /// What is seen so far.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Everybody ends what they are at, and nobody begins anew.
    pub fn finish(mut self) -> Record {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        if let Some(Err(panic)) = ended {
            std::panic::resume_unwind(panic);
        }
        self.recorder.record()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        // Also when a test fails: the next one must not share the machine with it.
        self.stop.store(true, Ordering::Relaxed);
        if self
            .thread
            .take()
            .is_some_and(|thread| thread.join().is_err())
        {
            eprintln!("the load panicked");
        }
    }
}

/// "http://10.77.0.1:7400" of each member.
pub(crate) fn endpoints() -> Vec<String> {
    (1..=MEMBERS)
        .map(|number| format!("http://{}:7400", address(number)))
        .collect()
}

async fn prepare(shared: &Arc<Shared>) {
    let mut caller = Caller::new(shared, "administrator", 0);
    let vswitch = Write::CreateVSwitch {
        name: "pods".into(),
        cidr: CIDR.into(),
        cooling_ms: COOLING_MS,
    };
    let nodes = shared.nodes.names().map(|name| Write::RegisterNode {
        name: name.to_owned(),
    });
    let claims = (0..STATICS).map(|number| Write::CreateClaim {
        name: format!("default/shop/db-{number}"),
        addresses: Vec::new(),
    });
    let all: Vec<Write> = std::iter::once(vswitch)
        .chain(nodes)
        .chain(claims)
        .collect();
    for write in all {
        let answer = caller.change_until_answered(write).await;
        assert!(matches!(answer, Answer::Done { .. }), "{answer:?}");
    }
}

async fn everybody(shared: Arc<Shared>) {
    let mut all = Vec::new();
    for number in 0..PODS {
        all.push(tokio::task::spawn_local(pods::live(
            Arc::clone(&shared),
            number,
        )));
    }
    for number in 0..STATICS {
        all.push(tokio::task::spawn_local(statics::live(
            Arc::clone(&shared),
            number,
        )));
    }
    all.push(tokio::task::spawn_local(administrator::live(Arc::clone(
        &shared,
    ))));
    for member in 0..MEMBERS {
        all.push(tokio::task::spawn_local(administrator::watch(
            Arc::clone(&shared),
            member,
        )));
    }
    all.push(tokio::task::spawn_local(nodes::collect(Arc::clone(
        &shared,
    ))));
    for one in all {
        one.await.expect("no part of the load panics");
    }
}

// === impl Shared ===

impl Shared {
    pub(crate) fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }
}

/// Waits so long, or until everything ends.
pub(crate) async fn rest(shared: &Shared, ms: u64) {
    let until = tokio::time::Instant::now() + Duration::from_millis(ms);
    while shared.goes_on() && tokio::time::Instant::now() < until {
        let left = until - tokio::time::Instant::now();
        tokio::time::sleep(left.min(Duration::from_millis(50))).await;
    }
}
