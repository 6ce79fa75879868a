//! Backups of clusters that go on, and of clusters that were restored.

use crate::administrator::{berthctl, offline, word};
use crate::fleet::{Fleet, NODES};
use berth_testkit::process::{Cluster, Setup};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn save(endpoint: &str, file: &Path) -> u64 {
    let saved = berthctl(endpoint, &["snapshot", "save", word(file)]).good();
    saved["revision"].as_u64().expect("a revision")
}

fn restore(file: &Path, into: &Path) {
    let restore = ["snapshot", "restore", word(file), "--into", word(into)];
    let why = ["--no-unknown-nodes", "--reason", "again"];
    offline(&[&restore[..], &why].concat()).good();
}

/// Promise: while pods come and go, each backup is of one moment, whole, and later than the one before; any member's
/// endpoint will do.
#[test]
fn a_backup_is_of_one_moment() {
    let folder = TempDir::with_prefix("berth-backup-").expect("a folder");
    let cluster = Cluster::start(3).expect("a cluster");
    let endpoints = cluster.endpoints();
    let mut fleet = Fleet::new(&endpoints, "10.8.0.0/20");
    let files: Vec<PathBuf> = (0..4)
        .map(|number| folder.path().join(number.to_string()))
        .collect();
    let (asked, saved) = (endpoints.clone(), files.clone());
    let saving = std::thread::spawn(move || {
        let members = asked.iter().cycle();
        let saved = saved.iter().zip(members);
        saved
            .map(|(file, endpoint)| save(endpoint, file))
            .collect::<Vec<u64>>()
    });
    while !saving.is_finished() {
        fleet.start(20);
        fleet.end(10);
    }
    let revisions = saving.join().expect("saved");
    assert!(
        revisions.is_sorted_by(|one, next| one < next),
        "{revisions:?}"
    );
    for (file, revision) in files.iter().zip(revisions) {
        let contents = offline(&["snapshot", "inspect", word(file)]).good();
        assert_eq!(
            (&contents["revision"], &contents["replayed"]),
            (&revision.into(), &true.into())
        );
    }
}

/// Promise: a restored cluster is backed up and restored like any other: its history goes over the jump, and ids and
/// revisions only rise.
#[test]
fn a_restored_cluster_is_restored_again() {
    let folder = TempDir::with_prefix("berth-again-").expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let cluster = Cluster::dev().expect("a server");
    let mut fleet = Fleet::new(&cluster.endpoints(), "10.8.0.0/24");
    fleet.start(20);
    let mut before = save(&cluster.endpoints()[0], &path("first"));
    drop(cluster);
    for (from, to, data) in [("first", "second", "one"), ("second", "third", "two")] {
        restore(&path(from), &path(data));
        let cluster =
            Cluster::start_with(1, &Setup::default().made(&path(data))).expect("it starts");
        let endpoint = cluster.endpoints()[0].clone();
        fleet.turn_to(&cluster.endpoints());
        for node in NODES {
            fleet.report(node);
        }
        fleet.start(20);
        fleet.end(5);
        let revision = save(&endpoint, &path(to));
        assert!(revision > before + (1 << 40), "{revision} after {before}");
        before = revision;
        let contents = offline(&["snapshot", "inspect", word(&path(to))]).good();
        assert_eq!(contents["replayed"], true, "{contents}");
        assert_eq!(contents["history_first_revision"], 1, "{contents}");
    }
    assert_eq!(fleet.doubles, Vec::<String>::new());
}
