//! Berth's side: a vSwitch of which so many addresses are in use.

use std::cell::Cell;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use berth_proto::v1::{GetVSwitchRequest, StateCounts};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::series::Subject;
use crate::Error;
use crate::book::Book;
use crate::load;
use crate::setup::{self, Prepared, Wanted};
use crate::target::BerthAdd;

/// 16,384 addresses: "10,000 in use" is not full.
pub(crate) const CIDR: &str = "10.250.0.0/18";
/// After the network's and the gateway's.
pub(crate) const FIRST: Ipv4Addr = Ipv4Addr::new(10, 250, 0, 2);
const PREFIX: &str = "plugins";
/// The pods of a full vSwitch, over nodes that have room for them.
const NODES: u32 = 100;
/// Short, so that a turn's addresses are free again before the next turn.
const COOLING_MS: u64 = 500;
const IN_FLIGHT: u32 = 64;
/// Long enough for a cooling that was begun on a busy machine.
const SETTLED_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// As a runtime would say it.
const DEADLINE_MS: u64 = 10_000;

/// A vSwitch, and what is bound of it.
pub(crate) struct Pool {
    prepared: Arc<Prepared>,
    target: BerthAdd,
    next: Rc<Cell<u64>>,
    size: u64,
    in_use: u64,
}

/// `berth-cni` with its configuration.
pub(crate) struct Shim {
    program: PathBuf,
    endpoints: Vec<String>,
    nodes: Vec<String>,
}

// === impl Pool ===

impl Pool {
    pub(crate) async fn make(endpoints: &[String]) -> Result<Self, Error> {
        let wanted = Wanted {
            prefix: PREFIX,
            cidrs: &[CIDR.to_owned()],
            nodes: NODES,
            warm_target: 0,
            cooling_ms: COOLING_MS,
            seed: 1,
            facts: None,
        };
        let prepared = Arc::new(setup::prepare(endpoints, wanted).await?);
        let book = Arc::new(Mutex::new(Book::default()));
        let target = BerthAdd::connect(Arc::clone(&prepared), book).await?;
        let mut pool = Self {
            prepared,
            target,
            next: Rc::default(),
            size: 0,
            in_use: 0,
        };
        let counts = pool.counts().await?;
        pool.size = number(&counts.size) - number(&counts.excluded);
        Ok(pool)
    }

    /// Addresses that pods can have.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn version(&self) -> &str {
        &self.prepared.version
    }

    /// Binds until so many are in use; there is no way back.
    pub(crate) async fn fill(&mut self, in_use: u64) -> Result<(), Error> {
        let more = in_use.saturating_sub(self.in_use);
        let (target, next) = (self.target.clone(), Rc::clone(&self.next));
        let filled = load::counted(target, IN_FLIGHT, more, next).await;
        if let Some((reason, count)) = filled.recorder.failures().into_iter().next() {
            let reason = format!("{count} of {more} ADDs failed while it was filled: {reason}");
            return Err(self.unusable(reason));
        }
        self.in_use = in_use.max(self.in_use);
        Ok(())
    }

    /// Waits until exactly so many are bound and all others can be had.
    pub(crate) async fn settled(&self, in_use: u64) -> Result<(), Error> {
        let until = Instant::now() + SETTLED_WITHIN;
        loop {
            let counts = self.counts().await?;
            let (bound, free) = (number(&counts.bound), number(&counts.free));
            if bound == in_use && bound + free == self.size {
                return Ok(());
            }
            if Instant::now() > until {
                return Err(self.unusable(format!("{in_use} should be in use: {counts:?}")));
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// The plugin that asks for addresses of it.
    pub(crate) fn subject(&self, program: &Path, endpoints: &[String]) -> Shim {
        let nodes = self.prepared.nodes.iter();
        Shim {
            program: program.to_owned(),
            endpoints: endpoints.to_owned(),
            nodes: nodes.map(|node| node.name.clone()).collect(),
        }
    }

    async fn counts(&self) -> Result<StateCounts, Error> {
        let name = setup::vswitch_name(PREFIX, 0);
        let what = format!("count vSwitch {name}");
        let vswitch = self
            .prepared
            .client
            .get_vswitch(GetVSwitchRequest { name, stale: false })
            .await;
        let vswitch = vswitch.map_err(|source| setup::failed(what, source))?;
        let counts = vswitch.counts.into_iter().next();
        counts.ok_or_else(|| self.unusable("its vSwitch has no counts".to_owned()))
    }

    fn unusable(&self, reason: String) -> Error {
        Error::Unreachable {
            endpoints: self.prepared.leader.clone(),
            reason,
        }
    }
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

impl Subject for Shim {
    fn program(&self) -> &Path {
        &self.program
    }

    fn config(&self, number: u64) -> String {
        let node = &self.nodes[(number % self.nodes.len() as u64) as usize];
        let ipam = json!({"type": "berth-cni", "endpoints": self.endpoints, "node": node, "deadline_ms": DEADLINE_MS});
        json!({"cniVersion": "1.0.0", "name": PREFIX, "type": "bridge", "ipam": ipam}).to_string()
    }
}
