//! The records' canonical bytes, hashed: the same on every replica at the same revision.

use super::Record;
use crate::event::Writer;
use crate::ledger::Ledger;

// === impl Ledger ===

impl Ledger {
    /// A digest of all rows, the revision and the chain, for comparing replicas at the same revision.
    /// The two times are not in it: they pass without a revision.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        let mut bytes = Vec::new();
        for record in self.records() {
            bytes.clear();
            Writer { bytes: &mut bytes }.record(&record);
            hasher.update(&bytes);
        }
        *hasher.finalize().as_bytes()
    }
}

// === impl Writer ===

impl Writer<'_> {
    fn record(&mut self, record: &Record) {
        match record {
            Record::Header(header) => {
                self.u32(header.state_version);
                self.text(header.cluster.as_bytes());
                self.u64(header.revision.0);
                self.raw(&header.chain.0);
            }
            Record::Cluster(row) => self.tagged(9, row, Self::cluster),
            Record::VSwitch(row) => self.tagged(1, &**row, Self::vswitch),
            Record::Node(row) => self.tagged(2, &**row, Self::node),
            Record::Member(row) => self.tagged(3, &**row, Self::member),
            Record::Claim(row) => self.tagged(4, &**row, Self::claim),
            Record::Allocation(row) => self.tagged(5, &**row, Self::allocation),
            Record::Address {
                vswitch,
                address,
                state,
            } => {
                self.byte(6);
                self.u64(vswitch.0);
                self.address(address);
                self.address_state(state);
            }
            Record::Tombstone { key, tombstone } => {
                self.byte(7);
                self.key(key);
                self.tombstone(tombstone);
            }
            Record::Request {
                principal,
                id,
                result,
            } => {
                self.byte(8);
                self.text(principal.as_bytes());
                self.text(id.as_bytes());
                self.request(result);
            }
            // 9 is the cluster's own row.
            Record::Recovery(row) => self.tagged(10, &**row, Self::recovery),
            Record::Stray(row) => self.tagged(11, &**row, Self::stray),
            Record::Eni(row) => self.tagged(12, &**row, Self::eni_row),
            Record::NodePool(row) => self.tagged(14, &**row, Self::node_pool),
            Record::Job(row) => self.tagged(13, &**row, Self::job),
        }
    }

    fn tagged<T>(&mut self, tag: u8, row: &T, write: fn(&mut Self, &T)) {
        self.byte(tag);
        write(self, row);
    }
}
