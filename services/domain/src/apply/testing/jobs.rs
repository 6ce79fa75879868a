//! A node with two ENI slots of three addresses, a vSwitch of a cloud, and short ways through a job.

use super::*;
use crate::capacity::NodeMode;
use crate::row::{EniKind, EniState, IdleSettings, Job, VSwitchChoice};
use crate::version::CLOUD;

pub(crate) struct Cloudy {
    pub(crate) world: World,
    pub(crate) node: NodeId,
    pub(crate) vswitch: VSwitchId,
}

// === impl Cloudy ===

impl Cloudy {
    pub(crate) fn new() -> Self {
        Self::of(subnet("10.1.0.0/24", None), None)
    }

    pub(crate) fn dual_stack() -> Self {
        Self::of(subnet("10.1.0.0/24", None), subnet("fd01::/120", None))
    }

    fn of(ipv4: Option<Subnet>, ipv6: Option<Subnet>) -> Self {
        let mut world = World::new();
        world.raise(CLOUD);
        let vswitch = world.vswitch(CreateVSwitch {
            kind: NetworkKind::Vpc,
            ..create_vswitch("vsw-cloud", ipv4, ipv6)
        });
        let node = world.node(RegisterNode {
            eni_slots: 2,
            addresses_per_eni: 3,
            ..register_node("worker-9", "i-9")
        });
        Self {
            world,
            node,
            vswitch,
        }
    }

    pub(crate) fn far_node(&mut self) -> NodeId {
        self.world.node(RegisterNode {
            zone: name("zone-b", Zone::new),
            eni_slots: 2,
            addresses_per_eni: 3,
            ..register_node("worker-8", "i-8")
        })
    }

    /// A pool of its vSwitch, which the cloud calls "vsw-1"; with its nodes nothing is done.
    pub(crate) fn pooled() -> (Self, NodePoolId) {
        let mut cloud = Self::new();
        let vswitch = cloud.world.vswitch(CreateVSwitch {
            kind: NetworkKind::Vpc,
            cloud: Some(name("vsw-1", CloudVSwitchId::new)),
            ..create_vswitch("vsw-pods", subnet("10.2.0.0/24", None), None)
        });
        cloud.vswitch = vswitch;
        let pool = cloud.set_pool();
        cloud.world.done(Command::SetNodePool(pool.clone()));
        let row = cloud.world.ledger.node_pool_named(&pool.name);
        let id = row.expect("made").id;
        (cloud, id)
    }

    pub(crate) fn set_pool(&self) -> SetNodePool {
        SetNodePool {
            name: name("web", NodePoolName::new),
            mode: NodeMode::Shared,
            vswitches: vec![self.vswitch],
            draining: Vec::new(),
            choice: VSwitchChoice::Ordered,
            security_groups: vec![name("sg-1", SecurityGroup::new)],
            idle: IdleSettings {
                max: 4,
                ..IdleSettings::default()
            },
            blocked: Vec::new(),
            eni_tags: Vec::new(),
            acceleration: false,
            network_policy: false,
        }
    }

    pub(crate) fn create(&self, addresses: &[&str]) -> Plan {
        Plan::CreateEni {
            vswitch: self.vswitch,
            kind: EniKind::Secondary,
            security_groups: vec![name("sg-1", SecurityGroup::new)],
            addresses: addresses.iter().map(|at| ip(at)).collect(),
        }
    }

    pub(crate) fn begin(&mut self, plan: Plan) -> JobId {
        let node = self.node;
        match self.world.done(Command::BeginJob(BeginJob { node, plan })) {
            Outcome::Job(id) => id,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn refused(&mut self, plan: Plan) -> Refusal {
        let node = self.node;
        self.world
            .refused(Command::BeginJob(BeginJob { node, plan }))
    }

    pub(crate) fn job(&self, id: JobId) -> Arc<Job> {
        self.world.ledger.job(id).expect("under way").clone()
    }

    /// What came of the step at which the job is.
    pub(crate) fn report(&mut self, id: JobId, report: Report) -> Answer {
        let row = self.job(id);
        self.world.apply(Command::AdvanceJob(AdvanceJob {
            job: id,
            step: row.step,
            attempt: row.attempt,
            report,
        }))
    }

    /// Reports that are taken, one after the other.
    pub(crate) fn through(&mut self, id: JobId, reports: impl IntoIterator<Item = Report>) {
        for report in reports {
            let answer = self.report(id, report.clone());
            answer
                .result
                .unwrap_or_else(|refusal| panic!("{report:?}: {refusal}"));
        }
    }

    /// The cloud has made it, named by its number.
    pub(crate) fn created(addresses: &[&str]) -> Report {
        Report::Created {
            eni: name("eni-1", EniId::new),
            mac: name("00:16:3e:00:00:01", MacAddress::new),
            addresses: addresses.iter().map(|at| ip(at)).collect(),
        }
    }

    /// An ENI in use with these addresses, all idle.
    pub(crate) fn in_use(&mut self, addresses: &[&str]) -> EniNumber {
        let job = self.begin(self.create(addresses));
        let eni = self.job(job).eni;
        let made = Self::created(addresses);
        self.through(job, [made, Report::Accepted, Report::Attached]);
        let row = self.world.ledger.eni(eni).expect("it stays");
        assert_eq!(row.state, EniState::InUse);
        eni
    }

    /// A pod with an idle address of `eni-1`.
    pub(crate) fn bind(&mut self, container: &str, address: &str) {
        let mut bind = self.world.add(container, address);
        bind.node = self.node;
        bind.vswitch = self.vswitch;
        bind.eni = Some(name("eni-1", EniId::new));
        self.world.bind(bind);
    }
}

pub(crate) fn refused(cause: crate::row::Cause) -> Report {
    Report::Refused {
        cause,
        foreign: Vec::new(),
    }
}
