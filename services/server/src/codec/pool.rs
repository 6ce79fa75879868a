//! Node pools, and what a vSwitch and a node have of a cloud.

use super::eni::{at, group_texts, groups, numbered};
use super::{Error, Wire};
use berth_domain::capacity::NodeMode;
use berth_domain::command::{DeleteNodePool, SetNodePool};
use berth_domain::id::*;
use berth_domain::row::{NodePool, VSwitchChoice};
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
            min_idle: self.min_idle,
            max_idle: self.max_idle,
            blocked: eni_texts(&self.blocked),
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
            min_idle: message.min_idle,
            max_idle: message.max_idle,
            blocked: enis(&message.blocked)?,
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
            min_idle: self.min_idle,
            max_idle: self.max_idle,
            blocked: eni_texts(&self.blocked),
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
            min_idle: message.min_idle,
            max_idle: message.max_idle,
            blocked: enis(&message.blocked)?,
        })
    }
}
