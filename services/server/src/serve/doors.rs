//! The three listeners: clients, replicas, /metrics. Each with its own limits.

use super::listener::{Listener, server_tls};
use crate::config::Certificates;
use crate::grpc::entry::Entry;
use crate::grpc::limits::*;
use crate::grpc::principal::Caller;
use crate::grpc::{AdminService, AllocatorService, ChecksService, FactsService, RecoveryService};
use crate::leader::Gate;
use crate::metrics::Calls;
use crate::peer::{self, Membership, Myself, PeerService, Replica};
use berth_proto::DESCRIPTORS;
use berth_proto::v1::admin_server::AdminServer;
use berth_proto::v1::allocator_server::AllocatorServer;
use berth_proto::v1::checks_server::ChecksServer;
use berth_proto::v1::facts_server::FactsServer;
use berth_proto::v1::recovery_server::RecoveryServer;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tonic::transport::Server;
use tonic_health::pb::health_server::{Health, HealthServer};

/// Why a door could not be opened, or fell shut.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The certificates do not fit together, or a connection's machinery broke.
    #[error("the transport broke")]
    Transport(#[from] tonic::transport::Error),
    /// The descriptors of our own services cannot be read.
    #[error("reflection cannot read the descriptors")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// A listener that is about to be served.
pub struct Door {
    /// Bound.
    pub listener: Listener,
    /// None = clear text.
    pub certificates: Option<Certificates>,
    /// Where its calls are counted.
    pub calls: Calls,
}

// === impl Door ===

impl Door {
    /// Serves clients until `shutdown` is done and what was under way is answered.
    pub async fn clients(
        self,
        gate: Gate,
        membership: Arc<Membership>,
        health: HealthServer<impl Health>,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), Error> {
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1()?;
        let allocator = AllocatorServer::new(AllocatorService::new(gate.clone()));
        let facts = FactsServer::new(FactsService::new(gate.clone()));
        let checks = ChecksServer::new(ChecksService::new(gate.clone()));
        let recovery = RecoveryServer::new(RecoveryService::new(gate.clone()));
        let admin = AdminServer::new(AdminService::new(gate, membership));
        let limits = Limits {
            streams: STREAMS_PER_CONNECTION,
            keepalive_interval: KEEPALIVE_INTERVAL,
            keepalive_timeout: KEEPALIVE_TIMEOUT,
        };
        let mut server = bounded(&limits, self.certificates.as_ref())?;
        if self.certificates.is_some() {
            // A revoked or expired certificate stops serving when its connection has aged.
            server = server.max_connection_age(CONNECTION_AGE_MAX);
        }
        server
            .layer(Entry::new(Caller::local(), self.calls))
            .add_service(allocator.max_decoding_message_size(MESSAGE_BYTES_MAX))
            .add_service(facts.max_decoding_message_size(MESSAGE_BYTES_MAX))
            .add_service(admin.max_decoding_message_size(MESSAGE_BYTES_MAX))
            .add_service(checks.max_decoding_message_size(MESSAGE_BYTES_MAX))
            .add_service(recovery.max_decoding_message_size(REPORT_BYTES_MAX))
            .add_service(health)
            .add_service(reflection)
            .serve_with_incoming_shutdown(self.listener.connections(), shutdown)
            .await?;
        Ok(())
    }

    /// Serves replicas until `shutdown` is done.
    pub async fn peers(
        self,
        myself: Myself,
        replica: Arc<dyn Replica>,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), Error> {
        let limits = Limits {
            streams: peer::STREAMS_PER_CONNECTION,
            keepalive_interval: peer::KEEPALIVE_INTERVAL,
            keepalive_timeout: peer::KEEPALIVE_TIMEOUT,
        };
        bounded(&limits, self.certificates.as_ref())?
            .layer(Entry::new(Caller::unnamed_member(), self.calls))
            .add_service(PeerService::server(myself, replica))
            .serve_with_incoming_shutdown(self.listener.connections(), shutdown)
            .await?;
        Ok(())
    }
}

/// What the two ports differ in.
struct Limits {
    streams: u32,
    keepalive_interval: Duration,
    keepalive_timeout: Duration,
}

fn bounded(
    limits: &Limits,
    certificates: Option<&Certificates>,
) -> Result<Server, tonic::transport::Error> {
    let server = Server::builder()
        .max_concurrent_streams(limits.streams)
        .http2_max_header_list_size(HEADER_BYTES_MAX)
        .http2_keepalive_interval(Some(limits.keepalive_interval))
        .http2_keepalive_timeout(Some(limits.keepalive_timeout))
        .http2_max_pending_accept_reset_streams(Some(RESET_STREAMS_MAX))
        .http2_max_local_error_reset_streams(Some(RESET_STREAMS_MAX));
    match certificates {
        None => Ok(server),
        Some(files) => server.tls_config(server_tls(files)),
    }
}
