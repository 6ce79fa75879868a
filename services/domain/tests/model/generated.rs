//! Commands out of raw bytes, from domains so small that they meet: few pods, few nodes, subnets of a handful of addresses.

use crate::naive::{Model, Place};
use berth_domain::address::{NetworkKind, Subnet};
use berth_domain::command::*;
use berth_domain::id::*;
use berth_domain::row::{Policy, RecoveryKind};
use berth_domain::version::CARE;
use std::net::IpAddr;

/// What a case is made of: kind of command and bytes for its fields.
pub type Raw = [u8; 10];

#[derive(Default)]
pub struct Generator {
    time_ms: u64,
    last: Option<Proposal>,
}

fn name<T>(text: &str, make: fn(&str) -> Result<T, Error>) -> T {
    make(text).expect("a name")
}

fn one<T: Copy>(items: &[T], byte: u8) -> Option<T> {
    items.get(usize::from(byte) % items.len().max(1)).copied()
}

impl Generator {
    /// Two vSwitches, one of them dual-stack, and three nodes, one of them with ENI slots.
    pub fn opening(&mut self) -> Vec<Raw> {
        let vswitches = [0, 1].map(|n| [100, n, 0, 0, 0, 0, 0, 0, 100, 0]);
        let nodes = [0, 1, 2].map(|n| [101, n, n, 0, 0, 0, 0, 0, 100, 0]);
        // Everything may come: the newest commands too.
        let raise = [102, 0, 0, 0, 0, 0, 0, 0, 100, 0];
        let first = std::iter::once(raise);
        first.chain(vswitches).chain(nodes).collect()
    }

    pub fn next(&mut self, raw: Raw, model: &Model) -> (Header, Proposal) {
        let [kind, a, .., request, time] = raw;
        self.time_ms += match time {
            0..=150 => u64::from(time),
            151..=230 => 900,
            231..=250 => 5_000,
            _ => 200_000,
        };
        let command = match kind {
            205..=224 if model.is_recovering() => self.confirm_node(raw, model),
            100 => Self::vswitch(a),
            101 => Self::node(raw),
            102 => Command::SetClusterVersion(SetClusterVersion { to: CARE }),
            0..=89 => self.bind(raw, model),
            90..=149 => self.release(raw, model),
            150..=169 => self.claim(raw, model),
            170..=179 => Self::delete_claim(raw, model),
            180..=194 => Self::stock(raw, model),
            195..=204 => Self::reclaim(raw, model),
            205..=234 => Command::Expire(Expire { limit: 4_096 }),
            235..=242 => Self::node(raw),
            243..=246 => Self::remove_node(raw, model),
            247..=250 => Self::recover(raw, model),
            251..=253 => self.confirm_node(raw, model),
            _ => Self::vswitch(a),
        };
        let request_id = if request < 60 {
            format!("request-{}", request % 8)
        } else {
            String::new()
        };
        let mut proposal = proposal(command, &request_id);
        if request > 230
            && let Some(last) = &self.last
        {
            // A retry, word for word.
            proposal = last.clone();
        }
        self.last = Some(proposal.clone());
        (self.header(), proposal)
    }

    fn header(&self) -> Header {
        Header {
            ledger_time_ms: self.time_ms,
            wall_time_ms: 1_000_000 + self.time_ms,
        }
    }

    /// A command that certainly changes something.
    pub fn stock_one(&self, model: &Model) -> (Header, Proposal) {
        let vswitch = *model.vswitches.keys().next().expect("a vSwitch");
        let node = *model.nodes.keys().next().expect("a node");
        let address = model
            .usable(vswitch)
            .into_iter()
            .find(|at| model.is_free(*at))
            .expect("a free one");
        let command = Command::Stock(Stock {
            vswitch: VSwitchId(vswitch),
            node: NodeId(node),
            eni: None,
            addresses: vec![address],
        });
        (self.header(), proposal(command, ""))
    }

    fn vswitch(a: u8) -> Command {
        let subnet = |cidr: &str, gateway: Option<&str>| {
            Some(Subnet {
                cidr: cidr.parse().expect("cidr"),
                gateway: gateway.map(|at| at.parse().expect("gateway")),
            })
        };
        let (ipv4, ipv6) = match a % 3 {
            0 => (subnet("10.0.0.0/28", Some("10.0.0.1")), None),
            1 => (subnet("10.0.1.0/29", None), subnet("fd00::/125", None)),
            _ => (subnet("10.0.0.8/29", None), None),
        };
        Command::CreateVSwitch(CreateVSwitch {
            name: name(
                ["vsw-a", "vsw-b", "vsw-c"][usize::from(a % 3)],
                VSwitchName::new,
            ),
            zone: name("zone-a", Zone::new),
            ipv4,
            ipv6,
            exclusions: Vec::new(),
            cooling_ms: 3_000,
            kind: NetworkKind::Routed,
            cloud: None,
        })
    }

    fn node([_, a, b, c, ..]: Raw) -> Command {
        let slots = if a % 3 == 2 { 2 } else { 0 };
        Command::RegisterNode(RegisterNode {
            name: name(&format!("worker-{}", a % 3), NodeName::new),
            identity: name(&format!("i-{}", b % 4), NodeIdentity::new),
            zone: name("zone-a", Zone::new),
            instance_type: name("", InstanceType::new),
            eni_slots: slots,
            addresses_per_eni: 2,
            warm_target: u32::from(c % 4),
            pool: None,
        })
    }

    fn remove_node([_, a, b, ..]: Raw, model: &Model) -> Command {
        Command::RemoveNode(RemoveNode {
            node: some_node(a, model),
            confirmed_dead: b < 100,
        })
    }

    fn recover([_, a, b, c, ..]: Raw, model: &Model) -> Command {
        // The first byte says which id comes after which, so that now and then it is the same.
        let known = model.cluster.as_ref().map_or("test", ClusterId::as_str);
        let other = if known == "test-1" {
            "test-2"
        } else {
            "test-1"
        };
        Command::Recover(Recover {
            cluster: name(if a < 230 { other } else { known }, ClusterId::new),
            kind: if c % 2 == 0 {
                RecoveryKind::Restored
            } else {
                RecoveryKind::Forced
            },
            revision_jump: if b < 240 { 1 << 40 } else { 5 },
            unknown_nodes: c < 60,
        })
    }

    fn confirm_node(&self, [_, a, b, c, d, e, f, g, ..]: Raw, model: &Model) -> Command {
        let node = match &model.recovery.waiting {
            waiting if a < 200 && !waiting.is_empty() => {
                let waiting: Vec<u64> = waiting.iter().copied().collect();
                NodeId(one(&waiting, a).expect("one waits"))
            }
            _ if a > 245 => NodeId(0),
            _ => some_node(a, model),
        };
        let admin = node == NodeId(0) && b < 230 || b > 200;
        let mut live = Vec::new();
        let most = if admin && b < 250 { 0 } else { f % 7 };
        for place in 0..most {
            let byte = [c, d, e][usize::from(place % 3)].wrapping_add(place.wrapping_mul(53));
            let one = self.live(node, byte, g.wrapping_add(byte), model);
            let twice = |one: &Live| live.iter().any(|other: &Live| other.key == one.key);
            live.extend(one.filter(|one| e > 240 || !twice(one)));
        }
        Command::ConfirmNode(ConfirmNode {
            node,
            word: if admin { Word::Admin } else { Word::Report },
            live,
        })
    }

    /// One that the ledger knows, one that it does not, with an address that fits or with any.
    fn live(&self, node: NodeId, byte: u8, other: u8, model: &Model) -> Option<Live> {
        let here = model.sandboxes.values().filter(|row| row.bind.node == node);
        let here: Vec<&crate::naive::Sandbox> = here.collect();
        if byte < 90
            && let Some(sandbox) = here.get(usize::from(byte) % here.len().max(1))
        {
            let bind = &sandbox.bind;
            return Some(live_as(
                bind.key.clone(),
                bind.pod.name.as_str(),
                bind.addresses.clone(),
            ));
        }
        let vswitches: Vec<u64> = model.vswitches.keys().copied().collect();
        let vswitch = one(&vswitches, other)?;
        let pod = format!("web-{}", other % 5);
        let claim = model
            .claims
            .values()
            .find(|claim| claim.name.pod.as_str() == pod);
        let addresses = match claim {
            Some(claim) if byte.is_multiple_of(2) => claim.addresses.clone(),
            _ => chosen(
                vswitch,
                if other.is_multiple_of(2) {
                    216 + byte % 33
                } else {
                    byte
                },
                Some(node),
                model,
            ),
        };
        Some(live_as(key(other), &pod, addresses))
    }

    fn bind(&self, [_, a, b, c, d, e, f, g, ..]: Raw, model: &Model) -> Command {
        let vswitch = some_vswitch(a, model);
        let pod = b % 5;
        let node = some_node(c, model);
        let mut bind = Bind {
            key: key(d),
            node,
            boot: name(if e < 220 { "boot-1" } else { "boot-2" }, BootId::new),
            invoked_at_ms: if f < 180 {
                self.time_ms
            } else {
                u64::from(f) * 20
            },
            pod: PodIdentity {
                namespace: name("default", Namespace::new),
                name: name(&format!("web-{pod}"), PodName::new),
                uid: name(
                    &["", "u-1", "u-2", "u-3", "u-4"][usize::from(pod)].replace('u', "uid"),
                    PodUid::new,
                ),
            },
            vswitch,
            eni: None,
            addresses: chosen(vswitch.0, g, Some(node), model),
            claim: BindClaim::None,
            parameters: [if e % 16 == 0 { 1 } else { 0 }; 16],
        };
        let own = Model::own_name(&bind);
        let existing = model.claims.iter().find(|(_, claim)| claim.name == own);
        match existing {
            Some((id, claim)) if a < 230 => {
                bind.claim = BindClaim::Existing(ClaimId(*id));
                bind.vswitch = VSwitchId(claim.vswitch);
                bind.addresses = claim.addresses.clone();
            }
            None if a < 60 => {
                bind.claim = BindClaim::New {
                    name: own,
                    policy: policy(b),
                };
            }
            _ if a > 250 => bind.claim = BindClaim::Existing(ClaimId(u64::from(b))),
            _ => {}
        }
        Command::Bind(bind)
    }

    fn release(&self, [_, a, b, c, d, e, f, g, ..]: Raw, model: &Model) -> Command {
        let live: Vec<_> = model.sandboxes.values().collect();
        let sandbox = live
            .get(usize::from(a) % live.len().max(1))
            .filter(|_| b < 200);
        let key = sandbox.map_or_else(|| key(a), |sandbox| sandbox.bind.key.clone());
        let proof = match c {
            0..=180 => Proof::Del,
            181..=210 => Proof::Collect,
            211..=240 => Proof::Admin,
            _ => Proof::NodeDead,
        };
        let named = sandbox.map(|sandbox| sandbox.generation + u64::from(d < 20));
        Command::Release(Release {
            key,
            node: match (sandbox, g) {
                (_, 0..=79) | (None, _) => NodeId(0),
                (Some(sandbox), 80..=199) => sandbox.bind.node,
                (Some(sandbox), _) => NodeId(sandbox.bind.node.0 + u64::from(g % 3)),
            },
            boot: name(if e < 220 { "boot-1" } else { "boot-2" }, BootId::new),
            invoked_at_ms: if f < 180 {
                self.time_ms
            } else {
                u64::from(f) * 20
            },
            generation: named.map(Generation).filter(|_| d < 128),
            proof,
            pod_gone: d % 2 == 0,
        })
    }

    fn claim(&self, [_, a, b, _, _, _, _, g, ..]: Raw, model: &Model) -> Command {
        let vswitch = some_vswitch(a, model);
        Command::CreateClaim(CreateClaim {
            name: ClaimName {
                cluster: name("default", ClusterName::new),
                namespace: name("default", Namespace::new),
                pod: name(&format!("web-{}", b % 5), PodName::new),
            },
            vswitch,
            addresses: chosen(vswitch.0, g, None, model),
            policy: policy(a),
        })
    }

    fn delete_claim([_, a, b, ..]: Raw, model: &Model) -> Command {
        let ids: Vec<u64> = model.claims.keys().copied().collect();
        Command::DeleteClaim(DeleteClaim {
            claim: ClaimId(one(&ids, a).unwrap_or(u64::from(a))),
            override_holder: b % 2 == 0,
            policy_fired: b > 200,
        })
    }

    fn stock([_, a, b, c, d, ..]: Raw, model: &Model) -> Command {
        let vswitch = some_vswitch(a, model);
        let free = usable_where(vswitch.0, model, |at| model.is_free(at));
        let mut addresses: Vec<IpAddr> = free
            .into_iter()
            .skip(usize::from(c % 4))
            .take(usize::from(b % 4))
            .collect();
        if d > 220 {
            addresses.extend(addresses.first().copied());
        }
        Command::Stock(Stock {
            vswitch,
            node: some_node(b, model),
            eni: None,
            addresses,
        })
    }

    fn reclaim([_, a, b, c, ..]: Raw, model: &Model) -> Command {
        let vswitch = some_vswitch(a, model);
        let node = some_node(b, model);
        let idle = usable_where(vswitch.0, model, |at| {
            model.places.get(&at) == Some(&Place::Idle(node.0))
        });
        let any = usable_where(vswitch.0, model, |_| true);
        let from = if c < 200 { idle } else { any };
        Command::Reclaim(Reclaim {
            vswitch,
            node,
            addresses: from.into_iter().take(usize::from(c % 3)).collect(),
        })
    }
}

fn live_as(key: AttachmentKey, pod: &str, addresses: Vec<IpAddr>) -> Live {
    Live {
        key,
        boot: name("boot-1", BootId::new),
        invoked_at_ms: 2_500,
        pod: PodIdentity {
            namespace: name("default", Namespace::new),
            name: name(pod, PodName::new),
            uid: name("", PodUid::new),
        },
        eni: None,
        addresses,
    }
}

fn policy(byte: u8) -> Policy {
    match byte % 3 {
        0 => Policy::Delete,
        1 => Policy::Ttl { ttl_ms: 4_000 },
        _ => Policy::Never,
    }
}

/// Mostly one that is there.
fn some_vswitch(byte: u8, model: &Model) -> VSwitchId {
    let ids: Vec<u64> = model.vswitches.keys().copied().collect();
    VSwitchId(one(&ids, byte).filter(|_| byte < 250).unwrap_or(9_999))
}

fn some_node(byte: u8, model: &Model) -> NodeId {
    let ids: Vec<u64> = model.nodes.keys().copied().collect();
    NodeId(one(&ids, byte).filter(|_| byte < 250).unwrap_or(9_999))
}

fn usable_where(vswitch: u64, model: &Model, fit: impl Fn(IpAddr) -> bool) -> Vec<IpAddr> {
    model
        .usable(vswitch)
        .into_iter()
        .filter(|at| fit(*at))
        .collect()
}

/// Mostly as a good chooser would: free or warm ones, one per family; sometimes anything.
fn chosen(vswitch: u64, byte: u8, node: Option<NodeId>, model: &Model) -> Vec<IpAddr> {
    let warm =
        |at: &IpAddr| node.is_some_and(|node| model.places.get(at) == Some(&Place::Idle(node.0)));
    let good = |at: IpAddr| model.is_free(at) || warm(&at) || byte > 215;
    let fit = usable_where(vswitch, model, good);
    let mut set = Vec::new();
    for v4 in [true, false] {
        let family: Vec<IpAddr> = fit
            .iter()
            .copied()
            .filter(|at| at.is_ipv4() == v4)
            .collect();
        set.extend(one(&family, byte));
    }
    match byte {
        249..=251 => set.truncate(1),
        252..=253 => set = vec!["10.0.0.1".parse().expect("the gateway")],
        254 => set = vec!["192.168.0.1".parse().expect("outside")],
        255 => set.clear(),
        _ => {}
    }
    set
}

fn key(byte: u8) -> AttachmentKey {
    AttachmentKey {
        cluster: name("default", ClusterName::new),
        network: name("pods", NetworkName::new),
        container: name(&format!("sandbox-{}", byte % 8), ContainerId::new),
        interface: name(if byte < 240 { "eth0" } else { "net1" }, InterfaceName::new),
    }
}

fn proposal(command: Command, request_id: &str) -> Proposal {
    Proposal {
        principal: name("local", Principal::new),
        request_id: name(request_id, RequestId::new),
        trace_id: None,
        reason: name("", Reason::new),
        facts: None,
        command,
    }
}
