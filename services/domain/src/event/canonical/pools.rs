//! The bytes of node pools, and of what a vSwitch and a node have of a cloud.
//!
//! A vSwitch without a cloud's name and a node without a pool keep the bytes of the first release. With them, a number
//! that stands there anyway is one that it never was, so that no bytes have two readings.

use super::Writer;
use crate::address::NetworkKind;
use crate::capacity::NodeMode;
use crate::id::{CloudVSwitchId, NodePoolId};
use crate::row::{IdleSettings, NodePool, VSwitchChoice};

/// More than any warm target is.
const IN_A_POOL: u32 = 1 << 31;
/// No network kind has this number: a name follows.
const NAMED_VPC: u8 = 2;
const NAMED_ROUTED: u8 = 3;

// === impl Writer ===

impl Writer<'_> {
    pub(crate) fn network(&mut self, kind: NetworkKind, cloud: Option<&CloudVSwitchId>) {
        let Some(cloud) = cloud else {
            return self.network_kind(kind);
        };
        self.byte(match kind {
            NetworkKind::Vpc => NAMED_VPC,
            NetworkKind::Routed => NAMED_ROUTED,
        });
        self.text(cloud.as_bytes());
    }

    pub(crate) fn warm_target(&mut self, warm_target: u32, pool: Option<NodePoolId>) {
        let Some(pool) = pool else {
            return self.u32(warm_target);
        };
        self.u32(warm_target | IN_A_POOL);
        self.u64(pool.0);
    }

    pub(crate) fn node_pool(&mut self, row: &NodePool) {
        self.u64(row.id.0);
        self.text(row.name.as_bytes());
        self.node_mode(row.mode);
        self.list(&row.vswitches, |writer, id| writer.u64(id.0));
        self.list(&row.draining, |writer, id| writer.u64(id.0));
        self.vswitch_choice(row.choice);
        self.list(&row.security_groups, |writer, group| {
            writer.text(group.as_bytes());
        });
        self.idle_settings(&row.idle);
        self.list(&row.blocked, |writer, eni| writer.text(eni.as_bytes()));
        self.list(&row.eni_tags, |writer, tag| {
            writer.text(tag.key.as_bytes());
            writer.text(tag.value.as_bytes());
        });
        self.byte(u8::from(row.acceleration));
        self.byte(u8::from(row.network_policy));
    }

    pub(crate) fn idle_settings(&mut self, idle: &IdleSettings) {
        self.u32(idle.min);
        self.u32(idle.max);
        self.u32(idle.warm_up);
        self.u64(idle.reclaim_after_ms);
        self.u32(idle.reclaim_batch);
        self.u64(idle.reclaim_every_ms);
    }

    pub(crate) fn node_mode(&mut self, value: NodeMode) {
        self.byte(match value {
            NodeMode::Shared => 0,
            NodeMode::SharedTrunk => 1,
            NodeMode::Exclusive => 2,
        });
    }

    pub(crate) fn vswitch_choice(&mut self, value: VSwitchChoice) {
        self.byte(match value {
            VSwitchChoice::Ordered => 0,
            VSwitchChoice::Random => 1,
            VSwitchChoice::MostFree => 2,
        });
    }
}
