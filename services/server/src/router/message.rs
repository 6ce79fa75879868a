//! What the router is told.

use crate::journal::Committed;
use crate::node::NodeActor;
use crate::replica::LedgerMachine;
use berth_actors::{Address, Reply};
use berth_domain::command::Proposal;
use berth_domain::id::NodeId;
use berth_raft::driver::event::Event;
use std::collections::HashMap;
use tracing::Span;

/// Everything raft says in one turn, in order.
pub struct Turn(pub Vec<Event<LedgerMachine>>);

/// An administrator's command.
#[derive(Debug)]
pub struct Admin {
    /// The command.
    pub proposal: Proposal,
    /// The request's span.
    pub span: Span,
    /// Told what came of it.
    pub reply: Reply<Committed>,
}

/// Facts became usable: whoever waits for some looks again.
#[derive(Clone, Copy, Debug)]
pub struct Wanted;

/// Which nodes have an actor.
#[derive(Debug)]
pub struct Observe(pub Reply<HashMap<NodeId, Address<NodeActor>>>);
