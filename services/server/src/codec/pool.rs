//! Node pools, and what a vSwitch and a node have of a cloud.

use super::eni::{at, group_texts, groups, numbered};
use super::{Error, Wire};
use berth_domain::capacity::NodeMode;
use berth_domain::command::{DeleteNodePool, SetNodePool};
use berth_domain::id::*;
use berth_domain::row::{EniTag, IdleSettings, NodePool, VSwitchChoice};
use berth_proto::log::v1;

/// Empty = none.
pub(super) fn cloud_text(cloud: &Option<CloudVSwitchId>) -> String {
    cloud.as_ref().map_or_else(String::new, ToString::to_string)
}

/// Empty = none.
pub(super) fn cloud(text: &str) -> Result<Option<CloudVSwitchId>, Error> {
    match text {
        "" => Ok(None),
        text => Ok(Some(CloudVSwitchId::new(text)?)),
    }
}

/// 0 = none.
pub(super) fn pool_number(pool: Option<NodePoolId>) -> u64 {
    pool.map_or(0, |pool| pool.0)
}

/// 0 = none.
pub(super) fn pool(number: u64) -> Option<NodePoolId> {
    (number > 0).then_some(NodePoolId(number))
}

fn vswitches(numbers: &[u64]) -> Vec<VSwitchId> {
    numbers.iter().map(|number| VSwitchId(*number)).collect()
}

fn vswitch_numbers(ids: &[VSwitchId]) -> Vec<u64> {
    ids.iter().map(|id| id.0).collect()
}

fn enis(texts: &[String]) -> Result<Vec<EniId>, Error> {
    let enis = texts.iter().map(|text| Ok(EniId::new(text)?));
    enis.collect()
}

fn eni_texts(enis: &[EniId]) -> Vec<String> {
    enis.iter().map(ToString::to_string).collect()
}

fn idle_more(idle: &IdleSettings) -> v1::IdleMore {
    v1::IdleMore {
        warm_up: idle.warm_up,
        reclaim_after_ms: idle.reclaim_after_ms,
        reclaim_batch: idle.reclaim_batch,
        reclaim_every_ms: idle.reclaim_every_ms,
    }
}

fn idle((min, max): (u32, u32), more: Option<v1::IdleMore>) -> IdleSettings {
    let more = more.unwrap_or_default();
    IdleSettings {
        min,
        max,
        warm_up: more.warm_up,
        reclaim_after_ms: more.reclaim_after_ms,
        reclaim_batch: more.reclaim_batch,
        reclaim_every_ms: more.reclaim_every_ms,
    }
}

fn tag_texts(tags: &[EniTag]) -> Vec<v1::EniTag> {
    let text = |tag: &EniTag| v1::EniTag {
        key: tag.key.to_string(),
        value: tag.value.to_string(),
    };
    tags.iter().map(text).collect()
}

fn tags(texts: &[v1::EniTag]) -> Result<Vec<EniTag>, Error> {
    let tag = |text: &v1::EniTag| {
        Ok(EniTag {
            key: TagKey::new(&text.key)?,
            value: TagValue::new(&text.value)?,
        })
    };
    texts.iter().map(tag).collect()
}

// === impl SetNodePool ===

impl Wire<v1::SetNodePool> for SetNodePool {
    fn to_wire(&self) -> v1::SetNodePool {
        v1::SetNodePool {
            name: self.name.to_string(),
            mode: numbered(&NodeMode::ALL, &self.mode),
            vswitches: vswitch_numbers(&self.vswitches),
            draining: vswitch_numbers(&self.draining),
            choice: numbered(&VSwitchChoice::ALL, &self.choice),
            security_groups: group_texts(&self.security_groups),
            min_idle: self.idle.min,
            max_idle: self.idle.max,
            blocked: eni_texts(&self.blocked),
            idle: Some(idle_more(&self.idle)),
            eni_tags: tag_texts(&self.eni_tags),
            acceleration: self.acceleration,
            network_policy: self.network_policy,
        }
    }

    fn from_wire(message: v1::SetNodePool) -> Result<Self, Error> {
        Ok(Self {
            name: NodePoolName::new(&message.name)?,
            mode: at(&NodeMode::ALL, message.mode, "mode of nodes")?,
            vswitches: vswitches(&message.vswitches),
            draining: vswitches(&message.draining),
            choice: at(&VSwitchChoice::ALL, message.choice, "choice of vSwitches")?,
            security_groups: groups(&message.security_groups)?,
            idle: idle((message.min_idle, message.max_idle), message.idle),
            blocked: enis(&message.blocked)?,
            eni_tags: tags(&message.eni_tags)?,
            acceleration: message.acceleration,
            network_policy: message.network_policy,
        })
    }
}

// === impl DeleteNodePool ===

impl Wire<v1::DeleteNodePool> for DeleteNodePool {
    fn to_wire(&self) -> v1::DeleteNodePool {
        v1::DeleteNodePool {
            name: self.name.to_string(),
        }
    }

    fn from_wire(message: v1::DeleteNodePool) -> Result<Self, Error> {
        Ok(Self {
            name: NodePoolName::new(&message.name)?,
        })
    }
}

// === impl NodePool ===

impl Wire<v1::NodePoolRow> for NodePool {
    fn to_wire(&self) -> v1::NodePoolRow {
        v1::NodePoolRow {
            id: self.id.0,
            name: self.name.to_string(),
            mode: numbered(&NodeMode::ALL, &self.mode),
            vswitches: vswitch_numbers(&self.vswitches),
            draining: vswitch_numbers(&self.draining),
            choice: numbered(&VSwitchChoice::ALL, &self.choice),
            security_groups: group_texts(&self.security_groups),
            min_idle: self.idle.min,
            max_idle: self.idle.max,
            blocked: eni_texts(&self.blocked),
            idle: Some(idle_more(&self.idle)),
            eni_tags: tag_texts(&self.eni_tags),
            acceleration: self.acceleration,
            network_policy: self.network_policy,
        }
    }

    fn from_wire(message: v1::NodePoolRow) -> Result<Self, Error> {
        Ok(Self {
            id: NodePoolId(message.id),
            name: NodePoolName::new(&message.name)?,
            mode: at(&NodeMode::ALL, message.mode, "mode of nodes")?,
            vswitches: vswitches(&message.vswitches),
            draining: vswitches(&message.draining),
            choice: at(&VSwitchChoice::ALL, message.choice, "choice of vSwitches")?,
            security_groups: groups(&message.security_groups)?,
            idle: idle((message.min_idle, message.max_idle), message.idle),
            blocked: enis(&message.blocked)?,
            eni_tags: tags(&message.eni_tags)?,
            acceleration: message.acceleration,
            network_policy: message.network_policy,
        })
    }
}
