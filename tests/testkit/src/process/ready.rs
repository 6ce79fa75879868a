//! When a cluster serves: every replica knows a leader, and the leader answers a linearizable read.

use std::thread;
use std::time::{Duration, Instant};

use berth_client::{Client, Options};
use berth_proto::v1::{ClusterStatusRequest, ListNodesRequest};

use super::{Error, Member, Setup};

/// A replica is ready in under a second; a busy machine takes longer.
const LIMIT: Duration = Duration::from_secs(30);
/// Between two questions.
const PAUSE: Duration = Duration::from_millis(20);
/// One question; a process that has stopped must not hold the others up.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

pub(super) fn wait(members: &mut [Member], setup: &Setup) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Folder)?;
    let until = Instant::now() + LIMIT;
    loop {
        let mut leader_serves = false;
        let mut waits_for = None;
        for (at, member) in members.iter().enumerate() {
            // Another test's server may have taken the port: its answer is not this one's.
            if !member.has_bound() {
                waits_for = Some((at, "it does not listen yet".to_owned()));
                continue;
            }
            match runtime.block_on(ask(&member.endpoint(), setup)) {
                Ok(serves) => leader_serves |= serves,
                Err(reason) => waits_for = Some((at, reason)),
            }
        }
        if leader_serves && waits_for.is_none() {
            return Ok(());
        }
        let (at, reason) = waits_for.unwrap_or((0, "nobody leads".to_owned()));
        give_up(&mut members[at], until, reason)?;
        thread::sleep(PAUSE);
    }
}

fn give_up(member: &mut Member, until: Instant, reason: String) -> Result<(), Error> {
    let name = member.name().to_owned();
    if let Some(status) = member.ended() {
        let log = member.log_tail();
        return Err(Error::Ended { name, status, log });
    }
    if Instant::now() < until {
        return Ok(());
    }
    Err(Error::NotReady {
        name,
        seconds: LIMIT.as_secs(),
        reason,
        log: member.log_tail(),
    })
}

/// Whether this one leads and serves; Err = not ready, and why.
async fn ask(endpoint: &str, setup: &Setup) -> Result<bool, String> {
    let options = Options {
        tls: setup.administrator.clone(),
        deadline: ANSWER_LIMIT,
        wait_for_server: false,
        ..Options::endpoints([endpoint])
    };
    let client = Client::new(options).map_err(|error| error.to_string())?;
    // It alone, whoever leads.
    let admin = client.only(endpoint).map_err(|error| error.to_string())?;
    let status = admin.cluster_status(ClusterStatusRequest {}).await;
    let status = status.map_err(|error| error.to_string())?;
    if status.leader_id == 0 {
        return Err("it knows no leader".to_owned());
    }
    if status.leader_id != status.member_id {
        return Ok(false);
    }
    let read = admin.list_nodes(ListNodesRequest::default()).await;
    read.map(|_| true).map_err(|error| error.to_string())
}
