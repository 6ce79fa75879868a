//! Node pools and their commands, and what names them.

use super::eni;
use super::jobs::{groups, one_of};
use berth_domain::capacity::NodeMode;
use berth_domain::command::*;
use berth_domain::id::*;
use berth_domain::row::*;
use proptest::option;
use proptest::prelude::*;

pub fn cloud() -> impl Strategy<Value = Option<CloudVSwitchId>> {
    let named = "vsw-[a-z0-9]{1,8}";
    option::of(named.prop_map(|text: String| CloudVSwitchId::new(&text).expect("allowed")))
}

pub fn pool() -> impl Strategy<Value = Option<NodePoolId>> {
    option::of((1..=u64::MAX).prop_map(NodePoolId))
}

fn name() -> impl Strategy<Value = NodePoolName> {
    "[a-z]{1,8}".prop_map(|text: String| NodePoolName::new(&text).expect("allowed"))
}

fn vswitches() -> impl Strategy<Value = Vec<VSwitchId>> {
    prop::collection::vec(any::<u64>().prop_map(VSwitchId), 0..3)
}

pub fn pool_row() -> impl Strategy<Value = NodePool> {
    let kinds = (one_of(&NodeMode::ALL), one_of(&VSwitchChoice::ALL));
    let lists = (
        vswitches(),
        vswitches(),
        groups(),
        prop::collection::vec(eni(), 0..3),
        prop::collection::vec(eni_tag(), 0..3),
    );
    let settings = (idle(), any::<(bool, bool)>());
    (any::<u64>(), name(), kinds, lists, settings).prop_map(
        |(id, name, (mode, choice), lists, (idle, (acceleration, network_policy)))| NodePool {
            id: NodePoolId(id),
            name,
            mode,
            vswitches: lists.0,
            draining: lists.1,
            choice,
            security_groups: lists.2,
            idle,
            blocked: lists.3,
            eni_tags: lists.4,
            acceleration,
            network_policy,
        },
    )
}

fn idle() -> impl Strategy<Value = IdleSettings> {
    let counts = any::<(u32, u32, u32, u32)>();
    (counts, any::<(u64, u64)>()).prop_map(|((min, max, warm_up, batch), (after, every))| {
        IdleSettings {
            min,
            max,
            warm_up,
            reclaim_after_ms: after,
            reclaim_batch: batch,
            reclaim_every_ms: every,
        }
    })
}

fn eni_tag() -> impl Strategy<Value = EniTag> {
    ("[a-z]{1,8}", "[a-z]{1,8}").prop_map(|(key, value)| EniTag {
        key: TagKey::new(&key).expect("allowed"),
        value: TagValue::new(&value).expect("allowed"),
    })
}

/// Any command of a pool.
pub fn pool_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        pool_row().prop_map(|row| {
            Command::SetNodePool(SetNodePool {
                name: row.name,
                mode: row.mode,
                vswitches: row.vswitches,
                draining: row.draining,
                choice: row.choice,
                security_groups: row.security_groups,
                idle: row.idle,
                blocked: row.blocked,
                eni_tags: row.eni_tags,
                acceleration: row.acceleration,
                network_policy: row.network_policy,
            })
        }),
        name().prop_map(|name| Command::DeleteNodePool(DeleteNodePool { name })),
    ]
}
