//! Three replicas as processes.

use crate::harness::*;
use berth_proto::v1::{self, RefusalCode};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};
use tonic::transport::Endpoint;

/// A cluster's ports, and the flags of each of its replicas.
pub struct Plan {
    folder: tempfile::TempDir,
    ports: Vec<[u16; 3]>,
}

// === impl Plan ===

impl Plan {
    pub fn new(count: usize) -> Self {
        // All are bound at once, so that no port comes twice.
        let bound: Vec<TcpListener> = (0..count * 3)
            .map(|_| TcpListener::bind("127.0.0.1:0").expect("a port"))
            .collect();
        let ports: Vec<u16> = bound
            .iter()
            .map(|listener| listener.local_addr().expect("bound").port())
            .collect();
        let ports = ports
            .chunks(3)
            .map(|chunk| [chunk[0], chunk[1], chunk[2]])
            .collect();
        Self {
            folder: directory(),
            ports,
        }
    }

    pub fn data(&self, place: usize) -> String {
        self.folder
            .path()
            .join(format!("data-{place}"))
            .display()
            .to_string()
    }

    /// Replica `place`; `members` of the plan are in its list.
    pub fn spawn(&self, place: usize, members: usize, more: &[&str]) -> Berthd {
        let [client, peer, metrics] = self.ports[place].map(|port| format!("127.0.0.1:{port}"));
        let (name, data) = (format!("berth-{place}"), self.data(place));
        let list: Vec<String> = (0..members)
            .map(|place| {
                let [client, peer, _] = self.ports[place];
                format!("name=berth-{place},client=http://127.0.0.1:{client},peer=http://127.0.0.1:{peer}")
            })
            .collect();
        let mut flags = vec![
            "--name",
            &name,
            "--data-dir",
            &data,
            "--listen-client",
            &client,
            "--listen-peer",
            &peer,
            "--listen-metrics",
            &metrics,
            "--ballast-mib",
            "0",
        ];
        flags.extend(list.iter().flat_map(|member| ["--member", member]));
        flags.extend(more);
        Berthd::spawn(&flags)
    }

    pub fn begin(&self) -> Vec<Berthd> {
        let mut all: Vec<Berthd> = (0..3)
            .map(|place| self.spawn(place, 3, &["--bootstrap"]))
            .collect();
        all.iter_mut().for_each(Berthd::until_ready);
        all
    }

    pub fn peer(&self, place: usize) -> String {
        format!("http://127.0.0.1:{}", self.ports[place][1])
    }

    pub fn client(&self, place: usize) -> String {
        format!("http://127.0.0.1:{}", self.ports[place][0])
    }
}

/// The place of the leader among these, once they have one that serves.
pub async fn leader(all: &[&Berthd]) -> usize {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        for (place, berthd) in all.iter().enumerate() {
            if status(berthd)
                .await
                .is_some_and(|status| status.role == "leader")
            {
                return place;
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("no leader");
}

pub async fn status(berthd: &Berthd) -> Option<v1::ClusterStatusResponse> {
    let channel = Endpoint::from_shared(berthd.client.clone())
        .expect("an endpoint")
        .connect()
        .await
        .ok()?;
    let mut admin = v1::admin_client::AdminClient::new(channel);
    admin
        .cluster_status(v1::ClusterStatusRequest {})
        .await
        .ok()
        .map(tonic::Response::into_inner)
}

pub async fn until(
    berthd: &Berthd,
    what: &str,
    holds: impl Fn(&v1::ClusterStatusResponse) -> bool,
) {
    let end = Instant::now() + PATIENCE;
    let mut last = None;
    while Instant::now() < end {
        last = status(berthd).await;
        if last.as_ref().is_some_and(&holds) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{what} never came; last {last:?}");
}

/// Promise: followers name the leader; after a kill -9 of the leader another serves, and nothing acknowledged is lost.
#[tokio::test]
async fn a_leader_is_killed() {
    let plan = Plan::new(3);
    let mut all = plan.begin();
    let first = leader(&all.iter().collect::<Vec<_>>()).await;
    world(&mut all[first].admin().await, "10.0.3.0/24").await;
    let one = all[first]
        .allocator()
        .await
        .allocate(add("one"))
        .await
        .expect("an address")
        .into_inner();

    let follower = (first + 1) % 3;
    let status = all[follower]
        .allocator()
        .await
        .allocate(add("two"))
        .await
        .expect_err("it does not lead");
    let hint = refusal(&status);
    assert_eq!(
        (hint.code(), hint.leader_endpoint),
        (RefusalCode::NotLeader, all[first].client.clone())
    );

    all.remove(first).kill();
    let second = leader(&all.iter().collect::<Vec<_>>()).await;
    let mut allocator = all[second].allocator().await;
    let again = allocator
        .allocate(add("one"))
        .await
        .expect("the same")
        .into_inner();
    assert_eq!(
        (again.addresses, again.created),
        (one.addresses.clone(), false)
    );
    let two = allocator
        .allocate(add("two"))
        .await
        .expect("another")
        .into_inner();
    assert_ne!(two.addresses, one.addresses);

    let mut back = plan.spawn(first, 3, &[]);
    back.until_ready();
    let head = self::status(&all[second]).await.expect("a status");
    until(&back, "the killed one catching up", |status| {
        status.revision >= head.revision
    })
    .await;
    assert_eq!(
        self::status(&back).await.expect("a status").chain_head,
        head.chain_head
    );
}

/// Promise: from the moment at which a fresh follower knows its leader it names the leader's endpoint, and a client that
/// knows only this follower is served.
#[tokio::test]
async fn a_client_may_know_only_a_fresh_follower() {
    let plan = Plan::new(3);
    let mut all: Vec<Berthd> = (0..3)
        .map(|place| plan.spawn(place, 3, &["--bootstrap"]))
        .collect();
    for (place, berthd) in all.iter_mut().enumerate() {
        berthd.client = format!("http://127.0.0.1:{}", plan.ports[place][0]);
    }
    let (follower, then) = loop {
        let mut follower = None;
        for berthd in &all {
            let follows = |now: &v1::ClusterStatusResponse| {
                now.leader_id != 0 && now.leader_id != now.member_id
            };
            let known = status(berthd).await.filter(follows);
            follower = known.map(|now| (berthd, now)).or(follower);
        }
        if let Some(follower) = follower {
            break follower;
        }
        tokio::task::yield_now().await;
    };
    let refused = follower.allocator().await.allocate(add("one")).await;
    let hint = refusal(&refused.expect_err("it does not lead"));
    // A leader that was lost in the meantime is none to name.
    let now = status(follower).await.expect("a status");
    if (now.term, now.leader_id) == (then.term, then.leader_id) {
        let endpoints: Vec<&str> = all.iter().map(|berthd| berthd.client.as_str()).collect();
        assert!(
            endpoints.contains(&hint.leader_endpoint.as_str()),
            "{hint:?}"
        );
    }
    let options = berth_client::Options::endpoints([&follower.client]);
    let client = berth_client::Client::new(options).expect("an endpoint");
    client
        .register_node(node("worker-1"))
        .await
        .expect("the leader is found");
}

/// Promise: SIGTERM hands the leadership over first: another leads at once, and the ADD after it is served. Its end waits for
/// callers, of whom there are none, and not for the other replicas' streams, which have no end.
// The clients go on while this thread waits for the end: a connection whose client stands still is waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_leader_hands_over() {
    let plan = Plan::new(3);
    let mut all = plan.begin();
    let first = leader(&all.iter().collect::<Vec<_>>()).await;
    world(&mut all[first].admin().await, "10.0.3.0/24").await;
    let (success, said) = all.remove(first).stop();
    assert!(success && said.contains("handed over"), "{said}");
    assert!(!said.contains("are cut off"), "{said}");
    let second = leader(&all.iter().collect::<Vec<_>>()).await;
    all[second]
        .allocator()
        .await
        .allocate(add("one"))
        .await
        .expect("an address");
}

/// Promise: a replica wiped and begun again under its old id is refused by the others, with a line that says --rejoin;
/// with --rejoin it comes back as a new member in the old one's place.
#[tokio::test]
async fn a_wiped_replica_must_rejoin() {
    let plan = Plan::new(3);
    let all = plan.begin();
    let first = leader(&all.iter().collect::<Vec<_>>()).await;
    world(&mut all[first].admin().await, "10.0.3.0/24").await;
    let wiped = (first + 1) % 3;
    let old = status(&all[wiped]).await.expect("a status").member_id;
    // The others keep their places in the plan; `all` holds those that run.
    let mut all: BTreeMap<usize, Berthd> = all.into_iter().enumerate().collect();
    all.remove(&wiped).expect("it runs").kill();
    let mut leader = all.remove(&first).expect("it runs");
    std::fs::remove_dir_all(plan.data(wiped)).expect("wiped");

    let (success, said) = plan.spawn(wiped, 3, &[]).ended();
    assert!(!success && said.contains("--rejoin"), "{said}");
    assert!(
        !Path::new(&plan.data(wiped)).join("identity").exists(),
        "nothing was made"
    );

    let (success, said) = plan.spawn(wiped, 3, &["--bootstrap"]).ended();
    assert!(!success && said.contains("--rejoin"), "{said}");
    // Whichever it hears first: that its store is another, or what the leader knows its log to hold.
    if said.contains("another store") {
        let line = leader.until("turned a replica away");
        assert!(line.contains("--rejoin"), "{line}");
    } else {
        assert!(said.contains("rolled back or emptied"), "{said}");
    }

    let mut back = plan.spawn(wiped, 3, &["--rejoin"]);
    back.until_ready();
    let id = status(&back).await.expect("a status").member_id;
    assert_ne!(id, old, "it is a new member");
    until(&leader, "the new member's vote", |status| {
        let voters: Vec<u64> = status
            .members
            .iter()
            .filter(|member| member.role == "voter")
            .map(|member| member.id)
            .collect();
        voters.len() == 3 && voters.contains(&id) && !voters.contains(&old)
    })
    .await;
    let head = status(&leader).await.expect("a status");
    until(&back, "the new member catching up", |status| {
        status.revision >= head.revision
    })
    .await;
    assert_eq!(
        plan.peer(wiped),
        status(&back)
            .await
            .and_then(|status| {
                status
                    .members
                    .into_iter()
                    .find(|member| member.id == id)
                    .map(|member| member.peer_endpoint)
            })
            .expect("it is a member")
    );
    drop(all);
}

/// Promise: a replica whose log is damaged refuses to start, says --rejoin and touches nothing; with --rejoin the damaged
/// directory is set aside, whole, and it comes back as a learner of another id, and gets its vote.
#[tokio::test]
async fn a_damaged_replica_must_rejoin() {
    let plan = Plan::new(3);
    let mut all = plan.begin();
    let first = leader(&all.iter().collect::<Vec<_>>()).await;
    world(&mut all[first].admin().await, "10.0.3.0/24").await;
    let damaged = (first + 1) % 3;
    let old = status(&all[damaged]).await.expect("a status").member_id;
    all.remove(damaged).kill();
    let file = Path::new(&plan.data(damaged)).join("log/db");
    let mut bytes = std::fs::read(&file).expect("its log");
    bytes[..65_536].fill(0xa5);
    std::fs::write(&file, &bytes).expect("damaged");

    let (success, said) = plan.spawn(damaged, 3, &[]).ended();
    assert!(
        !success && said.contains("damaged") && said.contains("--rejoin"),
        "{said}"
    );
    assert!(!said.contains("panicked"), "{said}");
    assert!(
        std::fs::read(&file).expect("its log") == bytes,
        "it was touched"
    );

    let mut back = plan.spawn(damaged, 3, &["--rejoin"]);
    back.until_ready();
    let aside = format!("{}.set-aside-1", plan.data(damaged));
    assert!(std::fs::read(Path::new(&aside).join("log/db")).expect("set aside") == bytes);
    let now = status(&back).await.expect("a status");
    assert_ne!(now.member_id, old, "it is a new member");
    until(&back, "its vote", |status| {
        let voters = status
            .members
            .iter()
            .filter(|member| member.role == "voter");
        let voters: Vec<u64> = voters.map(|member| member.id).collect();
        voters.len() == 3 && voters.contains(&now.member_id) && !voters.contains(&old)
    })
    .await;
}

/// Promise: a new replica joins a running cluster, gets ledger and history, and its vote.
#[tokio::test]
async fn a_new_replica_joins() {
    let plan = Plan::new(2);
    // Absurdly small, so that the log is long gone and the newcomer needs a snapshot and the older history.
    let small = [
        "--snapshot-every-entries",
        "5",
        "--snapshot-keep-entries",
        "1",
    ];
    let mut first = plan.spawn(0, 1, &[&["--bootstrap"], &small[..]].concat());
    first.until_ready();
    world(&mut first.admin().await, "10.0.3.0/24").await;
    for number in 0..40 {
        let mut allocator = first.allocator().await;
        allocator
            .allocate(add(&format!("pod-{number}")))
            .await
            .expect("an address");
    }
    until(&first, "a compacted log", |status| status.first_index > 10).await;
    let mut second = plan.spawn(1, 0, &["--join", &plan.peer(0)]);
    second.until_ready();
    until(&first, "two voters", |status| {
        status
            .members
            .iter()
            .filter(|member| member.role == "voter")
            .count()
            == 2
    })
    .await;
    let head = status(&first).await.expect("a status");
    until(&second, "ledger and history", |status| {
        status.revision >= head.revision && status.history_through_revision >= head.revision
    })
    .await;
    let of = |status: v1::ClusterStatusResponse| (status.cluster_id, status.chain_head);
    let (ours, theirs) = (status(&first).await, status(&second).await);
    assert_eq!(of(theirs.expect("a status")), of(ours.expect("a status")));
    let mut digests = Vec::new();
    for berthd in [&first, &second] {
        let digest = berthd
            .admin()
            .await
            .ledger_digest(v1::LedgerDigestRequest {})
            .await;
        digests.push(digest.expect("a digest").into_inner().digest);
    }
    assert_eq!(digests[0], digests[1]);
    // The older groups came from the other replica, not from the log.
    let watch = v1::WatchHistoryRequest { after_revision: 0 };
    let mut watch = second
        .admin()
        .await
        .watch_history(watch)
        .await
        .expect("a watch")
        .into_inner();
    for revision in 1..=head.revision {
        let group = watch.message().await.expect("open").expect("a group");
        assert_eq!(group.revision, revision);
    }
}
