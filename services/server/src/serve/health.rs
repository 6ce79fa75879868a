//! gRPC health (grpc.health.v1).
//!
//! * `""`: the process serves; true from the first moment on and until it stops.
//! * `berth.v1.Allocator`: an ADD sent to this replica reaches a leader: it serves itself, or knows who does
//!   and answers with the hint that clients follow. Not serving during an election, or without a quorum.
//! * `berth.v1.Admin`, `berth.v1.Facts`: the same.
//! * `berth.leader`: this replica leads and serves; for balancers that should send to the leader only.

use berth_raft::status::Role;
use std::future::Future;
use tokio::sync::watch;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

/// Reaches a leader.
const FORWARDING: [&str; 3] = ["berth.v1.Allocator", "berth.v1.Admin", "berth.v1.Facts"];
/// Is the leader.
const LEADING: &str = "berth.leader";

/// Follows the role until there is none any more, then says that nothing is served.
pub async fn follow(
    reporter: HealthReporter,
    mut role: watch::Receiver<Role>,
    stopping: impl Future<Output = ()>,
) {
    tokio::pin!(stopping);
    loop {
        let now = *role.borrow_and_update();
        say(&reporter, &FORWARDING, reaches_a_leader(&now)).await;
        say(&reporter, &[LEADING], now.leads() && now.ready).await;
        let changed = tokio::select! {
            changed = role.changed() => changed.is_ok(),
            () = &mut stopping => false,
        };
        if !changed {
            break;
        }
    }
    say(&reporter, &FORWARDING, false).await;
    say(&reporter, &[LEADING, ""], false).await;
}

/// Whether an ADD sent to this replica reaches a leader.
pub fn reaches_a_leader(role: &Role) -> bool {
    match role.leads() {
        true => role.ready,
        false => role.leader.is_some(),
    }
}

async fn say(reporter: &HealthReporter, services: &[&str], serving: bool) {
    let status = match serving {
        true => ServingStatus::Serving,
        false => ServingStatus::NotServing,
    };
    for service in services {
        reporter.set_service_status(service, status).await;
    }
}
