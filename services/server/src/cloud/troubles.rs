//! What the cloud would not do, for those who plan: where nothing is to be asked for a while, and why a node waits.

use berth_cloud::budget::Level;
use berth_domain::id::{NodeId, VSwitchId};
use berth_domain::row::{Cause, Job, Work};
use std::collections::BTreeMap;

/// After the first refusal; doubled with each in a row.
const REST_FIRST_MS: u64 = 2_000;
/// At most.
const REST_MAX_MS: u64 = 60_000;

/// What rests after a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Blocked {
    /// Nothing more comes out of this vSwitch.
    VSwitch(VSwitchId),
    /// Nothing of this vSwitch comes onto this node.
    Pair(NodeId, VSwitchId),
    /// No ENI is made for this node.
    Enis(NodeId),
    /// Nothing comes onto this node.
    Node(NodeId),
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Troubles {
    rests: BTreeMap<Blocked, Rest>,
    /// What a job of a node waits for, in the cloud's words.
    slow: BTreeMap<NodeId, String>,
    level: Level,
}

#[derive(Clone, Debug)]
struct Rest {
    until_ms: u64,
    in_a_row: u32,
    why: String,
}

// === impl Blocked ===

impl Blocked {
    /// What a refusal of a job that brings addresses means for others.
    fn by(cause: Cause, job: &Job) -> Self {
        match cause {
            Cause::VSwitchFull => Self::VSwitch(job.vswitch),
            Cause::Elsewhere | Cause::AddressTaken => Self::Pair(job.node, job.vswitch),
            Cause::Quota if job.work == Work::CreateEni => Self::Enis(job.node),
            _ => Self::Node(job.node),
        }
    }
}

// === impl Troubles ===

impl Troubles {
    /// The cloud has refused what this job was to bring.
    pub(super) fn refused(&mut self, cause: Cause, job: &Job, why: String, now_ms: u64) {
        let rest = self.rests.entry(Blocked::by(cause, job)).or_insert(Rest {
            until_ms: 0,
            in_a_row: 0,
            why: String::new(),
        });
        let rest_ms = (REST_FIRST_MS << rest.in_a_row.min(10)).min(REST_MAX_MS);
        rest.in_a_row = rest.in_a_row.saturating_add(1);
        rest.until_ms = now_ms + rest_ms;
        rest.why = why;
    }

    /// What this job was to bring is there.
    pub(super) fn brought(&mut self, job: &Job) {
        self.rests.remove(&Blocked::VSwitch(job.vswitch));
        self.rests.remove(&Blocked::Pair(job.node, job.vswitch));
        self.rests.remove(&Blocked::Node(job.node));
        if job.work == Work::CreateEni {
            self.rests.remove(&Blocked::Enis(job.node));
        }
    }

    /// Why a node's jobs do not get on; none = they do.
    pub(super) fn slow(&mut self, node: NodeId, why: Option<String>) {
        match why {
            Some(why) => self.slow.insert(node, why),
            None => self.slow.remove(&node),
        };
    }

    pub(super) fn set_level(&mut self, level: Level) {
        self.level = level;
    }

    /// What is done in the cloud at the moment.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Until when this rests, and why; none = it does not.
    pub fn rests(&self, what: Blocked, now_ms: u64) -> Option<(u64, &str)> {
        let rest = self.rests.get(&what)?;
        (now_ms < rest.until_ms).then_some((rest.until_ms, rest.why.as_str()))
    }

    /// Why a node waits for something of this vSwitch, in words; none = nothing is known. What was refused is said until it
    /// has come, also while it is tried again.
    pub fn why(&self, node: NodeId, vswitch: VSwitchId) -> Option<&str> {
        let own = [
            Blocked::Node(node),
            Blocked::Enis(node),
            Blocked::Pair(node, vswitch),
            Blocked::VSwitch(vswitch),
        ];
        let mut own = own.iter().filter_map(|what| self.rests.get(what));
        let slow = self.slow.get(&node).map(String::as_str);
        slow.or_else(|| own.next().map(|rest| rest.why.as_str()))
    }
}
