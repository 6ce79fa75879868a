//! Every member is lost for good, and the cluster is begun anew out of an old backup, by what `berthd snapshot restore` does:
//! the ledger goes on with a recovery, and new disks are founded with it. The nodes and their pods live on meanwhile.

use super::Cluster;
use crate::admin::Errand;
use crate::call::{Body, Call};
use crate::fleet::Wish;
use crate::history::Shelf;
use crate::make;
use crate::oracle::Oracle;
use berth_domain::Ledger;
use berth_domain::command::Command;
use berth_domain::id::{ClaimId, ClusterId, ClusterName, NodeName, Principal, Reason};
use berth_domain::row::{Recovery, RecoveryKind, UNKNOWN_NODES};
use berth_raft::simulation::workload::Violation;
use berth_raft::start::BOOTSTRAP_INDEX;
use berthd::codec::{SnapshotChunks, encode_clusters};
use berthd::offline::{Order, anew};
use berthd::replica::LedgerMachine;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A cluster as it was at a moment, and what was true of it then.
pub struct Backup {
    ledger: Ledger,
    with_facts: BTreeSet<ClusterName>,
    oracle: Oracle,
}

// === impl Cluster ===

impl Cluster {
    /// Of a member that has applied everything that anybody has.
    pub fn backup(&self, machine: &LedgerMachine) -> Option<Backup> {
        let is_newest = machine.ledger().revision().0 == self.oracle.revision();
        is_newest.then(|| Backup {
            ledger: machine.ledger().clone(),
            with_facts: machine.with_facts().clone(),
            oracle: self.oracle.clone(),
        })
    }

    /// Members, disks and connections are gone; what the new members' disks are founded with.
    pub fn begin_anew(&mut self, backup: Backup, members: u64) -> Result<Vec<Vec<u8>>, Violation> {
        self.say(|| "all members are lost, and a backup is restored".to_owned());
        self.before = self.now;
        self.entries.clear();
        self.shelves.clear();
        self.wire.lost();
        self.desk.lost(self.now);
        let wall = self.wall(1).load(Ordering::Relaxed);
        let order = Order {
            cluster: Some(ClusterId::new("simulated-anew").expect("plain")), // fixed text within the limit
            principal: Principal::new("offline/anna").expect("plain"), // fixed text within the limit
            reason: Reason::new("all members are lost").expect("plain"), // fixed text within the limit
            unknown_nodes: true,
            wall_ms: wall,
        };
        let anew = anew(backup.ledger, RecoveryKind::Restored, &order);
        let anew = anew.map_err(|error| Violation::new("restore", error.to_string()))?;
        self.cluster = anew.ledger.cluster().clone();
        let asked = self.desk.calls().filter_map(claim_to_end).collect();
        self.oracle
            .begin_anew(backup.oracle, asked, &anew.groups, &self.fleet)?;
        self.admin.begin_anew(&anew.ledger, &mut self.fleet);
        let (revision, chain) = (anew.ledger.revision().0, anew.ledger.chain());
        for member in 1..=members {
            let shelf = Shelf::founded(revision, BOOTSTRAP_INDEX, chain);
            self.shelves.insert(member, shelf);
        }
        let chunks = SnapshotChunks::new(anew.ledger.records());
        Ok(chunks.chain(encode_clusters(&backup.with_facts)).collect())
    }

    /// Machines that owe a word say it at some time; in the end somebody sees to what stands in others' way.
    pub(super) fn words(&mut self) -> Vec<Wish> {
        let mut wishes = Vec::new();
        if let Some(recovery) = self.open_recovery() {
            for machine in 0..self.fleet.machines.len() {
                let owes = self
                    .known(machine)
                    .is_some_and(|id| recovery.waiting.contains(&id));
                let chance = if self.is_healed { 200 } else { 10 };
                if owes && self.random.chance(chance) {
                    wishes.extend(self.fleet.report(machine, &mut self.random));
                }
            }
        } else if self.is_healed && self.random.chance(20) {
            let stray = self.oracle.ledger().strays().next();
            if let Some(key) = stray.map(|stray| stray.key.clone()) {
                wishes.extend(self.fleet.evict(&key, &mut self.random));
            }
        }
        wishes
    }

    /// When every machine is known and has spoken, an administrator says that there are no others.
    pub(super) fn last_word(&mut self) -> Option<Errand> {
        let recovery = self.open_recovery()?;
        let machines = 0..self.fleet.machines.len();
        let all_known = machines
            .map(|machine| self.known(machine))
            .all(|id| id.is_some());
        let is_last = recovery.waiting.iter().all(|node| *node == UNKNOWN_NODES);
        let is_time = self.is_healed || self.random.chance(10);
        match all_known && is_last && is_time {
            true => self.admin.confirm(),
            false => None,
        }
    }

    fn open_recovery(&self) -> Option<Arc<Recovery>> {
        let recovery = self.oracle.ledger().recovery();
        recovery.filter(|row| row.closed.is_none()).cloned()
    }

    /// A machine's node, if it is the one that the ledger knows under its name.
    fn known(&self, machine: usize) -> Option<berth_domain::id::NodeId> {
        let name: NodeName = make::node_name(machine);
        let row = self.oracle.ledger().node_named(&name)?;
        (row.identity == self.fleet.identity(machine)).then_some(row.id)
    }
}

/// Of a call of an administrator who ends one.
fn claim_to_end(call: &Call) -> Option<ClaimId> {
    let Body::Propose(proposal) = &call.body else {
        return None;
    };
    match &proposal.command {
        Command::DeleteClaim(end) => Some(end.claim),
        _ => None,
    }
}
