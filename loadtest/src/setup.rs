//! Before a load: vSwitches, nodes, and the facts that a Kubernetes side would report.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use berth_client::{Client, FactsSession, FactsSource, Options};
use berth_proto::v1::facts_report::Report;
use berth_proto::v1::{
    Change, ClusterStatusRequest, ClusterStatusResponse, CreateVSwitchRequest, NodeFact,
    RefusalCode, RegisterNodeRequest,
};
use futures::{StreamExt, TryStreamExt, stream};
use tokio::time::{Instant, sleep};

use crate::Error;
use crate::random::mix;

/// How the names of everything begin that the scenarios make.
pub(crate) const PREFIX: &str = "load";
/// The Kubernetes cluster that the load plays.
const CLUSTER: &str = "load";
/// The same without a source of facts. A cluster that had one once waits for it to come back.
const CLUSTER_WITHOUT_FACTS: &str = "load-without-facts";
/// The CNI network's name.
pub(crate) const NETWORK: &str = "pod-network";
/// All pods live here.
pub(crate) const NAMESPACE: &str = "load-pods";
/// All nodes booted once.
pub(crate) const BOOT_ID: &str = "5b1c9d0e-7f42-4a86-9d13-2c60f7e8ab94";
/// A cluster that was just started elects in about a second.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// Of one replica; one that does not answer must not hold the others up.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(100);
const REASON: &str = "load test";
/// Nodes are registered so many at a time: thousands of them should not take as many disk syncs.
const REGISTERED_TOGETHER: usize = 64;

/// What a load needs to begin.
pub(crate) struct Prepared {
    /// Tells this run's ids from all others'.
    pub(crate) run: u64,
    /// Follows the leader.
    pub(crate) client: Client,
    /// Where the leader was when the load began.
    pub(crate) leader: String,
    pub(crate) version: String,
    pub(crate) members: usize,
    pub(crate) nodes: Vec<Node>,
    pub(crate) cluster: &'static str,
    facts: Option<FactsSession>,
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    /// Its zone's vSwitch, by place.
    pub(crate) vswitch: usize,
}

/// What there is to be.
pub(crate) struct Wanted<'a> {
    /// How the names of vSwitches, zones and nodes begin.
    pub(crate) prefix: &'a str,
    pub(crate) cidrs: &'a [String],
    pub(crate) nodes: u32,
    pub(crate) warm_target: u32,
    /// 0 = the server's default.
    pub(crate) cooling_ms: u64,
    pub(crate) seed: u64,
    /// Pods that are known before the first ADD. None = no source of facts at all.
    pub(crate) facts: Option<Vec<Report>>,
}

/// Makes what is missing; what is there already is used.
pub(crate) async fn prepare(endpoints: &[String], wanted: Wanted<'_>) -> Result<Prepared, Error> {
    let mut options = Options::endpoints(endpoints);
    options.deadline = READY_WITHIN;
    let client = Client::new(options).map_err(|source| failed("connect", source))?;
    let (leader, status) = leader(&client, endpoints).await?;
    for (at, cidr) in wanted.cidrs.iter().enumerate() {
        create_vswitch(&client, &wanted, at, cidr).await?;
    }
    let nodes: Vec<Node> = (0..wanted.nodes as usize)
        .map(|number| Node {
            name: format!("{}-node-{number:03}", wanted.prefix),
            vswitch: number % wanted.cidrs.len(),
        })
        .collect();
    let registered = nodes.iter().map(|node| register(&client, &wanted, node));
    stream::iter(registered)
        .buffer_unordered(REGISTERED_TOGETHER)
        .try_collect::<()>()
        .await?;
    Ok(Prepared {
        run: mix(wanted.seed ^ now_ns()),
        leader,
        version: status.version.clone(),
        members: endpoints.len(),
        cluster: wanted
            .facts
            .as_ref()
            .map_or(CLUSTER_WITHOUT_FACTS, |_| CLUSTER),
        facts: match wanted.facts {
            Some(pods) => Some(report(&client, &nodes, pods).await?),
            None => None,
        },
        client,
        nodes,
    })
}

async fn report(client: &Client, nodes: &[Node], pods: Vec<Report>) -> Result<FactsSession, Error> {
    let facts = nodes.iter().map(node_fact).chain(pods);
    let session = FactsSource::new(CLUSTER, "loadtest").start(client.clone(), facts);
    let settled = session.settled(READY_WITHIN).await;
    settled.map_err(|source| failed("report facts", source))?;
    Ok(session)
}

/// Whoever says that it leads, by the endpoint that we were given. Members may not know each other's endpoints yet.
async fn leader(
    client: &Client,
    endpoints: &[String],
) -> Result<(String, ClusterStatusResponse), Error> {
    let until = Instant::now() + READY_WITHIN;
    let mut reason = "nobody leads".to_owned();
    while Instant::now() < until {
        for (endpoint, client) in client.within(ANSWER_WITHIN).each() {
            match client.cluster_status(ClusterStatusRequest {}).await {
                Ok(status) if status.leader_id != 0 && status.leader_id == status.member_id => {
                    return Ok((endpoint, status));
                }
                Ok(_) => {}
                Err(error) => reason = error.to_string(),
            }
        }
        sleep(LOOK_EVERY).await;
    }
    let endpoints = endpoints.join(",");
    Err(Error::Unreachable { endpoints, reason })
}

async fn create_vswitch(
    client: &Client,
    wanted: &Wanted<'_>,
    at: usize,
    cidr: &str,
) -> Result<(), Error> {
    let name = vswitch_name(wanted.prefix, at);
    let is_ipv6 = cidr.contains(':');
    let request = CreateVSwitchRequest {
        change: change(),
        name: name.clone(),
        zone: zone(wanted.prefix, at),
        ipv4_cidr: if is_ipv6 {
            String::new()
        } else {
            cidr.to_owned()
        },
        ipv6_cidr: if is_ipv6 {
            cidr.to_owned()
        } else {
            String::new()
        },
        cooling_ms: wanted.cooling_ms,
        ..Default::default()
    };
    made(client.create_vswitch(request).await, || {
        format!("create vSwitch {name}")
    })
}

async fn register(client: &Client, wanted: &Wanted<'_>, node: &Node) -> Result<(), Error> {
    let request = RegisterNodeRequest {
        change: change(),
        name: node.name.clone(),
        zone: zone(wanted.prefix, node.vswitch),
        identity: format!("machine-of-{}", node.name),
        warm_target: wanted.warm_target,
        ..RegisterNodeRequest::default()
    };
    made(client.register_node(request).await, || {
        format!("register node {}", node.name)
    })
}

/// What another run made is as good.
fn made<T>(
    outcome: Result<T, berth_client::Error>,
    what: impl FnOnce() -> String,
) -> Result<(), Error> {
    match outcome {
        Ok(_) => Ok(()),
        Err(error) if error.code() == RefusalCode::AlreadyExists => Ok(()),
        Err(source) => Err(failed(what(), source)),
    }
}

pub(crate) fn failed(what: impl Into<String>, source: berth_client::Error) -> Error {
    Error::Berth {
        what: what.into(),
        source,
    }
}

pub(crate) fn vswitch_name(prefix: &str, at: usize) -> String {
    format!("{prefix}-{at}")
}

fn zone(prefix: &str, at: usize) -> String {
    format!("{prefix}-zone-{at}")
}

fn change() -> Option<Change> {
    Some(Change {
        request_id: String::new(),
        reason: REASON.to_owned(),
    })
}

fn node_fact(node: &Node) -> Report {
    Report::Node(NodeFact {
        name: node.name.clone(),
        ..Default::default()
    })
}

/// Two runs must not use the same ids: what one has bound the other would be refused.
fn now_ns() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    since_1970.map_or(0, |since| since.as_nanos() as u64)
}

// === impl Prepared ===

impl Prepared {
    /// A fact has changed; nobody hears it without a source.
    pub(crate) fn report(&self, fact: impl FnOnce() -> Report) {
        if let Some(facts) = &self.facts {
            facts.report(fact());
        }
    }

    /// How the container ids of this run begin.
    pub(crate) fn ids(&self) -> String {
        let mut id = crate::target::container_id(self.run, 0);
        id.truncate(id.len() - 16);
        id
    }
}
