//! What a CloudActor is told.

use super::state::Observation;
use crate::feed::Dated;
use berth_actors::Reply;
use berth_domain::id::JobId;

/// Applied changes of jobs, ENIs, nodes and vSwitches, in order.
#[derive(Debug)]
pub struct Changed(pub Vec<Dated>);

/// Pods wait for what this job brings.
#[derive(Clone, Copy, Debug)]
pub struct Urgent(pub JobId);

/// How it stands.
#[derive(Debug)]
pub struct Observe(pub Reply<Observation>);

/// The term is over.
#[derive(Clone, Copy, Debug)]
pub struct End;
