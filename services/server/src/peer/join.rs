//! The way into a running cluster: ask any replica, follow it to the leader, be told who the members are.

use super::channel;
use crate::config::Certificates;
use berth_domain::id::Endpoint;
use berth_proto::peer::v1::peer_client::PeerClient;
use berth_proto::peer::v1::{JoinRequest, JoinResponse, PeerMember};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
use tracing::info;

/// What a new member was told.
#[derive(Clone, Debug, PartialEq)]
pub struct Joined {
    /// The cluster's identity.
    pub cluster_id: String,
    /// All members there are, the new one included.
    pub members: Vec<PeerMember>,
    /// The ledger's revision that they are of; 0 = of none.
    pub revision: u64,
}

/// It did not get in.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cluster said no, for good.
    #[error("the cluster refused: {0}")]
    Refused(String),
    /// Nobody said yes in time.
    #[error("no replica let us join within {} s; the last answer was: {last}", PATIENCE.as_secs())]
    Nobody {
        /// The last thing heard.
        last: String,
    },
}

/// An election and a restart of the leader fit in.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(500);
/// A hint is at most one election old, so the leader is found in one or two steps.
const HINTS_MAX: usize = 3;
/// One try: the leader answers after the membership change is committed.
const ANSWER: Duration = Duration::from_secs(15);

/// Who does not say in this time which cluster it is of is not waited for: it may be starting itself, and a whole cluster
/// that comes back must not wait long for each other.
const LOOK: Duration = Duration::from_millis(500);

/// What one replica answered.
enum Answer {
    Joined(Joined),
    Ask(Endpoint),
    Later(String),
}

/// Asks until somebody says yes, or no for good. A request that names no cluster asks only which one this is.
pub async fn ask(
    endpoints: &[Endpoint],
    certificates: Option<&Certificates>,
    request: &JoinRequest,
) -> Result<Joined, Error> {
    let begun = Instant::now();
    loop {
        match once(endpoints, certificates, request).await {
            Err(Error::Nobody { last }) if begun.elapsed() < PATIENCE => {
                info!(reason = last, "not in yet")
            }
            answer => return answer,
        }
        sleep(PAUSE).await;
    }
}

/// Asks each once, following hints to the leader.
pub async fn once(
    endpoints: &[Endpoint],
    certificates: Option<&Certificates>,
    request: &JoinRequest,
) -> Result<Joined, Error> {
    let mut last = String::from("there is nobody to ask");
    for endpoint in endpoints {
        let mut asked = endpoint.clone();
        for _ in 0..HINTS_MAX {
            match ask_one(&asked, certificates, request).await? {
                Answer::Joined(joined) => return Ok(joined),
                Answer::Ask(leader) if leader != asked => asked = leader,
                Answer::Ask(_) => {
                    last = format!("{asked} names itself as the leader, but does not lead");
                    break;
                }
                Answer::Later(reason) => {
                    last = format!("{asked}: {reason}");
                    break;
                }
            }
        }
    }
    Err(Error::Nobody { last })
}

/// Which cluster each of these is of, as far as they answer at once.
pub async fn clusters(
    endpoints: Vec<Endpoint>,
    certificates: Option<&Certificates>,
    name: &str,
) -> Vec<(Endpoint, String)> {
    let request = JoinRequest {
        name: name.into(),
        ..JoinRequest::default()
    };
    let asked = endpoints.into_iter().map(|endpoint| async {
        let answer = timeout(LOOK, ask_one(&endpoint, certificates, &request)).await;
        match answer {
            Ok(Ok(Answer::Joined(joined))) => Some((endpoint, joined.cluster_id)),
            _ => None,
        }
    });
    let answers = futures::future::join_all(asked).await;
    answers.into_iter().flatten().collect()
}

async fn ask_one(
    endpoint: &Endpoint,
    certificates: Option<&Certificates>,
    request: &JoinRequest,
) -> Result<Answer, Error> {
    let channel = match channel(endpoint, certificates) {
        Ok(channel) => channel.timeout(ANSWER).connect().await,
        Err(error) => Err(error),
    };
    let mut client = match channel {
        Ok(channel) => PeerClient::new(channel),
        Err(error) => return Ok(Answer::Later(error.to_string())),
    };
    match client.join(request.clone()).await {
        Ok(response) => read(response.into_inner()),
        Err(status) if status.code() == tonic::Code::PermissionDenied => {
            Err(Error::Refused(status.message().into()))
        }
        Err(status) => Ok(Answer::Later(status.message().into())),
    }
}

fn read(response: JoinResponse) -> Result<Answer, Error> {
    let JoinResponse {
        accepted,
        reason,
        leader_peer_endpoint,
        cluster_id,
        members,
        revision,
    } = response;
    if accepted {
        return Ok(Answer::Joined(Joined {
            cluster_id,
            members,
            revision,
        }));
    }
    match Endpoint::new(&leader_peer_endpoint) {
        Ok(leader) if !leader.as_str().is_empty() => Ok(Answer::Ask(leader)),
        _ => Ok(Answer::Later(reason)),
    }
}
