//! Two nodes and what lives on them, as the nodes know it: the truth that a restored cluster has to learn.

use berth_client::{Client, Error, Options};
use berth_proto::v1::*;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::runtime::Runtime;

/// The nodes' names.
pub const NODES: [&str; 2] = ["worker-1", "worker-2"];

/// See the module.
pub struct Fleet {
    runtime: Runtime,
    client: Client,
    /// Sandbox by container id.
    pub live: BTreeMap<String, Sandbox>,
    /// An address that was given to a second sandbox while the first lived: to whom, beside whom.
    pub doubles: Vec<String>,
    next: u32,
    clock_ms: u64,
}

/// One that lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sandbox {
    pub node: &'static str,
    pub pod: String,
    pub invoked_at_ms: u64,
    pub addresses: Vec<String>,
}

// === impl Fleet ===

impl Fleet {
    /// A vSwitch "pods" of this CIDR, both nodes, and claims of pods db-0 to db-9.
    pub fn new(endpoints: &[String], cidr: &str) -> Self {
        // One worker: connections are kept up while nobody asks.
        let runtime = tokio::runtime::Builder::new_multi_thread();
        let fleet = Self {
            runtime: { runtime }
                .worker_threads(1)
                .enable_all()
                .build()
                .expect("a runtime"),
            client: client(endpoints),
            live: BTreeMap::new(),
            doubles: Vec::new(),
            next: 0,
            clock_ms: 1_000,
        };
        let vswitch = CreateVSwitchRequest {
            name: "pods".into(),
            zone: "a".into(),
            ipv4_cidr: cidr.into(),
            cooling_ms: 1,
            ..Default::default()
        };
        fleet
            .runtime
            .block_on(fleet.client.create_vswitch(vswitch))
            .expect("a vSwitch");
        for node in NODES {
            let node = RegisterNodeRequest {
                name: node.into(),
                zone: "a".into(),
                identity: identity(node),
                warm_target: 8,
                ..Default::default()
            };
            fleet
                .runtime
                .block_on(fleet.client.register_node(node))
                .expect("a node");
        }
        for number in 0..10 {
            let claim = CreateClaimRequest {
                cluster: "main".into(),
                namespace: "shop".into(),
                pod: format!("db-{number}"),
                vswitch: "pods".into(),
                policy: "never".into(),
                ..Default::default()
            };
            fleet
                .runtime
                .block_on(fleet.client.create_claim(claim))
                .expect("a claim");
        }
        fleet
    }

    /// From now on these are asked.
    pub fn turn_to(&mut self, endpoints: &[String]) {
        self.client = client(endpoints);
    }

    /// So many pods more, on both nodes in turn.
    pub fn start(&mut self, count: usize) {
        for _ in 0..count {
            self.start_one().expect("an address");
        }
    }

    /// One pod more.
    pub fn start_one(&mut self) -> Result<(), Error> {
        self.next += 1;
        let pod = format!("web-{}", self.next);
        self.start_pod(NODES[self.next as usize % 2], &pod)
    }

    /// The sandbox of this pod.
    pub fn start_pod(&mut self, node: &'static str, pod: &str) -> Result<(), Error> {
        self.next += 1;
        self.clock_ms += 10;
        let container = format!("sandbox-{}", self.next);
        let mut sandbox = Sandbox {
            node,
            pod: pod.to_owned(),
            invoked_at_ms: self.clock_ms,
            addresses: Vec::new(),
        };
        let answer = self
            .runtime
            .block_on(self.client.allocate(add(&container, &sandbox)))?;
        sandbox.addresses = answer
            .addresses
            .into_iter()
            .map(|given| given.address)
            .collect();
        for (other, holder) in &self.live {
            if holder
                .addresses
                .iter()
                .any(|held| sandbox.addresses.contains(held))
            {
                let addresses = &sandbox.addresses;
                self.doubles
                    .push(format!("{addresses:?} to {container} beside {other}"));
            }
        }
        self.live.insert(container, sandbox);
        Ok(())
    }

    /// So many pods less, the oldest first.
    pub fn end(&mut self, count: usize) {
        let mut oldest: Vec<_> = self
            .live
            .iter()
            .map(|(key, row)| (row.invoked_at_ms, key.clone()))
            .collect();
        oldest.sort();
        for (_, container) in oldest.into_iter().take(count) {
            self.end_one(&container);
        }
    }

    /// This sandbox ends.
    pub fn end_one(&mut self, container: &str) {
        let sandbox = self.live.remove(container).expect("it lives");
        self.clock_ms += 10;
        let release = ReleaseRequest {
            attachment: key(container),
            node: sandbox.node.into(),
            boot_id: boot(sandbox.node),
            invoked_at_ms: self.clock_ms,
            ..Default::default()
        };
        self.runtime
            .block_on(self.client.release(release))
            .expect("released");
    }

    /// The node says what lives on it.
    pub fn report(&self, node: &'static str) -> ConfirmNodeResponse {
        let live = self.live.iter().filter(|(_, sandbox)| sandbox.node == node);
        let live = live.map(|(container, sandbox)| LiveSandbox {
            attachment: key(container),
            pod: Some(pod(sandbox)),
            invoked_at_ms: sandbox.invoked_at_ms,
            eni: String::new(),
            addresses: sandbox.addresses.clone(),
        });
        let report = NodeReportRequest {
            node: node.into(),
            identity: identity(node),
            boot_id: boot(node),
            live: live.collect(),
        };
        self.runtime
            .block_on(self.client.node_report(report))
            .expect("taken")
    }

    /// Every sandbox that lives asks again, as its runtime may; those that are not answered with what they have.
    pub fn not_known_as_they_are(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (container, sandbox) in &self.live {
            let answer = self
                .runtime
                .block_on(self.client.allocate(add(container, sandbox)));
            let same = answer.as_ref().is_ok_and(|answer| {
                let addresses = answer.addresses.iter().map(|given| &given.address);
                addresses.eq(&sandbox.addresses) && !answer.created
            });
            if !same {
                wrong.push(format!("{container} {sandbox:?}: {answer:?}"));
                // One tells enough.
                break;
            }
        }
        wrong
    }

    /// The address of a claim's pod.
    pub fn address_of(&self, pod: &str) -> Option<&str> {
        let sandbox = self.live.values().find(|sandbox| sandbox.pod == pod)?;
        sandbox.addresses.first().map(String::as_str)
    }
}

fn client(endpoints: &[String]) -> Client {
    let options = Options {
        // A refusal that says "later" is an answer here.
        deadline: Duration::from_secs(2),
        ..Options::endpoints(endpoints)
    };
    Client::new(options).expect("endpoints")
}

fn add(container: &str, sandbox: &Sandbox) -> AllocateRequest {
    AllocateRequest {
        attachment: key(container),
        pod: Some(pod(sandbox)),
        node: sandbox.node.into(),
        boot_id: boot(sandbox.node),
        invoked_at_ms: sandbox.invoked_at_ms,
        ..Default::default()
    }
}

fn key(container: &str) -> Option<AttachmentKey> {
    Some(AttachmentKey {
        cluster: "main".into(),
        network: "pods".into(),
        container_id: container.into(),
        interface: "eth0".into(),
    })
}

fn pod(sandbox: &Sandbox) -> PodIdentity {
    PodIdentity {
        namespace: "shop".into(),
        name: sandbox.pod.clone(),
        uid: format!("uid-{}-{}", sandbox.pod, sandbox.invoked_at_ms),
    }
}

fn identity(node: &str) -> String {
    format!("machine-of-{node}")
}

fn boot(node: &str) -> String {
    format!("boot-of-{node}")
}
