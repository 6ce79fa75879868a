use super::*;
use crate::engine::samples::{ip, proposal};
use berth_cloud::eni::{EniAttachment, EniKind as CloudEniKind, Tags};
use berth_cloud::id::{CloudVSwitchId, InstanceId, ZoneId};
use berth_domain::address::{NetworkKind, Subnet};
use berth_domain::command::*;
use berth_domain::id::*;
use berth_domain::outcome::Outcome;
use berth_domain::row::EniKind;
use berth_domain::version::CLOUD;

const ADDRESSES: [&str; 3] = ["10.1.0.5", "10.1.0.6", "10.1.0.7"];

/// A ledger with one ENI in use, with [`ADDRESSES`].
struct World {
    ledger: Ledger,
    node: NodeId,
    eni: EniNumber,
}

impl World {
    fn new() -> Self {
        let ledger = Ledger::new(ClusterId::new("test").expect("a name"));
        let (node, eni) = (NodeId(0), EniNumber(0));
        let mut world = Self { ledger, node, eni };
        world.done(Command::SetClusterVersion(SetClusterVersion { to: CLOUD }));
        let Outcome::VSwitch(vswitch) = world.done(Command::CreateVSwitch(vswitch())) else {
            panic!("no vSwitch");
        };
        let Outcome::Node(node) = world.done(Command::RegisterNode(node_of(2))) else {
            panic!("no node");
        };
        world.node = node;
        let job = world.begin(Plan::CreateEni {
            vswitch,
            kind: EniKind::Secondary,
            security_groups: vec![SecurityGroup::new("sg-1").expect("a name")],
            addresses: ADDRESSES.map(ip).into(),
        });
        world.eni = world.ledger.job(job).expect("begun").eni;
        let made = Report::Created {
            eni: EniId::new("eni-1").expect("a name"),
            mac: MacAddress::new("00:16:3e:00:00:01").expect("a name"),
            addresses: ADDRESSES.map(ip).into(),
        };
        for report in [made, Report::Accepted, Report::Attached] {
            world.report(job, report);
        }
        world
    }

    fn done(&mut self, command: Command) -> Outcome {
        let header = Header {
            ledger_time_ms: 0,
            wall_time_ms: 0,
        };
        let applied = self.ledger.apply(&header, vec![proposal(command)]);
        applied.answers[0].result.clone().expect("done")
    }

    fn begin(&mut self, plan: Plan) -> JobId {
        let node = self.node;
        match self.done(Command::BeginJob(BeginJob { node, plan })) {
            Outcome::Job(job) => job,
            other => panic!("{other:?}"),
        }
    }

    fn report(&mut self, id: JobId, report: Report) {
        let row = self.ledger.job(id).expect("under way");
        self.done(Command::AdvanceJob(AdvanceJob {
            job: id,
            step: row.step,
            attempt: row.attempt,
            report,
        }));
    }

    /// What is said of this cloud: kind, ENI and address.
    fn said(&self, enis: Vec<CloudEni>) -> Vec<(Kind, String, Option<IpAddr>)> {
        self.said_after(enis, Default::default(), true)
    }

    fn said_after(
        &self,
        enis: Vec<CloudEni>,
        (touched, untagged): (BTreeSet<EniNumber>, BTreeSet<EniNumber>),
        are_orphans_known: bool,
    ) -> Vec<(Kind, String, Option<IpAddr>)> {
        let orphans = enis.iter().map(|eni| (eni.id.clone(), 0));
        let orphans = orphans.filter(|_| are_orphans_known).collect();
        let audit = Audit {
            began_ms: 0,
            orphans,
            untagged,
            touched,
            enis,
        };
        let found = compare(&self.ledger, &audit).into_iter();
        found.map(|one| (one.kind, one.eni, one.address)).collect()
    }
}

fn vswitch() -> CreateVSwitch {
    CreateVSwitch {
        name: VSwitchName::new("pods").expect("a name"),
        zone: Zone::new("zone-a").expect("a name"),
        ipv4: Some(Subnet {
            cidr: "10.1.0.0/24".parse().expect("a cidr"),
            gateway: None,
        }),
        ipv6: None,
        exclusions: Vec::new(),
        cooling_ms: 0,
        kind: NetworkKind::Vpc,
        cloud: None,
    }
}

fn node_of(eni_slots: u32) -> RegisterNode {
    RegisterNode {
        name: NodeName::new("worker-1").expect("a name"),
        identity: NodeIdentity::new("i-1").expect("a name"),
        zone: Zone::new("zone-a").expect("a name"),
        instance_type: InstanceType::new("ecs.g7.4xlarge").expect("a name"),
        eni_slots,
        addresses_per_eni: 10,
        warm_target: 0,
        pool: None,
    }
}

/// As the cloud has it if all is well.
fn there(id: &str) -> CloudEni {
    let secondary = ADDRESSES[1..].iter().map(|at| at.parse().expect("an IPv4"));
    CloudEni {
        id: CloudEniId::new(id).expect("a name"),
        mac: String::new(),
        kind: CloudEniKind::Secondary,
        status: EniStatus::InUse,
        vpc: None,
        vswitch: CloudVSwitchId::new("vsw-1").expect("a name"),
        zone: ZoneId::new("zone-a").expect("a name"),
        attachment: Some(on("i-1")),
        primary: ADDRESSES[0].parse().expect("an IPv4"),
        secondary: secondary.collect(),
        ipv6: Vec::new(),
        security_groups: Vec::new(),
        tags: Tags::new(),
        created_at_s: None,
    }
}

fn on(instance: &str) -> EniAttachment {
    EniAttachment {
        instance: InstanceId::new(instance).expect("a name"),
        trunk: None,
        vlan: None,
    }
}

/// Promise: where cloud and ledger agree nothing is said.
#[test]
fn nothing_is_said_of_what_agrees() {
    assert_eq!(World::new().said(vec![there("eni-1")]), []);
}

/// Promise: each way in which the cloud may differ is found, and is the only thing said.
#[test]
fn each_difference_is_found() {
    let world = World::new();
    let eni = || "eni-1".to_owned();
    let orphan = CloudEni {
        attachment: None,
        status: EniStatus::Available,
        ..there("eni-9")
    };
    let found = world.said(vec![there("eni-1"), orphan]);
    assert_eq!(found, [(Kind::Orphan, "eni-9".to_owned(), None)]);
    assert_eq!(world.said(vec![]), [(Kind::Vanished, eni(), None)]);
    for elsewhere in [
        CloudEni {
            attachment: Some(on("i-2")),
            ..there("eni-1")
        },
        CloudEni {
            status: EniStatus::Available,
            attachment: None,
            ..there("eni-1")
        },
    ] {
        let found = world.said(vec![elsewhere]);
        assert_eq!(found, [(Kind::Elsewhere, eni(), None)]);
    }
    let mut other = there("eni-1");
    other.secondary[1] = "10.1.0.99".parse().expect("an IPv4");
    assert_eq!(
        world.said(vec![other]),
        [
            (Kind::Missing, eni(), Some(ip("10.1.0.7"))),
            (Kind::Extra, eni(), Some(ip("10.1.0.99")))
        ]
    );
}

/// Promise: of what a job works on, or worked on since the look began, nothing is said: there the two may differ for a moment.
#[test]
fn what_is_under_way_is_left_out() {
    let mut world = World::new();
    let touched = BTreeSet::from([world.eni]);
    assert_eq!(
        world.said_after(vec![], (touched, BTreeSet::new()), true),
        []
    );
    let orphan = vec![there("eni-1"), there("eni-9")];
    assert_eq!(world.said_after(orphan, Default::default(), false), []);
    let eni = world.eni;
    world.begin(Plan::Unassign {
        eni,
        addresses: vec![ip("10.1.0.7")],
    });
    assert_eq!(world.said(vec![]), []);
}

/// Promise: a lost tag is said also of an ENI that a job works on: the job waits for it.
#[test]
fn a_lost_tag_is_always_said() {
    let mut world = World::new();
    let eni = world.eni;
    world.begin(Plan::Unassign {
        eni,
        addresses: vec![ip("10.1.0.7")],
    });
    let untagged = BTreeSet::from([eni]);
    let said = world.said_after(vec![there("eni-1")], (BTreeSet::new(), untagged), true);
    assert_eq!(said, [(Kind::Untagged, "eni-1".to_owned(), None)]);
}
