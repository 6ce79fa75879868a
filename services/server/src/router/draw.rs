//! What actors start from, drawn from this replica's ledger: exact at a revision, because it is drawn between two applies.

use super::view::View;
use crate::node::state::Seed;
use crate::replica::LedgerMachine;
use crate::vswitch::message::Drawn;
use berth_actors::Reply;
use berth_domain::Ledger;
use berth_domain::choose::{NodeStock, VSwitchPool};
use berth_domain::id::*;
use berth_domain::version::ClusterVersion;
use std::fmt;
use std::sync::Arc;

/// A look at the machine, on the raft thread.
pub type Look = Box<dyn FnOnce(&LedgerMachine) + Send>;

/// Looks for its owner. If the raft thread has no time the look is dropped, and with it the reply: ask again later.
#[derive(Clone)]
pub struct Draw {
    look: Arc<dyn Fn(Look) + Send + Sync>,
    aside: Aside,
}

/// Does on another thread what takes longer than a heartbeat.
pub type Aside = Arc<dyn Fn(Box<dyn FnOnce() + Send>) + Send + Sync>;

/// What a term starts from.
#[derive(Debug)]
pub struct Start {
    /// Which cluster's.
    pub cluster: ClusterId,
    /// Nodes, vSwitches, claims.
    pub view: View,
    /// The ledger's time, ms.
    pub ledger_ms: u64,
    /// The ledger's wall time, ms.
    pub wall_ms: u64,
    /// The cluster version.
    pub version: ClusterVersion,
    /// When something is due next, ledger time.
    pub next_due_ms: Option<u64>,
    /// Clusters whose last bind was decided on facts.
    pub with_facts: Vec<ClusterName>,
}

// === impl Draw ===

impl Draw {
    /// `look` hands a look to the raft thread or drops it.
    pub fn new(aside: Aside, look: impl Fn(Look) + Send + Sync + 'static) -> Self {
        Self {
            look: Arc::new(look),
            aside,
        }
    }

    /// Everything a term starts from.
    pub fn start(&self, reply: Reply<Start>) {
        self.aside(reply, |ledger, with_facts| Start {
            cluster: ledger.cluster().clone(),
            view: View::of(ledger),
            ledger_ms: ledger.ledger_time_ms(),
            wall_ms: ledger.wall_time_ms(),
            version: ledger.version(),
            next_due_ms: ledger.next_due_ms(),
            with_facts,
        });
    }

    /// A vSwitch's addresses; there may be a million.
    pub fn vswitch(&self, id: VSwitchId, reply: Reply<Drawn>) {
        self.aside(reply, move |ledger, _| Drawn {
            pool: VSwitchPool::new(ledger, id),
            revision: ledger.revision(),
        });
    }

    /// A node's allocations and warm addresses; there are a few hundred at most.
    pub fn node(&self, id: NodeId, reply: Reply<Option<Seed>>) {
        (self.look)(Box::new(move |machine| {
            reply.answer(seed(machine.ledger(), id))
        }));
    }

    /// Where an attachment is bound.
    pub fn node_of(&self, key: AttachmentKey, reply: Reply<Option<NodeId>>) {
        (self.look)(Box::new(move |machine| {
            let allocation = machine.ledger().allocation(&key);
            reply.answer(allocation.map(|row| row.node));
        }));
    }

    /// Freezes the ledger on the raft thread and looks at it on another one: for what takes longer than a heartbeat.
    fn aside<T: Send + 'static>(
        &self,
        reply: Reply<T>,
        look: impl FnOnce(&Ledger, Vec<ClusterName>) -> T + Send + 'static,
    ) {
        let aside = Arc::clone(&self.aside);
        (self.look)(Box::new(move |machine| {
            let frozen = machine.ledger().clone();
            let with_facts = machine.with_facts().iter().cloned().collect();
            aside(Box::new(move || reply.answer(look(&frozen, with_facts))));
        }));
    }
}

impl fmt::Debug for Draw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Draw")
    }
}

fn seed(ledger: &Ledger, id: NodeId) -> Option<Seed> {
    Some(Seed {
        node: Arc::clone(ledger.node(id)?),
        allocations: ledger.node_allocations(id).cloned().collect(),
        stock: NodeStock::new(ledger, id)?,
        enis: ledger.enis_of(id).cloned().collect(),
        jobs: ledger.jobs_of(id).cloned().collect(),
        revision: ledger.revision(),
    })
}
