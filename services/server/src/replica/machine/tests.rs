//! The ledger as raft's state machine.

use super::*;
use crate::codec::{Entry, encode_entry};
use crate::engine::samples::{create_vswitch, register_node};
use berth_domain::command::{FactsVersion, Header};
use berth_domain::id::Revision;
use berth_domain::version::BASE;
use std::sync::mpsc;
use std::time::Duration;

fn cluster() -> ClusterId {
    ClusterId::new("test").expect("a name")
}

fn machine() -> (LedgerMachine, Arc<Progress>) {
    let progress = Arc::new(Progress::new(Revision(0)));
    (
        LedgerMachine::new(cluster(), Arc::clone(&progress)),
        progress,
    )
}

fn entry(batch: u64, proposals: Vec<Proposal>) -> Vec<u8> {
    encode_entry(&Entry {
        header: Header {
            ledger_time_ms: batch,
            wall_time_ms: batch,
        },
        leader_boot: [4; 16],
        batch,
        proposals,
        version: BASE,
    })
}

/// Promise: an entry says who proposed it and answers each command; a refused one makes no group.
#[test]
fn an_entry_is_applied() {
    let (mut machine, _) = machine();
    let create = || create_vswitch("a", "10.0.0.0/24", 0);
    let data = entry(3, vec![create(), create(), register_node("n1", 0)]);
    let effect = machine.apply(9, &data).expect("applied");
    assert_eq!((effect.leader_boot, effect.batch), ([4; 16], 3));
    let done: Vec<bool> = effect
        .answers
        .iter()
        .map(|answer| answer.result.is_ok())
        .collect();
    assert_eq!(done, [true, false, true]);
    assert_eq!(effect.groups.len(), 2);
    assert_eq!(machine.ledger().revision(), Revision(2));
}

/// Promise: bytes that this version cannot read stop the replica, and say at which index.
#[test]
fn an_unreadable_entry_stops() {
    let (mut machine, _) = machine();
    let before = machine.digest();
    let error = machine.apply(7, b"no entry").expect_err("stops");
    assert_eq!(error.index, 7);
    assert_eq!(machine.digest(), before);
}

/// Promise: a snapshot is not finished before the history that it covers is durable, and restores to the same state.
#[test]
fn a_snapshot_waits_for_the_history() {
    let (mut machine, progress) = machine();
    machine
        .apply(6, &entry(1, vec![create_vswitch("a", "10.0.0.0/24", 0)]))
        .expect("applied");
    let chunks = LedgerMachine::encode(machine.freeze());
    let (done, taken) = mpsc::channel();
    let thread =
        std::thread::spawn(move || done.send(chunks.collect::<Vec<_>>()).expect("listens"));
    // It says that it waits, and is not done: the history knows nothing yet.
    while !progress.is_awaited() {
        std::thread::yield_now();
    }
    assert!(taken.try_recv().is_err());
    progress.reach(Revision(1), 1);
    let chunks = taken
        .recv_timeout(Duration::from_secs(10))
        .expect("encoded");
    thread.join().expect("ended");

    let (mut other, _) = self::machine();
    other
        .restore(6, &mut chunks.clone().into_iter())
        .expect("restored");
    assert_eq!(other.digest(), machine.digest());
    let restored = other
        .restored()
        .lock()
        .expect("whole")
        .take()
        .expect("told");
    assert_eq!(
        (restored.place.index, restored.place.revision),
        (6, Revision(1))
    );

    let stranger = ClusterId::new("stranger").expect("a name");
    let mut stranger = LedgerMachine::new(stranger, progress);
    assert!(
        stranger.restore(6, &mut chunks.into_iter()).is_err(),
        "of another cluster"
    );
}

/// Promise: a new leader knows which clusters' binds are decided on facts. Repeats, binds of claims that there are, and
/// sandboxes without a pod are not, and say nothing about it; a new dynamic bind of a pod without facts does.
#[test]
fn clusters_with_facts_are_remembered() {
    use crate::engine::samples::add;
    let (mut machine, _) = machine();
    let furniture = vec![
        create_vswitch("a", "10.0.0.0/24", 0),
        register_node("n1", 0),
    ];
    machine.apply(5, &entry(1, furniture)).expect("applied");
    let bind = |container: &str, last: u8, facts: Option<FactsVersion>| {
        let request = add(container, "n1");
        let bind = Bind {
            parameters: request.parameters(),
            key: request.key,
            node: berth_domain::id::NodeId(2),
            boot: request.boot,
            invoked_at_ms: 1,
            pod: request.pod,
            vswitch: berth_domain::id::VSwitchId(1),
            eni: None,
            addresses: vec![std::net::Ipv4Addr::new(10, 0, 0, last).into()],
            claim: BindClaim::None,
        };
        crate::node::message::proposal(&request.principal, None, facts, Command::Bind(bind))
    };
    let with = Some(FactsVersion {
        epoch: 1,
        version: 1,
    });
    let mut nameless = bind("c2", 2, None);
    if let Command::Bind(bind) = &mut nameless.command {
        bind.pod = berth_domain::id::PodIdentity {
            namespace: berth_domain::id::Namespace::new("").expect("allowed"),
            name: berth_domain::id::PodName::new("").expect("allowed"),
            uid: berth_domain::id::PodUid::new("").expect("allowed"),
        };
    }
    let steps = [
        (bind("c1", 1, with), 1),
        (bind("c1", 1, None), 1),
        (nameless, 1),
        (bind("c3", 1, None), 1),
        (bind("c3", 3, None), 0),
        (bind("c4", 4, with), 1),
    ];
    for (index, (proposal, known)) in (6..).zip(steps) {
        let described = format!("{proposal:?}");
        machine
            .apply(index, &entry(index, vec![proposal]))
            .expect("applied");
        assert_eq!(machine.with_facts().len(), known, "{described}");
    }

    // A restart goes on from a snapshot, with nothing of the log behind it.
    machine.history.reach(machine.ledger().revision(), 0);
    let mut chunks = LedgerMachine::encode(machine.freeze());
    let mut restarted = self::machine().0;
    restarted.restore(12, &mut chunks).expect("restored");
    assert_eq!(restarted.with_facts(), machine.with_facts());
    assert_eq!(restarted.digest(), machine.digest());
}
