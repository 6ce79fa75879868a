//! What a VSwitchActor is asked, and what it answers.

use crate::failure::Failure;
use crate::feed::Dated;
use crate::journal::Committed;
use berth_actors::Reply;
use berth_domain::choose::{Families, VSwitchPool};
use berth_domain::command::Proposal;
use berth_domain::id::{NodeId, Revision};

use std::net::IpAddr;

/// What addresses are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Pods wait for them: idle ones of other nodes are taken back if there are no others.
    Pods,
    /// To be warm: only what is free anyway.
    Later,
}

/// A node needs addresses.
#[derive(Debug)]
pub struct Ask {
    /// Which.
    pub node: NodeId,
    /// What each set must have.
    pub families: Families,
    /// At most so many sets, at least one.
    pub count: u32,
    /// What for.
    pub purpose: Purpose,
    /// Then nobody waits any more; monotonic, ms.
    pub give_up_at_ms: u64,
    /// Answered once at least one set is there, or it is clear that none will be in time.
    pub reply: Reply<Grant>,
}

/// What a node gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// Promised to the node until it binds, stocks or gives them back. IPv4 first.
    pub sets: Vec<Vec<IpAddr>>,
    /// Why there are none, if there are none.
    pub dry: Option<Failure>,
}

/// Promised addresses that a node does not need.
#[derive(Clone, Debug)]
pub struct GiveBack {
    /// Whose promise.
    pub node: NodeId,
    /// Which.
    pub addresses: Vec<IpAddr>,
}

/// A node's actor has ended: what it was promised and did not take is free.
#[derive(Clone, Copy, Debug)]
pub struct NodeEnded(pub NodeId);

/// A claim without addresses: they are chosen here.
#[derive(Debug)]
pub struct CreateClaim {
    /// A `CreateClaim` without addresses in this vSwitch.
    pub proposal: Proposal,
    /// Then nobody waits any more; monotonic, ms.
    pub give_up_at_ms: u64,
    /// Told what came of it.
    pub reply: Reply<Committed>,
}

/// Applied changes of this vSwitch's addresses and row, in order.
#[derive(Clone, Debug)]
pub struct Changed(pub Vec<Dated>);

/// What was chosen from was wrong several times: draw it anew.
#[derive(Clone, Copy, Debug)]
pub struct Redraw;

/// The pool as the ledger has it at a revision; none if the vSwitch is gone.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// Its addresses.
    pub pool: Option<VSwitchPool>,
    /// As of.
    pub revision: Revision,
}

/// Those families that are left when these addresses are there already.
pub fn without(families: Families, addresses: &[IpAddr]) -> Families {
    Families {
        v4: families.v4 && !addresses.iter().any(IpAddr::is_ipv4),
        v6: families.v6 && !addresses.iter().any(IpAddr::is_ipv6),
    }
}
