//! The ledger as plain rows in a fixed order, for snapshots and digests, and back.

mod digest;
mod restore;
mod upgrade;

pub use upgrade::{UPGRADES, Upgrade};

use super::Ledger;
use super::requests::Request;
use crate::address::address;
use crate::event::Chain;
use crate::id::{
    AttachmentKey, ClaimId, ClusterId, NodeId, Principal, RequestId, Revision, VSwitchId,
};
use crate::planted::{self, Planted};
use crate::row::{
    AddressState, Allocation, Claim, Cluster, Eni, Job, Member, Node, NodePool, Recovery,
    RequestResult, Stray, Tombstone, VSwitch,
};
use crate::version::{BASE, CARE, ClusterVersion};
use std::net::IpAddr;
use std::sync::Arc;

/// The newest form of the records. Older ones are brought up to it by [`UPGRADES`], newer ones are refused.
pub const STATE_VERSION: u32 = 3;

/// The form in which a ledger at this cluster version is written: one that every member can read, so that a program of
/// the version before can go on with the directory until the version is raised.
pub fn state_version(version: ClusterVersion) -> u32 {
    match version {
        BASE => 1,
        CARE => 2,
        _ => STATE_VERSION,
    }
}

/// The first record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotHeader {
    /// The form of the records: [`state_version`] of the ledger's cluster version.
    pub state_version: u32,
    /// Which cluster's ledger.
    pub cluster: ClusterId,
    /// The last revision in it.
    pub revision: Revision,
    /// The hash of the history up to it.
    pub chain: Chain,
    /// ms; drives every expiry.
    pub ledger_time_ms: u64,
    /// ms since 1970; only shown.
    pub wall_time_ms: u64,
}

/// One row. They come in the order of the variants, so that a row comes after those it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// The first, and only once.
    Header(SnapshotHeader),
    /// Once, from state version 2 on.
    Cluster(Cluster),
    /// By id.
    VSwitch(Arc<VSwitch>),
    /// By id; from state version 3 on.
    NodePool(Arc<NodePool>),
    /// By id.
    Node(Arc<Node>),
    /// By id.
    Member(Arc<Member>),
    /// By id.
    Claim(Arc<Claim>),
    /// By generation.
    Allocation(Arc<Allocation>),
    /// By address; never-used ones have none.
    Address {
        /// Whose it is.
        vswitch: VSwitchId,
        /// Which.
        address: IpAddr,
        /// What it is.
        state: AddressState,
    },
    /// By expiry and key.
    Tombstone {
        /// Whose.
        key: Arc<AttachmentKey>,
        /// What is remembered.
        tombstone: Tombstone,
    },
    /// By principal and id.
    Request {
        /// Who asked.
        principal: Principal,
        /// Which.
        id: RequestId,
        /// What it answered.
        result: Arc<RequestResult>,
    },
    /// The last one; several if it waits for many, each with some of them.
    Recovery(Arc<Recovery>),
    /// By key and node.
    Stray(Arc<Stray>),
    /// By number; from state version 3 on.
    Eni(Arc<Eni>),
    /// By id; from state version 3 on.
    Job(Arc<Job>),
}

/// All records of a frozen ledger, made as they are asked for: it owns a clone and may go to another thread.
#[derive(Debug)]
pub struct Records {
    ledger: Ledger,
    /// Of the kind at hand.
    waiting: std::vec::IntoIter<Record>,
    part: Part,
}

#[derive(Clone, Copy, Debug)]
enum Part {
    Header,
    Cluster,
    VSwitches,
    NodePools,
    Nodes,
    Members,
    Claims { from: ClaimId },
    Allocations,
    Addresses { from: u128 },
    Tombstones,
    Requests,
    Recovery,
    Strays,
    Enis,
    Jobs,
    End,
}

/// Rows made at once: a snapshot of millions must not be in memory twice.
const STRIDE: usize = 4_096;
/// Nodes named by one record of a recovery.
const WAITING_MAX: usize = 1_000;

// === impl Records ===

impl Iterator for Records {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        loop {
            if let Some(record) = self.waiting.next() {
                return Some(record);
            }
            let (rows, part) = self.fill()?;
            self.waiting = rows.into_iter();
            self.part = part;
        }
    }
}

impl Records {
    fn fill(&self) -> Option<(Vec<Record>, Part)> {
        let ledger = &self.ledger;
        Some(match self.part {
            Part::Header => (vec![Record::Header(ledger.header())], Part::Cluster),
            Part::Cluster => (ledger.cluster_record(), Part::VSwitches),
            Part::VSwitches => (
                ledger.vswitches().cloned().map(Record::VSwitch).collect(),
                Part::NodePools,
            ),
            Part::NodePools => (
                ledger.node_pools().cloned().map(Record::NodePool).collect(),
                Part::Nodes,
            ),
            Part::Nodes => (
                ledger.nodes().cloned().map(Record::Node).collect(),
                Part::Members,
            ),
            Part::Members => (
                ledger.members().cloned().map(Record::Member).collect(),
                Part::Claims { from: ClaimId(0) },
            ),
            Part::Claims { from } => {
                let rows: Vec<_> = ledger.claims_from(from).take(STRIDE).cloned().collect();
                let next = rows.last().map(|claim| ClaimId(claim.id.0 + 1));
                let part = next.map_or(Part::Allocations, |from| Part::Claims { from });
                (rows.into_iter().map(Record::Claim).collect(), part)
            }
            Part::Allocations => (allocations(ledger), Part::Addresses { from: 0 }),
            Part::Addresses { from } => addresses(ledger, from),
            Part::Tombstones if planted::has(Planted::SnapshotWithoutRequests) => {
                (tombstones(ledger), Part::Recovery)
            }
            Part::Tombstones => (tombstones(ledger), Part::Requests),
            Part::Requests => (requests(ledger), Part::Recovery),
            Part::Recovery => {
                let last = ledger.recovery().into_iter();
                (last.flat_map(parts).collect(), Part::Strays)
            }
            Part::Strays => (
                ledger.strays().cloned().map(Record::Stray).collect(),
                Part::Enis,
            ),
            Part::Enis => (
                ledger.enis().cloned().map(Record::Eni).collect(),
                Part::Jobs,
            ),
            Part::Jobs => (ledger.jobs().cloned().map(Record::Job).collect(), Part::End),
            Part::End => return None,
        })
    }
}

fn allocations(ledger: &Ledger) -> Vec<Record> {
    let rows = ledger
        .attachments
        .iter()
        .filter_map(|(_, row)| row.allocation());
    let mut rows: Vec<_> = rows.cloned().collect();
    rows.sort_by_key(|row| row.generation);
    rows.into_iter().map(Record::Allocation).collect()
}

fn addresses(ledger: &Ledger, from: u128) -> (Vec<Record>, Part) {
    let places = ledger.addresses.span((from, u128::MAX)).take(STRIDE);
    let mut last = None;
    let mut rows = Vec::with_capacity(STRIDE);
    for (number, place) in places {
        last = Some(number);
        let vswitch = ledger.vswitches.containing(number);
        if let (Some(vswitch), Some(state)) = (vswitch, ledger.state_of(place)) {
            let address = address(number);
            rows.push(Record::Address {
                vswitch,
                address,
                state,
            });
        }
    }
    let part = match last.and_then(|last: u128| last.checked_add(1)) {
        Some(from) => Part::Addresses { from },
        None => Part::Tombstones,
    };
    (rows, part)
}

fn tombstones(ledger: &Ledger) -> Vec<Record> {
    let rows = ledger
        .attachments
        .iter()
        .filter_map(|(_, row)| Some((row.key(), row.tombstone()?)));
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by_key(|(key, row)| (row.expires_at_ms, *key));
    let record = |(key, row): (&Arc<AttachmentKey>, &Tombstone)| Record::Tombstone {
        key: key.clone(),
        tombstone: row.clone(),
    };
    rows.into_iter().map(record).collect()
}

/// A record has to fit a chunk: each names some of those that it waits for.
fn parts(row: &Arc<Recovery>) -> Vec<Record> {
    let waiting: Vec<NodeId> = row.waiting.iter().copied().collect();
    if waiting.len() <= WAITING_MAX {
        return vec![Record::Recovery(row.clone())];
    }
    let part = |some: &[NodeId]| {
        Record::Recovery(Arc::new(Recovery {
            waiting: some.iter().copied().collect(),
            ..(**row).clone()
        }))
    };
    waiting.chunks(WAITING_MAX).map(part).collect()
}

fn requests(ledger: &Ledger) -> Vec<Record> {
    let mut rows: Vec<&Arc<Request>> = ledger.requests.iter().collect();
    rows.sort_by_key(|row| (&row.principal, &row.id));
    let record = |row: &Arc<Request>| Record::Request {
        principal: row.principal.clone(),
        id: row.id.clone(),
        result: row.result.clone(),
    };
    rows.into_iter().map(record).collect()
}

// === impl Ledger ===

impl Ledger {
    fn header(&self) -> SnapshotHeader {
        SnapshotHeader {
            state_version: state_version(self.version()),
            cluster: self.cluster.clone(),
            revision: self.revision,
            chain: self.chain,
            ledger_time_ms: self.ledger_time_ms,
            wall_time_ms: self.wall_time_ms,
        }
    }

    /// The form of the first release has no such record: its cluster is at the first version.
    fn cluster_record(&self) -> Vec<Record> {
        let is_there = state_version(self.version()) > 1;
        is_there
            .then_some(Record::Cluster(self.cluster_row))
            .into_iter()
            .collect()
    }

    /// All rows in a fixed order, of the ledger as it is now.
    pub fn records(&self) -> Records {
        Records {
            ledger: self.clone(),
            waiting: Vec::new().into_iter(),
            part: Part::Header,
        }
    }
}
