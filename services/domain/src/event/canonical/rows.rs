//! The bytes of rows and of their changes.

use super::Writer;
use crate::id::{EniId, NodeId};
use crate::outcome::Outcome;
use crate::row::{
    AddressState, Allocation, Change, Claim, ClaimState, Cluster, Member, Node, Recovery,
    RecoveryKind, RequestResult, Stray, StrayCause, Tombstone, VSwitch,
};

// === impl Writer ===

impl Writer<'_> {
    pub(crate) fn eni(&mut self, value: Option<&EniId>) {
        self.option(value, |writer, eni| writer.text(eni.as_bytes()));
    }

    pub(crate) fn address_state(&mut self, value: &AddressState) {
        match value {
            AddressState::Free { since } => self.numbered(0, since.0),
            // 1 and 5 named an ENI instead of a job; no release ever wrote one.
            AddressState::Reserved { node, job } => {
                self.numbered(11, node.0);
                self.u64(job.0);
            }
            AddressState::Idle { node, eni } => self.standing(2, *node, eni.as_ref()),
            AddressState::Bound {
                node,
                key,
                generation,
            } => {
                self.numbered(3, node.0);
                self.key(key);
                self.u64(generation.0);
            }
            AddressState::Cooling {
                until_ms,
                node,
                eni,
            } => {
                self.numbered(4, *until_ms);
                self.option(*node, |writer, node| writer.u64(node.0));
                self.eni(eni.as_ref());
            }
            AddressState::Releasing { node, job } => {
                self.numbered(12, job.0);
                self.option(*node, |writer, node| writer.u64(node.0));
            }
            AddressState::Held { claim } => self.numbered(6, claim.0),
            AddressState::Disputed { claim } => self.numbered(7, claim.0),
            AddressState::Quarantined { since } => self.numbered(8, since.0),
            AddressState::Foreign => self.byte(9),
            AddressState::Excluded => self.byte(10),
        }
    }

    fn numbered(&mut self, variant: u8, number: u64) {
        self.byte(variant);
        self.u64(number);
    }

    fn standing(&mut self, variant: u8, node: NodeId, eni: Option<&EniId>) {
        self.numbered(variant, node.0);
        self.eni(eni);
    }

    pub(crate) fn vswitch(&mut self, row: &VSwitch) {
        self.u64(row.id.0);
        self.text(row.name.as_bytes());
        self.text(row.zone.as_bytes());
        self.option(row.ipv4.as_ref(), Self::subnet);
        self.option(row.ipv6.as_ref(), Self::subnet);
        self.list(&row.excluded, Self::range);
        self.u64(row.cooling_ms);
        self.network(row.kind, row.cloud.as_ref());
    }

    pub(crate) fn node(&mut self, row: &Node) {
        self.u64(row.id.0);
        self.text(row.name.as_bytes());
        self.text(row.identity.as_bytes());
        self.text(row.zone.as_bytes());
        self.text(row.instance_type.as_bytes());
        self.u32(row.eni_slots);
        self.u32(row.addresses_per_eni);
        self.warm_target(row.warm_target, row.pool);
    }

    pub(crate) fn allocation(&mut self, row: &Allocation) {
        self.key(&row.key);
        self.u64(row.generation.0);
        self.u64(row.node.0);
        self.text(row.boot.as_bytes());
        self.u64(row.invoked_at_ms);
        self.pod(&row.pod);
        self.u64(row.vswitch.0);
        self.eni(row.eni.as_ref());
        self.list(&row.addresses, Self::address);
        self.option(row.claim, |writer, claim| writer.u64(claim.0));
        self.raw(&row.parameters);
        self.u64(row.bound_at_ms);
        self.u64(row.bound_wall_ms);
    }

    pub(crate) fn claim(&mut self, row: &Claim) {
        self.u64(row.id.0);
        self.claim_name(&row.name);
        self.u64(row.vswitch.0);
        self.list(&row.addresses, Self::address);
        self.policy(row.policy);
        match &row.state {
            ClaimState::Held {
                since_ms,
                settled_at_ms,
                release_at_ms,
            } => {
                self.numbered(0, *since_ms);
                self.u64(*settled_at_ms);
                self.option(*release_at_ms, Self::u64);
            }
            ClaimState::Bound {
                key,
                generation,
                node,
            } => {
                self.byte(1);
                self.key(key);
                self.u64(generation.0);
                self.u64(node.0);
            }
        }
        self.u64(row.generation.0);
    }

    pub(crate) fn tombstone(&mut self, row: &Tombstone) {
        self.text(row.boot.as_bytes());
        self.u64(row.invoked_at_ms);
        self.u64(row.expires_at_ms);
    }

    pub(crate) fn request(&mut self, row: &RequestResult) {
        self.raw(&row.command);
        self.outcome(&row.outcome);
        self.u64(row.expires_at_ms);
    }

    fn outcome(&mut self, value: &Outcome) {
        match value {
            Outcome::Bound {
                allocation,
                created,
            } => {
                self.byte(0);
                self.allocation(allocation);
                self.flag(*created);
            }
            Outcome::Released { released } => {
                self.byte(1);
                self.flag(*released);
            }
            Outcome::VSwitch(id) => self.numbered(2, id.0),
            Outcome::Node(id) => self.numbered(3, id.0),
            Outcome::Claim { id, addresses } => {
                self.numbered(4, id.0);
                self.list(addresses, Self::address);
            }
            Outcome::Rows(rows) => {
                self.byte(5);
                self.u32(*rows);
            }
            Outcome::Done => self.byte(6),
            Outcome::Job(id) => self.numbered(8, id.0),
            Outcome::Confirmed {
                adopted,
                strays,
                waiting,
            } => {
                self.byte(7);
                self.u32(*adopted);
                self.u32(*strays);
                self.u32(*waiting);
            }
        }
    }

    pub(crate) fn member(&mut self, row: &Member) {
        // It came later, so rows without it must hash as they always did; no member has this id.
        if row.stays_learner {
            self.u64(u64::MAX);
        }
        self.u64(row.id.0);
        self.text(row.name.as_bytes());
        self.text(row.client_endpoint.as_bytes());
        self.text(row.peer_endpoint.as_bytes());
        self.raw(&row.store);
    }

    pub(crate) fn cluster(&mut self, row: &Cluster) {
        self.u32(row.version.0);
    }

    pub(crate) fn recovery_kind(&mut self, kind: RecoveryKind) {
        self.byte(match kind {
            RecoveryKind::Restored => 0,
            RecoveryKind::Forced => 1,
        });
    }

    pub(crate) fn recovery(&mut self, row: &Recovery) {
        self.u64(row.number);
        self.recovery_kind(row.kind);
        self.text(row.former.as_bytes());
        self.text(row.cluster.as_bytes());
        self.u64(row.follows.0);
        self.u64(row.began.0);
        self.u64(row.began_ms);
        self.u64(row.began_wall_ms);
        self.text(row.ordered_by.as_bytes());
        self.text(row.reason.as_bytes());
        let waiting: Vec<NodeId> = row.waiting.iter().copied().collect();
        self.list(&waiting, |writer, node| writer.u64(node.0));
        self.option(row.closed, |writer, revision| writer.u64(revision.0));
    }

    pub(crate) fn stray(&mut self, row: &Stray) {
        self.key(&row.key);
        self.u64(row.node.0);
        self.text(row.boot.as_bytes());
        self.u64(row.invoked_at_ms);
        self.pod(&row.pod);
        self.list(&row.addresses, Self::address);
        self.byte(match row.cause {
            StrayCause::OutOfRange => 0,
            StrayCause::Families => 1,
            StrayCause::BoundToAnother => 2,
            StrayCause::HeldForAnother => 3,
            StrayCause::UsedTwice => 4,
            StrayCause::BoundElsewhere => 5,
        });
        self.u64(row.since.0);
    }

    pub(crate) fn change(&mut self, change: &Change) {
        match change {
            Change::Address {
                vswitch,
                address,
                before,
                after,
            } => {
                self.numbered(0, vswitch.0);
                self.address(address);
                self.sides(before.as_ref(), after.as_ref(), Self::address_state);
            }
            Change::Allocation { key, before, after } => {
                self.byte(1);
                self.key(key);
                self.sides(before.as_deref(), after.as_deref(), Self::allocation);
            }
            Change::Claim { id, before, after } => {
                self.numbered(2, id.0);
                self.sides(before.as_deref(), after.as_deref(), Self::claim);
            }
            Change::Node { id, before, after } => {
                self.numbered(3, id.0);
                self.sides(before.as_deref(), after.as_deref(), Self::node);
            }
            Change::VSwitch { id, before, after } => {
                self.numbered(4, id.0);
                self.sides(before.as_deref(), after.as_deref(), Self::vswitch);
            }
            Change::Tombstone { key, before, after } => {
                self.byte(5);
                self.key(key);
                self.sides(before.as_ref(), after.as_ref(), Self::tombstone);
            }
            Change::Request {
                principal,
                id,
                before,
                after,
            } => {
                self.byte(6);
                self.text(principal.as_bytes());
                self.text(id.as_bytes());
                self.sides(before.as_deref(), after.as_deref(), Self::request);
            }
            Change::Member { id, before, after } => {
                self.numbered(7, id.0);
                self.sides(before.as_deref(), after.as_deref(), Self::member);
            }
            Change::Cluster { before, after } => {
                self.byte(8);
                self.cluster(before);
                self.cluster(after);
            }
            // 8 is the cluster's own row.
            Change::Recovery { before, after } => {
                self.byte(9);
                self.sides(before.as_deref(), after.as_deref(), Self::recovery);
            }
            Change::OwedReport {
                node,
                before,
                after,
            } => {
                self.numbered(10, node.0);
                self.flag(*before);
                self.flag(*after);
            }
            Change::Eni {
                number,
                before,
                after,
            } => {
                self.numbered(12, number.0);
                self.sides(before.as_deref(), after.as_deref(), Self::eni_row);
            }
            Change::NodePool { id, before, after } => {
                self.numbered(14, id.0);
                self.sides(before.as_deref(), after.as_deref(), Self::node_pool);
            }
            Change::Job { id, before, after } => {
                self.numbered(13, id.0);
                self.sides(before.as_deref(), after.as_deref(), Self::job);
            }
            Change::Stray {
                node,
                key,
                before,
                after,
            } => {
                self.numbered(11, node.0);
                self.key(key);
                self.sides(before.as_deref(), after.as_deref(), Self::stray);
            }
        }
    }

    fn sides<T>(&mut self, before: Option<&T>, after: Option<&T>, write: fn(&mut Self, &T)) {
        self.option(before, write);
        self.option(after, write);
    }
}
