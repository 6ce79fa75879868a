//! One seed: everything goes wrong and nothing may be wrong; then all is healed, and everything must come about.

use crate::cloud;
use crate::cluster::{Backup, Cluster};
use crate::plan::{Disaster, Plan};
use berth_raft::simulation::workload::Violation;
use berth_raft::simulation::world::World;
use berth_store::directory::{Directory, Options};
use berth_store::history::HistoryReader;

/// What one run did.
#[derive(Clone, Debug)]
pub struct Report {
    /// Everything that happened, in order, hashed.
    pub trace: u64,
    /// Messages, ticks, writes, chunks, entries, commands, groups, requests, answers, faults.
    pub events: u64,
    /// Checks made.
    pub checks: u64,
    /// Virtual time, ms.
    pub virtual_ms: u64,
    /// In words.
    pub text: String,
}

/// A rule that did not hold in a run.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{violation} (moment {moment})")]
pub struct Broken {
    /// Which, and what was seen.
    pub violation: Violation,
    /// When.
    pub moment: u64,
}

/// What the runs of a process share: an empty history store, which nothing is read from.
#[derive(Clone, Debug)]
pub struct Ground {
    store: HistoryReader,
}

// === impl Ground ===

impl Ground {
    /// Makes it in a directory that is gone by the return.
    pub fn new() -> Result<Self, Box<dyn std::error::Error>> {
        let path = tempfile::tempdir()?;
        let options = Options {
            ballast_bytes: 0,
            ..Options::default()
        };
        let directory = Directory::create(path.path(), "simulated", 1, options)?;
        let (_, store) = directory.history()?;
        Ok(Self { store })
    }

    /// Runs a seed by its plan.
    pub fn run(&self, seed: u64, plan: &Plan, log: bool) -> Result<Report, Broken> {
        let no_runtime = |error: std::io::Error| Broken {
            violation: Violation::new("-", format!("no runtime: {error}")),
            moment: 0,
        };
        let cluster =
            Cluster::new(seed, plan.clone(), self.store.clone(), log).map_err(no_runtime)?;
        let at_once = |violation| Broken {
            violation,
            moment: 0,
        };
        let mut world = World::new(seed, plan.replicas.clone(), cluster).map_err(at_once)?;
        let mut past = Past::default();
        let mut left = plan.moments;
        let broken = |violation, past: &Past, now: u64| Broken {
            violation,
            moment: past.moments + now,
        };
        if let Some(disaster) = &plan.disaster {
            let lost = lose(&mut world, disaster, plan.moments);
            let backup = lost.map_err(|violation| broken(violation, &past, world.now()))?;
            if let Some(backup) = backup {
                past.add(&world);
                left = left.saturating_sub(past.moments).max(plan.moments / 3);
                world = anew(seed, plan, world, backup)
                    .map_err(|violation| broken(violation, &past, 0))?;
            }
        }
        let result = phases(&mut world, plan, left);
        result.map_err(|violation| broken(violation, &past, world.now()))?;
        past.add(&world);
        Ok(report(&world, plan, &past))
    }
}

/// What worlds that are over came to.
#[derive(Default)]
struct Past {
    trace: u64,
    events: u64,
    checks: u64,
    moments: u64,
}

impl Past {
    fn add(&mut self, world: &World<Cluster>) {
        let counts = world.counts();
        self.trace = self.trace.rotate_left(17) ^ world.trace_hash();
        self.events += counts.delivered
            + counts.applied
            + counts.ticks
            + counts.writes
            + counts.chunks
            + counts.commands
            + counts.crashes
            + counts.freezes;
        self.checks += world.checks();
        self.moments += world.now();
    }
}

/// How long a moment at which somebody has everything is waited for.
const SAVED_WITHIN: u64 = 400;

/// Trouble until a backup, then until everything is lost; none = there was nobody to make the backup of.
fn lose(
    world: &mut World<Cluster>,
    disaster: &Disaster,
    moments: u64,
) -> Result<Option<Backup>, Violation> {
    world.run(moments * disaster.saved_at / 1_000)?;
    for _ in 0..SAVED_WITHIN {
        world.run(1)?;
        let leader = world.leader().and_then(|leader| world.machine(leader));
        let Some(backup) = leader.and_then(|machine| world.workload.backup(machine)) else {
            continue;
        };
        world.run(moments * disaster.lost_after / 1_000)?;
        return Ok(Some(backup));
    }
    Ok(None)
}

/// The same load, in a cluster that was begun anew out of the backup.
fn anew(
    seed: u64,
    plan: &Plan,
    world: World<Cluster>,
    backup: Backup,
) -> Result<World<Cluster>, Violation> {
    let mut cluster = world.lose();
    let chunks = cluster.begin_anew(backup, plan.replicas.members)?;
    World::founded(seed ^ ANEW, plan.replicas.clone(), cluster, &chunks)
}

/// Dice, boot ids and stores of the new world are other ones.
const ANEW: u64 = 0x616e_6577_2121;

fn phases(world: &mut World<Cluster>, plan: &Plan, moments: u64) -> Result<(), Violation> {
    world.run(moments)?;
    world.end_trouble()?;
    let patience = patience(plan);
    let settled = world.run_until(patience, |world| {
        world.workload.fleet.is_settled() && world.workload.leaks().is_empty() && is_even(world)
    });
    settled.map_err(|violation| {
        if violation.rule != "R11" {
            return violation;
        }
        let (pods, leaks) = (world.workload.fleet.unsettled(), world.workload.leaks());
        let replicas = replicas(world);
        let cloud = match plan.cloud {
            Some(_) => cloud::in_words(world.workload.oracle.ledger()),
            None => String::new(),
        };
        let why = format!("pods: {pods}; leaks: {leaks:?}; replicas: {replicas}; {cloud}");
        Violation::new("R11", format!("{patience} moments after healing: {why}"))
    })
}

/// A13, R5: all members that take part have applied the same, and as much.
fn is_even(world: &World<Cluster>) -> bool {
    let Some(status) = world.leader().and_then(|leader| world.status(leader)) else {
        return false;
    };
    let kept = |member: &&u64| !world.is_wiped(**member);
    let members = status.membership.voters.iter();
    let mut members = members.chain(&status.membership.learners).filter(kept);
    members.all(|member| {
        let machine = world.machine(*member);
        machine.is_some_and(|machine| {
            machine.ledger().revision().0 == world.workload.oracle.revision()
        })
    })
}

/// Where each that takes part stands.
fn replicas(world: &World<Cluster>) -> String {
    let Some(status) = world.leader().and_then(|leader| world.status(leader)) else {
        return format!("nobody leads; {}", leaderless(world));
    };
    let members = &status.membership;
    let stands = |member: &u64| {
        let revision = world
            .machine(*member)
            .map(|machine| machine.ledger().revision().0);
        let (stopped, wiped) = (world.stopped(*member), world.is_wiped(*member));
        let applied = world.status(*member).map(|status| status.applied);
        format!(
            "{member}: revision {revision:?}, applied {applied:?}, stopped {stopped:?}, wiped {wiped}"
        )
    };
    let each: Vec<String> = members
        .voters
        .iter()
        .chain(&members.learners)
        .map(stands)
        .collect();
    format!(
        "{} of {}; {members:?}",
        each.join("; "),
        world.workload.oracle.revision()
    )
}

/// Where each stands that runs.
fn leaderless(world: &World<Cluster>) -> String {
    let stands = |member: u64| {
        let status = world.status(member)?;
        Some(format!(
            "{member}: {:?}, log {} to {}, committed {}, applied {}, {:?}",
            status.role,
            status.first_index,
            status.last_index,
            status.commit,
            status.applied,
            status.membership
        ))
    };
    let all: Vec<String> = world.everybody().filter_map(stands).collect();
    all.join("; ")
}

/// Elections that tie, snapshots fetched twice, addresses that rest, links that settle, facts that come back.
fn patience(plan: &Plan) -> u64 {
    let timeouts = 60 * plan.replicas.options.election_ticks as u64 * 10;
    // Calls whose end nobody knows, attaches, and a cloud that was asked less because it failed.
    let cloud_ms = if plan.cloud.is_some() { 240_000 } else { 0 };
    timeouts + (2 * plan.fleet.cooling_ms + 10_000 + cloud_ms) / plan.moment_ms
}

fn report(world: &World<Cluster>, plan: &Plan, past: &Past) -> Report {
    let counts = world.counts();
    let cluster = &world.workload;
    Report {
        trace: past.trace,
        events: past.events + cluster.events(),
        checks: past.checks + cluster.oracle.counts.answers + cluster.oracle.counts.states,
        virtual_ms: past.moments * plan.moment_ms,
        text: format!(
            "{counts:?} {:?} {:?} {:?}",
            cluster.counts, cluster.oracle.counts, cluster.fleet.counts
        ),
    }
}
