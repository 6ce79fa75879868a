//! Snapshots: a ledger's records, packed into chunks.

use super::row::{request, request_to_wire, tombstone, tombstone_to_wire};
use super::{Error, Wire, fixed, required, whole};
use berth_domain::event::Chain;
use berth_domain::id::*;
use berth_domain::ledger::{Record, Records, SnapshotHeader};
use berth_proto::log::v1;
use berth_proto::log::v1::snapshot_record::Record as Part;
use berth_raft::state_machine::CHUNK_BYTES_MAX;
use bytes::Bytes;
use prost::Message;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A chunk is closed at this size: small enough that a lost one is cheap, large enough that few are needed.
const CHUNK_BYTES_ABOUT: usize = CHUNK_BYTES_MAX / 2;

/// Field 2, with a length: where a chunk of clusters begins. Records are field 1.
const CLUSTERS_TAG: u8 = 2 << 3 | 2;

/// A frozen ledger's chunks, in order.
pub struct SnapshotChunks {
    records: Records,
    /// A record that did not fit any more: the next chunk's first.
    next: Vec<u8>,
}

/// The records of one chunk, in order.
pub fn decode_chunk(bytes: &[u8]) -> Result<Vec<Record>, Error> {
    let chunk: v1::SnapshotChunk = whole(bytes, "a snapshot's chunk")?;
    chunk.records.into_iter().map(Record::from_wire).collect()
}

/// The chunk that names the clusters with facts; none if there are none.
pub fn encode_clusters(clusters: &BTreeSet<ClusterName>) -> Option<Vec<u8>> {
    let names = clusters.iter().map(|name| name.as_str().to_owned());
    let chunk = v1::SnapshotChunk {
        records: Vec::new(),
        clusters_with_facts: names.collect(),
    };
    (!clusters.is_empty()).then(|| chunk.encode_to_vec())
}

/// What [`encode_clusters`] wrote; none in every other chunk. Which one it is its first byte says, so that no chunk is
/// decoded twice.
pub fn decode_clusters(bytes: &[u8]) -> Result<Vec<ClusterName>, Error> {
    if bytes.first() != Some(&CLUSTERS_TAG) {
        return Ok(Vec::new());
    }
    let names = v1::SnapshotChunk::decode(bytes)?.clusters_with_facts;
    let names = names.iter().map(|name| Ok(ClusterName::new(name)?));
    names.collect()
}

// === impl SnapshotChunks ===

impl SnapshotChunks {
    /// Of these records.
    pub fn new(records: Records) -> Self {
        Self {
            records,
            next: Vec::new(),
        }
    }
}

impl Iterator for SnapshotChunks {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut chunk = std::mem::take(&mut self.next);
        while chunk.len() < CHUNK_BYTES_ABOUT
            && let Some(record) = self.records.next()
        {
            // One record is one element of the repeated field; encoded chunks concatenate.
            let message = v1::SnapshotChunk {
                records: vec![record.to_wire()],
                clusters_with_facts: Vec::new(),
            };
            let bytes = message.encode_to_vec();
            if !chunk.is_empty() && chunk.len() + bytes.len() > CHUNK_BYTES_MAX {
                self.next = bytes;
                break;
            }
            chunk.extend(bytes);
        }
        (!chunk.is_empty()).then_some(chunk)
    }
}

// === impl Record ===

impl Wire<v1::SnapshotRecord> for Record {
    fn to_wire(&self) -> v1::SnapshotRecord {
        let part = match self {
            Self::Header(header) => Part::Header(header.to_wire()),
            Self::Cluster(row) => Part::Cluster(row.to_wire()),
            Self::VSwitch(row) => Part::Vswitch(row.to_wire()),
            Self::Node(row) => Part::Node(row.to_wire()),
            Self::Member(row) => Part::Member(row.to_wire()),
            Self::Claim(row) => Part::Claim(row.to_wire()),
            Self::Allocation(row) => Part::Allocation(row.to_wire()),
            Self::Address {
                vswitch,
                address,
                state,
            } => Part::Address(v1::AddressRow {
                vswitch: vswitch.0,
                address: Some(address.to_wire()),
                state: Some(state.to_wire()),
            }),
            Self::Tombstone { key, tombstone } => {
                Part::Tombstone(tombstone_to_wire(key, tombstone))
            }
            Self::Request {
                principal,
                id,
                result,
            } => Part::Request(request_to_wire(principal, id, result)),
            Self::Recovery(row) => Part::Recovery(row.to_wire()),
            Self::Stray(row) => Part::Stray(row.to_wire()),
            Self::Eni(row) => Part::Eni(row.to_wire()),
            Self::Job(row) => Part::Job(row.to_wire()),
            Self::NodePool(row) => Part::NodePool(row.to_wire()),
        };
        v1::SnapshotRecord { record: Some(part) }
    }

    fn from_wire(message: v1::SnapshotRecord) -> Result<Self, Error> {
        Ok(
            match message.record.ok_or(Error::Missing("snapshot record"))? {
                Part::Header(header) => Self::Header(SnapshotHeader::from_wire(header)?),
                Part::Cluster(row) => Self::Cluster(Wire::from_wire(row)?),
                Part::Vswitch(row) => Self::VSwitch(Wire::from_wire(row)?),
                Part::Node(row) => Self::Node(Wire::from_wire(row)?),
                Part::Member(row) => Self::Member(Wire::from_wire(row)?),
                Part::Claim(row) => Self::Claim(Wire::from_wire(row)?),
                Part::Allocation(row) => Self::Allocation(Wire::from_wire(row)?),
                Part::Address(row) => Self::Address {
                    vswitch: VSwitchId(row.vswitch),
                    address: required(row.address, "address")?,
                    state: required(row.state, "address state")?,
                },
                Part::Tombstone(row) => {
                    let (key, tombstone) = tombstone(row)?;
                    let key = Arc::new(key);
                    Self::Tombstone { key, tombstone }
                }
                Part::Request(row) => {
                    let (principal, id, result) = request(row)?;
                    let result = Arc::new(result);
                    Self::Request {
                        principal,
                        id,
                        result,
                    }
                }
                Part::Recovery(row) => Self::Recovery(Wire::from_wire(row)?),
                Part::Stray(row) => Self::Stray(Wire::from_wire(row)?),
                Part::Eni(row) => Self::Eni(Wire::from_wire(row)?),
                Part::Job(row) => Self::Job(Wire::from_wire(row)?),
                Part::NodePool(row) => Self::NodePool(Wire::from_wire(row)?),
            },
        )
    }
}

impl Wire<v1::SnapshotHeader> for SnapshotHeader {
    fn to_wire(&self) -> v1::SnapshotHeader {
        v1::SnapshotHeader {
            state_version: self.state_version,
            cluster_id: self.cluster.as_str().to_owned(),
            revision: self.revision.0,
            chain: Bytes::copy_from_slice(&self.chain.0),
            ledger_time_ms: self.ledger_time_ms,
            wall_time_ms: self.wall_time_ms,
        }
    }

    fn from_wire(message: v1::SnapshotHeader) -> Result<Self, Error> {
        Ok(Self {
            state_version: message.state_version,
            cluster: ClusterId::new(&message.cluster_id)?,
            revision: Revision(message.revision),
            chain: Chain(fixed(&message.chain, "chain")?),
            ledger_time_ms: message.ledger_time_ms,
            wall_time_ms: message.wall_time_ms,
        })
    }
}
