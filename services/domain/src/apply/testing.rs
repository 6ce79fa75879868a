//! A small world for tests: two nodes, a routed vSwitch 10.0.0.0/24, and short ways to say commands.

pub(crate) mod jobs;

use crate::Ledger;
use crate::address::{NetworkKind, Subnet};
use crate::command::*;
use crate::event::EventGroup;
use crate::id::*;
use crate::invariant;
use crate::ledger::Applied;
use crate::outcome::{Answer, Outcome, Refusal};
use crate::row::{AddressState, Allocation, Policy};
use std::net::IpAddr;
use std::sync::Arc;

/// ms of ledger time that a released address of the test vSwitch rests.
pub(crate) const COOLING_MS: u64 = 30_000;

pub(crate) struct World {
    pub(crate) ledger: Ledger,
    pub(crate) now_ms: u64,
    pub(crate) groups: Vec<EventGroup>,
    pub(crate) vswitch: VSwitchId,
    /// worker-1 and worker-2.
    pub(crate) nodes: [NodeId; 2],
}

pub(crate) fn name<T>(text: &str, make: fn(&str) -> Result<T, Error>) -> T {
    make(text).expect("a name")
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

pub(crate) fn proposal(command: Command, request_id: &str) -> Proposal {
    Proposal {
        principal: name("local", Principal::new),
        request_id: name(request_id, RequestId::new),
        trace_id: None,
        reason: name("", Reason::new),
        facts: None,
        command,
    }
}

pub(crate) fn key(container: &str) -> AttachmentKey {
    AttachmentKey {
        cluster: name("default", ClusterName::new),
        network: name("pods", NetworkName::new),
        container: name(container, ContainerId::new),
        interface: name("eth0", InterfaceName::new),
    }
}

pub(crate) fn claim_name(pod: &str) -> ClaimName {
    ClaimName {
        cluster: name("default", ClusterName::new),
        namespace: name("default", Namespace::new),
        pod: name(pod, PodName::new),
    }
}

pub(crate) fn subnet(cidr: &str, gateway: Option<&str>) -> Option<Subnet> {
    let cidr = cidr.parse().expect("a cidr");
    let gateway = gateway.map(ip);
    Some(Subnet { cidr, gateway })
}

pub(crate) fn create_vswitch(
    text: &str,
    ipv4: Option<Subnet>,
    ipv6: Option<Subnet>,
) -> CreateVSwitch {
    CreateVSwitch {
        name: name(text, VSwitchName::new),
        zone: name("zone-a", Zone::new),
        ipv4,
        ipv6,
        exclusions: Vec::new(),
        cooling_ms: COOLING_MS,
        kind: NetworkKind::Routed,
        cloud: None,
    }
}

pub(crate) fn register_node(text: &str, identity: &str) -> RegisterNode {
    RegisterNode {
        name: name(text, NodeName::new),
        identity: name(identity, NodeIdentity::new),
        zone: name("zone-a", Zone::new),
        instance_type: name("", InstanceType::new),
        eni_slots: 0,
        addresses_per_eni: 0,
        warm_target: 0,
        pool: None,
    }
}

// === impl World ===

impl World {
    pub(crate) fn new() -> Self {
        let mut world = Self {
            ledger: Ledger::new(name("test", ClusterId::new)),
            now_ms: 1_000,
            groups: Vec::new(),
            vswitch: VSwitchId(0),
            nodes: [NodeId(0); 2],
        };
        world.vswitch = world.vswitch(create_vswitch("vsw-a", subnet("10.0.0.0/24", None), None));
        world.nodes = [1, 2].map(|n| {
            let node = register_node(&format!("worker-{n}"), &format!("i-{n}"));
            world.node(node)
        });
        world
    }

    /// Applies one command, and checks every rule.
    pub(crate) fn apply(&mut self, command: Command) -> Answer {
        self.propose(proposal(command, ""))
    }

    pub(crate) fn propose(&mut self, proposal: Proposal) -> Answer {
        let header = Header {
            ledger_time_ms: self.now_ms,
            wall_time_ms: self.now_ms,
        };
        let Applied {
            mut answers,
            groups,
        } = self.ledger.apply(&header, vec![proposal]);
        self.groups.extend(groups);
        assert_eq!(invariant::check_all(&self.ledger), []);
        answers.remove(0)
    }

    pub(crate) fn done(&mut self, command: Command) -> Outcome {
        self.apply(command).result.expect("not refused")
    }

    pub(crate) fn refused(&mut self, command: Command) -> Refusal {
        let before = self.ledger.revision();
        let refusal = self.apply(command).result.expect_err("refused");
        assert_eq!(
            self.ledger.revision(),
            before,
            "a refusal takes no revision"
        );
        refusal
    }

    pub(crate) fn vswitch(&mut self, command: CreateVSwitch) -> VSwitchId {
        match self.done(Command::CreateVSwitch(command)) {
            Outcome::VSwitch(id) => id,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn node(&mut self, command: RegisterNode) -> NodeId {
        match self.done(Command::RegisterNode(command)) {
            Outcome::Node(id) => id,
            other => panic!("{other:?}"),
        }
    }

    /// A dynamic ADD on worker-1, in boot-1, invoked now, of a pod of its own.
    pub(crate) fn add(&self, container: &str, address: &str) -> Bind {
        Bind {
            key: key(container),
            node: self.nodes[0],
            boot: name("boot-1", BootId::new),
            invoked_at_ms: self.now_ms,
            pod: PodIdentity {
                namespace: name("default", Namespace::new),
                name: name(&format!("pod-{container}"), PodName::new),
                uid: name(&format!("uid-{container}"), PodUid::new),
            },
            vswitch: self.vswitch,
            eni: None,
            addresses: vec![ip(address)],
            claim: BindClaim::None,
            parameters: [0; 16],
        }
    }

    /// An ADD of the pod "web-0" that takes its claim, which has this address.
    pub(crate) fn add_static(&self, container: &str, address: &str) -> Bind {
        let mut bind = self.add(container, address);
        bind.pod.name = name("web-0", PodName::new);
        let claim = self
            .ledger
            .claim_named(&claim_name("web-0"))
            .expect("its claim");
        bind.claim = BindClaim::Existing(claim.id);
        bind
    }

    /// The DEL of a sandbox, in boot-1, invoked now.
    pub(crate) fn del(&self, container: &str) -> Release {
        Release {
            key: key(container),
            node: self.nodes[0],
            boot: name("boot-1", BootId::new),
            invoked_at_ms: self.now_ms,
            generation: None,
            proof: Proof::Del,
            pod_gone: false,
        }
    }

    pub(crate) fn bind(&mut self, bind: Bind) -> Arc<Allocation> {
        match self.done(Command::Bind(bind)) {
            Outcome::Bound {
                allocation,
                created: true,
            } => allocation,
            other => panic!("{other:?}"),
        }
    }

    /// Whether it released something.
    pub(crate) fn release(&mut self, release: Release) -> bool {
        match self.done(Command::Release(release)) {
            Outcome::Released { released } => released,
            other => panic!("{other:?}"),
        }
    }

    /// A claim of "web-0".
    pub(crate) fn claim(&mut self, address: &str, policy: Policy) -> ClaimId {
        let command = CreateClaim {
            name: claim_name("web-0"),
            vswitch: self.vswitch,
            addresses: vec![ip(address)],
            policy,
        };
        match self.done(Command::CreateClaim(command)) {
            Outcome::Claim { id, .. } => id,
            other => panic!("{other:?}"),
        }
    }

    /// The cluster version rises.
    pub(crate) fn raise(&mut self, to: crate::version::ClusterVersion) {
        self.done(Command::SetClusterVersion(SetClusterVersion { to }));
    }

    /// Of worker-1.
    pub(crate) fn warm_target(&mut self, warm_target: u32) {
        let node = RegisterNode {
            warm_target,
            ..register_node("worker-1", "i-1")
        };
        self.node(node);
    }

    pub(crate) fn expire(&mut self) -> u32 {
        match self.done(Command::Expire(Expire { limit: 1_000 })) {
            Outcome::Rows(rows) => rows,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn state(&self, address: &str) -> Option<AddressState> {
        self.ledger.address_state(ip(address))
    }
}
