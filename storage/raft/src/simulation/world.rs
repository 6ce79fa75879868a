//! The world: members, network, time, and what a script or a seed does to them.

use super::checker::Checker;
use super::network::Network;
use super::node::{Life, Node};
use super::observed::Observed;
use super::plan::{Plan, TICK_MOMENTS};
use super::random::Random;
use super::workload::{Begin, Violation, Workload};
use crate::log_store::Membership;
use crate::replica::Replica;
use crate::replica::input::Input;
use crate::simulated_disk::SimulatedDisk;
use crate::start::{self, Start};
use crate::status::{Role, Status, StoreId};
use std::collections::BTreeMap;

/// A cluster under one seed.
pub struct World<W: Workload> {
    pub(crate) seed: u64,
    pub(crate) now: u64,
    pub(crate) plan: Plan,
    pub(crate) random: Random,
    pub(crate) nodes: BTreeMap<u64, Node<W::Machine>>,
    pub(crate) network: Network,
    pub(crate) checker: Checker,
    /// The load and its own invariants.
    pub workload: W,
    pub(crate) answers: Answers,
    /// Which stores the members are registered with; handed to every replica.
    pub(crate) known_stores: BTreeMap<u64, StoreId>,
    pub(crate) last_id: u64,
    pub(crate) trace: u64,
    pub(crate) counts: Counts,
    pub(crate) is_calm: bool,
}

/// What the replicas answered, for scripts.
#[derive(Default)]
pub struct Answers {
    /// Reads answered: id, member, index the state contained.
    pub reads: Vec<(u64, u64, u64)>,
    /// Reads refused: id.
    pub reads_refused: Vec<u64>,
    /// Changes made: id, membership.
    pub changes: Vec<(u64, Membership)>,
    /// Changes refused: id, reason.
    pub changes_refused: Vec<(u64, crate::replica::output::ChangeRefused)>,
    /// Hand-overs: id, new leader or reason.
    pub transfers: Vec<(u64, Result<u64, crate::replica::output::TransferRefused>)>,
    /// Proposals dropped: reason.
    pub dropped: Vec<crate::replica::output::DropReason>,
}

/// What happened in a run, so that a run in which nothing happened is noticed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Packets delivered.
    pub delivered: u64,
    /// Entries applied, on all replicas.
    pub applied: u64,
    /// Crashes.
    pub crashes: u64,
    /// Elections won.
    pub elections: u64,
    /// Snapshots taken.
    pub snapshots_taken: u64,
    /// Snapshots installed from a leader.
    pub snapshots_installed: u64,
    /// Linearizable reads answered.
    pub reads: u64,
    /// Membership changes made.
    pub changes: u64,
    /// Ticks of running replicas.
    pub ticks: u64,
    /// Batches written.
    pub writes: u64,
    /// Snapshot chunks staged.
    pub chunks: u64,
    /// Commands taken from embedders.
    pub commands: u64,
    /// Writes that failed, each the end of a process.
    pub disk_errors: u64,
    /// Processes that stood still for a while.
    pub freezes: u64,
    /// Disks lost.
    pub wipes: u64,
    /// Changes of which links are cut.
    pub partitions: u64,
}

// === impl World: life and death ===

impl<W: Workload> World<W> {
    /// Bootstraps members 1 to `plan.members`.
    pub fn new(seed: u64, plan: Plan, workload: W) -> Result<Self, Violation> {
        let members: Vec<u64> = (1..=plan.members).collect();
        let mut world = Self::empty(seed, plan, workload);
        for member in &members {
            let start = Start::Bootstrap {
                members: members.clone(),
            };
            world
                .start(*member, &start)
                .map_err(|e| not_started(*member, &e))?;
        }
        Ok(world)
    }

    /// A cluster of members 1 to `plan.members` that goes on from another's state, which the chunks encode.
    pub fn founded(
        seed: u64,
        plan: Plan,
        workload: W,
        chunks: &[Vec<u8>],
    ) -> Result<Self, Violation> {
        let members: Vec<u64> = (1..=plan.members).collect();
        let mut world = Self::empty(seed, plan, workload);
        for member in &members {
            let disk = world.nodes.get(member).map(|node| node.disk.clone());
            let founded = disk.map_or(Err(start::Error::Empty), |mut disk| {
                start::found(&mut disk, *member, &members, chunks.iter().cloned())
            });
            founded
                .and_then(|()| world.start(*member, &Start::Recover))
                .map_err(|e| not_started(*member, &e))?;
        }
        Ok(world)
    }

    /// Everything of this world ends at once; what has happened in it, and the load, which may go on in another.
    pub fn lose(mut self) -> W {
        for member in self.running() {
            self.workload.end_life(member);
        }
        self.nodes.clear();
        self.workload
    }

    fn empty(seed: u64, plan: Plan, workload: W) -> Self {
        let members: Vec<u64> = (1..=plan.members).collect();
        let mut world = World {
            seed,
            now: 0,
            random: Random::new(seed),
            nodes: BTreeMap::new(),
            network: Network::default(),
            checker: Checker::default(),
            workload,
            answers: Answers::default(),
            known_stores: BTreeMap::new(),
            last_id: 0,
            trace: 0xcbf2_9ce4_8422_2325,
            counts: Counts::default(),
            is_calm: false,
            plan,
        };
        world.checker.begin(Membership {
            voters: members.clone(),
            ..Membership::default()
        });
        for member in &members {
            world.add_node(*member);
            world.known_stores.insert(*member, store_id(*member, 0));
        }
        world
    }

    /// A member with an empty disk, not running.
    pub fn add_node(&mut self, member: u64) {
        let options = self.plan.options.clone();
        self.nodes
            .insert(member, Node::new(member, store_id(member, 0), options));
    }

    /// Starts a member's process.
    pub fn start(&mut self, member: u64, start: &Start) -> Result<(), start::Error> {
        let (seed, now) = (self.seed, self.now);
        let tick_moments = TICK_MOMENTS + self.random.below(3) - 1;
        let Some(node) = self.nodes.get_mut(&member) else {
            return Err(start::Error::Empty);
        };
        let options = node.next_options(seed);
        let snapshot = node.disk.durable().snapshot.map_or(0, |meta| meta.index);
        let life = self.workload.begin_life(&Begin {
            member,
            boot: options.boot,
            snapshot,
        });
        let machine = Observed::new(life.machine, self.plan.digest_every);
        let mut replica = start::open(&mut node.disk.clone(), start, machine, options)?;
        let stores = Input::KnownStores(self.known_stores.clone());
        let durable = match &life.served {
            // Its embedder says what is durable elsewhere.
            Some(_) => 0,
            None => self.plan.durable_elsewhere,
        };
        for input in [stores, Input::DurableElsewhere(durable)] {
            replica
                .handle(input)
                .map_err(|fatal| start::Error::Replay(Box::new(fatal)))?;
        }
        node.life = Some(Life::new(replica, life.served, now, tick_moments));
        node.stopped = None;
        Ok(())
    }

    /// The power of one member goes. Its disk keeps what was synced.
    pub fn crash(&mut self, member: u64) -> Result<(), Violation> {
        let Some(node) = self.nodes.get_mut(&member) else {
            return Ok(());
        };
        let Some(life) = node.life.take() else {
            return Ok(());
        };
        // The write under way reached the disk, or it did not.
        if let Some((_, batch)) = life.writes.front()
            && self.random.chance(500)
        {
            write(&node.disk, batch)?;
            self.checker.durable_monotone(member, node.disk.durable())?;
        }
        node.disk.crash(&mut self.random);
        drop(life);
        self.process_ended(member);
        self.counts.crashes += 1;
        self.note(&[7, member]);
        let disks = self.disks();
        self.checker.still_held(&disks)
    }

    /// A crashed member starts again on its own disk.
    pub fn restart(&mut self, member: u64) -> Result<(), Violation> {
        let Some(node) = self.nodes.get(&member) else {
            return Ok(());
        };
        let durable = node.disk.durable();
        let start = if durable.snapshot.is_some() {
            Start::Recover
        } else {
            Start::Join
        };
        if durable.snapshot.is_some() {
            self.checker.disk_agrees(member, &durable)?;
        }
        self.note(&[8, member]);
        self.start(member, &start)
            .map_err(|error| not_started(member, &error))
    }

    /// A member's directory is lost while it is down; what starts there next has another store.
    pub fn wipe(&mut self, member: u64) -> Result<(), Violation> {
        self.crash(member)?;
        if let Some(node) = self.nodes.get_mut(&member) {
            let until_then = node.disk.copy();
            node.disk.wipe();
            node.store = store_id(member, node.boots);
            self.checker.disk_wiped(member, until_then);
            self.workload.disk_lost(member);
        }
        Ok(())
    }

    /// Whether this member's disk was lost.
    pub fn is_wiped(&self, member: u64) -> bool {
        self.nodes
            .get(&member)
            .is_some_and(|node| node.store != store_id(member, 0))
    }

    /// Stops a member's process for a while, as SIGSTOP does.
    pub fn freeze(&mut self, member: u64, moments: u64) {
        let until = self.now + moments;
        if let Some(life) = self.life_mut(member) {
            life.frozen_until = until;
        }
    }
}

// === impl World: what can be seen ===

impl<W: Workload> World<W> {
    /// Moments since the beginning.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// Members whose process runs.
    pub fn running(&self) -> Vec<u64> {
        self.nodes
            .values()
            .filter(|node| node.life.is_some())
            .map(|node| node.member)
            .collect()
    }

    /// The ready leader of the highest term.
    pub fn leader(&self) -> Option<u64> {
        let lives = self
            .nodes
            .values()
            .filter_map(|node| node.life.as_ref().map(|life| (node.member, life)));
        lives
            .filter(|(_, life)| life.replica.role().ready)
            .max_by_key(|(_, life)| life.replica.role().term)
            .map(|(member, _)| member)
    }

    /// A member's role; the default if it does not run.
    pub fn role(&self, member: u64) -> Role {
        self.life(member)
            .map_or_else(Role::default, |life| life.replica.role())
    }

    /// Everybody that ever was, in order.
    pub fn everybody(&self) -> impl Iterator<Item = u64> {
        self.nodes.keys().copied()
    }

    /// A member's numbers, if it runs.
    pub fn status(&self, member: u64) -> Option<Status> {
        self.life(member).map(|life| life.replica.status())
    }

    /// A member's machine, if it runs.
    pub fn machine(&self, member: u64) -> Option<&W::Machine> {
        self.life(member).map(|life| &life.replica.machine().inner)
    }

    /// Why a member refused to go on, if it did.
    pub fn stopped(&self, member: u64) -> Option<&str> {
        self.nodes.get(&member)?.stopped.as_deref()
    }

    /// A member's disk.
    pub fn disk(&self, member: u64) -> Option<&SimulatedDisk> {
        self.nodes.get(&member).map(|node| &node.disk)
    }

    /// What the replicas answered so far.
    pub fn answers(&self) -> &Answers {
        &self.answers
    }

    /// What happened so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// How many checks of the rules were made.
    pub fn checks(&self) -> u64 {
        self.checker.checks
    }

    /// A hash over everything that happened, in order: equal for equal seeds, on every machine.
    pub fn trace_hash(&self) -> u64 {
        self.trace
    }

    /// A replica with raft-rs inside, for showing what raft-rs does without this crate's checks.
    pub fn replica_mut(
        &mut self,
        member: u64,
    ) -> Option<&mut Replica<impl crate::state_machine::StateMachine + use<W>>> {
        let life = self.life_mut(member)?;
        life.is_dirty = true;
        Some(&mut life.replica)
    }

    pub(crate) fn disks(&self) -> BTreeMap<u64, SimulatedDisk> {
        self.nodes
            .iter()
            .map(|(member, node)| (*member, node.disk.clone()))
            .collect()
    }

    pub(crate) fn life(&self, member: u64) -> Option<&Life<W::Machine>> {
        self.nodes.get(&member)?.life.as_ref()
    }

    pub(crate) fn life_mut(&mut self, member: u64) -> Option<&mut Life<W::Machine>> {
        self.nodes.get_mut(&member)?.life.as_mut()
    }

    /// FNV-1a over a few numbers.
    pub(crate) fn note(&mut self, numbers: &[u64]) {
        for byte in numbers.iter().flat_map(|number| number.to_le_bytes()) {
            self.trace = (self.trace ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
}

/// The store a member has after so many boots.
pub fn store_id(member: u64, generation: u64) -> StoreId {
    let mut store = [0x5a; 16];
    store[..8].copy_from_slice(&member.to_be_bytes());
    store[8..].copy_from_slice(&generation.to_be_bytes());
    store
}

pub(crate) fn write(
    disk: &SimulatedDisk,
    batch: &crate::log_store::Batch,
) -> Result<(), Violation> {
    use crate::log_store::LogStore as _;
    disk.clone().write(batch).map_err(|error| {
        let why = std::error::Error::source(&error)
            .map(ToString::to_string)
            .unwrap_or_default();
        Violation::new("R8", format!("{error}: {why}"))
    })
}

fn not_started(member: u64, error: &start::Error) -> Violation {
    Violation::new("R8", format!("member {member} did not start: {error:?}"))
}
