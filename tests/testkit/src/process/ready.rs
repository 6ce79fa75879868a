//! When a cluster serves: every replica knows a leader, and the leader answers a linearizable read.

use std::thread;
use std::time::{Duration, Instant};

use berth_proto::v1::admin_client::AdminClient;
use berth_proto::v1::{ClusterStatusRequest, ListNodesRequest};
use tonic::transport::Channel;

use super::{Error, Member};

/// A replica is ready in under a second; a busy machine takes longer.
const LIMIT: Duration = Duration::from_secs(30);
/// Between two questions.
const PAUSE: Duration = Duration::from_millis(20);
/// One question; a process that has stopped must not hold the others up.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

pub(super) fn wait(members: &mut [Member]) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Folder)?;
    let until = Instant::now() + LIMIT;
    loop {
        let mut leader_serves = false;
        let mut waits_for = None;
        for (at, member) in members.iter().enumerate() {
            match runtime.block_on(ask(&member.endpoint())) {
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
async fn ask(endpoint: &str) -> Result<bool, String> {
    let endpoint = Channel::from_shared(endpoint.to_owned()).map_err(|error| error.to_string())?;
    let endpoint = endpoint.timeout(ANSWER_LIMIT).connect_timeout(ANSWER_LIMIT);
    let channel = endpoint
        .connect()
        .await
        .map_err(|error| error.to_string())?;
    let mut admin = AdminClient::new(channel);
    let status = admin.cluster_status(ClusterStatusRequest {}).await;
    let status = status.map_err(|status| status.to_string())?.into_inner();
    if status.leader_id == 0 {
        return Err("it knows no leader".to_owned());
    }
    if status.leader_id != status.member_id {
        return Ok(false);
    }
    let read = admin.list_nodes(ListNodesRequest::default()).await;
    read.map(|_| true).map_err(|status| status.to_string())
}
