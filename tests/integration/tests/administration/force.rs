//! The quorum is lost for good, and the cluster goes on from one member's directory.

use crate::administrator::{berthctl, offline, word};
use crate::fleet::{Fleet, NODES};
use berth_testkit::process::{Cluster, Setup};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Copies of the members' directories, as their disks are found.
struct Lost {
    fleet: Fleet,
    directories: Vec<PathBuf>,
    folder: TempDir,
}

/// A cluster of three under load. If it is to be behind, the last member is stopped before the last allocations.
fn lost(is_behind: bool) -> Lost {
    let folder = TempDir::with_prefix("berth-lost-").expect("a folder");
    let mut cluster = Cluster::start(3).expect("a cluster");
    let mut fleet = Fleet::new(&cluster.endpoints(), "10.9.0.0/20");
    fleet.start(200);
    fleet.start_pod(NODES[0], "db-0").expect("its own");
    if is_behind {
        cluster.members()[2].kill().expect("killed");
        fleet.turn_to(&cluster.endpoints()[..2]);
        fleet.end(50);
        fleet.start(100);
    }
    let mut directories = Vec::new();
    for member in cluster.members() {
        member.kill().expect("killed");
    }
    for member in cluster.members() {
        let to = folder.path().join(member.name());
        copy(member.data(), &to);
        directories.push(to);
    }
    Lost {
        fleet,
        directories,
        folder,
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("readable") {
        let entry = entry.expect("readable");
        match entry.file_type().expect("a type").is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(fs::copy(entry.path(), to.join(entry.file_name())).expect("copied")),
        }
    }
}

fn inspected(directory: &Path) -> Value {
    offline(&["recover", "inspect", word(directory)]).good()
}

fn reach(survivor: &Value) -> (u64, u64) {
    let number = |name: &str| survivor[name].as_u64().expect("a number");
    (number("last_term"), number("last_index"))
}

/// The new cluster, after every node's report; how many sandboxes had to be adopted.
fn forced(lost: &mut Lost, from: &Path) -> (Cluster, u32) {
    let cluster = inspected(from)["cluster_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let into = lost.folder.path().join("anew");
    let force = [
        "recover",
        "force",
        word(from),
        "--into",
        word(&into),
        "--no-unknown-nodes",
    ];
    let confirm = ["--confirm", &cluster, "--reason", "two disks died"];
    let begun = offline(&[&force[..], &confirm].concat()).good();
    assert_eq!(begun["waits_for"], 2, "{begun}");
    let running = Cluster::start_with(1, &Setup::default().made(&into)).expect("it starts");
    lost.fleet.turn_to(&running.endpoints());
    assert!(lost.fleet.start_one().is_err(), "nobody has spoken");
    let mut adopted = 0;
    for node in NODES {
        let taken = lost.fleet.report(node);
        assert_eq!(taken.strays, 0, "{taken:?}");
        adopted += taken.adopted;
    }
    (running, adopted)
}

/// Promise: out of the directory that reaches farthest nothing is lost that was answered; who ordered it and why is in the
/// history; the old directory is as it was.
#[test]
fn the_best_directory_loses_nothing() {
    let mut lost = lost(false);
    let reached = |directory: &PathBuf| reach(&inspected(directory));
    let best = lost
        .directories
        .iter()
        .max_by_key(|directory| reached(directory));
    let best = best.expect("three").clone();
    let before = inspected(&best);
    let (running, adopted) = forced(&mut lost, &best);
    assert_eq!(adopted, 0, "everything was known");
    assert_eq!(lost.fleet.not_known_as_they_are(), Vec::<String>::new());
    lost.fleet.start(300);
    assert_eq!(lost.fleet.doubles, Vec::<String>::new());
    assert_eq!(inspected(&best), before, "it was only read");
    let history = berthctl(&running.endpoints()[0], &["history", "--limit", "500"]).good();
    let groups = history["events"].as_array().expect("a list");
    let ordered = groups
        .iter()
        .find(|group| group["cause"] == "recover")
        .expect("it is there");
    assert_eq!(ordered["principal"], "offline/anna", "{ordered}");
    assert_eq!(ordered["reason"], "two disks died", "{ordered}");
}

/// Promise: out of a directory that is behind, what the lost members alone knew is learnt from the nodes: nothing that
/// lives is doubled or moved.
#[test]
fn one_that_is_behind_learns_from_the_nodes() {
    let mut lost = lost(true);
    let [best, _, behind] = &lost.directories[..] else {
        panic!("three");
    };
    let behind = behind.clone();
    assert!(
        reach(&inspected(best)) > reach(&inspected(&behind)),
        "it is not behind"
    );
    let (_running, adopted) = forced(&mut lost, &behind);
    // Its last heartbeats may have been on their way when it was killed.
    assert!(
        adopted >= 100,
        "{adopted}: not those that it had not heard of"
    );
    assert_eq!(lost.fleet.not_known_as_they_are(), Vec::<String>::new());
    lost.fleet.start(300);
    assert_eq!(lost.fleet.doubles, Vec::<String>::new());
}

/// Promise: a forced recovery needs the id of the cluster that is given up, an empty place and a reason; a directory in use
/// is not read. What is refused changes nothing.
#[test]
fn a_slip_forces_nothing() {
    let lost = lost(false);
    let (from, folder) = (&lost.directories[0], lost.folder.path());
    let (into, full) = (folder.join("anew"), folder.join("full"));
    fs::create_dir(&full).expect("a folder");
    fs::write(full.join("letters"), "dear").expect("a file");
    let id = inspected(from)["cluster_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let force = |into: &Path, confirm: &str, reason: &str| {
        let words = ["recover", "force", word(from), "--into", word(into)];
        let words = [&words[..], &["--confirm", confirm, "--reason", reason]].concat();
        offline(&words).refused()
    };
    let said = force(&into, "another", "two disks died");
    assert!(said.contains(&id) && said.contains("another"), "{said}");
    let said = force(&full, &id, "two disks died");
    assert!(said.contains("is not empty (letters is in it)"), "{said}");
    let said = force(&into, &id, " ");
    assert!(said.contains("--reason is empty"), "{said}");
    let nothing = folder.join("nothing");
    let words = ["recover", "force", word(&nothing), "--plan"];
    assert!(offline(&words).refused().contains("nothing"));
    assert!(!into.exists() && !nothing.exists(), "nothing was made");
    let running = Cluster::dev().expect("a server");
    let mut running = running;
    let used = running.members()[0].data().to_owned();
    let said = offline(&["recover", "inspect", word(&used)]).refused();
    assert!(said.contains("in use by process"), "{said}");
}
