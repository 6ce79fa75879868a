//! Three real servers go from one version to the next and back, one by one, under load.
//!
//! The next version is `berthd-next`: `cargo build -p berthd --features next-version --bin berthd-next`.

mod load;

use berth_client::{Client, Options};
use berth_proto::v1::*;
use berth_testkit::process::{Cluster, Setup};
use load::Load;
use std::time::Duration;

/// Long enough that a look of the leader falls between the last restart and the raise.
const HOLD_OFF_S: &str = "3";
const NOW: u32 = 3;
const NEXT: u32 = 4;
const PROGRAM: &str = "berthd";
const NEXT_PROGRAM: &str = "berthd-next";
/// A raise comes a few seconds after the last restart; a busy machine takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

fn client(endpoints: &[String]) -> Client {
    Client::new(Options {
        deadline: Duration::from_secs(20),
        ..Options::endpoints(endpoints)
    })
    .expect("options")
}

async fn world(client: &Client) {
    let vswitch = CreateVSwitchRequest {
        name: "pods".into(),
        zone: "a".into(),
        ipv4_cidr: "10.4.0.0/16".into(),
        cooling_ms: 1_000,
        ..CreateVSwitchRequest::default()
    };
    client.create_vswitch(vswitch).await.expect("made");
    let node = RegisterNodeRequest {
        name: "worker-1".into(),
        zone: "a".into(),
        identity: "machine-1".into(),
        ..RegisterNodeRequest::default()
    };
    client.register_node(node).await.expect("made");
}

/// Stops one member in order, starts it again with a program, and waits until all serve.
async fn swap(mut cluster: Cluster, at: usize, program: &'static str) -> Cluster {
    let swapped = tokio::task::spawn_blocking(move || {
        let member = &mut cluster.members()[at];
        member.stop().expect("stopped");
        member.restart_as(program).expect("started");
        cluster.wait_until_ready().expect("all serve again");
        cluster
    });
    swapped.await.expect("no panic")
}

async fn version(endpoint: &str) -> ClusterStatusResponse {
    let client = client(&[endpoint.to_owned()]);
    let only = client.only(endpoint).expect("an endpoint");
    only.cluster_status(ClusterStatusRequest {})
        .await
        .expect("it answers")
}

async fn versions(endpoints: &[String]) -> Vec<u32> {
    let mut all = Vec::new();
    for endpoint in endpoints {
        all.push(version(endpoint).await.cluster_version);
    }
    all
}

/// Until every member is at this version.
async fn risen(endpoints: &[String], to: u32) {
    let risen = async {
        while versions(endpoints).await != vec![to; endpoints.len()] {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let timely = tokio::time::timeout(PATIENCE, risen).await;
    if timely.is_err() {
        let mut waits = Vec::new();
        for endpoint in endpoints {
            waits.push(version(endpoint).await.version_waits_for);
        }
        panic!("it has not risen to {to}: {waits:?}");
    }
}

/// Until the leader has said what the next version waits for, which takes a look of its own.
async fn waits_for(endpoints: &[String], text: &str) {
    let said = async {
        loop {
            for endpoint in endpoints {
                if version(endpoint).await.version_waits_for.contains(text) {
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let timely = tokio::time::timeout(PATIENCE, said).await;
    timely.unwrap_or_else(|_| panic!("nobody says that it waits for: {text}"));
}

async fn history(client: &Client) -> Vec<EventGroup> {
    let mut groups: Vec<EventGroup> = Vec::new();
    loop {
        let request = ListHistoryRequest {
            after_revision: groups.last().map_or(0, |group| group.revision),
            page_size: 500,
            ..ListHistoryRequest::default()
        };
        let page = client.list_history(request).await.expect("read");
        groups.extend(page.groups);
        if !page.more {
            return groups;
        }
    }
}

/// Promise: three servers are upgraded one by one under load without a failed or lost request; two of them go back in
/// between; the cluster version rises after the last and not before, and only then the newer program's command reaches the
/// log; a server of the older version is turned away afterwards, and says why.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_by_one_and_back() {
    let setup = Setup::default().flag("--cluster-version-hold-off-s", HOLD_OFF_S);
    let start = tokio::task::spawn_blocking(move || Cluster::start_with(3, &setup));
    let mut cluster = start.await.expect("no panic").expect("it starts");
    let endpoints = cluster.endpoints();
    let client = client(&endpoints);
    // A cluster that nothing was done with yet does not wait.
    risen(&endpoints, NOW).await;
    world(&client).await;
    let load = Load::begin(&endpoints);

    for at in [0, 1] {
        cluster = swap(cluster, at, NEXT_PROGRAM).await;
        load.progress().await;
        // The leader may be of either version; only the newer one knows of a next version.
        assert_eq!(
            versions(&endpoints).await,
            [NOW; 3],
            "one of the older version is there"
        );
    }
    // With a newer one at the lead, it says for whom it waits.
    lead_by_a_newer_one(&client, &endpoints).await;
    waits_for(&endpoints, "applies 3 at most, not 4").await;
    load.progress().await;
    let early = SetClusterVersionRequest {
        to: NEXT,
        ..SetClusterVersionRequest::default()
    };
    let refused = client
        .set_cluster_version(early)
        .await
        .expect_err("too early");
    assert!(
        refused
            .to_string()
            .contains("cannot be applied by every member"),
        "{refused}"
    );

    // Back again, before the rise: the older program goes on with what the newer one wrote.
    for at in [1, 0] {
        cluster = swap(cluster, at, PROGRAM).await;
        load.progress().await;
        assert_eq!(versions(&endpoints).await, [NOW; 3]);
    }
    // And now all the way.
    for at in [0, 1, 2] {
        assert_eq!(versions(&endpoints).await, [NOW; 3]);
        cluster = swap(cluster, at, NEXT_PROGRAM).await;
        load.progress().await;
    }
    risen(&endpoints, NEXT).await;
    load.progress().await;

    let done = load.end().await;
    assert_eq!(
        done.failures,
        Vec::<String>::new(),
        "of {} requests",
        done.requests
    );
    println!("{} requests, 0 failed", done.requests);
    done.check(&client).await;
    rehearsed_after_the_rise(&client).await;

    let lowered = SetClusterVersionRequest {
        to: NOW,
        ..SetClusterVersionRequest::default()
    };
    let refused = client
        .set_cluster_version(lowered)
        .await
        .expect_err("it is refused");
    assert!(
        refused.to_string().contains("does not go back to 3"),
        "{refused}"
    );
    the_older_one_is_turned_away(cluster).await;
}

async fn lead_by_a_newer_one(client: &Client, endpoints: &[String]) {
    for _ in 0..20 {
        for endpoint in endpoints {
            let view = version(endpoint).await;
            if view.leader_id == view.member_id && view.highest_version == NEXT {
                return;
            }
        }
        let newer = version(&endpoints[0]).await.member_id;
        let request = TransferLeadershipRequest {
            to_member_id: newer,
            ..TransferLeadershipRequest::default()
        };
        // One that is just being elected refuses; it is asked again.
        if let Err(error) = client.transfer_leadership(request).await {
            println!("{error}");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("no newer one leads");
}

async fn rehearsed_after_the_rise(client: &Client) {
    let rehearsed = async {
        loop {
            let groups = history(client).await;
            let rises: Vec<&EventGroup> = groups
                .iter()
                .filter(|group| group.cause == "set-cluster-version")
                .collect();
            assert_eq!(rises.len(), 2, "to 3 at the beginning, to 4 at the end");
            let last = rises[1].revision;
            let rehearsals = groups.iter().filter(|group| group.cause == "rehearse");
            let revisions: Vec<u64> = rehearsals.map(|group| group.revision).collect();
            assert!(
                revisions.iter().all(|at| *at > last),
                "{revisions:?} against {last}"
            );
            if !revisions.is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, rehearsed)
        .await
        .expect("the newer command is used");
}

async fn the_older_one_is_turned_away(mut cluster: Cluster) {
    let turned_away = tokio::task::spawn_blocking(move || {
        let member = &mut cluster.members()[1];
        member.stop().expect("stopped");
        member.restart_as(PROGRAM).expect("started");
        member.wait_for_end().expect("it ended")
    });
    let said = turned_away.await.expect("no panic");
    assert!(
        said.contains("cluster version 4, and this program applies 1 to 3"),
        "{said}"
    );
    assert!(
        said.contains("start the program that the other members run"),
        "{said}"
    );
}
