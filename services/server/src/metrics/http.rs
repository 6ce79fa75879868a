//! The listener for Prometheus: `GET /metrics`, nothing else.

use super::Gauges;
use crate::leader::Gate;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use berth_telemetry::{CONTENT_TYPE, Registry};
use std::future::Future;
use std::io;
use std::time::Duration;
use tokio::net::TcpListener;

/// A scrape that finds the replica's thread busy for longer gets what is known without it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Serves until `shutdown` is done.
pub async fn serve(
    listener: TcpListener,
    registry: Registry,
    gauges: Gauges,
    gate: Gate,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let scrape = move || {
        let (registry, gauges, gate) = (registry.clone(), gauges.clone(), gate.clone());
        async move { scrape(&registry, &gauges, &gate).await }
    };
    let router = Router::new().route("/metrics", get(scrape));
    axum::serve(listener, router)
        .with_graceful_shutdown(shutdown)
        .await
}

async fn scrape(registry: &Registry, gauges: &Gauges, gate: &Gate) -> Response {
    let refreshed = tokio::time::timeout(PATIENCE, gauges.refresh(gate)).await;
    let stale = !matches!(refreshed, Ok(Ok(())));
    gauges.stale(stale);
    let text = registry.encode();
    (StatusCode::OK, [(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response()
}
