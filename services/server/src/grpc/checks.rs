//! Whether what must always hold does, seen from outside, and what can be mended. One file per call.

mod hash_at;
mod mending;
mod plan_repair;
mod repair;
mod verify_history;

use super::taken;
use crate::leader::Gate;
use berth_proto::v1::checks_server::Checks;
use berth_proto::v1::*;
use futures::stream::BoxStream;
use tonic::{Request, Response, Status};

/// The service.
#[derive(Clone)]
pub struct ChecksService {
    gate: Gate,
}

// === impl ChecksService ===

impl ChecksService {
    /// Over this gate.
    pub fn new(gate: Gate) -> Self {
        Self { gate }
    }
}

#[tonic::async_trait]
impl Checks for ChecksService {
    type VerifyHistoryStream = BoxStream<'static, Result<VerifyHistoryResponse, Status>>;

    async fn hash_at(
        &self,
        request: Request<HashAtRequest>,
    ) -> Result<Response<HashAtResponse>, Status> {
        let (_, request) = taken(request)?;
        Ok(Response::new(hash_at::hash_at(&self.gate, request).await?))
    }

    async fn verify_history(
        &self,
        request: Request<VerifyHistoryRequest>,
    ) -> Result<Response<Self::VerifyHistoryStream>, Status> {
        let (_, request) = taken(request)?;
        let verdicts = verify_history::verify(&self.gate, request.replay).await?;
        Ok(Response::new(verdicts))
    }

    async fn plan_repair(
        &self,
        request: Request<PlanRepairRequest>,
    ) -> Result<Response<PlanRepairResponse>, Status> {
        let (_, request) = taken(request)?;
        Ok(Response::new(plan_repair::plan(&self.gate, request).await?))
    }

    async fn repair(
        &self,
        request: Request<RepairRequest>,
    ) -> Result<Response<RepairResponse>, Status> {
        let (caller, request) = taken(request)?;
        let repaired = repair::repair(&self.gate, &caller, request).await?;
        Ok(Response::new(repaired))
    }
}
