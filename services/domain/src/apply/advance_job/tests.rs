use crate::apply::testing::jobs::{Cloudy, refused};
use crate::apply::testing::*;
use crate::command::*;
use crate::id::*;
use crate::outcome::Refusal;
use crate::row::*;

fn phase(cloud: &Cloudy, at: &str) -> Phase {
    Phase::of(cloud.world.state(at).as_ref())
}

/// Promise: an address is warm when the cloud has confirmed that its ENI is on the instance, not before.
#[test]
fn warm_when_confirmed() {
    let mut cloud = Cloudy::new();
    let job = cloud.begin(cloud.create(&["10.1.0.5", "10.1.0.6"]));
    cloud.through(
        job,
        [Cloudy::created(&["10.1.0.5", "10.1.0.6"]), Report::Accepted],
    );
    assert_eq!(cloud.job(job).step, Step::AwaitAttached);
    assert_eq!(phase(&cloud, "10.1.0.5"), Phase::Reserved);
    cloud.through(job, [Report::Attached]);
    let idle = AddressState::Idle {
        node: cloud.node,
        eni: Some(name("eni-1", EniId::new)),
    };
    assert_eq!(cloud.world.state("10.1.0.5"), Some(idle));
    assert_eq!(cloud.world.ledger.job(job), None);
    cloud.bind("a", "10.1.0.5");
}

/// Promise: a late or doubled report changes nothing, and says where the job is.
#[test]
fn late_reports_change_nothing() {
    let mut cloud = Cloudy::new();
    let job = cloud.begin(cloud.create(&["10.1.0.5"]));
    cloud.through(job, [Cloudy::created(&["10.1.0.5"])]);
    let late = cloud.world.refused(Command::AdvanceJob(AdvanceJob {
        job,
        step: Step::Create,
        attempt: 0,
        report: Cloudy::created(&["10.1.0.5"]),
    }));
    let now = Refusal::JobMovedOn {
        job,
        step: "attach",
        attempt: 0,
    };
    assert_eq!(late, now);
    let odd = cloud
        .report(job, Report::Unassigned)
        .result
        .expect_err("no end of it");
    assert!(
        odd.to_string().contains("unassigned is no end of attach"),
        "{odd}"
    );
    let missing = cloud.world.refused(Command::AdvanceJob(AdvanceJob {
        job: JobId(7),
        step: Step::Create,
        attempt: 0,
        report: Report::Unknown,
    }));
    assert!(matches!(missing, Refusal::NotFound { what: "job", .. }));
}

/// Promise: what was certainly not made leaves nothing behind; an address of somebody else's is avoided from then on.
#[test]
fn not_made() {
    let mut cloud = Cloudy::new();
    let job = cloud.begin(cloud.create(&["10.1.0.5", "10.1.0.6"]));
    let eni = cloud.job(job).eni;
    let taken = Report::Refused {
        cause: Cause::AddressTaken,
        foreign: vec![ip("10.1.0.6")],
    };
    cloud.through(job, [taken]);
    assert_eq!(phase(&cloud, "10.1.0.5"), Phase::Free);
    assert_eq!(phase(&cloud, "10.1.0.6"), Phase::Foreign);
    assert_eq!(
        (cloud.world.ledger.eni(eni), cloud.world.ledger.job(job)),
        (None, None)
    );
}

/// Promise: a refusal counts for nothing while an earlier call of the job may still take effect; afterwards it does.
#[test]
fn a_refusal_waits_for_the_doubt() {
    let mut cloud = Cloudy::new();
    let job = cloud.begin(cloud.create(&["10.1.0.5"]));
    cloud.through(job, [Report::Unknown]);
    let until_ms = cloud.world.now_ms + CALL_LIFE_MS;
    assert_eq!(cloud.job(job).doubt_until_ms, Some(until_ms));
    cloud.world.now_ms = until_ms - 1;
    cloud.through(job, [refused(Cause::VSwitchFull)]);
    assert_eq!(cloud.job(job).trouble, Some(Cause::VSwitchFull));
    assert_eq!(phase(&cloud, "10.1.0.5"), Phase::Reserved);
    cloud.world.now_ms = until_ms;
    cloud.through(job, [refused(Cause::VSwitchFull)]);
    assert_eq!(phase(&cloud, "10.1.0.5"), Phase::Free);
}

/// Promise: while an earlier call may still take effect, what the cloud has confirmed serves pods, and only the rest waits.
#[test]
fn half_is_taken_at_once() {
    let mut cloud = Cloudy::new();
    let eni = cloud.in_use(&["10.1.0.5"]);
    let job = cloud.begin(Plan::Assign {
        eni,
        addresses: vec![ip("10.1.0.6"), ip("10.1.0.7")],
    });
    let assigned = |addresses: &[&str]| Report::Assigned {
        addresses: addresses.iter().map(|at| ip(at)).collect(),
    };
    cloud.through(job, [Report::Unknown, assigned(&["10.1.0.6"])]);
    assert_eq!(phase(&cloud, "10.1.0.6"), Phase::Idle);
    assert_eq!(phase(&cloud, "10.1.0.7"), Phase::Reserved);
    cloud.bind("a", "10.1.0.6");
    cloud.through(job, [refused(Cause::Other)]);
    assert_eq!(phase(&cloud, "10.1.0.7"), Phase::Reserved);
    cloud.world.now_ms += CALL_LIFE_MS;
    cloud.through(job, [refused(Cause::Other)]);
    assert_eq!(phase(&cloud, "10.1.0.7"), Phase::Free);
    assert_eq!(cloud.world.ledger.job(job), None);
}

/// Promise: an ENI that cannot be attached goes again, and its addresses are free when the cloud has forgotten it.
#[test]
fn what_cannot_be_attached_goes() {
    let mut cloud = Cloudy::new();
    let job = cloud.begin(cloud.create(&["10.1.0.5"]));
    cloud.through(job, [Cloudy::created(&["10.1.0.5"]), refused(Cause::Quota)]);
    let row = cloud.job(job);
    assert_eq!((row.step, row.trouble), (Step::Delete, Some(Cause::Quota)));
    assert_eq!(phase(&cloud, "10.1.0.5"), Phase::Releasing);
    // A late attach of an earlier call: it has to be detached first.
    cloud.through(
        job,
        [
            refused(Cause::WrongState),
            Report::Accepted,
            Report::Detached,
        ],
    );
    cloud.through(job, [Report::Accepted]);
    assert_eq!(phase(&cloud, "10.1.0.5"), Phase::Releasing);
    cloud.through(job, [Report::Deleted]);
    assert_eq!(phase(&cloud, "10.1.0.5"), Phase::Free);
    assert_eq!(cloud.world.ledger.enis().count(), 0);
}

/// Promise: an address whose unassign nobody knows the end of is not given out before that call cannot take effect any more.
#[test]
fn an_unknown_unassign_keeps_its_address() {
    let mut cloud = Cloudy::new();
    let eni = cloud.in_use(&["10.1.0.5", "10.1.0.6"]);
    let job = cloud.begin(Plan::Unassign {
        eni,
        addresses: vec![ip("10.1.0.6")],
    });
    cloud.through(job, [Report::Unknown, Report::Unassigned]);
    assert_eq!(cloud.job(job).step, Step::AwaitUnassigned);
    cloud.world.now_ms += CALL_LIFE_MS - 1;
    let revision = cloud.world.ledger.revision();
    cloud.through(job, [Report::Unassigned]);
    assert_eq!(cloud.world.ledger.revision(), revision);
    assert_eq!(phase(&cloud, "10.1.0.6"), Phase::Releasing);
    cloud.world.now_ms += 1;
    cloud.through(job, [Report::Unassigned]);
    assert_eq!(phase(&cloud, "10.1.0.6"), Phase::Free);
}

/// Promise: of two families both come or none: what has no partner leaves again.
#[test]
fn families_come_in_pairs() {
    let mut cloud = Cloudy::dual_stack();
    let eni = cloud.in_use(&["10.1.0.5", "fd01::5"]);
    let pairs = ["10.1.0.6", "10.1.0.7", "fd01::6", "fd01::7"];
    let job = cloud.begin(Plan::Assign {
        eni,
        addresses: pairs.iter().map(|at| ip(at)).collect(),
    });
    let assigned = |addresses: &[&str]| Report::Assigned {
        addresses: addresses.iter().map(|at| ip(at)).collect(),
    };
    cloud.through(
        job,
        [assigned(&["10.1.0.6", "10.1.0.7"]), assigned(&["fd01::7"])],
    );
    let phases: Vec<Phase> = pairs.iter().map(|at| phase(&cloud, at)).collect();
    assert_eq!(
        phases,
        [Phase::Idle, Phase::Releasing, Phase::Free, Phase::Idle]
    );
    assert_eq!(cloud.job(job).step, Step::UnassignIpv4);
    cloud.through(job, [Report::Accepted, Report::Unassigned]);
    assert_eq!(phase(&cloud, "10.1.0.7"), Phase::Free);
}

/// Promise: a node that is dead takes its ENIs with it: what is on them is free when they are gone, and has rested.
#[test]
fn a_dead_node_leaves_nothing() {
    let mut cloud = Cloudy::new();
    let eni = cloud.in_use(&["10.1.0.5", "10.1.0.6"]);
    cloud.bind("a", "10.1.0.5");
    let planned = cloud.begin(cloud.create(&["10.1.0.7"]));
    cloud.world.done(Command::RemoveNode(RemoveNode {
        node: cloud.node,
        confirmed_dead: true,
    }));
    for at in ["10.1.0.5", "10.1.0.6", "10.1.0.7"] {
        assert_eq!(phase(&cloud, at), Phase::Releasing, "{at}");
    }
    // The planned one was made after all.
    let made = Report::Created {
        eni: name("eni-2", EniId::new),
        mac: name("00:16:3e:00:00:02", MacAddress::new),
        addresses: vec![ip("10.1.0.7")],
    };
    cloud.through(planned, [made]);
    assert_eq!(cloud.job(planned).step, Step::Delete);
    cloud.through(planned, [Report::Deleted]);
    let other = cloud
        .world
        .ledger
        .jobs()
        .next()
        .expect("the other ENI's")
        .clone();
    assert_eq!(
        (other.eni, other.step, other.work),
        (eni, Step::Detach, Work::DeleteEni)
    );
    cloud.through(
        other.id,
        [Report::Accepted, Report::Detached, Report::Deleted],
    );
    for at in ["10.1.0.5", "10.1.0.6", "10.1.0.7"] {
        assert_eq!(phase(&cloud, at), Phase::Cooling, "{at}");
    }
    assert_eq!(cloud.world.ledger.enis().count(), 0);
}

/// Promise: after a restore nothing is concluded from a job of the old cluster: there is none, and its addresses wait for the nodes.
#[test]
fn a_restore_forgets_jobs() {
    let mut cloud = Cloudy::new();
    let eni = cloud.in_use(&["10.1.0.5", "10.1.0.6"]);
    cloud.begin(Plan::Unassign {
        eni,
        addresses: vec![ip("10.1.0.6")],
    });
    cloud.begin(cloud.create(&["10.1.0.7"]));
    cloud.world.done(Command::Recover(Recover {
        cluster: name("another", ClusterId::new),
        kind: RecoveryKind::Restored,
        revision_jump: crate::apply::JUMP_MIN,
        unknown_nodes: false,
    }));
    assert_eq!(cloud.world.ledger.jobs().count(), 0);
    assert_eq!(cloud.world.ledger.enis().count(), 1);
    let refused = cloud.refused(cloud.create(&["10.1.0.8"]));
    assert!(matches!(refused, Refusal::Recovering { .. }), "{refused}");
}
