//! The nodes' side: which sandboxes there are, which of them live, and what the runtime asks for next.

use super::Trick;
use crate::make;
use berth_domain::Ledger;
use berth_domain::address::NetworkKind;
use berth_domain::command::*;
use berth_domain::id::*;
use berth_domain::row::{AddressState, Policy, VSwitch};
use berth_raft::simulation::random::Random;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Pods by name; the first so many are static.
const PODS: u64 = 30;
const STATIC_PODS: u64 = 8;
const NODES: u64 = 4;
/// Few addresses, so that they run out and come back often.
const CIDR: &str = "198.51.100.0/28";
const DUAL_CIDR: (&str, &str) = ("203.0.113.0/28", "2001:db8::/120");
const COOLING_MS: u64 = 5_000;
/// No runtime repeats an ADD for longer (design §5); tombstones live 300 s.
const ADD_AGE_MS_MAX: u64 = 120_000;

/// A sandbox as its node knows it.
#[derive(Clone, Debug)]
pub struct Sandbox {
    /// Its key.
    pub key: AttachmentKey,
    pod: u64,
    node: u64,
    vswitch: VSwitchId,
    added_at_ms: u64,
    /// Ledger time of its first ADD, at the earliest.
    asked_at_ms: u64,
    /// What the ADD asked for; a repeat asks for the same.
    bind: Option<Bind>,
    /// The runtime has ended it: it uses nothing any more.
    pub is_dead: bool,
    /// Its addresses, once an ADD was answered.
    pub addresses: Vec<IpAddr>,
}

pub struct Kubelet {
    /// The newest sandbox of each pod, by pod.
    newest: BTreeMap<u64, AttachmentKey>,
    sandboxes: BTreeMap<AttachmentKey, Sandbox>,
    made: u64,
    boot_clock_ms: u64,
    /// The latest ledger time that was stamped on anything.
    latest_ms: u64,
    trick: Option<Trick>,
}

// === impl Kubelet ===

impl Kubelet {
    pub fn new(trick: Option<Trick>) -> Self {
        Self {
            newest: BTreeMap::new(),
            sandboxes: BTreeMap::new(),
            made: 0,
            boot_clock_ms: 0,
            latest_ms: 0,
            trick,
        }
    }

    pub fn sandbox(&mut self, key: &AttachmentKey) -> Option<&mut Sandbox> {
        self.sandboxes.get_mut(key)
    }

    /// Every sandbox that may be sending from its addresses now.
    pub fn users(&self) -> impl Iterator<Item = &Sandbox> {
        self.sandboxes.values().filter(|sandbox| !sandbox.is_dead)
    }

    /// Time as a leader would stamp it: mostly small steps, now and then a jump over every expiry.
    pub fn header(&mut self, random: &mut Random, ledger: &Ledger) -> Header {
        let step = if random.chance(20) {
            400_000
        } else {
            random.below(1_500)
        };
        self.latest_ms = self.latest_ms.max(ledger.ledger_time_ms() + step);
        Header {
            ledger_time_ms: ledger.ledger_time_ms() + step,
            wall_time_ms: ledger.wall_time_ms() + step,
        }
    }

    /// One to four commands: first the network, then pods coming and going.
    pub fn wishes(&mut self, random: &mut Random, ledger: &Ledger) -> Vec<Proposal> {
        self.boot_clock_ms += 1 + random.below(50);
        if ledger.nodes().count() < NODES as usize || ledger.vswitches().count() < 2 {
            return network();
        }
        let count = random.between(1, 4);
        (0..count)
            .filter_map(|_| self.wish(random, ledger))
            .map(make::proposal)
            .collect()
    }

    fn wish(&mut self, random: &mut Random, ledger: &Ledger) -> Option<Command> {
        match random.below(100) {
            0..45 => self.add(random, ledger),
            45..60 => self.repeat_add(random, ledger),
            60..82 => self.delete(random, ledger),
            82..90 => Some(Command::Expire(Expire {
                limit: random.between(1, 20) as u32,
            })),
            90..95 => stock(random, ledger),
            _ => reclaim(random, ledger),
        }
    }

    /// A pod without a live sandbox gets a new one, on any node; sometimes one whose old sandbox still lives.
    fn add(&mut self, random: &mut Random, ledger: &Ledger) -> Option<Command> {
        let pod = random.below(PODS);
        let previous = self
            .newest
            .get(&pod)
            .and_then(|key| self.sandboxes.get(key));
        if previous.is_some_and(|sandbox| !sandbox.is_dead) {
            return None;
        }
        let node = random.below(NODES);
        let vswitch = pick(random, ledger.vswitches())?;
        self.made += 1;
        let key = make::key(&format!("sandbox-{}", self.made));
        let mut sandbox = Sandbox {
            key: key.clone(),
            pod,
            node,
            vswitch: vswitch.id,
            added_at_ms: self.boot_clock_ms,
            asked_at_ms: ledger.ledger_time_ms(),
            bind: None,
            is_dead: false,
            addresses: Vec::new(),
        };
        sandbox.bind = bind(random, ledger, &sandbox);
        let command = sandbox.bind.clone().map(Command::Bind);
        self.newest.insert(pod, key.clone());
        self.sandboxes.insert(key, sandbox);
        command
    }

    /// The same ADD again: the choice may be another one, the parameters are the same.
    fn repeat_add(&mut self, random: &mut Random, ledger: &Ledger) -> Option<Command> {
        let latest_ms = self.latest_ms;
        let is_young = |sandbox: &&Sandbox| latest_ms - sandbox.asked_at_ms < ADD_AGE_MS_MAX;
        let sandbox = pick(random, self.sandboxes.values().filter(is_young))?;
        bind(random, ledger, sandbox).map(Command::Bind)
    }

    /// A DEL: of a live sandbox, which ends now, or once more of a dead one.
    fn delete(&mut self, random: &mut Random, ledger: &Ledger) -> Option<Command> {
        let keys: Vec<AttachmentKey> = self.sandboxes.keys().cloned().collect();
        let key = pick(random, keys.iter())?.clone();
        let keeps = self.trick == Some(Trick::KeepUsingAfterDelete);
        let invoked_at_ms = self.boot_clock_ms;
        let sandbox = self.sandboxes.get_mut(&key)?;
        sandbox.is_dead = !keeps;
        let node = ledger.node_named(&make::node_name(sandbox.node))?.id;
        Some(Command::Release(Release {
            key,
            node,
            boot: make::boot(),
            invoked_at_ms,
            generation: None,
            proof: Proof::Del,
            pod_gone: random.chance(300),
        }))
    }
}

fn network() -> Vec<Proposal> {
    let mut commands = vec![
        create("alpha", Some(CIDR), None),
        create("beta", Some(DUAL_CIDR.0), Some(DUAL_CIDR.1)),
    ];
    commands.extend((0..NODES).map(|number| {
        Command::RegisterNode(RegisterNode {
            name: make::node_name(number),
            identity: NodeIdentity::new(&format!("machine-{number}")).expect("a short plain name"),
            zone: Zone::new("").expect("may be empty"),
            instance_type: InstanceType::new("").expect("may be empty"),
            eni_slots: 0,
            addresses_per_eni: 0,
            warm_target: 2,
            pool: None,
        })
    }));
    commands.into_iter().map(make::proposal).collect()
}

fn create(name: &str, ipv4: Option<&str>, ipv6: Option<&str>) -> Command {
    Command::CreateVSwitch(CreateVSwitch {
        name: VSwitchName::new(name).expect("a short plain name"),
        zone: Zone::new("").expect("may be empty"),
        ipv4: ipv4.map(make::subnet),
        ipv6: ipv6.map(make::subnet),
        exclusions: Vec::new(),
        cooling_ms: COOLING_MS,
        kind: NetworkKind::Routed,
        cloud: None,
    })
}

/// What the leader would propose for this sandbox on what it knows now.
fn bind(random: &mut Random, ledger: &Ledger, sandbox: &Sandbox) -> Option<Bind> {
    let node = ledger.node_named(&make::node_name(sandbox.node))?.id;
    let is_static = sandbox.pod < STATIC_PODS;
    let name = make::claim_name(&format!("pod-{}", sandbox.pod));
    let existing = ledger.claim_named(&name);
    let (vswitch, addresses, claim) = match existing {
        Some(claim) => (
            claim.vswitch,
            claim.addresses.clone(),
            BindClaim::Existing(claim.id),
        ),
        None => {
            let row = ledger.vswitch(sandbox.vswitch)?;
            let chosen = choose(random, ledger, row, node)?;
            let claim = match is_static {
                true => BindClaim::New {
                    name,
                    policy: policy(sandbox.pod),
                },
                false => BindClaim::None,
            };
            (sandbox.vswitch, chosen, claim)
        }
    };
    Some(Bind {
        key: sandbox.key.clone(),
        node,
        boot: make::boot(),
        invoked_at_ms: sandbox.added_at_ms,
        pod: make::pod(
            &format!("pod-{}", sandbox.pod),
            &format!("uid-{}", sandbox.key.container),
        ),
        vswitch,
        eni: None,
        addresses,
        claim,
        parameters: [0; 16],
    })
}

fn policy(pod: u64) -> Policy {
    match pod % 3 {
        0 => Policy::Never,
        1 => Policy::Ttl { ttl_ms: 60_000 },
        _ => Policy::Delete,
    }
}

/// One address per family: mostly free ones, sometimes any, as a stale view would choose.
fn choose(
    random: &mut Random,
    ledger: &Ledger,
    row: &VSwitch,
    node: NodeId,
) -> Option<Vec<IpAddr>> {
    row.subnets()
        .map(|subnet| {
            let hosts: Vec<IpAddr> = subnet.cidr.hosts().take(16).collect();
            let usable = |address: &&IpAddr| match ledger.locate(**address).and_then(|l| l.state) {
                None | Some(AddressState::Free { .. }) => true,
                Some(AddressState::Idle { node: holder, .. }) => holder == node,
                Some(_) => false,
            };
            let free: Vec<&IpAddr> = hosts.iter().filter(usable).collect();
            let stale = random.chance(100) || free.is_empty();
            if stale {
                pick(random, hosts.iter()).copied()
            } else {
                pick(random, free.into_iter()).copied()
            }
        })
        .collect()
}

fn stock(random: &mut Random, ledger: &Ledger) -> Option<Command> {
    let node = pick(random, ledger.nodes())?.id;
    let row = pick(random, ledger.vswitches())?;
    let addresses = choose(random, ledger, row, node)?;
    Some(Command::Stock(Stock {
        vswitch: row.id,
        node,
        eni: None,
        addresses,
    }))
}

fn reclaim(random: &mut Random, ledger: &Ledger) -> Option<Command> {
    let row = pick(random, ledger.vswitches())?;
    let idle = ledger
        .addresses(row.id)
        .filter_map(|(address, state)| match state {
            AddressState::Idle { node, .. } => Some((address, node)),
            _ => None,
        });
    let (address, node) = pick(random, idle)?;
    Some(Command::Reclaim(Reclaim {
        vswitch: row.id,
        node,
        addresses: vec![address],
    }))
}

fn pick<T>(random: &mut Random, items: impl Iterator<Item = T>) -> Option<T> {
    let mut items: Vec<T> = items.collect();
    let length = items.len() as u64;
    (length > 0).then(|| items.swap_remove(random.below(length) as usize))
}
