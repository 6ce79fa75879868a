//! Backups, and what a cluster asks of its nodes after it was begun anew. One file per call.

mod confirm;
mod report;
mod save;
mod state;

use super::taken;
use crate::failure::Failure;
use crate::leader::Gate;
use berth_domain::outcome::{Answer, Outcome};
use berth_proto::v1::recovery_server::Recovery;
use berth_proto::v1::*;
use futures::stream::BoxStream;
use tonic::{Request, Response, Status};

/// The service.
#[derive(Clone)]
pub struct RecoveryService {
    gate: Gate,
}

// === impl RecoveryService ===

impl RecoveryService {
    /// Over this gate.
    pub fn new(gate: Gate) -> Self {
        Self { gate }
    }
}

/// What came of a word.
fn confirmed(answer: &Answer) -> Result<ConfirmNodeResponse, Failure> {
    let (adopted, strays, waiting) = match answer.result.clone()? {
        Outcome::Confirmed {
            adopted,
            strays,
            waiting,
        } => (adopted, strays, waiting),
        // The ledger answers this command so and not otherwise.
        _ => (0, 0, 0),
    };
    Ok(ConfirmNodeResponse {
        adopted,
        strays,
        waiting,
        revision: answer.revision.0,
    })
}

#[tonic::async_trait]
impl Recovery for RecoveryService {
    type SaveSnapshotStream = BoxStream<'static, Result<SaveSnapshotResponse, Status>>;

    async fn save_snapshot(
        &self,
        request: Request<SaveSnapshotRequest>,
    ) -> Result<Response<Self::SaveSnapshotStream>, Status> {
        let (caller, _) = taken(request)?;
        let frames = save::save(&self.gate, &caller).await?;
        Ok(Response::new(frames))
    }

    async fn get_recovery(
        &self,
        request: Request<GetRecoveryRequest>,
    ) -> Result<Response<GetRecoveryResponse>, Status> {
        let (_, request) = taken(request)?;
        let state = match request.stale {
            true => self.gate.read_stale(|ledger, _| state::of(ledger)).await?,
            false => self.gate.read(state::of).await?,
        };
        Ok(Response::new(state))
    }

    async fn node_report(
        &self,
        request: Request<NodeReportRequest>,
    ) -> Result<Response<ConfirmNodeResponse>, Status> {
        let (caller, request) = taken(request)?;
        Ok(Response::new(report::report(self, &caller, request).await?))
    }

    async fn confirm_node(
        &self,
        request: Request<ConfirmNodeRequest>,
    ) -> Result<Response<ConfirmNodeResponse>, Status> {
        let (caller, request) = taken(request)?;
        Ok(Response::new(
            confirm::confirm(self, &caller, request).await?,
        ))
    }
}
