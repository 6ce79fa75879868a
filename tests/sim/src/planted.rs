//! Planted bugs: known ways to build Berth wrong, each of which the simulation must find.

use crate::plan::Plan;
use crate::run::Ground;
use crate::swarm;
use berth_domain::planted::{self as ledger, Planted as Ledger};
use berth_raft::options::Mutant;
use berthd::planted::{self as server, Planted as Server};

/// Where a bug is planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// In the replica.
    Replica(Mutant),
    /// In the ledger.
    Ledger(Ledger),
    /// In the server.
    Server(Server),
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Its short name.
    pub name: &'static str,
    /// What is wrong, in words.
    pub what: &'static str,
    /// The switch.
    pub bug: Bug,
}

/// How a bug was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The first seed that breaks a rule.
    pub seed: u64,
    /// How many seeds that took.
    pub seeds: u64,
    /// Which rule.
    pub rule: String,
    /// What was seen.
    pub text: String,
}

const fn row(name: &'static str, bug: Bug, what: &'static str) -> Row {
    Row { name, what, bug }
}

/// All of them.
pub const ROWS: &[Row] = &[
    row(
        "ack-before-durable",
        Bug::Replica(Mutant::SendBeforePersist),
        "acknowledgements and votes leave before they are durable (m01)",
    ),
    row(
        "skipped-sync",
        Bug::Replica(Mutant::SkipSync),
        "batches are said to be durable without a sync (m02)",
    ),
    row(
        "conflicting-suffix-kept",
        Bug::Replica(Mutant::KeepSuffix),
        "a new leader's entries do not replace the old ones on the disk (m04, Qdrant #1329)",
    ),
    row(
        "reused-read-context",
        Bug::Replica(Mutant::ReuseReadContext),
        "a repeated read uses the context of the one before (m05, etcd #20418)",
    ),
    row(
        "vote-not-persisted",
        Bug::Replica(Mutant::ForgetVote),
        "the vote is not written",
    ),
    row(
        "applied-twice",
        Bug::Replica(Mutant::ApplyTwice),
        "a restart applies again what its snapshot has",
    ),
    row(
        "replay-forgotten",
        Bug::Replica(Mutant::ForgetReplay),
        "a restart claims to have applied what it has not (m18)",
    ),
    row(
        "lone-voter-leads-early",
        Bug::Replica(Mutant::LeadBeforePersist),
        "a lone voter's messages as a leader leave before its term is durable",
    ),
    row(
        "del-by-name",
        Bug::Ledger(Ledger::DeleteByName),
        "a DEL ends whichever sandbox of the pod there is (d01, Azure CNS #885)",
    ),
    row(
        "lost-generation-check",
        Bug::Ledger(Ledger::GenerationIgnored),
        "a release ends a later bind than the one it names (d02)",
    ),
    row(
        "cooling-ignored",
        Bug::Ledger(Ledger::CoolingIgnored),
        "what is given back is free at once",
    ),
    row(
        "snapshot-without-requests",
        Bug::Ledger(Ledger::SnapshotWithoutRequests),
        "a snapshot leaves the answers of requests out",
    ),
    row(
        "tombstones-ignored",
        Bug::Ledger(Ledger::TombstonesIgnored),
        "an ADD that comes after its DEL binds",
    ),
    row(
        "static-released-on-delete",
        Bug::Ledger(Ledger::StaticReleasedOnDelete),
        "a static address goes with its sandbox, whatever its policy",
    ),
    row(
        "map-order-in-apply",
        Bug::Ledger(Ledger::ExpiryUnordered),
        "apply goes by the order of a hash map",
    ),
    row(
        "grants-after-restore",
        Bug::Ledger(Ledger::GrantsAfterRestore),
        "after an old backup is restored, addresses are given out before the nodes have said what lives there",
    ),
    row(
        "unknown-is-failure",
        Bug::Server(Server::UnknownIsFailure),
        "what is under way at a leader change is said not to have happened",
    ),
    row(
        "compacted-past-history",
        Bug::Server(Server::SnapshotBeforeHistory),
        "a snapshot does not wait for the history that it covers",
    ),
    row(
        "stale-read",
        Bug::Server(Server::StaleRead),
        "a linearizable read is answered from whatever state there is",
    ),
    row(
        "promise-kept",
        Bug::Server(Server::PromiseKept),
        "an address stays promised although the journal would not take its bind",
    ),
    row(
        "old-boots-heard",
        Bug::Server(Server::OldBootsHeard),
        "an ADD of an earlier boot takes effect after a newer boot has spoken",
    ),
    row(
        "granted-before-attached",
        Bug::Ledger(Ledger::GrantedBeforeAttached),
        "an address on a new ENI is given out before the ENI is on its machine",
    ),
    row(
        "doubt-ignored",
        Bug::Ledger(Ledger::DoubtIgnored),
        "what a lost cloud call may still bring is given out meanwhile",
    ),
    row(
        "rests-unheard",
        Bug::Server(Server::RestsUnheard),
        "a node does not hear of addresses that rest on its ENIs, and thinks them emptier than they are",
    ),
];

// === impl Bug ===

impl Bug {
    /// Plants it in this thread and in the plan.
    pub fn plant(self, plan: &mut Plan) {
        match self {
            Self::Replica(mutant) => plan.replicas.options.mutant = Some(mutant),
            Self::Ledger(planted) => ledger::plant(Some(planted)),
            Self::Server(planted) => server::plant(Some(planted)),
        }
    }
}

/// This thread has none any more.
pub fn clear() {
    ledger::plant(None);
    server::plant(None);
}

/// Runs a seed with a bug; how it was found, if it was.
pub fn run(ground: &Ground, row: &Row, seed: u64, moments: u64, log: bool) -> Option<Found> {
    let mut plan = Plan::drawn(seed);
    plan.moments = moments;
    row.bug.plant(&mut plan);
    let outcome = swarm::one(ground, seed, &plan, log);
    clear();
    outcome.result.err().map(|broken| Found {
        seed,
        seeds: 1,
        rule: broken.violation.rule.to_owned(),
        text: broken.violation.text,
    })
}

/// The first of the seeds 1 to `most` that finds it.
pub fn find(ground: &Ground, row: &Row, most: u64, moments: u64) -> Option<Found> {
    (1..=most).find_map(|seed| {
        let found = run(ground, row, seed, moments, false)?;
        Some(Found {
            seeds: seed,
            ..found
        })
    })
}
