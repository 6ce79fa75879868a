//! A ledger, a cloud, and a leader that loses its memory now and then.

use crate::cloud::{Call, Cloud};
use crate::driver::{self, Fate};
use berth_domain::Ledger;
use berth_domain::address::{NetworkKind, Subnet};
use berth_domain::capacity::NodeMode;
use berth_domain::command::*;
use berth_domain::id::*;
use berth_domain::invariant;
use berth_domain::outcome::{Outcome, Refusal};
use berth_domain::row::{
    AddressState, CALL_LIFE_MS, EniKind, EniState, IdleSettings, Job, Phase, Step, VSwitchChoice,
};
use berth_domain::version::CLOUD;
use std::collections::BTreeSet;
use std::net::IpAddr;

pub type Raw = [u8; 6];

pub struct World {
    pub ledger: Ledger,
    pub cloud: Cloud,
    now_ms: u64,
    vswitches: Vec<VSwitchId>,
    /// Calls that take effect later, and until when they can.
    late: Vec<(Call, u64)>,
    bound: u32,
    removed: u32,
    /// For the negative control: the leader reports as if it had never heard of a doubt.
    pub forgets_doubts: bool,
    /// Every (step, report) that took effect.
    pub seen: BTreeSet<String>,
}

fn name<T>(text: &str, make: fn(&str) -> Result<T, Error>) -> T {
    make(text).expect("a name")
}

fn subnet(cidr: &str) -> Option<Subnet> {
    Some(Subnet {
        cidr: cidr.parse().expect("a cidr"),
        gateway: None,
    })
}

fn pick<T: Clone>(items: &[T], byte: u8) -> Option<T> {
    items.get(usize::from(byte) % items.len().max(1)).cloned()
}

impl World {
    pub fn new() -> Self {
        let mut world = Self {
            ledger: Ledger::new(name("test", ClusterId::new)),
            cloud: Cloud::default(),
            now_ms: 1_000,
            vswitches: Vec::new(),
            late: Vec::new(),
            bound: 0,
            removed: 0,
            forgets_doubts: false,
            seen: BTreeSet::new(),
        };
        let raised = world.apply(Command::SetClusterVersion(SetClusterVersion { to: CLOUD }));
        raised.expect("raised");
        for (text, ipv4, ipv6) in [
            ("vsw-a", "10.0.0.0/28", None),
            ("vsw-b", "10.0.1.0/28", Some("fd00::/124")),
        ] {
            let made = world.apply(Command::CreateVSwitch(CreateVSwitch {
                name: name(text, VSwitchName::new),
                zone: name("zone-a", Zone::new),
                ipv4: subnet(ipv4),
                ipv6: ipv6.and_then(subnet),
                exclusions: Vec::new(),
                cooling_ms: 3_000,
                kind: NetworkKind::Vpc,
                cloud: Some(name(text, CloudVSwitchId::new)),
            }));
            match made {
                Ok(Outcome::VSwitch(id)) => world.vswitches.push(id),
                other => panic!("{other:?}"),
            }
        }
        let pool = SetNodePool {
            name: name("pool", NodePoolName::new),
            mode: NodeMode::Shared,
            vswitches: vec![world.vswitches[0]],
            draining: Vec::new(),
            choice: VSwitchChoice::Ordered,
            security_groups: vec![name("sg-1", SecurityGroup::new)],
            idle: IdleSettings::default(),
            blocked: Vec::new(),
            eni_tags: Vec::new(),
            acceleration: false,
            network_policy: false,
        };
        world.apply(Command::SetNodePool(pool)).expect("made");
        world.register(0);
        world.register(1);
        world
    }

    /// Every other one is in the pool.
    fn register(&mut self, number: u32) {
        let pool = self.ledger.node_pools().next().map(|pool| pool.id);
        let node = RegisterNode {
            name: name(&format!("worker-{number}"), NodeName::new),
            identity: name(&format!("i-{number}"), NodeIdentity::new),
            zone: name("zone-a", Zone::new),
            instance_type: name("", InstanceType::new),
            eni_slots: 2,
            addresses_per_eni: 3,
            warm_target: 0,
            pool: pool.filter(|_| number.is_multiple_of(2)),
        };
        self.apply(Command::RegisterNode(node)).expect("registered");
    }

    fn apply(&mut self, command: Command) -> Result<Outcome, Refusal> {
        let header = Header {
            ledger_time_ms: self.now_ms,
            wall_time_ms: self.now_ms,
        };
        let proposal = Proposal {
            principal: name("local", Principal::new),
            request_id: name("", RequestId::new),
            trace_id: None,
            reason: name("", Reason::new),
            facts: None,
            command,
        };
        let what = format!("{:?}", proposal.command);
        let mut applied = self.ledger.apply(&header, vec![proposal]);
        assert_eq!(invariant::check_all(&self.ledger), [], "after {what}");
        for group in &applied.groups {
            invariant::steps_allowed(group).unwrap_or_else(|broken| panic!("{broken}: {what}"));
            invariant::cooled_down(group).unwrap_or_else(|broken| panic!("{broken}: {what}"));
        }
        if !self.forgets_doubts {
            assert_eq!(self.wrong(), Vec::<String>::new(), "after {what}");
        }
        applied.answers.remove(0).result
    }

    pub fn step(&mut self, raw: Raw) {
        let [kind, a, b, c, d, time] = raw;
        self.now_ms += match time {
            0..=200 => u64::from(time) * 10,
            201..=250 => 30_000,
            _ => CALL_LIFE_MS,
        };
        self.late.retain(|(_, until_ms)| *until_ms > self.now_ms);
        match kind {
            0..=49 => self.begin(a, b, c, d),
            50..=169 => self.advance(a, fate(b)),
            170..=184 => self.bind(a),
            185..=196 => self.release(a),
            197..=206 => self.crash(),
            207..=226 => self.take_effect(a),
            227..=234 => self.grab(a),
            235..=237 => self.remove_node(a),
            238..=243 => self.note(),
            244..=246 => self.slip(),
            _ => drop(self.apply(Command::Expire(Expire { limit: 512 }))),
        }
    }

    fn node(&self, byte: u8) -> Option<NodeId> {
        let nodes: Vec<NodeId> = self.ledger.nodes().map(|node| node.id).collect();
        pick(&nodes, byte)
    }

    fn begin(&mut self, a: u8, b: u8, c: u8, d: u8) {
        let Some(node) = self.node(a) else { return };
        let enis: Vec<EniNumber> = self.ledger.enis_of(node).map(|eni| eni.number).collect();
        let plan = match (pick(&enis, c), b % 4) {
            (None, _) | (_, 0) => {
                let vswitch = pick(&self.vswitches, c).expect("two");
                Plan::CreateEni {
                    vswitch,
                    kind: if d.is_multiple_of(4) {
                        EniKind::Trunk
                    } else {
                        EniKind::Secondary
                    },
                    security_groups: vec![name("sg-1", SecurityGroup::new)],
                    addresses: self.some_free(vswitch, d),
                }
            }
            (Some(eni), 1) => {
                let vswitch = self.ledger.eni(eni).expect("there").vswitch;
                let addresses = self.some_free(vswitch, d);
                Plan::Assign { eni, addresses }
            }
            (Some(eni), 2) => {
                let row = self.ledger.eni(eni).expect("there").clone();
                let mut addresses = self.ledger.addresses_on(&row);
                addresses.retain(|at| *at != row.primary);
                addresses.truncate(1 + usize::from(d % 3));
                Plan::Unassign { eni, addresses }
            }
            (Some(eni), _) => Plan::DeleteEni {
                eni,
                trunk_too: d < 128,
            },
        };
        let _ = self.apply(Command::BeginJob(BeginJob { node, plan }));
    }

    /// Free as far as the ledger knows.
    fn some_free(&self, id: VSwitchId, byte: u8) -> Vec<IpAddr> {
        let vswitch = self.ledger.vswitch(id).expect("there");
        let count = 1 + usize::from(byte % 3);
        let mut chosen = Vec::new();
        for subnet in vswitch.subnets() {
            let hosts = subnet.cidr.hosts();
            let free = hosts.filter(|at| {
                let state = self.ledger.address_state(*at);
                let free = matches!(Phase::of(state.as_ref()), Phase::NeverUsed | Phase::Free);
                free && !vswitch.excludes(*at)
            });
            chosen.extend(free.skip(usize::from(byte / 64)).take(count));
        }
        chosen
    }

    fn advance(&mut self, a: u8, fate: Fate) {
        let jobs: Vec<_> = self.ledger.jobs().cloned().collect();
        let Some(job) = pick(&jobs, a) else { return };
        self.work(&job, fate);
    }

    fn work(&mut self, job: &Job, fate: Fate) {
        let eni = self.ledger.eni(job.eni).expect("there").clone();
        let mut late = Vec::new();
        let report = driver::work(&mut self.cloud, job, &eni, fate, &mut late);
        let until_ms = self.now_ms + CALL_LIFE_MS - 1;
        self.late
            .extend(late.into_iter().map(|call| (call, until_ms)));
        if let Some(report) = report {
            self.report(job, report);
        }
    }

    fn report(&mut self, job: &Job, report: Report) {
        if self.forgets_doubts && report == Report::Unknown {
            return;
        }
        let said = format!("{} {}", job.step.name(), report.name());
        let revision = self.ledger.revision();
        let taken = self.apply(Command::AdvanceJob(AdvanceJob {
            job: job.id,
            step: job.step,
            attempt: job.attempt,
            report,
        }));
        assert_eq!(taken.err(), None, "{said}");
        if self.ledger.revision() > revision {
            self.seen.insert(said);
        }
    }

    /// Another leader: it knows nothing of what the last one sent.
    fn crash(&mut self) {
        let jobs: Vec<_> = self.ledger.jobs().cloned().collect();
        for job in jobs.iter().filter(|job| !job.step.only_looks()) {
            self.report(job, Report::Unknown);
        }
    }

    fn take_effect(&mut self, byte: u8) {
        if self.late.is_empty() {
            return;
        }
        let place = usize::from(byte) % self.late.len();
        let (call, _) = self.late.remove(place);
        self.cloud.call(&call);
        if !self.forgets_doubts {
            assert_eq!(self.wrong(), Vec::<String>::new(), "late: {call:?}");
        }
    }

    fn bind(&mut self, a: u8) {
        let idle: Vec<_> = self.idle();
        let Some((node, eni, vswitch, addresses)) = pick(&idle, a) else {
            return;
        };
        self.bound += 1;
        let bind = Bind {
            key: key(self.bound),
            node,
            boot: name("boot", BootId::new),
            invoked_at_ms: self.now_ms,
            pod: PodIdentity {
                namespace: name("default", Namespace::new),
                name: name(&format!("pod-{}", self.bound), PodName::new),
                uid: name(&format!("uid-{}", self.bound), PodUid::new),
            },
            vswitch,
            eni: Some(eni),
            addresses,
            claim: BindClaim::None,
            parameters: [0; 16],
        };
        self.apply(Command::Bind(bind)).expect("bound");
    }

    /// Whole sets on one ENI.
    fn idle(&self) -> Vec<(NodeId, EniId, VSwitchId, Vec<IpAddr>)> {
        let in_use = self
            .ledger
            .enis()
            .filter(|eni| eni.state == EniState::InUse);
        let sets = in_use.filter_map(|eni| {
            let id = eni.id.clone()?;
            let idle = self.ledger.node_standing(eni.node).filter(
                |(_, state)| matches!(state, AddressState::Idle { eni: Some(on), .. } if *on == id),
            );
            let idle: Vec<IpAddr> = idle.map(|(at, _)| at).collect();
            let mut set: Vec<IpAddr> = Vec::new();
            set.extend(idle.iter().find(|at| at.is_ipv4()));
            set.extend(idle.iter().find(|at| at.is_ipv6()));
            let families = self.ledger.vswitch(eni.vswitch)?.families().count();
            (set.len() == families).then_some((eni.node, id, eni.vswitch, set))
        });
        sets.collect()
    }

    fn release(&mut self, a: u8) {
        let nodes: Vec<NodeId> = self.ledger.nodes().map(|node| node.id).collect();
        let live: Vec<_> = nodes
            .iter()
            .flat_map(|id| self.ledger.node_allocations(*id))
            .cloned()
            .collect();
        let Some(row) = pick(&live, a) else { return };
        let release = Release {
            key: (*row.key).clone(),
            node: row.node,
            boot: row.boot.clone(),
            invoked_at_ms: self.now_ms,
            generation: None,
            proof: Proof::Del,
            pod_gone: false,
        };
        self.apply(Command::Release(release)).expect("released");
    }

    /// Somebody else takes an address that nobody has in the cloud.
    fn grab(&mut self, a: u8) {
        let all: Vec<IpAddr> = self.ours();
        let free: Vec<IpAddr> = all
            .into_iter()
            .filter(|at| {
                !self
                    .cloud
                    .enis
                    .values()
                    .any(|eni| eni.addresses.contains(at))
            })
            .collect();
        // It does not take all, and gives back.
        if let Some(at) = pick(&free, a)
            && !self.cloud.foreign.remove(&at)
            && self.cloud.foreign.len() < 4
        {
            self.cloud.foreign.insert(at);
        }
    }

    /// An attach that was accepted comes to nothing.
    fn slip(&mut self) {
        let waits = |job: &&std::sync::Arc<Job>| job.step == Step::AwaitAttached;
        let eni = self.ledger.jobs().find(waits).map(|job| job.eni);
        if let Some(eni) = eni.and_then(|eni| self.cloud.enis.get_mut(&eni)) {
            eni.on = None;
        }
    }

    fn ours(&self) -> Vec<IpAddr> {
        let subnets = self.ledger.vswitches().flat_map(|vswitch| {
            let inside = vswitch.subnets().flat_map(|subnet| subnet.cidr.hosts());
            inside
                .filter(|at| !vswitch.excludes(*at))
                .collect::<Vec<_>>()
        });
        subnets.collect()
    }

    /// What a comparison with the cloud finds.
    fn note(&mut self) {
        for vswitch in self.vswitches.clone() {
            let row = self.ledger.vswitch(vswitch).expect("there").clone();
            let come = self.cloud.foreign.iter().filter(|at| row.contains(**at));
            let come: Vec<IpAddr> = come.copied().collect();
            let known = self.ledger.addresses(vswitch).filter(|(at, state)| {
                *state == AddressState::Foreign && !self.cloud.foreign.contains(at)
            });
            let gone: Vec<IpAddr> = known.map(|(at, _)| at).collect();
            if !come.is_empty() || !gone.is_empty() {
                let noted = self.apply(Command::NoteForeign(NoteForeign {
                    vswitch,
                    come,
                    gone,
                }));
                noted.expect("noted");
            }
        }
    }

    fn remove_node(&mut self, a: u8) {
        let Some(node) = self.node(a) else { return };
        let remove = RemoveNode {
            node,
            confirmed_dead: true,
        };
        self.apply(Command::RemoveNode(remove)).expect("removed");
        self.removed += 1;
        self.register(10 + self.removed);
    }

    /// Nothing fails any more, and time passes.
    pub fn settle(&mut self) {
        for _ in 0..200 {
            if self.ledger.jobs().count() == 0 && self.late.is_empty() {
                return;
            }
            while !self.late.is_empty() {
                self.take_effect(0);
            }
            self.now_ms += CALL_LIFE_MS / 4;
            let jobs: Vec<_> = self.ledger.jobs().cloned().collect();
            for job in jobs {
                // Nobody waits for ever: what a look does not show in time is done once more.
                let waits = job.step.only_looks();
                self.work(&job, if waits { Fate::Refused } else { Fate::Done });
            }
        }
        panic!(
            "jobs without an end: {:#?}",
            self.ledger.jobs().collect::<Vec<_>>()
        );
    }

    /// What must never be: an address that is warm, bound or resting on an ENI which the cloud has not there; one that is free and
    /// on an ENI of ours.
    pub fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for eni in self.ledger.enis() {
            let there = self.cloud.enis.get(&eni.number);
            let jobs: BTreeSet<IpAddr> = self
                .ledger
                .jobs_of(eni.node)
                .flat_map(|job| job.addresses.iter().copied())
                .collect();
            for at in self.ledger.addresses_on(eni) {
                let in_cloud = there.is_some_and(|eni| eni.addresses.contains(&at));
                if !in_cloud && !jobs.contains(&at) {
                    wrong.push(format!("{at} is used, and not on ENI {}", eni.number));
                }
            }
        }
        for (number, eni) in &self.cloud.enis {
            for at in &eni.addresses {
                let phase = Phase::of(self.ledger.address_state(*at).as_ref());
                if matches!(phase, Phase::NeverUsed | Phase::Free | Phase::Foreign) {
                    wrong.push(format!("{at} is {}, and on ENI {number}", phase.name()));
                }
            }
        }
        wrong
    }

    /// What is left once everything has ended.
    pub fn leaked(&self) -> Vec<String> {
        let known: BTreeSet<EniNumber> = self.ledger.enis().map(|eni| eni.number).collect();
        let there: BTreeSet<EniNumber> = self.cloud.enis.keys().copied().collect();
        let differ = known.symmetric_difference(&there);
        let mut leaked: Vec<String> = differ.map(|eni| format!("ENI {eni}")).collect();
        for eni in self.ledger.enis() {
            let mut here = self.ledger.addresses_on(eni);
            here.sort();
            let cloud = self.cloud.enis.get(&eni.number);
            let there: Vec<IpAddr> = cloud
                .map(|eni| eni.addresses.iter().copied().collect())
                .unwrap_or_default();
            if here != there {
                leaked.push(format!(
                    "ENI {}: {here:?} here, {there:?} there",
                    eni.number
                ));
            }
            if cloud.is_some_and(|cloud| cloud.on != Some(eni.node) || cloud.primary != eni.primary)
            {
                leaked.push(format!("ENI {} is not on its node", eni.number));
            }
        }
        leaked
    }
}

fn fate(byte: u8) -> Fate {
    match byte {
        0..=139 => Fate::Done,
        140..=164 => Fate::Unheard,
        165..=194 => Fate::Late,
        195..=214 => Fate::Lost,
        215..=239 => Fate::Refused,
        _ => Fate::Part,
    }
}

fn key(number: u32) -> AttachmentKey {
    AttachmentKey {
        cluster: name("default", ClusterName::new),
        network: name("pods", NetworkName::new),
        container: name(&format!("sandbox-{number}"), ContainerId::new),
        interface: name("eth0", InterfaceName::new),
    }
}
