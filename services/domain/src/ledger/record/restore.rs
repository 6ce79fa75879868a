//! A ledger out of records. A damaged snapshot must not make one that only looks whole.

use super::{Record, SnapshotHeader, UPGRADES, Upgrade, upgrade};
use crate::id::NodeId;
use crate::ledger::{Error, Ledger, warm};
use crate::row::{AddressState, Change};
use crate::version::BASE;
use std::sync::Arc;

// === impl Ledger ===

impl Ledger {
    /// A ledger of the records of one.
    pub fn from_records(records: impl IntoIterator<Item = Record>) -> Result<Self, Error> {
        Self::from_older_records(records, UPGRADES)
    }

    /// The same, with the steps from older forms given.
    pub(super) fn from_older_records(
        records: impl IntoIterator<Item = Record>,
        upgrades: &[Upgrade],
    ) -> Result<Self, Error> {
        let mut records = records.into_iter();
        let Some(Record::Header(header)) = records.next() else {
            return Err(Error::Header);
        };
        let steps = upgrade::steps(upgrades, header.state_version)?;
        let mut ledger = Self::headed(&header);
        let mut records = records
            .filter_map(|record| upgrade::apply(steps, record))
            .peekable();
        while records.peek().is_some() {
            let some: Vec<Record> = records.by_ref().take(warm::TOGETHER).collect();
            ledger.warm_records(&some);
            some.into_iter()
                .try_for_each(|record| ledger.install_record(record))?;
        }
        ledger.is_of_its_form(&header)?;
        Ok(ledger)
    }

    fn headed(header: &SnapshotHeader) -> Self {
        let mut ledger = Self::new(header.cluster.clone());
        ledger.revision = header.revision;
        ledger.chain = header.chain;
        ledger.pass_time(header.ledger_time_ms, header.wall_time_ms);
        ledger
    }

    /// A snapshot that lost its cluster record must not set the cluster back to the first version.
    fn is_of_its_form(&self, header: &SnapshotHeader) -> Result<(), Error> {
        let version = header.state_version;
        let what = match (version > 1, self.version() > BASE) {
            (true, false) => "no cluster version above the first",
            (false, true) => "a cluster version above the first",
            _ => return Ok(()),
        };
        Err(Error::Form { version, what })
    }

    fn install_record(&mut self, record: Record) -> Result<(), Error> {
        self.check_names(&record)?;
        let change = match record {
            Record::Header(_) => return Err(Error::Header),
            Record::Cluster(after) => Change::Cluster {
                before: self.cluster_row,
                after,
            },
            Record::VSwitch(row) => Change::VSwitch {
                id: row.id,
                before: None,
                after: Some(row),
            },
            Record::Node(row) => Change::Node {
                id: row.id,
                before: None,
                after: Some(row),
            },
            Record::Member(row) => Change::Member {
                id: row.id,
                before: None,
                after: Some(row),
            },
            Record::Claim(row) => Change::Claim {
                id: row.id,
                before: None,
                after: Some(row),
            },
            Record::Allocation(row) => {
                let key = row.key.clone();
                Change::Allocation {
                    key,
                    before: None,
                    after: Some(row),
                }
            }
            Record::Address {
                vswitch,
                address,
                state,
            } => Change::address(vswitch, address, None, Some(state)),
            Record::Tombstone { key, tombstone } => Change::Tombstone {
                key,
                before: None,
                after: Some(tombstone),
            },
            Record::Request {
                principal,
                id,
                result,
            } => Change::Request {
                principal,
                id,
                before: None,
                after: Some(result),
            },
            Record::Recovery(row) => {
                let known = self.recovery().filter(|known| known.number == row.number);
                let before = known.map(|known| known.waiting.clone()).unwrap_or_default();
                let mut row = row;
                if !before.is_empty() {
                    Arc::make_mut(&mut row).waiting.extend(before);
                }
                Change::Recovery {
                    before: None,
                    after: Some(row),
                }
            }
            Record::NodePool(row) => Change::NodePool {
                id: row.id,
                before: None,
                after: Some(row),
            },
            Record::Eni(row) => Change::Eni {
                number: row.number,
                before: None,
                after: Some(row),
            },
            Record::Job(row) => Change::Job {
                id: row.id,
                before: None,
                after: Some(row),
            },
            Record::Stray(row) => Change::Stray {
                node: row.node,
                key: row.key.clone(),
                before: None,
                after: Some(row),
            },
        };
        self.install(&[change]);
        Ok(())
    }

    /// A damaged snapshot must not make a ledger that only looks whole.
    fn check_names(&self, record: &Record) -> Result<(), Error> {
        let known_node = |node: NodeId| self.node(node).is_some();
        let (what, name, whole) = match record {
            Record::Claim(row) => (
                "claim",
                row.name.to_string(),
                self.vswitch(row.vswitch).is_some(),
            ),
            Record::Allocation(row) => (
                "allocation",
                row.key.to_string(),
                known_node(row.node) && self.vswitch(row.vswitch).is_some(),
            ),
            Record::Address {
                vswitch,
                address,
                state,
            } => {
                let named = match state {
                    AddressState::Bound { key, .. } => self.allocation(key).is_some(),
                    AddressState::Held { claim } | AddressState::Disputed { claim } => {
                        self.claim(*claim).is_some()
                    }
                    AddressState::Idle { node, .. } => known_node(*node),
                    _ => true,
                };
                let inside = self
                    .vswitch(*vswitch)
                    .is_some_and(|row| row.contains(*address));
                ("address", address.to_string(), named && inside)
            }
            Record::Recovery(row) => (
                "recovery",
                row.number.to_string(),
                row.cluster == self.cluster,
            ),
            Record::Stray(row) => ("stray", row.key.to_string(), known_node(row.node)),
            Record::NodePool(row) => (
                "node pool",
                row.name.to_string(),
                row.vswitches.iter().all(|id| self.vswitch(*id).is_some()),
            ),
            Record::Node(row) => (
                "node",
                row.name.to_string(),
                row.pool.is_none_or(|pool| self.node_pool(pool).is_some()),
            ),
            Record::Eni(row) => (
                "ENI",
                row.number.to_string(),
                self.vswitch(row.vswitch).is_some(),
            ),
            Record::Job(row) => ("job", row.id.to_string(), self.eni(row.eni).is_some()),
            _ => return Ok(()),
        };
        whole.then_some(()).ok_or(Error::Dangling { what, name })
    }
}

#[cfg(test)]
mod tests;
