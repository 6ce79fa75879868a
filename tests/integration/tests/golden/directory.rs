//! The golden data directory: what a server of the release left behind when it was stopped.

use super::releases;
use berth_client::{Client, Options};
use berth_domain::event::Chain;
use berth_domain::id::{ClusterId, Revision};
use berth_domain::invariant::chain_follows;
use berth_proto::v1::*;
use berth_raft::options::Options as RaftOptions;
use berth_raft::start::{self, Start};
use berth_store::Directory;
use berth_store::directory::Options as StoreOptions;
use berth_testkit::process::{Cluster, Setup};
use berthd::codec::{decode_group, encode_group};
use berthd::history::Progress;
use berthd::replica::LedgerMachine;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

pub const ARCHIVE: &str = "directory.tar.gz";
pub const EXPECTED: &str = "directory.txt";
/// What the release's server said that pods have, one address per line.
pub const HELD: &str = "allocations.txt";

/// A copy of what is kept, to be opened and changed.
fn unpacked(release: &Path) -> (TempDir, PathBuf) {
    let folder = TempDir::with_prefix("berth-golden-").expect("a folder");
    let tar = Command::new("tar")
        .arg("--extract")
        .arg("--file")
        .arg(release.join(ARCHIVE))
        .arg("--directory")
        .arg(folder.path())
        .status();
    assert!(tar.expect("tar runs").success());
    let path = folder.path().join("directory");
    (folder, path)
}

/// What the log is known to have committed, one fact per line. The last entry may be durable and not known as committed: a
/// server that starts commits it again, so the history may be ahead.
pub fn read(path: &Path) -> String {
    let options = StoreOptions {
        ballast_bytes: 0,
        watermark_bytes: 0,
        ..StoreOptions::default()
    };
    let directory = Directory::open(path, options).expect("it opens");
    let identity = directory.identity().clone();
    let cluster = ClusterId::new(&identity.cluster_id).expect("a cluster");
    let (_, history) = directory.history().expect("the history opens");
    let through = history.through();
    let mut groups = Vec::new();
    for revision in 1..=through.revision {
        let record = history.record(revision).expect("read").expect("no gap");
        let group = decode_group(&record.body).expect("decoded");
        assert_eq!(encode_group(&group), record.body, "the bytes are the same");
        groups.push(group);
    }
    let origin = (Revision(0), Chain::default());
    let end = chain_follows(origin, &groups).expect("each hashes to its chain");
    assert_eq!(end, (Revision(through.revision), Chain(through.chain)));
    assert!(!groups.is_empty());

    let progress = Arc::new(Progress::new(Revision(through.revision)));
    let machine = LedgerMachine::new(cluster, progress);
    let raft = RaftOptions::new(identity.member_id, [1; 16], 1);
    let mut log = directory.log().expect("the log opens");
    let replica = start::open(&mut log, &Start::Recover, machine, raft).expect("it replays");
    let ledger = replica.machine().ledger();
    let then = history.record(ledger.revision().0).expect("read");
    let then = then.expect("the history has every revision that the ledger has");
    assert_eq!(then.chain, ledger.chain().0, "one chain in both");
    let snapshot = replica.status().snapshot.map(|meta| meta.index);
    format!(
        "cluster {}\nsnapshot at a later index than the bootstrap's: {}\nrevision {}\nchain {}\ndigest {}\nallocations {}\nclaims {}\n",
        ledger.cluster(),
        snapshot.is_some_and(|index| index > start::BOOTSTRAP_INDEX),
        ledger.revision(),
        super::hex(&ledger.chain().0),
        super::hex(&ledger.digest()),
        ledger.allocations_len(),
        ledger.claims_len(),
    )
}

pub fn client(cluster: &mut Cluster) -> Client {
    let endpoints = vec![cluster.members()[0].endpoint()];
    let options = Options {
        deadline: Duration::from_secs(20),
        ..Options::endpoints(&endpoints)
    };
    Client::new(options).expect("options")
}

/// Promise: every release's data directory is opened, its whole history hashes to its chain, and snapshot and log come to
/// the same revision, chain and digest.
#[test]
fn the_directory_of_every_release_comes_to_the_same() {
    for release in releases() {
        let golden = fs::read_to_string(release.join(EXPECTED)).expect("what it comes to");
        assert!(
            golden.contains("bootstrap's: true"),
            "it has a snapshot of its own"
        );
        let (_folder, path) = unpacked(&release);
        assert_eq!(read(&path), golden, "{}", release.display());
    }
}

/// The addresses that pods have.
pub async fn held(client: &Client) -> BTreeSet<String> {
    let request = ListAllocationsRequest {
        page_size: 500,
        ..ListAllocationsRequest::default()
    };
    let page = client.list_allocations(request).await.expect("read");
    assert!(page.next_page_token.is_empty(), "one page holds all");
    let rows = page.allocations.into_iter();
    rows.flat_map(|row| row.addresses).collect()
}

/// Promise: this server starts on what a release left, has all of its allocations, and gives a new pod an address that
/// nobody has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_goes_on_with_the_directory_of_every_release() {
    for release in releases() {
        let (folder, path) = unpacked(&release);
        let setup = Setup::default().on(&path);
        let started = move || Cluster::start_with(1, &setup).expect("it starts");
        let mut cluster = tokio::task::spawn_blocking(started)
            .await
            .expect("no panic");
        drop(folder);
        let client = client(&mut cluster);
        let before = held(&client).await;
        let golden = fs::read_to_string(release.join(HELD)).expect("what was there");
        assert_eq!(before, golden.lines().map(str::to_owned).collect());
        let added = client
            .allocate(super::making::add("new"))
            .await
            .expect("added");
        let after = held(&client).await;
        let new: BTreeSet<String> = added.addresses.into_iter().map(|it| it.address).collect();
        assert!(!new.is_empty() && new.is_disjoint(&before), "nobody had it");
        assert_eq!(after.len(), before.len() + new.len());
        assert!(after.is_superset(&before), "nobody lost one");
    }
}
