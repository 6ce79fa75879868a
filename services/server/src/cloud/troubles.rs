//! What the cloud would not do, for those who plan: where nothing is to be asked for a while, and why a node waits.

use berth_cloud::budget::Level;
use berth_domain::id::{EniNumber, JobId, NodeId, VSwitchId};
use berth_domain::row::{Cause, Job, Work};
use std::collections::{BTreeMap, BTreeSet};

/// After the first refusal; doubled with each in a row.
const REST_FIRST_MS: u64 = 2_000;
/// At most.
const REST_MAX_MS: u64 = 60_000;

/// What rests after a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
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
    rests: BTreeMap<Scope, Rest>,
    /// What a node's jobs wait for, in the cloud's words.
    slow: BTreeMap<(NodeId, JobId), String>,
    /// ENIs that have lost their tags, and are not Berth's to change.
    left_alone: BTreeSet<EniNumber>,
    level: Level,
}

#[derive(Clone, Debug)]
struct Rest {
    until_ms: u64,
    in_a_row: u32,
    why: String,
}

// === impl Scope ===

impl Scope {
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
        let rest = self.rests.entry(Scope::by(cause, job)).or_insert(Rest {
            until_ms: 0,
            in_a_row: 0,
            why: String::new(),
        });
        let rest_ms = match (cause, rest.in_a_row) {
            // Whose they are is noted by now: others may be free.
            (Cause::AddressTaken, 0) => 0,
            (_, in_a_row) => (REST_FIRST_MS << in_a_row.min(10)).min(REST_MAX_MS),
        };
        rest.in_a_row = rest.in_a_row.saturating_add(1);
        rest.until_ms = now_ms + rest_ms;
        rest.why = why;
    }

    /// What this job was to bring is there.
    pub(super) fn brought(&mut self, job: &Job) {
        self.rests.remove(&Scope::VSwitch(job.vswitch));
        self.rests.remove(&Scope::Pair(job.node, job.vswitch));
        self.rests.remove(&Scope::Node(job.node));
        if job.work == Work::CreateEni {
            self.rests.remove(&Scope::Enis(job.node));
        }
    }

    /// Why a job does not get on; none = it does.
    pub(super) fn slow(&mut self, job: &Job, why: Option<String>) {
        let key = (job.node, job.id);
        match why {
            Some(why) => self.slow.insert(key, why),
            None => self.slow.remove(&key),
        };
    }

    /// The node is no more.
    pub(super) fn forget(&mut self, node: NodeId) {
        self.rests.retain(|scope, _| match scope {
            Scope::VSwitch(_) => true,
            Scope::Pair(of, _) | Scope::Enis(of) | Scope::Node(of) => *of != node,
        });
    }

    pub(super) fn leave_alone(&mut self, enis: BTreeSet<EniNumber>) {
        self.left_alone = enis;
    }

    /// Whether an ENI has lost its tags: then nothing new comes onto it, and nothing of it is changed.
    pub fn is_left_alone(&self, eni: EniNumber) -> bool {
        self.left_alone.contains(&eni)
    }

    pub(super) fn set_level(&mut self, level: Level) {
        self.level = level;
    }

    /// What is done in the cloud at the moment.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Until when this rests, and why; none = it does not.
    pub fn rests(&self, what: Scope, now_ms: u64) -> Option<(u64, &str)> {
        let rest = self.rests.get(&what)?;
        (now_ms < rest.until_ms).then_some((rest.until_ms, rest.why.as_str()))
    }

    /// Why a node waits for something of this vSwitch, in words; none = nothing is known. What was refused is said until it
    /// has come, also while it is tried again.
    pub fn why(&self, node: NodeId, vswitch: VSwitchId) -> Option<&str> {
        let own = [
            Scope::Node(node),
            Scope::Enis(node),
            Scope::Pair(node, vswitch),
            Scope::VSwitch(vswitch),
        ];
        let mut own = own.iter().filter_map(|what| self.rests.get(what));
        let mut slow = self.slow.range((node, JobId(0))..=(node, JobId(u64::MAX)));
        let slow = slow.next().map(|(_, why)| why.as_str());
        slow.or_else(|| own.next().map(|rest| rest.why.as_str()))
    }
}
