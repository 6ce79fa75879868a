//! Everything above the replicas, joined to the world that drives them: servers, callers, the fleet, the oracle.

mod disaster;
mod load;
mod time;

pub use disaster::Backup;

use crate::admin::{Admin, Task};
use crate::call::CallId;
use crate::cloud::Cloud;
use crate::desk::Desk;
use crate::facts::Source;
use crate::fleet::{Fleet, Purpose, Stage};
use crate::history::Shelf;
use crate::oracle::Oracle;
use crate::panics;
use crate::plan::Plan;
use crate::server::{self, Server, Site};
use crate::wire::Wire;
use berth_domain::id::{AttachmentKey, ClusterId};
use berth_domain::row::Change;
use berth_raft::simulation::random::Random;
use berth_raft::simulation::served::Life;
use berth_raft::simulation::workload::{Applied, Begin, Moment, Violation, Workload};
use berth_store::history::HistoryReader;
use berthd::codec::{Entry, decode_entry};
use berthd::history::Progress;
use berthd::planted::{self, Planted};
use berthd::replica::{Effect, LedgerMachine};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tokio::runtime::Runtime;

/// Whose answer a call brings.
pub(crate) enum Owner {
    Fleet(Purpose),
    Admin(Task),
    Reader,
}

/// See the module.
pub struct Cluster {
    // Servers hold tasks of the runtime: they go first.
    servers: BTreeMap<u64, Server>,
    runtime: Runtime,
    plan: Plan,
    random: Random,
    store: HistoryReader,
    shelves: BTreeMap<u64, Shelf>,
    walls: BTreeMap<u64, Arc<AtomicU64>>,
    now: u64,
    /// Moments of the worlds before this one.
    before: u64,
    cluster: ClusterId,
    desk: Desk,
    wire: Wire,
    owners: BTreeMap<CallId, Owner>,
    /// The nodes' side.
    pub fleet: Fleet,
    admin: Admin,
    source: Source,
    cloud: Option<Cloud>,
    /// What must be true.
    pub oracle: Oracle,
    /// Entries seen and not yet applied by whoever sees them first.
    entries: BTreeMap<u64, Entry>,
    /// Something that a handler without a result found.
    found: Option<Violation>,
    trace: u64,
    /// How much happened.
    pub counts: Counts,
    is_healed: bool,
    log: bool,
}

/// What happened above the replicas.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Requests that reached a server.
    pub requests: u64,
    /// Answers that reached a caller.
    pub answers: u64,
    /// Answers that a server gave.
    pub answered: u64,
    /// History commits.
    pub commits: u64,
    /// Commands in entries, on every replica.
    pub commands: u64,
    /// Event groups, on every replica.
    pub groups: u64,
    /// Processes that began.
    pub lives: u64,
}

// === impl Cluster ===

impl Cluster {
    /// Nothing runs yet.
    pub fn new(seed: u64, plan: Plan, store: HistoryReader, log: bool) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()?;
        let fleet = &plan.fleet;
        Ok(Self {
            servers: BTreeMap::new(),
            runtime,
            random: Random::new(seed ^ 0x666c_6565_7421),
            store,
            shelves: BTreeMap::new(),
            walls: BTreeMap::new(),
            now: 0,
            before: 0,
            cluster: server::cluster(),
            desk: Desk::new(plan.moment_ms),
            wire: Wire::new(plan.wire.clone()),
            owners: BTreeMap::new(),
            admin: Admin::new(fleet.cooling_ms, fleet.warm_target, plan.cloud.is_some()),
            cloud: plan
                .cloud
                .as_ref()
                .map(|cloud| Cloud::new(seed, cloud, fleet.nodes, plan.moment_ms)),
            source: Source::new(),
            oracle: Oracle::new(server::cluster(), fleet.cooling_ms),
            fleet: Fleet::new(&plan),
            entries: BTreeMap::new(),
            found: None,
            trace: 0,
            counts: Counts::default(),
            is_healed: false,
            log,
            plan,
        })
    }

    /// Events so far: everything that a handler of this crate or a server was given.
    pub fn events(&self) -> u64 {
        let counts = &self.counts;
        counts.requests
            + counts.answers
            + counts.answered
            + counts.commits
            + counts.commands
            + counts.groups
    }

    /// A13: attachments that hold addresses and whose sandboxes are gone.
    pub fn leaks(&self) -> Vec<String> {
        let is_alive = |key: &AttachmentKey| {
            let sandbox = self.fleet.sandbox_of(key);
            sandbox.is_some_and(|sandbox| sandbox.stage == Stage::Live)
        };
        let held = self.oracle.holding().into_iter();
        held.filter(|key| !is_alive(key))
            .map(|key| key.to_string())
            .collect()
    }

    pub(crate) fn say(&self, what: impl FnOnce() -> String) {
        if self.log {
            println!("{:>6}  {}", self.now, what());
        }
    }

    pub(crate) fn note(&mut self, number: u64) {
        for byte in number.to_le_bytes() {
            self.trace = (self.trace ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }

    fn wall(&mut self, member: u64) -> Arc<AtomicU64> {
        // 2026-01-01; every member's clock is off by something.
        let begin = 1_767_225_600_000 + member * 7_919;
        let wall = self.walls.entry(member);
        Arc::clone(wall.or_insert_with(|| Arc::new(AtomicU64::new(begin))))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _runtime = self.runtime.enter();
        self.servers.clear();
    }
}

impl Workload for Cluster {
    type Machine = LedgerMachine;

    /// Only asked for by worlds without servers.
    fn machine(&self) -> LedgerMachine {
        LedgerMachine::new(
            self.cluster.clone(),
            Arc::new(Progress::new(berth_domain::id::Revision(0))),
        )
    }

    fn begin_life(&mut self, begin: &Begin) -> Life<LedgerMachine> {
        self.counts.lives += 1;
        let wall = self.wall(begin.member);
        let shelf = self.shelves.entry(begin.member).or_default();
        let site = Site {
            runtime: &self.runtime,
            plan: &self.plan,
            store: &self.store,
            wall,
            cluster: &self.cluster,
        };
        let (server, life) = Server::start(
            &site,
            begin,
            shelf,
            self.cloud.as_mut().map(Cloud::provision),
        );
        self.servers.insert(begin.member, server);
        self.say(|| {
            format!(
                "member {} starts with a snapshot to {}",
                begin.member, begin.snapshot
            )
        });
        life
    }

    fn end_life(&mut self, member: u64) {
        self.say(|| format!("member {member} ends"));
        // An actor that is dropped handles what it was sent, and may set timers.
        let _runtime = self.runtime.enter();
        let server = self.servers.remove(&member);
        if let (Some(server), Some(cloud)) = (&server, &mut self.cloud) {
            cloud.life_ended(server.life);
        }
        drop(server);
        self.source.member_ended(member);
    }

    fn disk_lost(&mut self, member: u64) {
        self.shelves.remove(&member);
    }

    fn moment(&mut self, moment: &Moment<'_>) -> Result<u64, Violation> {
        self.now = self.before + moment.now;
        self.trace = 0;
        if moment.is_calm && !self.is_healed {
            self.heal();
        }
        self.callers(moment)?;
        self.arrivals(moment)?;
        self.beside(moment)?;
        self.cloud_moment()?;
        self.run(moment);
        self.leave()?;
        if let Some(text) = panics::taken() {
            return Err(Violation::new("panic", text));
        }
        match self.found.take() {
            Some(violation) => Err(violation),
            None => Ok(self.trace),
        }
    }

    fn entry(&mut self, _member: u64, index: u64, data: &Bytes) {
        if let Ok(entry) = decode_entry(data) {
            self.counts.commands += entry.proposals.len() as u64;
            self.entries.entry(index).or_insert(entry);
        }
    }

    fn may_encode(&mut self, member: u64, index: u64) -> bool {
        let hurries = planted::has(Planted::SnapshotBeforeHistory);
        let shelf = self.shelves.get(&member);
        hurries || shelf.is_some_and(|shelf| shelf.index >= index)
    }

    fn fetched(&mut self, member: u64, index: u64) {
        let shelf = self.shelves.entry(member).or_default();
        shelf.installed = shelf.installed.max(index);
    }

    fn propose(&mut self, _: &mut Random, _: u64, _: &LedgerMachine) -> Option<Bytes> {
        None
    }

    fn applied(&mut self, applied: &Applied, effect: &Effect) -> Result<(), Violation> {
        self.counts.groups += effect.groups.len() as u64;
        if self.log && applied.leads {
            for group in effect.groups.iter() {
                let (at, now) = (group.revision, self.now);
                let keys = group.changes.iter().filter_map(changed);
                let keys: Vec<String> = keys.collect();
                println!(
                    "{now:>6}  revision {at} at {} ms: {} by {}: {}",
                    group.ledger_time_ms,
                    group.cause,
                    group.principal,
                    keys.join(", ")
                );
            }
        }
        let is_news = self
            .oracle
            .applied(applied.index, &effect.groups, &self.fleet)?;
        match self.entries.get(&applied.index).filter(|_| is_news) {
            Some(entry) => self.oracle.entry(entry, &effect.groups),
            None => Ok(()),
        }
    }

    fn check(&mut self, _member: u64, machine: &LedgerMachine) -> Result<(), Violation> {
        self.oracle.state(machine.ledger())
    }
}

fn changed(change: &Change) -> Option<String> {
    match change {
        Change::Allocation { key, after, .. } => Some(match after {
            Some(row) => format!("{} has {:?}", key.container, row.addresses),
            None => format!("{} ended", key.container),
        }),
        Change::Claim { after, before, .. } => {
            let name = after.as_ref().or(before.as_ref())?.name.pod.clone();
            Some(format!(
                "claim of {name} {:?}",
                after.as_ref().map(|row| &row.state)
            ))
        }
        Change::Address { address, after, .. } => Some(format!("{address} {after:?}")),
        _ => None,
    }
}
