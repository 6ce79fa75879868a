//! The NodeActor without its actor: its attachments in flight, their order and repeats, and what it has warm.
//!
//! Pure: time, the view and the facts come in with each call, and what is to be done goes out through [`Out`].

mod answers;
mod boots;
mod callers;
mod scenery;
mod supplies;
mod upkeep;
mod way;

use super::choice::{Allocations, Choice, Found, Plan};
use super::request::*;
use super::supply::Supply;
use super::warm::Warm;
use crate::cloud::Troubles;
use crate::facts::Facts;
use crate::failure::Failure;
use crate::journal::LedgerClock;
use crate::planted::{self, Planted};
use crate::router::View;
use crate::vswitch::message::Purpose;
use berth_domain::choose::{Families, NodeStock};
use berth_domain::command::Proposal;
use berth_domain::id::*;
use berth_domain::row::{self, Allocation, Eni, Node, VSwitch};
use boots::Boots;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use tracing::Span;

/// Before its caller's deadline by this much an ADD that is not proposed is given up, so that the answer arrives in time.
pub const ANSWER_BEFORE_DEADLINE_MS: u64 = 500;
/// Before its caller's deadline by this much, or by half of what is left, what is in no entry is given up: committed later
/// it would be one more that nobody hears of, in front of others whose callers are still there.
pub const COMMIT_BEFORE_DEADLINE_MS: u64 = 250;
/// Choices that the ledger may refuse before the caller is told to come again and the view is drawn anew.
pub const REFUSED_MAX: u32 = 3;
/// Works that one attachment may have waiting; a runtime has one or two.
const LANE_MAX: usize = 16;

/// What the state looks at.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// Monotonic.
    pub now_ms: u64,
    /// This term's ledger time.
    pub clock: LedgerClock,
    /// Nodes, vSwitches, claims.
    pub view: &'a View,
    /// What Kubernetes says.
    pub facts: &'a Facts,
    /// What is asked of the cloud; none = there is none.
    pub cloud: Option<CloudWorld<'a>>,
}

/// What is known of the cloud.
#[derive(Clone, Copy)]
pub struct CloudWorld<'a> {
    /// What it would not do.
    pub troubles: &'a Troubles,
    /// How many addresses each vSwitch still has.
    pub free: &'a BTreeMap<VSwitchId, u64>,
}

impl World<'_> {
    /// Ledger time now, ms.
    pub fn ledger_ms(&self) -> u64 {
        self.clock.ledger_ms(self.now_ms)
    }
}

/// What is to be done.
#[derive(Debug)]
pub enum Out {
    /// Give this to the journal and bring back what came of it.
    Propose {
        /// The command.
        proposal: Proposal,
        /// The request it belongs to.
        span: Span,
        /// Then nobody waits for it any more; monotonic. None = it is nobody's in particular.
        until_ms: Option<u64>,
        /// Comes back with the answer.
        tag: Tag,
    },
    /// Ask the VSwitchActor and bring back what it grants.
    Ask {
        /// Comes back with the grant.
        number: u64,
        /// Whom.
        vswitch: VSwitchId,
        /// Which families each set must have.
        families: Families,
        /// At most so many sets.
        count: u32,
        /// For waiting pods, or for later.
        purpose: Purpose,
        /// Then nobody waits any more; monotonic.
        give_up_at_ms: u64,
    },
    /// Tell the VSwitchActor that these promised addresses are not needed.
    GiveBack {
        /// Whom.
        vswitch: VSwitchId,
        /// Which.
        addresses: Vec<IpAddr>,
    },
    /// Pods wait for what this job brings.
    Urgent(JobId),
    /// Call [`State::on_wake`] at that monotonic time.
    WakeAt(u64),
    /// Call [`State::on_wake`] when this claim changes.
    Watch(ClaimName),
    /// Call [`State::flush`] once everything that has come by now was handled.
    FlushSoon,
    /// Call [`State::restock`] in a moment: more pods may come by then, and one call of the cloud serves ten.
    Gather,
    /// What was chosen from was wrong several times: draw this vSwitch and this node anew.
    Refresh(VSwitchId),
}

/// Names a proposal to its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tag {
    /// An attachment's ADD or DEL.
    Work {
        /// Whose.
        key: Arc<AttachmentKey>,
        /// Which of its proposals.
        number: u64,
    },
    /// A job's begin, by number.
    Begin {
        /// See [`super::supply::Supply`].
        number: u64,
        /// Whose addresses were promised for it.
        vswitch: VSwitchId,
        /// Which.
        addresses: Vec<IpAddr>,
    },
    /// Warm addresses.
    Stock {
        /// Whose addresses.
        vswitch: VSwitchId,
        /// Which were promised for it.
        addresses: Vec<IpAddr>,
        /// How many sets were asked for.
        count: u32,
    },
}

/// See the module.
#[derive(Debug)]
pub struct State {
    node: Arc<Node>,
    allocations: Allocations,
    lanes: HashMap<Arc<AttachmentKey>, VecDeque<Work>>,
    /// ADDs that wait for addresses nobody has been asked for yet.
    wanted: BTreeMap<(VSwitchId, Families), Vec<Arc<AttachmentKey>>>,
    asked: BTreeMap<u64, Asked>,
    jobs: BTreeMap<u64, Job>,
    warm: Warm,
    supply: Supply,
    boots: Boots,
    /// Numbers proposals, asks and jobs.
    number: u64,
}

#[derive(Debug)]
struct Asked {
    vswitch: VSwitchId,
    families: Families,
    count: u32,
    /// Who waits, in order; empty if it is for later.
    keys: VecDeque<Arc<AttachmentKey>>,
    give_up_at_ms: u64,
    /// Why there are not enough, once that was said.
    dry: Option<Failure>,
    /// It is for a job.
    for_job: bool,
}

/// What the ledger knows of a node when its actor starts.
#[derive(Clone, Debug)]
pub struct Seed {
    /// The node.
    pub node: Arc<Node>,
    /// What is bound there.
    pub allocations: Vec<Arc<Allocation>>,
    /// What is warm there.
    pub stock: NodeStock,
    /// Its ENIs.
    pub enis: Vec<Arc<Eni>>,
    /// Cloud calls under way for it.
    pub jobs: Vec<Arc<row::Job>>,
    /// As of.
    pub revision: Revision,
}

/// How it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// Attachments that hold addresses.
    pub allocations: usize,
    /// Attachments with an ADD or DEL in hand.
    pub in_hand: usize,
    /// Why each parked ADD waits.
    pub parked: Vec<(String, String)>,
    /// Warm addresses.
    pub warm: usize,
}

// === impl State ===

impl State {
    /// As the ledger has it.
    pub fn new(seed: Seed) -> Self {
        let boots = match planted::has(Planted::OldBootsHeard) {
            true => Boots::default(),
            false => Boots::of(&seed.allocations),
        };
        let allocations = seed.allocations.into_iter();
        Self {
            warm: Warm::new(seed.stock),
            supply: Supply::new(seed.enis, seed.jobs),
            node: seed.node,
            allocations: allocations.map(|row| (Arc::clone(&row.key), row)).collect(),
            lanes: HashMap::new(),
            wanted: BTreeMap::new(),
            asked: BTreeMap::new(),
            jobs: BTreeMap::new(),
            boots,
            number: 0,
        }
    }
}

/// IPv4 first: what was asked for and what was found.
fn chosen(
    plan: &Plan,
    vswitch: &VSwitch,
    eni: Option<EniId>,
    set: Vec<IpAddr>,
    found: Found,
) -> Choice {
    let mut addresses = plan.requested.clone();
    addresses.extend(set);
    addresses.sort_by_key(IpAddr::is_ipv6);
    Choice {
        vswitch: vswitch.id,
        eni,
        addresses,
        claim: plan.claim.clone(),
        facts: plan.facts,
        found,
    }
}

fn lane_full() -> Failure {
    Failure::Busy {
        what: "the attachment",
        retry_after_ms: 100,
    }
}
