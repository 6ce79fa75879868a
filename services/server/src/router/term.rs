//! What all actors of one term share. It dies with the term.

use super::draw::Draw;
use super::view::View;
use crate::cloud::{CloudActor, Troubles};
use crate::facts::Facts;
use crate::journal::{Journal, LedgerClock};
use crate::node::NodeActor;
use crate::vswitch::VSwitchActor;
use berth_actors::Address;
use berth_domain::id::{ClaimName, NodeId, VSwitchId};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// See the module. Of one thread, like the actors.
#[derive(Debug)]
pub struct Term {
    /// Raft's number.
    pub number: u64,
    /// Its ledger time.
    pub clock: LedgerClock,
    /// Nodes, vSwitches and claims, in step with what was applied.
    pub view: RefCell<View>,
    /// Where each vSwitch's actor is.
    pub vswitches: RefCell<BTreeMap<VSwitchId, Address<VSwitchActor>>>,
    /// Where the actor of each node in a pool is: a dry vSwitch asks it for warm addresses.
    pub pooled: RefCell<BTreeMap<NodeId, Address<NodeActor>>>,
    /// Which nodes wait for which claim.
    pub watchers: RefCell<HashMap<ClaimName, BTreeSet<NodeId>>>,
    /// Where cloud calls are made; none until it is started.
    pub cloud: RefCell<Option<Address<CloudActor>>>,
    /// Whether there is a cloud that makes ENIs.
    pub makes_enis: Cell<bool>,
    /// What the cloud would not do.
    pub troubles: RefCell<Troubles>,
    /// How many addresses each vSwitch still has, those promised not counted.
    pub free: RefCell<BTreeMap<VSwitchId, u64>>,
    /// False once it is over: then no cloud call is sent any more.
    pub leads: Arc<AtomicBool>,
    /// Where commands go.
    pub journal: Address<Journal>,
    /// What Kubernetes says.
    pub facts: Facts,
    /// What actors start from.
    pub draw: Draw,
}

// === impl Term ===

impl Term {
    /// A node wants to be woken when this claim changes.
    pub fn watch(&self, claim: ClaimName, node: NodeId) {
        self.watchers
            .borrow_mut()
            .entry(claim)
            .or_default()
            .insert(node);
    }
}
