//! A simulated cloud on a socket, a server that is told of it, and what an administrator and kubelets do.

use berth_client::{Client, FactsSession, FactsSource, Options};
use berth_cloud::simulator::catalogue::InstanceType;
use berth_cloud::simulator::http::Server;
use berth_cloud::simulator::setup::{Instance, SecurityGroup, Setup as CloudSetup};
use berth_cloud::simulator::{Chances, ECS, Request, Simulator};
use berth_domain::capacity::catalogue;
use berth_proto::v1;
use berth_proto::v1::facts_report::Report;
use berth_testkit::process::{Cluster, Setup};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Kubelet gives up after four minutes; nothing here waits so long in a run that passes.
const PATIENCE: Duration = Duration::from_secs(90);
/// Between two looks at something that is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(50);

pub struct World {
    pub cloud: Server,
    pub cluster: Cluster,
    pub client: Client,
}

/// The built-in region with so many machines of a type, and nothing of its other machines.
pub fn region(machines: usize, instance_type: &str) -> CloudSetup {
    let mut setup = CloudSetup::built_in();
    setup.instances = (1..=machines)
        .map(|number| Instance {
            id: format!("i-{number}"),
            instance_type: instance_type.into(),
            vswitch: "vsw-j".into(),
            security_group: "sg-machines".into(),
            status: "Running".into(),
        })
        .collect();
    // A basic group has room for 2,000 addresses: the machines' own are in another one.
    setup.security_groups.push(SecurityGroup {
        id: "sg-machines".into(),
        vpc: "vpc-built-in".into(),
    });
    let limits = catalogue::find(instance_type).expect("a known type");
    setup
        .instance_types
        .retain(|known| known.name != instance_type);
    setup.instance_types.push(InstanceType {
        name: instance_type.into(),
        enis: limits.enis as usize,
        addresses: limits.addresses_per_eni as usize,
        ipv6: limits.ipv6_per_eni.unwrap_or(0) as usize,
        total: limits.total_enis.unwrap_or(0) as usize,
        trunk: limits.can_trunk.unwrap_or(false),
        rdma: 0,
    });
    // The machines are in zone i.
    for instance in &mut setup.instances {
        instance.vswitch = "vsw-small".into();
    }
    let small = setup.vswitches.iter_mut().find(|row| row.id == "vsw-small");
    small.expect("built in").cidr = "10.3.0.0/22".parse().expect("a cidr");
    setup
}

pub fn name(number: usize) -> String {
    format!("worker-{number}")
}

fn now_ms() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    since_1970.expect("after 1970").as_millis() as u64
}

fn client(cluster: &Cluster) -> Client {
    client_for(cluster, PATIENCE)
}

fn client_for(cluster: &Cluster, deadline: Duration) -> Client {
    let options = Options {
        deadline,
        ..Options::endpoints(cluster.endpoints())
    };
    Client::new(options).expect("options")
}

/// What a pod got, or why not.
pub type Came = (String, Result<v1::AllocateResponse, berth_client::Error>);

/// As a kubelet: it asks again for as long as the answer is one that may pass.
async fn until_answered(
    client: &Client,
    node: usize,
    pod: &str,
) -> Result<v1::AllocateResponse, berth_client::Error> {
    let began = Instant::now();
    loop {
        match client.allocate(World::add(node, pod)).await {
            Err(error) if began.elapsed() < PATIENCE => {
                println!("{pod} asks again: {error}");
                tokio::time::sleep(LOOK_EVERY).await;
            }
            answer => return answer,
        }
    }
}

fn parsed(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

// === impl World ===

impl World {
    pub async fn start(setup: CloudSetup) -> Self {
        Self::start_with(setup, 1).await
    }

    /// So many replicas, which share the account's key.
    pub async fn start_with(setup: CloudSetup, replicas: usize) -> Self {
        let cloud = Server::new(Simulator::new(setup, 7));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("bound"));
        let serving = cloud.clone();
        tokio::spawn(async move { serving.serve(listener).await });
        Self::told(cloud, &endpoint, "sim-secret", replicas).await
    }

    /// Servers that are told this endpoint and this secret.
    pub async fn told(cloud: Server, endpoint: &str, secret: &str, replicas: usize) -> Self {
        let setup = Setup::default()
            .flag("--cloud", "alibaba")
            .flag("--region", "cn-hangzhou")
            .variable("ECS_ENDPOINT", endpoint)
            .variable("VPC_ENDPOINT", endpoint)
            .variable("ALIBABA_CLOUD_ACCESS_KEY_ID", "sim-key")
            .variable("ALIBABA_CLOUD_ACCESS_KEY_SECRET", secret);
        let cluster = tokio::task::spawn_blocking(move || {
            let mut cluster = Cluster::start_with(replicas, &setup).expect("started");
            cluster.wait_until_ready().expect("ready");
            cluster
        });
        let cluster = cluster.await.expect("no panic");
        let client = client(&cluster);
        Self {
            cloud,
            cluster,
            client,
        }
    }

    /// vSwitches by name, zone, CIDR and the cloud's name.
    pub async fn vswitch(&self, name: &str, cidr: &str, ipv6_cidr: &str, cloud_id: &str) {
        let request = v1::CreateVSwitchRequest {
            name: name.into(),
            zone: "cn-hangzhou-i".into(),
            ipv4_cidr: cidr.into(),
            ipv6_cidr: ipv6_cidr.into(),
            cooling_ms: 1_000,
            network_kind: "vpc".into(),
            cloud_id: cloud_id.into(),
            ..v1::CreateVSwitchRequest::default()
        };
        self.client.create_vswitch(request).await.expect("created");
    }

    /// A pool "web" of these vSwitches.
    pub fn pool(vswitches: &[&str], mode: &str) -> v1::SetNodePoolRequest {
        v1::SetNodePoolRequest {
            name: "web".into(),
            mode: mode.into(),
            vswitches: vswitches.iter().map(ToString::to_string).collect(),
            security_groups: vec!["sg-built-in".into()],
            max_idle: 10,
            ..v1::SetNodePoolRequest::default()
        }
    }

    pub async fn node(&self, number: usize, instance_type: &str) {
        let request = v1::RegisterNodeRequest {
            name: name(number),
            zone: "cn-hangzhou-i".into(),
            identity: format!("i-{number}"),
            instance_type: instance_type.into(),
            pool: "web".into(),
            ..v1::RegisterNodeRequest::default()
        };
        self.client
            .register_node(request)
            .await
            .expect("registered");
    }

    /// The usual: vSwitch "pods", pool "web" in this mode, so many nodes.
    pub async fn usual(machines: usize, instance_type: &str, mode: &str) -> Self {
        let world = Self::start(region(machines, instance_type)).await;
        world.furnish(machines, instance_type, mode).await;
        world
    }

    /// The same, in shared mode, with so many replicas.
    pub async fn usual_with(machines: usize, replicas: usize) -> Self {
        let instance_type = "ecs.g7.4xlarge";
        let world = Self::start_with(region(machines, instance_type), replicas).await;
        world.furnish(machines, instance_type, "shared").await;
        world
    }

    pub async fn furnish(&self, machines: usize, instance_type: &str, mode: &str) {
        self.vswitch("pods", "10.1.0.0/20", "", "vsw-i").await;
        let pool = Self::pool(&["pods"], mode);
        self.client.set_node_pool(pool).await.expect("set");
        for number in 1..=machines {
            self.node(number, instance_type).await;
        }
    }

    /// Kills the replica that leads.
    pub async fn kill_leader(&mut self) {
        let status = self
            .client
            .cluster_status(v1::ClusterStatusRequest::default());
        let status = status.await.expect("known");
        let leads = |member: &v1::Member| member.id == status.leader_id;
        let leader = status.members.into_iter().find(leads).expect("listed");
        let members = self.cluster.members();
        let killed = members.iter_mut().find(|one| one.name() == leader.name);
        killed.expect("one of ours").kill().expect("killed");
    }

    /// Kubernetes says that these pods are scheduled to a node, until the session is dropped.
    pub async fn scheduled(&self, node: usize, pods: &[String]) -> FactsSession {
        let fact = |pod: &String| {
            Report::Pod(v1::PodFact {
                namespace: "shop".into(),
                name: pod.clone(),
                uid: format!("uid-{pod}"),
                node: name(node),
                ..v1::PodFact::default()
            })
        };
        let source = FactsSource::new("default", "test");
        source.start(self.client.clone(), pods.iter().map(fact))
    }

    fn key(pod: &str) -> v1::AttachmentKey {
        v1::AttachmentKey {
            cluster: "default".into(),
            network: "berth".into(),
            container_id: format!("sandbox-{pod}"),
            interface: "eth0".into(),
        }
    }

    pub fn add(node: usize, pod: &str) -> v1::AllocateRequest {
        v1::AllocateRequest {
            attachment: Some(Self::key(pod)),
            pod: Some(v1::PodIdentity {
                namespace: "shop".into(),
                name: pod.into(),
                uid: format!("uid-{pod}"),
            }),
            node: name(node),
            boot_id: "boot-1".into(),
            invoked_at_ms: 1,
            deadline_ms: 60_000,
            ..v1::AllocateRequest::default()
        }
    }

    pub fn del(node: usize, pod: &str) -> v1::ReleaseRequest {
        v1::ReleaseRequest {
            attachment: Some(Self::key(pod)),
            node: name(node),
            boot_id: "boot-1".into(),
            invoked_at_ms: 2,
            deadline_ms: 10_000,
            ..v1::ReleaseRequest::default()
        }
    }

    /// Pods come to nodes all at once: (node, pod) → what each got, or why not.
    pub async fn come(&self, pods: impl IntoIterator<Item = (usize, String)>) -> Vec<Came> {
        self.coming(pods).join_all().await
    }

    /// The same, not waited for.
    pub fn coming(&self, pods: impl IntoIterator<Item = (usize, String)>) -> JoinSet<Came> {
        let mut coming = JoinSet::new();
        // As every node has a connection of its own.
        let mut clients: BTreeMap<usize, Client> = BTreeMap::new();
        for (node, pod) in pods {
            let made = || client(&self.cluster);
            let client = clients.entry(node).or_insert_with(made).clone();
            coming.spawn(async move { (pod.clone(), until_answered(&client, node, &pod).await) });
        }
        coming
    }

    pub async fn enis(&self) -> Vec<v1::Eni> {
        let request = v1::ListEnisRequest {
            page_size: 500,
            ..v1::ListEnisRequest::default()
        };
        self.client.list_enis(request).await.expect("listed").enis
    }

    /// How many addresses of "pods" are in each state, IPv4.
    pub async fn counts(&self) -> v1::StateCounts {
        let request = v1::GetVSwitchRequest {
            name: "pods".into(),
            stale: false,
        };
        let mut row = self.client.get_vswitch(request).await.expect("there");
        row.counts.remove(0)
    }

    /// Beside the cloud: a vSwitch "routed", and a node of no pool in its zone, the ninth.
    pub async fn routed(&self, cidr: &str) {
        let vswitch = v1::CreateVSwitchRequest {
            name: "routed".into(),
            zone: "elsewhere".into(),
            ipv4_cidr: cidr.into(),
            ..v1::CreateVSwitchRequest::default()
        };
        self.client.create_vswitch(vswitch).await.expect("created");
        let node = v1::RegisterNodeRequest {
            name: name(9),
            zone: "elsewhere".into(),
            identity: "i-9".into(),
            ..v1::RegisterNodeRequest::default()
        };
        self.client.register_node(node).await.expect("registered");
    }

    pub async fn jobs(&self) -> Vec<v1::Job> {
        let request = v1::ListJobsRequest {
            page_size: 500,
            ..v1::ListJobsRequest::default()
        };
        self.client.list_jobs(request).await.expect("listed").jobs
    }

    /// Waits until no cloud call is under way, but those that nobody knows the end of: they wait for a quarter of an hour.
    pub async fn settle(&self) {
        let in_doubt = |jobs: Vec<v1::Job>| jobs.iter().all(|job| job.doubt_ms > 0);
        self.until("no job is under way", async || in_doubt(self.jobs().await))
            .await;
    }

    /// Waits for a condition.
    pub async fn until(&self, what: &str, holds: impl AsyncFn() -> bool) {
        let waiting = async {
            while !holds().await {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        if waited.is_err() {
            panic!("not in time: {what}; jobs: {:?}", self.jobs().await);
        }
    }

    /// A call of somebody else with the same account; its answer.
    pub fn stranger(&self, action: &str, parameters: &[(&str, &str)]) -> serde_json::Value {
        let all = parameters.iter();
        let mut all: BTreeMap<String, String> = all
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        all.insert("RegionId".into(), "cn-hangzhou".into());
        let request = Request {
            version: ECS.into(),
            action: action.into(),
            parameters: all,
            signer: "sim-key".into(),
        };
        let answer = self.cloud.with(|cloud| cloud.handle(now_ms(), &request));
        assert_eq!(answer.code(), None, "{action}: {}", answer.body);
        answer.body
    }

    /// Why a pod gets nothing within so many seconds.
    pub async fn refused(&self, node: usize, pod: &str) -> String {
        let add = v1::AllocateRequest {
            deadline_ms: 4_000,
            ..Self::add(node, pod)
        };
        let client = client_for(&self.cluster, Duration::from_secs(4));
        client.allocate(add).await.expect_err("refused").to_string()
    }

    /// How often each action was called.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.cloud.with(|cloud| cloud.ledger().calls.clone())
    }

    /// The same, of those that change something.
    pub fn changes(&self) -> BTreeMap<String, u64> {
        let mut calls = self.calls();
        calls.retain(|action, _| !action.starts_with("Describe"));
        calls
    }

    /// The addresses on every ENI in the cloud that Berth has made, by the cloud's name.
    pub fn in_cloud(&self) -> BTreeMap<String, BTreeSet<IpAddr>> {
        self.cloud.with(|cloud| {
            cloud.settle(now_ms());
            let ours = cloud
                .enis()
                .filter(|eni| eni.tags.contains_key("berth-cluster"));
            let of = |eni: &berth_cloud::simulator::eni::Eni| {
                (eni.id.clone(), eni.addresses().into_iter().collect())
            };
            ours.map(of).collect()
        })
    }

    /// What both sides say, once nothing is under way: the same ENIs with the same addresses, but for what is in doubt, and the
    /// cloud broke no quota.
    pub async fn agree(&self) {
        self.settle().await;
        let jobs = self.jobs().await;
        let doubtful = jobs.iter().flat_map(|job| &job.addresses);
        let doubtful: BTreeSet<IpAddr> = doubtful.map(|text| parsed(text)).collect();
        let of = |eni: v1::Eni| {
            (
                eni.id,
                eni.addresses.iter().map(|text| parsed(text)).collect(),
            )
        };
        let ledger: BTreeMap<String, BTreeSet<IpAddr>> =
            self.enis().await.into_iter().map(of).collect();
        let sure =
            |enis: BTreeMap<String, BTreeSet<IpAddr>>| -> BTreeMap<String, BTreeSet<IpAddr>> {
                let keep = |(id, on_it): (String, BTreeSet<IpAddr>)| (id, &on_it - &doubtful);
                enis.into_iter().map(keep).collect()
            };
        assert_eq!(sure(ledger), sure(self.in_cloud()), "in doubt: {jobs:?}");
        assert_eq!(
            self.cloud.with(|cloud| cloud.check()),
            <[&str; 0]>::default()
        );
    }

    /// What goes wrong from now on.
    pub fn faults(&self, chances: Option<Chances>) {
        self.cloud.with(|cloud| {
            let faults = &mut cloud.setup().faults;
            faults.chances.clear();
            faults
                .chances
                .extend(chances.map(|chances| ("*".to_owned(), chances)));
        });
    }
}
