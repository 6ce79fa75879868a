//! The three listeners: clients, replicas, /metrics. Each with its own limits.

use super::listener::{Listener, server_tls};
use crate::config::Certificates;
use crate::grpc::entry::Entry;
use crate::grpc::limits::*;
use crate::grpc::principal::Caller;
use crate::grpc::{AdminService, AllocatorService, FactsService};
use crate::leader::Gate;
use crate::metrics::Calls;
use crate::peer::{self, Myself, PeerService, Replica};
use berth_proto::DESCRIPTORS;
use berth_proto::v1::admin_server::AdminServer;
use berth_proto::v1::allocator_server::AllocatorServer;
use berth_proto::v1::facts_server::FactsServer;
use std::future::Future;
use std::sync::Arc;
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

/// Serves clients until `shutdown` is done and what was under way is answered.
pub async fn clients(
    listener: Listener,
    gate: Gate,
    health: HealthServer<impl Health>,
    certificates: Option<&Certificates>,
    calls: Calls,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error> {
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    let allocator = AllocatorServer::new(AllocatorService::new(gate.clone()));
    let facts = FactsServer::new(FactsService::new(gate.clone()));
    let admin = AdminServer::new(AdminService::new(gate));
    bounded(certificates)?
        .layer(Entry::new(Caller::local(), calls))
        .add_service(allocator.max_decoding_message_size(MESSAGE_BYTES_MAX))
        .add_service(facts.max_decoding_message_size(MESSAGE_BYTES_MAX))
        .add_service(admin.max_decoding_message_size(MESSAGE_BYTES_MAX))
        .add_service(health)
        .add_service(reflection)
        .serve_with_incoming_shutdown(listener.connections(), shutdown)
        .await?;
    Ok(())
}

/// A server with the client port's limits.
fn bounded(certificates: Option<&Certificates>) -> Result<Server, tonic::transport::Error> {
    let server = Server::builder()
        .max_concurrent_streams(STREAMS_PER_CONNECTION)
        .http2_max_header_list_size(HEADER_BYTES_MAX)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .http2_max_pending_accept_reset_streams(Some(RESET_STREAMS_MAX))
        .http2_max_local_error_reset_streams(Some(RESET_STREAMS_MAX));
    match certificates {
        None => Ok(server),
        // A revoked or expired certificate stops serving when its connection has aged.
        Some(files) => server
            .max_connection_age(CONNECTION_AGE_MAX)
            .max_connection_age_grace(CONNECTION_AGE_GRACE)
            .tls_config(server_tls(files)),
    }
}

/// Serves replicas until `shutdown` is done.
pub async fn peers(
    listener: Listener,
    myself: Myself,
    replica: Arc<dyn Replica>,
    certificates: Option<&Certificates>,
    calls: Calls,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error> {
    let server = Server::builder()
        .max_concurrent_streams(peer::STREAMS_PER_CONNECTION)
        .http2_max_header_list_size(HEADER_BYTES_MAX)
        .http2_keepalive_interval(Some(peer::KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(peer::KEEPALIVE_TIMEOUT))
        .http2_max_pending_accept_reset_streams(Some(RESET_STREAMS_MAX))
        .http2_max_local_error_reset_streams(Some(RESET_STREAMS_MAX));
    let server = match certificates {
        None => server,
        Some(files) => server.tls_config(server_tls(files))?,
    };
    server
        .layer(Entry::new(Caller::unnamed_member(), calls))
        .add_service(PeerService::server(myself, replica))
        .serve_with_incoming_shutdown(listener.connections(), shutdown)
        .await?;
    Ok(())
}
