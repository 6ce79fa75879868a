//! What a CloudActor is told.

use super::compare::Audit;
use super::state::Observation;
use crate::failure::Failure;
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
pub struct Observe(pub Reply<Result<Option<Observation>, Failure>>);

/// What the last look at everything showed; none = there was none yet. With its age, ms.
#[derive(Debug)]
pub struct LastAudit(pub Reply<Result<Option<(Audit, u64)>, Failure>>);

/// The term is over.
#[derive(Clone, Copy, Debug)]
pub struct End;
