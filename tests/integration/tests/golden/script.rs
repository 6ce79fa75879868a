//! Every command of the first cluster version, in entries that are the same on every machine. It never changes: a later
//! version has a script of its own.

use berth_domain::address::{AddressRange, NetworkKind, Subnet};
use berth_domain::command::*;
use berth_domain::id::*;
use berth_domain::row::Policy;
use berth_domain::version::BASE;
use berthd::codec::Entry;
use std::net::IpAddr;

/// Of the cluster whose log and directory this is.
pub const CLUSTER: &str = "golden";
const BOOT: [u8; 16] = [9; 16];
/// Pods that come at once, for entries of more than one command.
const MANY: u64 = 60;

/// What is said, and the ids that the ledger will give: the revisions of what was made.
pub struct Script {
    entries: Vec<(Header, Vec<Proposal>)>,
    now_ms: u64,
}

fn name<'a, T, E: std::fmt::Debug>(text: &'a str, make: impl Fn(&'a str) -> Result<T, E>) -> T {
    make(text).expect("a name")
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// By an administrator, with everything that a proposal can carry.
fn said(command: Command, request: &str) -> Proposal {
    Proposal {
        principal: name("admin/anna", Principal::new),
        request_id: name(request, RequestId::new),
        trace_id: Some([5; 16]),
        reason: name("because it must", Reason::new),
        facts: Some(FactsVersion {
            epoch: 2,
            version: 17,
        }),
        command,
    }
}

fn plain(command: Command) -> Proposal {
    Proposal {
        principal: name("local", Principal::new),
        request_id: name("", RequestId::new),
        trace_id: None,
        reason: name("", Reason::new),
        facts: None,
        command,
    }
}

fn key(container: &str) -> AttachmentKey {
    AttachmentKey {
        cluster: name("east", ClusterName::new),
        network: name("pods", NetworkName::new),
        container: name(container, ContainerId::new),
        interface: name("eth0", InterfaceName::new),
    }
}

fn claim_name(pod: &str) -> ClaimName {
    ClaimName {
        cluster: name("east", ClusterName::new),
        namespace: name("shop", Namespace::new),
        pod: name(pod, PodName::new),
    }
}

fn vswitch(text: &str, ipv4: &str, ipv6: Option<&str>, kind: NetworkKind) -> CreateVSwitch {
    let subnet = |cidr: &str| Subnet {
        cidr: cidr.parse().expect("a cidr"),
        gateway: None,
    };
    let exclusions: &[AddressRange] = match text {
        "pods" => &[AddressRange {
            first: ip("10.1.0.20"),
            last: ip("10.1.0.29"),
        }],
        _ => &[],
    };
    CreateVSwitch {
        name: name(text, VSwitchName::new),
        zone: name("zone-a", Zone::new),
        ipv4: Some(subnet(ipv4)),
        ipv6: ipv6.map(subnet),
        exclusions: exclusions.to_vec(),
        cooling_ms: 30_000,
        kind,
        cloud: None,
    }
}

fn node(text: &str, warm_target: u32, eni_slots: u32) -> RegisterNode {
    RegisterNode {
        name: name(text, NodeName::new),
        identity: name(&format!("i-{text}"), NodeIdentity::new),
        zone: name("zone-a", Zone::new),
        instance_type: name("ecs.g7.4xlarge", InstanceType::new),
        eni_slots,
        addresses_per_eni: eni_slots * 4,
        warm_target,
        pool: None,
    }
}

fn bind(container: &str, node: NodeId, addresses: &[&str], claim: BindClaim) -> Bind {
    let dual = addresses.len() > 1;
    Bind {
        key: key(container),
        node,
        boot: name("boot-1", BootId::new),
        invoked_at_ms: 100,
        pod: PodIdentity {
            namespace: name("shop", Namespace::new),
            name: name(&format!("pod-{container}"), PodName::new),
            uid: name(&format!("uid-{container}"), PodUid::new),
        },
        vswitch: VSwitchId(if dual { 2 } else { 1 }),
        eni: None,
        addresses: addresses.iter().map(|text| ip(text)).collect(),
        claim,
        parameters: [7; 16],
    }
}

fn release(container: &str, proof: Proof) -> Release {
    Release {
        key: key(container),
        node: NodeId(4),
        boot: name("boot-1", BootId::new),
        invoked_at_ms: 200,
        generation: None,
        proof,
        pod_gone: proof == Proof::Collect,
    }
}

// === impl Script ===

impl Script {
    /// Everything, in order.
    pub fn first_version() -> Vec<Entry> {
        let mut script = Self {
            entries: Vec::new(),
            now_ms: 1_000,
        };
        script.furnish();
        script.claim();
        script.attach();
        script.detach();
        script.end();
        let entries = script.entries.into_iter().enumerate();
        entries.map(|(number, said)| entry(number, said)).collect()
    }

    fn say(&mut self, proposals: Vec<Proposal>) {
        self.now_ms += 1_000;
        let header = Header {
            ledger_time_ms: self.now_ms,
            wall_time_ms: 1_700_000_000_000 + self.now_ms,
        };
        self.entries.push((header, proposals));
    }

    /// vSwitches 1 to 3, nodes 4 and 5, members.
    fn furnish(&mut self) {
        let create = |vswitch| Command::CreateVSwitch(vswitch);
        self.say(vec![
            said(
                create(vswitch("pods", "10.1.0.0/16", None, NetworkKind::Routed)),
                "make-pods",
            ),
            plain(create(vswitch(
                "dual",
                "10.2.0.0/24",
                Some("fd00:2::/64"),
                NetworkKind::Vpc,
            ))),
            plain(create(vswitch(
                "spare",
                "10.3.0.0/24",
                None,
                NetworkKind::Vpc,
            ))),
            plain(create(vswitch(
                "clash",
                "10.1.8.0/24",
                None,
                NetworkKind::Routed,
            ))),
        ]);
        self.say(vec![
            plain(Command::RegisterNode(node("worker-1", 2, 0))),
            plain(Command::RegisterNode(node("worker-2", 0, 8))),
            plain(Command::RegisterMember(RegisterMember {
                cluster: name(CLUSTER, ClusterId::new),
                id: MemberId(77),
                name: name("berth-77", NodeName::new),
                client_endpoint: name("http://10.0.0.77:7400", Endpoint::new),
                peer_endpoint: name("http://10.0.0.77:7401", Endpoint::new),
                store: [3; 16],
                vote: Vote::AsKnown,
            })),
        ]);
    }

    /// Claims 7 to 9.
    fn claim(&mut self) {
        let create = |pod: &str, address: &str, policy| {
            Command::CreateClaim(CreateClaim {
                name: claim_name(pod),
                vswitch: VSwitchId(1),
                addresses: vec![ip(address)],
                policy,
            })
        };
        self.say(vec![
            said(create("db-0", "10.1.1.1", Policy::Never), "claim-db-0"),
            said(
                create("db-1", "10.1.1.2", Policy::Ttl { ttl_ms: 86_400_000 }),
                "claim-db-1",
            ),
            plain(create("db-2", "10.1.1.3", Policy::Delete)),
            plain(create("db-3", "10.1.1.3", Policy::Delete)),
        ]);
    }

    fn attach(&mut self) {
        let db = |claim| {
            let mut bind = bind("db", NodeId(4), &["10.1.1.1"], BindClaim::Existing(claim));
            bind.pod.name = name("db-0", PodName::new);
            bind
        };
        let made = BindClaim::New {
            name: claim_name("pod-own"),
            policy: Policy::Never,
        };
        self.say(vec![
            plain(Command::Bind(db(ClaimId(7)))),
            plain(Command::Bind(bind(
                "one",
                NodeId(4),
                &["10.1.0.5"],
                BindClaim::None,
            ))),
            plain(Command::Bind(bind(
                "two",
                NodeId(5),
                &["10.2.0.9", "fd00:2::9"],
                BindClaim::None,
            ))),
            plain(Command::Bind(bind("own", NodeId(5), &["10.1.0.6"], made))),
            plain(Command::Bind(bind(
                "taken",
                NodeId(5),
                &["10.1.0.5"],
                BindClaim::None,
            ))),
        ]);
        let many = (0..MANY).map(|number| {
            let (container, address) = (format!("many-{number}"), format!("10.1.2.{number}"));
            let bind = bind(&container, NodeId(4), &[&address], BindClaim::None);
            plain(Command::Bind(bind))
        });
        let many = many.collect();
        self.say(many);
        let warm = vec![ip("10.1.3.1"), ip("10.1.3.2"), ip("10.1.3.3")];
        self.say(vec![plain(Command::Stock(Stock {
            vswitch: VSwitchId(1),
            node: NodeId(4),
            eni: None,
            addresses: warm.clone(),
        }))]);
        self.say(vec![plain(Command::Reclaim(Reclaim {
            vswitch: VSwitchId(1),
            node: NodeId(4),
            addresses: warm[1..].to_vec(),
        }))]);
    }

    fn detach(&mut self) {
        let ends = ["many-1", "many-2", "many-3", "nobody"];
        let proofs = [Proof::Del, Proof::Collect, Proof::Admin, Proof::Del];
        let ends = ends.iter().zip(proofs);
        let ends =
            ends.map(|(container, proof)| plain(Command::Release(release(container, proof))));
        let ends = ends.collect();
        self.say(ends);
        // Past the rest of what was released.
        self.now_ms += 40_000;
        self.say(vec![plain(Command::Expire(Expire { limit: 2 }))]);
        self.say(vec![plain(Command::Expire(Expire { limit: 100 }))]);
    }

    fn end(&mut self) {
        let delete = |claim, override_holder| {
            Command::DeleteClaim(DeleteClaim {
                claim: ClaimId(claim),
                override_holder,
                policy_fired: false,
            })
        };
        let remove = |confirmed_dead| {
            Command::RemoveNode(RemoveNode {
                node: NodeId(5),
                confirmed_dead,
            })
        };
        self.say(vec![
            said(delete(10, false), "end-claim"),
            plain(delete(7, true)),
            plain(remove(false)),
            plain(remove(true)),
            plain(Command::DeleteVSwitch(DeleteVSwitch {
                name: name("spare", VSwitchName::new),
            })),
            plain(Command::RemoveMember(RemoveMember { id: MemberId(77) })),
        ]);
        self.say(vec![plain(Command::Bind(bind(
            "last",
            NodeId(4),
            &["10.1.0.7"],
            BindClaim::None,
        )))]);
    }
}

/// As the journal would pack it.
fn entry(number: usize, (header, proposals): (Header, Vec<Proposal>)) -> Entry {
    Entry {
        header,
        leader_boot: BOOT,
        batch: number as u64 + 1,
        proposals,
        version: BASE,
    }
}
