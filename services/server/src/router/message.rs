//! What the router is told.

use crate::cloud::state::Observation;
use crate::failure::Failure;
use crate::journal::Committed;
use crate::node::NodeActor;
use crate::replica::LedgerMachine;
use berth_actors::{Address, Reply};
use berth_domain::command::Proposal;
use berth_domain::id::{NodeId, VSwitchId};
use berth_raft::driver::event::Event;
use std::collections::BTreeMap;
use std::net::IpAddr;
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

/// A pod was scheduled to this node, by its registered name.
#[derive(Clone, Debug)]
pub struct Scheduled(pub String);

/// Take a warm address back from its node, and keep it from everybody else until [`PutBack`].
#[derive(Debug)]
pub struct TakeBack {
    /// Whose address.
    pub vswitch: VSwitchId,
    /// Where it is warm.
    pub node: NodeId,
    /// Which.
    pub address: IpAddr,
    /// Told whether it is back.
    pub reply: Reply<bool>,
}

/// What was taken back is not needed any more; nothing if it was bound meanwhile.
#[derive(Clone, Copy, Debug)]
pub struct PutBack {
    /// Whose address.
    pub vswitch: VSwitchId,
    /// Which.
    pub address: IpAddr,
}

/// What is asked of the cloud; none without one.
#[derive(Debug)]
pub struct ObserveCloud(pub Reply<Result<Option<Observation>, Failure>>);

/// Which nodes have an actor.
#[derive(Debug)]
pub struct Observe(pub Reply<BTreeMap<NodeId, Address<NodeActor>>>);
