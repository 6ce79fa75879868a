use crate::apply::testing::*;
use crate::event::{Chain, EventGroup, Writer, chained};
use crate::id::*;
use crate::row::*;
use std::sync::Arc;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn group(changes: Vec<Change>) -> EventGroup {
    EventGroup {
        revision: Revision(7),
        ledger_time_ms: 1_000,
        wall_time_ms: 1_700_000_000_000,
        principal: name("node/worker-1", Principal::new),
        request_id: name("", RequestId::new),
        trace_id: Some([9; 16]),
        cause: "bind",
        reason: name("", Reason::new),
        changes,
        chain: Chain::default(),
    }
}

fn eni_and_job() -> (Eni, Job) {
    let eni = Eni {
        number: EniNumber(9),
        id: Some(name("eni-1", EniId::new)),
        mac: Some(name("00:16:3e:00:00:01", MacAddress::new)),
        node: NodeId(2),
        vswitch: VSwitchId(1),
        kind: EniKind::Trunk,
        security_groups: vec![name("sg-1", SecurityGroup::new)],
        primary: ip("10.0.0.5"),
        state: EniState::InUse,
    };
    let job = Job {
        id: JobId::of(Revision(9), 1),
        node: eni.node,
        vswitch: eni.vswitch,
        eni: eni.number,
        work: Work::Unassign,
        addresses: vec![ip("10.0.0.6")],
        step: Step::AwaitUnassigned,
        attempt: 2,
        began_ms: 3,
        step_since_ms: 4,
        doubt_until_ms: Some(5),
        trouble: Some(Cause::Unknown),
    };
    (eni, job)
}

/// One change of every kind, every variant of an address's state.
fn changes() -> Vec<Change> {
    let (node, eni) = (NodeId(2), name("eni-1", EniId::new));
    let key = Arc::new(key("a"));
    let bound = AddressState::Bound {
        node,
        key: key.clone(),
        generation: Generation(7),
    };
    let cooling = |eni: Option<EniId>| AddressState::Cooling {
        until_ms: 5,
        node: eni.as_ref().map(|_| node),
        eni,
    };
    let states = [
        AddressState::Free { since: Revision(3) },
        AddressState::Reserved {
            node,
            job: JobId(64),
        },
        AddressState::Idle { node, eni: None },
        bound,
        cooling(None),
        cooling(Some(eni.clone())),
        AddressState::Releasing {
            node: Some(node),
            job: JobId(64),
        },
        AddressState::Held { claim: ClaimId(4) },
        AddressState::Disputed { claim: ClaimId(4) },
        AddressState::Quarantined { since: Revision(3) },
        AddressState::Foreign,
        AddressState::Excluded,
    ];
    let mut world = World::new();
    world.bind(world.add("a", "10.0.0.5"));
    world.claim("10.0.0.9", Policy::Ttl { ttl_ms: 5 });
    world.bind(world.add_static("b", "10.0.0.9"));
    world.release(world.del("b"));
    let member = Member {
        id: MemberId(1),
        name: name("berth-1", NodeName::new),
        client_endpoint: name("http://127.0.0.1:7400", Endpoint::new),
        peer_endpoint: name("http://127.0.0.1:7401", Endpoint::new),
        store: [3; 16],
        stays_learner: false,
    };
    let (id, after) = (member.id, Some(Arc::new(member)));
    let rows = world.groups.into_iter().flat_map(|group| group.changes);
    let states = states
        .into_iter()
        .map(|state| Change::address(VSwitchId(1), ip("fd00::5"), None, Some(state)));
    let (eni, job) = eni_and_job();
    let (number, eni) = (eni.number, Some(Arc::new(eni)));
    let made = Change::Eni {
        number,
        before: None,
        after: eni,
    };
    let (job_id, job) = (job.id, Some(Arc::new(job)));
    let begun = Change::Job {
        id: job_id,
        before: None,
        after: job,
    };
    states
        .chain(rows)
        .chain([made, begun])
        .chain([Change::Member {
            id,
            before: None,
            after,
        }])
        .collect()
}

/// Promise: the bytes of a small group, written out; they never change.
#[test]
fn the_layout() {
    let change = Change::address(
        VSwitchId(1),
        ip("10.0.0.5"),
        Some(AddressState::Held { claim: ClaimId(4) }),
        None,
    );
    let mut bytes = Vec::new();
    Writer { bytes: &mut bytes }.group(&group(vec![change]));
    let expected = [
        "0700000000000000",                   // revision
        "e803000000000000",                   // ledger time
        "0068e5cf8b010000",                   // wall time
        "0d0000006e6f64652f776f726b65722d31", // "node/worker-1"
        "00000000",                           // no request id
        "0109090909090909090909090909090909", // a trace id
        "0400000062696e64",                   // "bind"
        "00000000",                           // no reason
        "01000000",                           // one change
        "000100000000000000",                 // of an address of vSwitch 1
        "040a000005",                         // 10.0.0.5
        "01060400000000000000",               // before: held for claim 4
        "00",                                 // after: nothing
    ];
    assert_eq!(hex(&bytes), expected.concat());
}

/// Promise (A18, H3): a group with every kind of change hashes to the same chain for ever, on every version.
#[test]
fn the_chain_is_golden() {
    let chain = chained(&Chain([1; 32]), &group(changes()), &mut Vec::new());
    assert_eq!(hex(&chain.0), GOLDEN);
}
const GOLDEN: &str = "f1f3485505a56c2842893f87ffa75e339f35d997a74af4c4074335e04b2655d6";

/// Promise: a member that stays a learner hashes otherwise than one that does not.
#[test]
fn a_vote_shows() {
    let member = |stays_learner| {
        let row = Member {
            id: MemberId(1),
            name: name("berth-1", NodeName::new),
            client_endpoint: name("http://127.0.0.1:7400", Endpoint::new),
            peer_endpoint: name("http://127.0.0.1:7401", Endpoint::new),
            store: [3; 16],
            stays_learner,
        };
        let (id, after) = (row.id, Some(Arc::new(row)));
        let change = Change::Member {
            id,
            before: None,
            after,
        };
        chained(&Chain::default(), &group(vec![change]), &mut Vec::new())
    };
    assert_ne!(member(true), member(false));
}

/// Promise (negative control): whatever differs, the chain differs, the chain before it included.
#[test]
fn any_difference_shows() {
    let first = chained(&Chain::default(), &group(changes()), &mut Vec::new());
    assert_ne!(
        first,
        chained(&Chain([1; 32]), &group(changes()), &mut Vec::new())
    );
    let all = changes();
    for at in 0..all.len() {
        let mut fewer = all.clone();
        fewer.remove(at);
        assert_ne!(
            first,
            chained(&Chain::default(), &group(fewer), &mut Vec::new()),
            "{:?}",
            all[at]
        );
    }
}

/// Promise (A18, H3): so does one with what a recovery brings, for ever.
#[test]
fn the_chain_of_a_recovery_is_golden() {
    let row = Recovery {
        number: 1,
        kind: RecoveryKind::Forced,
        former: name("old", ClusterId::new),
        cluster: name("new", ClusterId::new),
        follows: Revision(7),
        began: Revision(1_000_008),
        began_ms: 5,
        began_wall_ms: 6,
        ordered_by: name("admin/anna", Principal::new),
        reason: name("two disks lost", Reason::new),
        waiting: [UNKNOWN_NODES, NodeId(2)].into(),
        closed: Some(Revision(1_000_009)),
    };
    let stray = Stray {
        key: Arc::new(key("a")),
        node: NodeId(2),
        boot: name("boot-1", BootId::new),
        invoked_at_ms: 9,
        pod: World::new().add("a", "10.0.0.5").pod,
        addresses: vec![ip("10.0.0.5"), ip("fd00::5")],
        cause: StrayCause::BoundElsewhere,
        since: Revision(1_000_008),
    };
    let changes = vec![
        Change::Recovery {
            before: None,
            after: Some(Arc::new(row)),
        },
        Change::OwedReport {
            node: NodeId(2),
            before: true,
            after: false,
        },
        Change::Stray {
            node: NodeId(2),
            key: stray.key.clone(),
            before: Some(Arc::new(stray)),
            after: None,
        },
    ];
    let chain = chained(&Chain([1; 32]), &group(changes), &mut Vec::new());
    assert_eq!(hex(&chain.0), GOLDEN_RECOVERY);
}
const GOLDEN_RECOVERY: &str = "6c9fe988f7788162fe9907578626d3fb32c90c69e50017955d1d35d616f6590e";
