//! The drill: a cluster of three goes on for a thousand allocations after its backup, is lost, and is restored.

use crate::administrator::{berthctl, offline, word};
use crate::fleet::{Fleet, NODES};
use berth_client::Error;
use berth_proto::v1::RefusalCode;
use berth_testkit::process::{Cluster, Setup};
use tempfile::TempDir;

/// What came of it.
struct Drill {
    fleet: Fleet,
    cluster: Cluster,
    /// ADDs that were asked for before the nodes had spoken, and how many of them were refused for that reason.
    early: (usize, usize),
    before: Vec<(String, String)>,
    strays: u32,
    _folder: TempDir,
}

const BACKED_UP: usize = 400;
const AFTERWARDS: usize = 1_000;
const EARLY: usize = 30;

fn lost_and_restored(setup: Setup) -> Drill {
    let folder = TempDir::with_prefix("berth-drill-").expect("a folder");
    let (file, data) = (
        folder.path().join("berth.snapshot"),
        folder.path().join("anew"),
    );
    let mut cluster = Cluster::start(3).expect("a cluster");
    let mut fleet = Fleet::new(&cluster.endpoints(), "10.8.0.0/20");
    fleet.start(BACKED_UP);
    for number in 0..5 {
        let pod = format!("db-{number}");
        fleet.start_pod(NODES[0], &pod).expect("its own");
    }
    let saved = berthctl(&cluster.endpoints()[0], &["snapshot", "save", word(&file)]);
    let saved = saved.good()["revision"].as_u64().expect("a revision");
    // What the backup has and what lives part: ends, restarts and starts.
    fleet.end(BACKED_UP / 4);
    fleet.start(AFTERWARDS);
    for number in 5..10 {
        let pod = format!("db-{number}");
        fleet.start_pod(NODES[1], &pod).expect("its own");
    }
    let before = (0..10).map(|number| format!("db-{number}"));
    let before = before.map(|pod| (fleet.address_of(&pod).expect("it lives").to_owned(), pod));
    let before: Vec<(String, String)> = before.collect();
    drop(cluster);

    let inspected = offline(&["snapshot", "inspect", word(&file)]).good();
    assert_eq!(inspected["revision"], saved);
    assert_eq!(inspected["replayed"], true);
    let plan = offline(&["snapshot", "restore", word(&file), "--plan"]).good();
    assert_eq!(
        plan["waits_for"].as_array().map(Vec::len),
        Some(2),
        "{plan}"
    );
    let restore = ["snapshot", "restore", word(&file), "--into", word(&data)];
    let why = ["--reason", "a drill"];
    let restored = offline(&[&restore[..], &why].concat()).good();
    assert!(
        restored["revision"].as_u64() > Some(saved + (1 << 40)),
        "{restored}"
    );

    cluster = Cluster::start_with(1, &setup.made(&data)).expect("the restored one");
    fleet.turn_to(&cluster.endpoints());
    let mut early = (0, 0);
    for _ in 0..EARLY {
        early.0 += 1;
        match fleet.start_one() {
            Err(error) if is_recovering(&error) => early.1 += 1,
            Err(error) => panic!("refused otherwise: {error}"),
            Ok(()) => {}
        }
    }
    let mut strays = 0;
    for node in NODES {
        strays += fleet.report(node).strays;
    }
    let endpoint = cluster.endpoints()[0].clone();
    let unknown = [
        "recover",
        "confirm",
        "--unknown-nodes",
        "--reason",
        "a drill",
    ];
    berthctl(&endpoint, &unknown).good();
    Drill {
        fleet,
        cluster,
        early,
        before,
        strays,
        _folder: folder,
    }
}

fn is_recovering(error: &Error) -> bool {
    let refusal = error.refusal();
    refusal.is_some_and(|refusal| refusal.code() == RefusalCode::Recovering)
}

/// Promise: a backup, a thousand allocations more, a restore: nothing that lives loses its address or shares it, every
/// static one is with its pod, and new ones are given out once every node has spoken, in a cluster of three again.
#[test]
fn a_restore_doubles_nothing() {
    let mut drill = lost_and_restored(Setup::default());
    assert_eq!(drill.strays, 0);
    assert_eq!(
        drill.early,
        (EARLY, EARLY),
        "given out before the nodes spoke"
    );
    let fleet = &mut drill.fleet;
    assert_eq!(fleet.not_known_as_they_are(), Vec::<String>::new());
    drill.cluster.join().expect("a second member");
    drill.cluster.join().expect("a third member");
    fleet.turn_to(&drill.cluster.endpoints());
    fleet.start(AFTERWARDS);
    assert_eq!(fleet.doubles, Vec::<String>::new());
    for (address, pod) in &drill.before {
        assert_eq!(fleet.address_of(pod), Some(address.as_str()), "{pod}");
    }
    let endpoint = &drill.cluster.endpoints()[0];
    let state = berthctl(endpoint, &["recover", "status"]).good();
    assert_eq!(state["recovery"]["open"], false, "{state}");
    let check = berthctl(endpoint, &["check"]).good();
    println!("{} live, 0 doubles; {check}", fleet.live.len());
}

/// Negative control: where the ledger gives out before the nodes have spoken, the same drill finds doubles.
#[cfg(feature = "root-tests")]
#[test]
fn grants_right_after_a_restore_are_found() {
    let planted = Setup::default().program("berthd-planted");
    let planted = planted.variable("BERTH_PLANTED", "grants-after-restore");
    let drill = lost_and_restored(planted);
    let early = drill.early;
    assert!(
        !drill.fleet.doubles.is_empty(),
        "the control controls nothing: {early:?}"
    );
    println!("{} doubles", drill.fleet.doubles.len());
}
