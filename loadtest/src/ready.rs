//! When a server that was just started serves: its health, asked again and again from before it listens.

use std::time::Duration;

use berth_client::{Client, Options};
use berth_proto::v1::ListVSwitchesRequest;
use serde::Serialize;
use tokio::time::{Instant, sleep, timeout};
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::Error;
use crate::setup::failed;

/// An ADD is answered once this serves.
const SERVICE: &str = "berth.v1.Allocator";
/// The error of what is measured.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// A server that listens and is not ready yet may let a connection wait.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a server is that serves.
#[derive(Clone, Debug, Serialize)]
pub struct Ready {
    /// On CLOCK_MONOTONIC, which all processes of a machine share.
    pub serving_at_ns: u64,
    /// Addresses bound, over all vSwitches: what was brought back.
    pub bound: u64,
    /// At which that was so.
    pub revision: u64,
}

/// Waits until health says SERVING for [`SERVICE`], then counts.
pub fn ready(endpoint: &str, within: Duration) -> Result<Ready, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let serving_at_ns = serving(endpoint, within).await?;
        let (bound, revision) = bound(endpoint).await?;
        Ok(Ready {
            serving_at_ns,
            bound,
            revision,
        })
    })
}

async fn serving(endpoint: &str, within: Duration) -> Result<u64, Error> {
    let unreachable = |reason: String| Error::Unreachable {
        endpoints: endpoint.to_owned(),
        reason,
    };
    let parsed = Endpoint::from_shared(endpoint.to_owned());
    let parsed = parsed.map_err(|error| unreachable(error.to_string()))?;
    let mut health = HealthClient::new(parsed.connect_lazy());
    let until = Instant::now() + within;
    let mut seen = "it was never asked".to_owned();
    while Instant::now() < until {
        match timeout(PATIENCE, status(&mut health)).await {
            Ok(Ok(ServingStatus::Serving)) => return Ok(now_ns()),
            Ok(Ok(status)) => seen = format!("{SERVICE} is {}", status.as_str_name()),
            Ok(Err(error)) => seen = error.to_string(),
            Err(_) => "it does not answer".clone_into(&mut seen),
        }
        sleep(LOOK_EVERY).await;
    }
    let seconds = within.as_secs();
    Err(unreachable(format!("not ready within {seconds} s: {seen}")))
}

async fn status(health: &mut HealthClient<Channel>) -> Result<ServingStatus, tonic::Status> {
    let request = HealthCheckRequest {
        service: SERVICE.to_owned(),
    };
    Ok(health.check(request).await?.into_inner().status())
}

async fn bound(endpoint: &str) -> Result<(u64, u64), Error> {
    let options = Options::endpoints([endpoint]);
    let client = Client::new(options).map_err(|source| failed("connect", source))?;
    let mut request = ListVSwitchesRequest::default();
    let mut bound = 0;
    loop {
        let page = client.list_vswitches(request.clone()).await;
        let page = page.map_err(|source| failed("list vSwitches", source))?;
        let counts = page.vswitches.iter().flat_map(|vswitch| &vswitch.counts);
        bound += counts
            .filter_map(|counts| counts.bound.parse::<u64>().ok())
            .sum::<u64>();
        if page.next_page_token.is_empty() {
            return Ok((bound, page.revision));
        }
        request.page_token = page.next_page_token;
    }
}

fn now_ns() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    // The monotonic clock starts at 0 with the machine.
    (now.tv_sec as u64) * 1_000_000_000 + now.tv_nsec as u64
}
