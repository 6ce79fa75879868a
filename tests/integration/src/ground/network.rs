//! A bridge in a namespace of its own, and a namespace on it for each member and for the clients.

use super::{MEMBERS, View};
use berth_proto::v1::ClusterStatusRequest;
use berth_proto::v1::admin_client::AdminClient;
use berth_testkit::namespace::{Namespace, apart};
use berth_testkit::shell::{run, try_run};
use rustix::process::{Pid, Signal, kill_process};
use std::path::Path;
use std::time::Duration;
use tonic::transport::Endpoint;

/// Clients' place; members have their numbers.
const CLIENTS: usize = 100;
/// A member that says nothing for so long is not there.
const VIEW_WITHIN: Duration = Duration::from_millis(500);

/// All namespaces of one run.
pub struct Network {
    members: Vec<Namespace>,
    clients: Namespace,
    // After those that hang on it.
    _bridge: Namespace,
}

/// "10.77.0.2" of number 2.
pub fn address(number: usize) -> String {
    format!("10.77.0.{number}")
}

// === impl Network ===

impl Network {
    /// Makes them all.
    #[allow(clippy::new_without_default)] // it asks root's rights of the system
    pub fn new() -> Self {
        sweep();
        let bridge = Namespace::new("bridge");
        bridge.ip(&["link", "add", "br0", "type", "bridge"]);
        bridge.ip(&["link", "set", "br0", "up"]);
        let members = (1..=MEMBERS).map(|number| {
            let namespace = Namespace::new(&format!("member{number}"));
            join(&bridge, &namespace, number);
            namespace
        });
        let members = members.collect();
        let clients = Namespace::new("clients");
        join(&bridge, &clients, CLIENTS);
        Self {
            members,
            clients,
            _bridge: bridge,
        }
    }

    /// Member's, by number.
    pub fn namespace(&self, number: usize) -> &Namespace {
        &self.members[number - 1]
    }

    /// The clients'.
    pub fn clients(&self) -> &Namespace {
        &self.clients
    }

    /// Runs something among the clients, with a runtime of its own, to its end.
    pub fn ask<T: Send, F: Future<Output = T>>(&self, question: impl FnOnce() -> F + Send) -> T {
        apart(|| {
            self.clients.enter();
            let runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = { runtime }.enable_all().build().expect("a runtime");
            runtime.block_on(question())
        })
    }
}

/// Removes what runs have left that were themselves killed.
fn sweep() {
    let list = run("ip", &["netns"]);
    for name in list
        .lines()
        .filter_map(|line| line.split_whitespace().next())
    {
        let owner = name
            .strip_prefix("berth-")
            .and_then(|rest| rest.split('-').next());
        let is_left = owner.is_some_and(|owner| {
            owner.bytes().all(|byte| byte.is_ascii_digit())
                && !Path::new("/proc").join(owner).exists()
        });
        if !is_left {
            continue;
        }
        for process in run("ip", &["netns", "pids", name]).lines() {
            let process = process.trim().parse().ok().and_then(Pid::from_raw);
            if let Some(process) = process {
                // It may have ended meanwhile.
                kill_process(process, Signal::KILL).unwrap_or_default();
            }
        }
        // Another run may be at it too.
        try_run("ip", &["netns", "del", name]);
    }
}

fn join(bridge: &Namespace, namespace: &Namespace, number: usize) {
    let port = format!("port{number}");
    let name = namespace.name();
    bridge.ip(&[
        "link", "add", &port, "type", "veth", "peer", "name", "eth0", "netns", name,
    ]);
    bridge.ip(&["link", "set", &port, "master", "br0", "up"]);
    let own = format!("{}/24", address(number));
    namespace.ip(&["addr", "add", &own, "dev", "eth0"]);
    namespace.ip(&["link", "set", "eth0", "up"]);
}

/// What this member says of itself.
pub(super) async fn view(number: usize) -> Option<View> {
    let endpoint = format!("http://{}:{}", address(number), super::member::CLIENT_PORT);
    let endpoint = Endpoint::from_shared(endpoint)
        .ok()?
        .connect_timeout(VIEW_WITHIN)
        .timeout(VIEW_WITHIN);
    let mut admin = AdminClient::new(endpoint.connect().await.ok()?);
    let status = admin
        .cluster_status(ClusterStatusRequest {})
        .await
        .ok()?
        .into_inner();
    let votes = status.members.iter();
    Some(View {
        votes: votes
            .map(|member| (member.id, member.role == "voter"))
            .collect(),
        changing: status.changing,
        id: status.member_id,
        leader: status.leader_id,
        term: status.term,
        revision: status.revision,
        history: status.history_through_revision,
    })
}
