//! One term's actors: started on demand, told what was applied, ended.

use super::Term;
use super::housekeeping::Housekeeping;
use crate::cloud::{self, CloudActor, Provision};
use crate::failure::Failure;
use crate::feed::{Batches, Dated};
use crate::journal::Raised;
use crate::node::{self, NodeActor};
use crate::replica::Effect;
use crate::vswitch::message::{Changed, NodeEnded};
use crate::vswitch::{self, VSwitchActor};
use berth_actors::{Address, Spawner};
use berth_domain::id::{ClusterId, NodeId, Revision, VSwitchId};
use berth_domain::outcome::Refusal;
use berth_domain::row::{Change, VSwitch};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

/// See the module.
#[derive(Debug)]
pub(super) struct Leading {
    pub term: Rc<Term>,
    /// In order, as everything that sends to all: a run in the simulator repeats itself.
    pub nodes: BTreeMap<NodeId, Address<NodeActor>>,
    pub mailboxes: Mailboxes,
    pub housekeeping: Housekeeping,
    /// What was applied up to here is in the view.
    pub seen: Revision,
}

/// How many messages the actors of a term may have waiting; more are refused as busy.
#[derive(Clone, Copy, Debug)]
pub struct Mailboxes {
    /// Requests of one node. It starts a few hundred pods at most.
    pub node: usize,
    /// Asks of one vSwitch: one per node and kind.
    pub vswitch: usize,
}

/// Answers of calls and reports of jobs, of which a few hundred are under way; what is applied comes without a bound.
const CLOUD_MESSAGES_MAX: usize = 16_384;

// === impl Mailboxes ===

impl Default for Mailboxes {
    fn default() -> Self {
        Self {
            node: 1_024,
            vswitch: 16_384,
        }
    }
}

// === impl Leading ===

impl Leading {
    pub fn node(&mut self, id: NodeId, spawner: &Spawner) -> &Address<NodeActor> {
        let term = &self.term;
        let capacity = self.mailboxes.node;
        let start = || spawner.spawn(NodeActor::new(id, Rc::clone(term)), capacity);
        let address = self.nodes.entry(id).or_insert_with(start);
        if !address.is_open() {
            // It ended by itself: what it was promised is free, and a new one starts from the ledger.
            for vswitch in term.vswitches.borrow().values() {
                vswitch.deliver(NodeEnded(id));
            }
            *address = spawner.spawn(NodeActor::new(id, Rc::clone(term)), capacity);
        }
        let view = term.view.borrow();
        if view.node_by_id(id).is_some_and(|node| node.pool.is_some()) {
            term.pooled.borrow_mut().insert(id, address.clone());
        }
        address
    }

    pub fn start_vswitch(&mut self, row: Arc<VSwitch>, spawner: &Spawner) {
        let id = row.id;
        let actor = VSwitchActor::new(row, Rc::clone(&self.term));
        let address = spawner.spawn(actor, self.mailboxes.vswitch);
        self.term.vswitches.borrow_mut().insert(id, address);
    }

    /// Conducts all jobs from now on, and starts the nodes in pools: they keep addresses warm without being asked.
    pub fn start_cloud(&mut self, cluster: ClusterId, provision: Provision, spawner: &Spawner) {
        let makes_enis = provision.makes_enis;
        self.term.makes_enis.set(makes_enis);
        let actor = CloudActor::new(cluster, provision, Rc::clone(&self.term));
        let address = spawner.spawn(actor, CLOUD_MESSAGES_MAX);
        self.term.cloud.replace(Some(address));
        if !makes_enis {
            return;
        }
        let pooled: BTreeSet<NodeId> = {
            let view = self.term.view.borrow();
            let pooled = view.nodes().filter(|node| node.pool.is_some());
            pooled.map(|node| node.id).collect()
        };
        for node in pooled {
            self.node(node, spawner);
        }
    }

    /// Views first, then actors, so that an actor that looks something up finds it as new as what it was told.
    pub fn apply(&mut self, effects: Vec<Effect>, spawner: &Spawner) {
        let mut batches = Batches::default();
        for effect in &effects {
            self.housekeeping.due_ms = effect.next_due_ms;
            batches.take(&effect.groups);
        }
        if batches.revision <= self.seen {
            return;
        }
        let before = std::mem::replace(&mut self.seen, batches.revision);
        let rows = std::mem::take(&mut batches.rows);
        for (_, change) in rows.into_iter().filter(|(revision, _)| *revision > before) {
            self.observe(&change, spawner);
        }
        self.term.view.borrow_mut().reach(batches.revision);
        self.tell_everyone(&batches.everyone);
        if let Some(cloud) = self.term.cloud.borrow().as_ref()
            && !batches.cloud.is_empty()
        {
            cloud.deliver(cloud::Changed(std::mem::take(&mut batches.cloud)));
        }
        for (id, changes) in batches.vswitches {
            if let Some(address) = self.term.vswitches.borrow().get(&id) {
                address.deliver(Changed(changes));
            }
        }
        for (id, changes) in batches.nodes {
            if let Some(address) = self.nodes.get(&id) {
                address.deliver(node::Changed(changes));
            }
        }
        for claim in batches.claims {
            let woken = self.term.watchers.borrow_mut().remove(&claim);
            for node in woken.into_iter().flatten() {
                if let Some(address) = self.nodes.get(&node) {
                    address.deliver(node::Wake);
                }
            }
        }
    }

    /// Rare, and before the rest of its turn: what was free is not, or is again.
    fn tell_everyone(&self, changes: &[Dated]) {
        if changes.is_empty() {
            return;
        }
        for vswitch in self.term.vswitches.borrow().values() {
            vswitch.deliver(Changed(changes.to_vec()));
        }
        for node in self.nodes.values() {
            node.deliver(node::Changed(changes.to_vec()));
            node.deliver(node::Wake);
        }
    }

    fn observe(&mut self, change: &Change, spawner: &Spawner) {
        self.term.view.borrow_mut().observe(change);
        match change {
            Change::VSwitch {
                before: None,
                after: Some(row),
                ..
            } => self.start_vswitch(Arc::clone(row), spawner),
            Change::VSwitch {
                id, after: None, ..
            } => self.end_vswitch(*id),
            Change::Node {
                id, after: None, ..
            } => self.end_node(*id),
            Change::Node {
                id,
                after: Some(row),
                ..
            } if row.pool.is_some() && self.term.makes_enis.get() => {
                self.node(*id, spawner);
            }
            Change::NodePool { .. } => self.wake_all(),
            Change::Cluster { after, .. } => self.term.journal.deliver(Raised(after.version)),
            _ => {}
        }
    }

    fn end_vswitch(&mut self, id: VSwitchId) {
        if let Some(address) = self.term.vswitches.borrow_mut().remove(&id) {
            address.deliver(vswitch::End(gone("vSwitch", id)));
        }
    }

    fn end_node(&mut self, id: NodeId) {
        self.term.pooled.borrow_mut().remove(&id);
        if let Some(address) = self.nodes.remove(&id) {
            address.deliver(node::End(gone("node", id)));
            for vswitch in self.term.vswitches.borrow().values() {
                vswitch.deliver(NodeEnded(id));
            }
        }
    }

    /// Everybody parked looks again.
    pub fn wake_all(&self) {
        for address in self.nodes.values() {
            address.deliver(node::Wake);
        }
    }
}

fn gone(what: &'static str, id: impl std::fmt::Display) -> Failure {
    let name = format!("{id} (it was removed)");
    Failure::Refused(Refusal::NotFound { what, name })
}
