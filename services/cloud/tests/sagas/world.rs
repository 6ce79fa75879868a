//! A ledger, a cloud, and a leader with a conductor for each job.

use berth_cloud::alibaba::{Answer, decode, encode};
use berth_cloud::call::Call;
use berth_cloud::conductor::{Conductor, Look, Moment, Next, Setting, TAG_CLUSTER};
use berth_cloud::eni::{Eni, Tags};
use berth_cloud::error::{Cause, Error};
use berth_cloud::id::{CloudVSwitchId, InstanceId, RegionId};
use berth_cloud::reply::{Body, Reply};
use berth_cloud::simulator::{Request, Setup, Simulator};
use berth_domain::Ledger;
use berth_domain::address::{NetworkKind, Subnet};
use berth_domain::command::*;
use berth_domain::id::*;
use berth_domain::invariant;
use berth_domain::outcome::{Outcome, Refusal};
use berth_domain::row::{AddressState, EniKind, EniState, Job, Phase};
use berth_domain::version::CLOUD;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

pub const CLUSTER: &str = "cluster-1";
/// Long enough for every doubt to end, twice.
const LONGEST_MS: u64 = 3 * 3_600_000;
/// So many steps without an end are no progress.
const STEPS_MAX: u32 = 20_000;

/// Where the leader is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// Nowhere.
    Never,
    /// Before its n-th call goes out.
    BeforeCall(u32),
    /// After its n-th call, before the answer is read.
    AfterCall(u32),
    /// With its n-th call on its way; it arrives this much later, ms.
    WithLateCall(u32, u64),
    /// Before its n-th report is in the log.
    BeforeReport(u32),
    /// After its n-th report is in the log, before anybody heard of it.
    AfterReport(u32),
}

pub struct World {
    pub ledger: Ledger,
    pub cloud: Simulator,
    pub now_ms: u64,
    pub crash: Crash,
    /// For the negative control: the next leader takes the jobs for its own, and says nothing of the last one's calls.
    pub next_leader_is_hasty: bool,
    /// Changing calls and reports so far.
    pub calls: u32,
    pub reports: u32,
    pub vswitch: VSwitchId,
    pub node: NodeId,
    conductors: BTreeMap<JobId, Conductor>,
    late: Vec<(u64, Request)>,
    bound: u32,
}

fn name<T>(text: &str, make: fn(&str) -> Result<T, berth_domain::id::Error>) -> T {
    make(text).expect("a name")
}

fn subnet(cidr: &str) -> Option<Subnet> {
    let cidr = cidr.parse().expect("a cidr");
    Some(Subnet {
        cidr,
        gateway: None,
    })
}

// === making and asking ===

impl World {
    pub fn new(setup: Setup, seed: u64) -> Self {
        let mut world = Self {
            ledger: Ledger::new(name("test", ClusterId::new)),
            cloud: Simulator::new(setup, seed),
            now_ms: 1_700_000_000_000,
            crash: Crash::Never,
            next_leader_is_hasty: false,
            calls: 0,
            reports: 0,
            vswitch: VSwitchId(0),
            node: NodeId(0),
            conductors: BTreeMap::new(),
            late: Vec::new(),
            bound: 0,
        };
        let raise = Command::SetClusterVersion(SetClusterVersion { to: CLOUD });
        world.apply(raise).expect("raised");
        let made = world.apply(Command::CreateVSwitch(CreateVSwitch {
            name: name("vsw-i", VSwitchName::new),
            zone: name("i", Zone::new),
            ipv4: subnet("10.1.0.0/20"),
            ipv6: subnet("2408:4005:300:1::/64"),
            exclusions: Vec::new(),
            cooling_ms: 1_000,
            kind: NetworkKind::Vpc,
            cloud: None,
        }));
        let Ok(Outcome::VSwitch(vswitch)) = made else {
            panic!("{made:?}");
        };
        let made = world.apply(Command::RegisterNode(RegisterNode {
            name: name("worker-1", NodeName::new),
            identity: name("i-g7", NodeIdentity::new),
            zone: name("i", Zone::new),
            instance_type: name("ecs.g7.xlarge", InstanceType::new),
            eni_slots: 3,
            addresses_per_eni: 15,
            warm_target: 0,
            pool: None,
        }));
        let Ok(Outcome::Node(node)) = made else {
            panic!("{made:?}");
        };
        (world.vswitch, world.node) = (vswitch, node);
        world
    }

    pub fn apply(&mut self, command: Command) -> Result<Outcome, Refusal> {
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
        applied.answers.remove(0).result
    }

    fn moment(&self) -> Moment {
        Moment {
            now_ms: self.now_ms,
            ledger_ms: self.now_ms,
        }
    }

    /// Begins a job as this leader's.
    pub fn begin(&mut self, plan: Plan) -> Result<JobId, Refusal> {
        let node = self.node;
        let Outcome::Job(id) = self.apply(Command::BeginJob(BeginJob { node, plan }))? else {
            panic!("no job");
        };
        let (setting, moment) = (setting(), self.moment());
        let job = self.ledger.job(id).expect("begun").clone();
        let eni = self.ledger.eni(job.eni).expect("its ENI").clone();
        self.conductors
            .insert(id, Conductor::begun(setting, job, eni, moment));
        Ok(id)
    }

    /// Pairs of free addresses, from that place on.
    pub fn free(&self, from: u16, count: u16) -> Vec<IpAddr> {
        let numbers = (0..).map(|at| from.wrapping_add(at) % 2_000 + 10);
        let free = numbers.filter(|at| pair(*at).iter().all(|address| self.is_free(*address)));
        let chosen: Vec<u16> = free.take(usize::from(count)).collect();
        let of = |place: usize| chosen.iter().map(move |at| pair(*at)[place]);
        of(0).chain(of(1)).collect()
    }

    fn is_free(&self, address: IpAddr) -> bool {
        let state = self.ledger.address_state(address);
        matches!(Phase::of(state.as_ref()), Phase::NeverUsed | Phase::Free)
    }

    pub fn create(&self, count: u16) -> Plan {
        Plan::CreateEni {
            vswitch: self.vswitch,
            kind: EniKind::Secondary,
            security_groups: vec![name("sg-built-in", SecurityGroup::new)],
            addresses: self.free(300, count),
        }
    }

    /// The first ENI that is on its instance.
    pub fn in_use(&self) -> Option<EniNumber> {
        let mut enis = self.ledger.enis();
        let found = enis.find(|eni| eni.state == EniState::InUse)?;
        Some(found.number)
    }

    /// What is idle on it, without its primary pair.
    pub fn idle(&self, eni: EniNumber) -> Vec<IpAddr> {
        let eni = self.ledger.eni(eni).expect("there");
        let on = |state: &AddressState| matches!(state, AddressState::Idle { eni: on, .. } if *on == eni.id);
        let standing = self.ledger.node_standing(eni.node);
        let idle = standing.filter(|(at, state)| on(state) && *at != eni.primary);
        idle.map(|(at, _)| at).collect()
    }

    /// A pod takes a pair of an ENI.
    pub fn bind(&mut self, eni: EniNumber) -> bool {
        let idle = self.idle(eni);
        let (Some(ipv4), Some(ipv6)) = (
            idle.iter().find(|at| at.is_ipv4()),
            idle.iter().find(|at| at.is_ipv6()),
        ) else {
            return false;
        };
        self.bound += 1;
        let key = AttachmentKey {
            cluster: name("default", ClusterName::new),
            network: name("default", NetworkName::new),
            container: name(&format!("c{}", self.bound), ContainerId::new),
            interface: name("eth0", InterfaceName::new),
        };
        let bind = Bind {
            key,
            node: self.node,
            boot: name("boot", BootId::new),
            invoked_at_ms: self.now_ms,
            pod: PodIdentity {
                namespace: name("default", Namespace::new),
                name: name(&format!("pod-{}", self.bound), PodName::new),
                uid: name(&format!("uid-{}", self.bound), PodUid::new),
            },
            vswitch: self.vswitch,
            eni: self.ledger.eni(eni).expect("there").id.clone(),
            addresses: vec![*ipv4, *ipv6],
            claim: BindClaim::None,
            parameters: [0; 16],
        };
        self.apply(Command::Bind(bind)).expect("bound");
        true
    }
}

fn pair(number: u16) -> [IpAddr; 2] {
    let [high, low] = (number + 256).to_be_bytes();
    let ipv4 = IpAddr::from([10, 1, high, low]);
    [
        ipv4,
        IpAddr::from([0x2408, 0x4005, 0x300, 1, 0, 0, 0, number + 256]),
    ]
}

fn setting() -> Setting {
    Setting {
        cluster: CLUSTER.into(),
        instance: InstanceId::new("i-g7").expect("a name"),
        vswitch: CloudVSwitchId::new("vsw-i").expect("a name"),
        resource_group: None,
        tags: Tags::new(),
    }
}

// === running ===

impl World {
    /// Until no job is left.
    pub fn settle(&mut self) {
        let begun_ms = self.now_ms;
        for _ in 0..STEPS_MAX {
            if self.conductors.is_empty() {
                self.deliver(u64::MAX);
                return;
            }
            self.step();
            assert!(
                self.now_ms - begun_ms < LONGEST_MS,
                "no end: {:#?}",
                self.ledger.jobs().collect::<Vec<_>>()
            );
        }
        panic!("no end: {:#?}", self.conductors);
    }

    /// One thing of one job, or on to the next time at which there is something to do.
    pub fn step(&mut self) {
        let moment = self.moment();
        let mut wake_ms = u64::MAX;
        let ids: Vec<JobId> = self.conductors.keys().copied().collect();
        for id in ids {
            let conductor = self.conductors.get_mut(&id).expect("there");
            match conductor.next(moment).expect("nothing is out") {
                Next::Wait(until_ms) => wake_ms = wake_ms.min(until_ms),
                Next::Call(call) => return self.call(id, *call),
                Next::Look(look) => return self.look(id, &look),
                Next::Report(report) => return self.report(id, report),
            }
        }
        let wake_ms = Some(wake_ms).filter(|at_ms| *at_ms < u64::MAX);
        self.now_ms = wake_ms.unwrap_or(self.now_ms + 1_000).max(self.now_ms + 1);
        self.deliver(self.now_ms);
        self.apply(Command::Expire(Expire { limit: 512 }))
            .expect("expired");
        self.check();
    }

    fn call(&mut self, id: JobId, call: Call) {
        self.calls += 1;
        let number = self.calls;
        if self.crash == Crash::BeforeCall(number) {
            return self.lose_the_leader();
        }
        if let Crash::WithLateCall(at, late_ms) = self.crash
            && at == number
        {
            self.late.push((self.now_ms + late_ms, request(&call)));
            return self.lose_the_leader();
        }
        let answer = self.send(&call);
        self.check();
        if self.crash == Crash::AfterCall(number) {
            return self.lose_the_leader();
        }
        let moment = self.moment();
        self.conductor(id).answered(answer, moment);
    }

    fn look(&mut self, id: JobId, look: &Look) {
        let mut filter = look.filter();
        let mut found: Result<Vec<Eni>, Error> = Ok(Vec::new());
        loop {
            let answer = self.send(&Call::DescribeNetworkInterfaces(filter.clone()));
            match (answer, &mut found) {
                (Err(error), _) => found = Err(error),
                (Ok(reply), Ok(enis)) => {
                    let Body::Enis(page) = reply.body else {
                        panic!("a look is answered by ENIs");
                    };
                    enis.extend(page.items);
                    filter.page = page.next;
                }
                (Ok(_), Err(_)) => {}
            }
            if filter.page.is_none() || found.is_err() {
                break;
            }
        }
        let moment = self.moment();
        self.conductor(id).seen(
            found.as_ref().map(Vec::as_slice).map_err(Error::clone),
            moment,
        );
    }

    fn report(&mut self, id: JobId, report: Report) {
        self.reports += 1;
        let number = self.reports;
        if self.crash == Crash::BeforeReport(number) {
            return self.lose_the_leader();
        }
        let job = self.conductor(id).job().clone();
        let said = format!("{} {report:?}", job.step.name());
        let taken = self.apply(Command::AdvanceJob(AdvanceJob {
            job: id,
            step: job.step,
            attempt: job.attempt,
            report,
        }));
        assert_eq!(taken.err(), None, "{said}");
        self.check();
        if self.crash == Crash::AfterReport(number) {
            return self.lose_the_leader();
        }
        self.follow(id);
    }

    fn follow(&mut self, id: JobId) {
        let moment = self.moment();
        let Some(job) = self.ledger.job(id).cloned() else {
            self.conductors.remove(&id);
            return;
        };
        let eni = self.ledger.eni(job.eni).expect("its ENI").clone();
        self.conductor(id).moved(job, eni, moment);
    }

    fn conductor(&mut self, id: JobId) -> &mut Conductor {
        self.conductors.get_mut(&id).expect("there")
    }

    /// Another one finds the jobs, and remembers nothing.
    pub fn lose_the_leader(&mut self) {
        let moment = self.moment();
        let jobs: Vec<_> = self.ledger.jobs().cloned().collect();
        let ledger = &self.ledger;
        let take = match self.next_leader_is_hasty {
            true => Conductor::begun,
            false => Conductor::resumed,
        };
        let resumed = jobs.into_iter().map(|job| {
            let eni = ledger.eni(job.eni).expect("its ENI").clone();
            (job.id, take(setting(), job, eni, moment))
        });
        self.conductors = resumed.collect();
    }

    /// Late calls whose time has come.
    fn deliver(&mut self, until_ms: u64) {
        let (due, later) = std::mem::take(&mut self.late)
            .into_iter()
            .partition(|(at_ms, _)| *at_ms <= until_ms);
        self.late = later;
        let due: Vec<(u64, Request)> = due;
        for (at_ms, request) in due {
            self.cloud.handle(at_ms.max(self.now_ms), &request);
            self.check();
        }
    }

    fn send(&mut self, call: &Call) -> Result<Reply, Error> {
        let answer = self.cloud.handle(self.now_ms, &request(call));
        if answer.lost {
            return Err(Error::of(call.action().name(), Cause::Unknown, "lost"));
        }
        let answer = Answer {
            status: answer.status,
            body: answer.body.to_string().into_bytes(),
        };
        decode(call.action(), &answer)
    }
}

fn request(call: &Call) -> Request {
    let region = RegionId::new("cn-hangzhou").expect("a name");
    let request = encode(call, &region).expect("it can be written");
    let pairs = request.parameters.iter();
    Request {
        version: request.product.version().into(),
        action: request.action.into(),
        parameters: pairs
            .map(|(name, value)| (name.into(), value.into()))
            .collect(),
        signer: "sim-key".into(),
    }
}

// === what must hold ===

impl World {
    fn check(&self) {
        assert_eq!(self.wrong(), Vec::<String>::new(), "at {}", self.now_ms);
    }

    /// Addresses of each of our ENIs, as the cloud truly has it.
    fn truth(&self) -> BTreeMap<String, BTreeSet<IpAddr>> {
        let ours = self
            .cloud
            .enis()
            .filter(|eni| eni.tags.get(TAG_CLUSTER).map(String::as_str) == Some(CLUSTER));
        let addresses = |eni: &berth_cloud::simulator::eni::Eni| {
            let ipv4 = std::iter::once(eni.primary).chain(eni.secondary.iter().copied());
            let ipv6 = eni.ipv6.iter().copied().map(IpAddr::V6);
            ipv4.map(IpAddr::V4).chain(ipv6).collect()
        };
        ours.map(|eni| (eni.id.clone(), addresses(eni))).collect()
    }

    /// What is granted or warm is on its ENI; what is free is on none of ours.
    pub fn wrong(&self) -> Vec<String> {
        let truth = self.truth();
        let mut wrong = self.cloud.check();
        let on = |eni: &Option<EniId>, at: &IpAddr| {
            let there = eni.as_ref().and_then(|id| truth.get(id.as_str()));
            there.is_some_and(|addresses| addresses.contains(at))
        };
        for (at, state) in self.ledger.node_standing(self.node) {
            if let AddressState::Idle { eni, .. } = state
                && !on(&eni, &at)
            {
                wrong.push(format!("{at} is idle, and not on its ENI"));
            }
        }
        for allocation in self.ledger.node_allocations(self.node) {
            let missing = allocation
                .addresses
                .iter()
                .filter(|at| !on(&allocation.eni, at));
            wrong.extend(missing.map(|at| format!("{at} is bound, and not on its ENI")));
        }
        for at in truth.values().flatten().filter(|at| self.is_free(**at)) {
            wrong.push(format!("{at} is free, and on an ENI of ours"));
        }
        wrong
    }

    /// With no job left, cloud and ledger say the same.
    pub fn agrees(&self) -> Result<(), String> {
        let jobs: Vec<&Job> = self.ledger.jobs().map(|job| &**job).collect();
        let rows = self.ledger.enis().map(|eni| {
            let id = eni
                .id
                .as_ref()
                .map_or_else(String::new, |id| id.to_string());
            (
                id,
                self.ledger
                    .addresses_on(eni)
                    .into_iter()
                    .chain(self.bound_on(eni.id.as_ref()))
                    .collect(),
            )
        });
        let rows: BTreeMap<String, BTreeSet<IpAddr>> = rows.collect();
        match jobs.is_empty() && rows == self.truth() {
            true => Ok(()),
            false => Err(format!(
                "ledger {rows:#?}\ncloud {:#?}\njobs {jobs:#?}",
                self.truth()
            )),
        }
    }

    fn bound_on(&self, eni: Option<&EniId>) -> Vec<IpAddr> {
        let allocations = self.ledger.node_allocations(self.node);
        let on = allocations.filter(|row| row.eni.as_ref() == eni);
        on.flat_map(|row| row.addresses.clone()).collect()
    }
}
