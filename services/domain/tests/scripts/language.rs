//! Words of a line into commands: `bind sandbox-1 pod=web-0 node=worker-1 vswitch=vsw-a at=10.0.0.2`.

use berth_domain::Ledger;
use berth_domain::address::{AddressRange, NetworkKind, Subnet};
use berth_domain::command::*;
use berth_domain::id::*;
use berth_domain::row::{Policy, RecoveryKind, UNKNOWN_NODES};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The words of a line: those without `=` in order, the others by name.
pub struct Words<'a> {
    pub plain: Vec<&'a str>,
    pub named: BTreeMap<&'a str, &'a str>,
}

pub fn name<T>(text: &str, make: fn(&str) -> Result<T, Error>) -> T {
    make(text).expect("a name")
}

impl<'a> Words<'a> {
    pub fn of(line: &'a str) -> Self {
        let (named, plain): (Vec<&str>, Vec<&str>) =
            line.split_whitespace().partition(|word| word.contains('='));
        let named = named
            .into_iter()
            .filter_map(|word| word.split_once('='))
            .collect();
        Self { plain, named }
    }

    fn text(&self, key: &str, default: &'a str) -> &'a str {
        self.named.get(key).copied().unwrap_or(default)
    }

    fn number(&self, key: &str, default: u64) -> u64 {
        self.named
            .get(key)
            .map_or(default, |text| text.parse().expect("a number"))
    }

    fn addresses(&self) -> Vec<IpAddr> {
        let list = self
            .text("at", "")
            .split(',')
            .filter(|text| !text.is_empty());
        list.map(|text| text.parse().expect("an address")).collect()
    }

    fn flag(&self, word: &str) -> bool {
        self.plain.contains(&word)
    }
}

/// Ids by name, as the ledger knows them; 99 = nobody.
fn vswitch(text: &str, ledger: &Ledger) -> VSwitchId {
    ledger
        .vswitch_named(&name(text, VSwitchName::new))
        .map_or(VSwitchId(99), |row| row.id)
}

fn node(text: &str, ledger: &Ledger) -> NodeId {
    ledger
        .node_named(&name(text, NodeName::new))
        .map_or(NodeId(99), |row| row.id)
}

fn claim_name(pod: &str) -> ClaimName {
    ClaimName {
        cluster: name("default", ClusterName::new),
        namespace: name("shop", Namespace::new),
        pod: name(pod, PodName::new),
    }
}

fn claim(pod: &str, ledger: &Ledger) -> ClaimId {
    ledger
        .claim_named(&claim_name(pod))
        .map_or(ClaimId(99), |row| row.id)
}

fn policy(text: &str) -> Policy {
    match text.split_once(':') {
        Some(("ttl", ttl)) => Policy::Ttl {
            ttl_ms: ttl.parse().expect("ms"),
        },
        _ if text == "delete" => Policy::Delete,
        _ => Policy::Never,
    }
}

pub fn key(sandbox: &str) -> AttachmentKey {
    AttachmentKey {
        cluster: name("default", ClusterName::new),
        network: name("pods", NetworkName::new),
        container: name(sandbox, ContainerId::new),
        interface: name("eth0", InterfaceName::new),
    }
}

/// The command of a line.
pub fn command(words: &Words, now_ms: u64, ledger: &Ledger) -> Command {
    let first = words.plain.get(1).copied().unwrap_or_default();
    match words.plain[0] {
        "vswitch" => Command::CreateVSwitch(create_vswitch(words)),
        "delete-vswitch" => Command::DeleteVSwitch(DeleteVSwitch {
            name: name(first, VSwitchName::new),
        }),
        "node" => Command::RegisterNode(register_node(words)),
        "remove-node" => {
            let confirmed_dead = words.flag("dead");
            Command::RemoveNode(RemoveNode {
                node: node(first, ledger),
                confirmed_dead,
            })
        }
        "claim" => Command::CreateClaim(CreateClaim {
            name: claim_name(first),
            vswitch: vswitch(words.text("vswitch", "vsw-a"), ledger),
            addresses: words.addresses(),
            policy: policy(words.text("policy", "never")),
        }),
        "delete-claim" => Command::DeleteClaim(DeleteClaim {
            claim: claim(first, ledger),
            override_holder: words.flag("override"),
            policy_fired: words.flag("fired"),
        }),
        "stock" => Command::Stock(Stock {
            vswitch: vswitch(words.text("vswitch", "vsw-a"), ledger),
            node: node(first, ledger),
            eni: words.named.get("eni").map(|eni| name(eni, EniId::new)),
            addresses: words.addresses(),
        }),
        "reclaim" => Command::Reclaim(Reclaim {
            vswitch: vswitch(words.text("vswitch", "vsw-a"), ledger),
            node: node(first, ledger),
            addresses: words.addresses(),
        }),
        "bind" => Command::Bind(bind(words, now_ms, ledger)),
        "release" => Command::Release(release(words, now_ms, ledger)),
        "expire" => Command::Expire(Expire {
            limit: words.number("limit", 100) as u32,
        }),
        "cluster-version" => Command::SetClusterVersion(SetClusterVersion {
            to: berth_domain::version::ClusterVersion(first.parse().expect("a version")),
        }),
        "member" => Command::RegisterMember(member(words)),
        "remove-member" => Command::RemoveMember(RemoveMember {
            id: MemberId(first.parse().expect("an id")),
        }),
        "recover" => Command::Recover(Recover {
            cluster: name(first, ClusterId::new),
            kind: match words.flag("forced") {
                true => RecoveryKind::Forced,
                false => RecoveryKind::Restored,
            },
            revision_jump: words.number("jump", 1 << 40),
            unknown_nodes: words.flag("unknown"),
        }),
        "confirm" => Command::ConfirmNode(ConfirmNode {
            node: match first {
                "unknown" => UNKNOWN_NODES,
                first => node(first, ledger),
            },
            word: match words.flag("admin") {
                true => Word::Admin,
                false => Word::Report,
            },
            live: words
                .plain
                .iter()
                .filter_map(|word| live(word, words, now_ms))
                .collect(),
        }),
        other => panic!("no such word: {other}"),
    }
}

/// `sandbox-1:web-0@10.0.0.5`, with `invoked=` and `boot=` for all of a line.
fn live(word: &str, words: &Words, now_ms: u64) -> Option<Live> {
    let (who, at) = word.split_once('@')?;
    let (sandbox, pod) = who.split_once(':').unwrap_or((who, who));
    Some(Live {
        key: key(sandbox),
        boot: name(words.text("boot", "boot-1"), BootId::new),
        invoked_at_ms: words.number("invoked", now_ms),
        pod: PodIdentity {
            namespace: name("shop", Namespace::new),
            name: name(pod, PodName::new),
            uid: name("", PodUid::new),
        },
        eni: None,
        addresses: at
            .split(',')
            .map(|text| text.parse().expect("an address"))
            .collect(),
    })
}

fn create_vswitch(words: &Words) -> CreateVSwitch {
    let subnet = |cidr: &str, gateway: &str| Subnet {
        cidr: cidr.parse().expect("a cidr"),
        gateway: words
            .named
            .get(gateway)
            .map(|at| at.parse().expect("a gateway")),
    };
    let ranges = words
        .text("exclude", "")
        .split(',')
        .filter_map(|range| range.split_once('-'));
    CreateVSwitch {
        name: name(words.plain[1], VSwitchName::new),
        zone: name("zone-a", Zone::new),
        ipv4: words.plain.get(2).map(|cidr| subnet(cidr, "gateway")),
        ipv6: words.named.get("ipv6").map(|cidr| subnet(cidr, "gateway6")),
        exclusions: ranges
            .map(|(first, last)| AddressRange {
                first: first.parse().expect("first"),
                last: last.parse().expect("last"),
            })
            .collect(),
        cooling_ms: words.number("cooling", 30_000),
        kind: if words.text("kind", "") == "vpc" {
            NetworkKind::Vpc
        } else {
            NetworkKind::Routed
        },
        cloud: words
            .named
            .get("cloud")
            .map(|id| name(id, CloudVSwitchId::new)),
    }
}

fn register_node(words: &Words) -> RegisterNode {
    RegisterNode {
        name: name(words.plain[1], NodeName::new),
        identity: name(words.plain[2], NodeIdentity::new),
        zone: name("zone-a", Zone::new),
        instance_type: name("", InstanceType::new),
        eni_slots: words.number("slots", 0) as u32,
        addresses_per_eni: words.number("per-eni", 0) as u32,
        warm_target: words.number("warm", 0) as u32,
        pool: None,
    }
}

fn bind(words: &Words, now_ms: u64, ledger: &Ledger) -> Bind {
    let pod = words.text("pod", words.plain[1]);
    Bind {
        key: key(words.plain[1]),
        node: node(words.text("node", "worker-1"), ledger),
        boot: name(words.text("boot", "boot-1"), BootId::new),
        invoked_at_ms: words.number("invoked", now_ms),
        pod: PodIdentity {
            namespace: name("shop", Namespace::new),
            name: name(pod, PodName::new),
            uid: name(words.text("uid", ""), PodUid::new),
        },
        vswitch: vswitch(words.text("vswitch", "vsw-a"), ledger),
        eni: words.named.get("eni").map(|eni| name(eni, EniId::new)),
        addresses: words.addresses(),
        claim: match words.text("claim", "") {
            "" => BindClaim::None,
            "own" => BindClaim::Existing(claim(pod, ledger)),
            made => BindClaim::New {
                name: claim_name(pod),
                policy: policy(made),
            },
        },
        parameters: [words.number("parameters", 0) as u8; 16],
    }
}

fn release(words: &Words, now_ms: u64, ledger: &Ledger) -> Release {
    let key = key(words.plain[1]);
    let bound = ledger.allocation(&key).map(|row| row.generation);
    Release {
        node: words
            .named
            .get("node")
            .map_or(NodeId(0), |at| node(at, ledger)),
        boot: name(words.text("boot", "boot-1"), BootId::new),
        invoked_at_ms: words.number("invoked", now_ms),
        generation: words.named.get("generation").and_then(|text| match *text {
            "own" => bound,
            number => Some(Generation(number.parse().expect("a generation"))),
        }),
        proof: match words.text("proof", "del") {
            "collect" => Proof::Collect,
            "admin" => Proof::Admin,
            "dead" => Proof::NodeDead,
            _ => Proof::Del,
        },
        pod_gone: words.flag("pod-gone"),
        key,
    }
}

fn member(words: &Words) -> RegisterMember {
    RegisterMember {
        cluster: name(words.text("cluster", "test"), ClusterId::new),
        id: MemberId(words.plain[1].parse().expect("an id")),
        name: name(words.text("name", "berth-1"), NodeName::new),
        client_endpoint: name("http://127.0.0.1:7400", Endpoint::new),
        peer_endpoint: name(words.text("peer", "http://127.0.0.1:7401"), Endpoint::new),
        store: [words.number("store", 1) as u8; 16],
        vote: match words.text("vote", "as-known") {
            "withheld" => Vote::Withheld,
            "given" => Vote::Given,
            _ => Vote::AsKnown,
        },
    }
}
