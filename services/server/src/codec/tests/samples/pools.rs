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
    );
    (any::<u64>(), name(), kinds, lists, any::<(u32, u32)>()).prop_map(
        |(id, name, (mode, choice), lists, (min_idle, max_idle))| NodePool {
            id: NodePoolId(id),
            name,
            mode,
            vswitches: lists.0,
            draining: lists.1,
            choice,
            security_groups: lists.2,
            min_idle,
            max_idle,
            blocked: lists.3,
        },
    )
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
                min_idle: row.min_idle,
                max_idle: row.max_idle,
                blocked: row.blocked,
            })
        }),
        name().prop_map(|name| Command::DeleteNodePool(DeleteNodePool { name })),
    ]
}
