//! Clusters that change under load: no request fails that its client repeats within its deadline, and nothing is lost.

use crate::harness::*;
use crate::load::Load;
use crate::three::{Plan, leader, status, until};
use berth_client::{Client, Options};
use berth_proto::v1;

/// So many requests are answered between two changes.
const BETWEEN: u64 = 60;
/// Absurdly small, so that whoever joins needs a snapshot, and the older history, while the load goes on.
const SMALL: [&str; 4] = [
    "--snapshot-every-entries",
    "40",
    "--snapshot-keep-entries",
    "5",
];

fn endpoints(plan: &Plan, count: usize) -> Vec<String> {
    (0..count).map(|place| plan.client(place)).collect()
}

async fn voters(berthd: &Berthd, count: usize) {
    until(berthd, &format!("{count} voters"), |status| {
        let voters = status.members.iter().filter(|row| row.role == "voter");
        voters.count() == count && status.members.len() == count
    })
    .await;
}

fn change() -> Option<v1::Change> {
    Some(v1::Change {
        reason: "drill".into(),
        ..v1::Change::default()
    })
}

async fn remove(client: &Client, place: usize) {
    let request = v1::RemoveMemberRequest {
        change: change(),
        member: format!("berth-{place}"),
        force: false,
    };
    client.remove_member(request).await.expect("removed");
}

/// All of these have the same ledger, at one revision; the load has ended.
async fn same(all: &[&Berthd]) {
    let head = status(all[leader(all).await]).await.expect("a status");
    let mut digests = Vec::new();
    for berthd in all {
        until(berthd, "everything", |status| {
            status.revision >= head.revision && status.history_through_revision >= head.revision
        })
        .await;
        let request = v1::LedgerDigestRequest {};
        let digest = berthd.admin().await.ledger_digest(request).await;
        let digest = digest.expect("a digest").into_inner();
        assert_eq!(digest.violations, [""; 0]);
        digests.push((digest.revision, digest.digest, digest.chain_head));
    }
    assert!(digests.iter().all(|one| *one == digests[0]), "{digests:?}");
}

/// Promise: from one replica to three, to five and back to three, the leader among those that go: no request fails,
/// nothing acknowledged is lost, and those that are left agree.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_three_five_three_under_load() {
    let plan = Plan::new(5);
    let mut first = plan.spawn(0, 1, &[&["--bootstrap"], &SMALL[..]].concat());
    first.until_ready();
    world(&mut first.admin().await, "10.0.0.0/16").await;
    let load = Load::begin(&endpoints(&plan, 5));
    load.goes_on(BETWEEN).await;
    let mut all = vec![first];
    for place in 1..5 {
        let mut next = plan.spawn(place, 0, &[&["--join", &plan.peer(0)], &SMALL[..]].concat());
        next.until_ready();
        voters(&all[0], place + 1).await;
        all.push(next);
        load.goes_on(BETWEEN).await;
    }
    let client = Client::new(Options::endpoints(endpoints(&plan, 5))).expect("endpoints");
    let leads = leader(&all.iter().collect::<Vec<_>>()).await;
    for place in [leads, (leads + 1) % 5] {
        remove(&client, place).await;
        let (success, said) = all[place].ended();
        assert!(!success && said.contains("removed from"), "{said}");
        load.goes_on(BETWEEN).await;
    }
    let told = load.end().await;
    let left = |place: &usize| *place != leads && *place != (leads + 1) % 5;
    let left: Vec<&Berthd> = (0..5).filter(left).map(|place| &all[place]).collect();
    voters(left[0], 3).await;
    same(&left).await;
    println!(
        "{} held, the longest wait {:?}",
        told.held.len(),
        told.longest
    );
}

/// Promise: each of three replicas is stopped and started again, one after the other: no request fails, nothing is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_under_load() {
    let plan = Plan::new(3);
    let mut all: Vec<Option<Berthd>> = plan.begin().into_iter().map(Some).collect();
    let leads = leader(&all.iter().flatten().collect::<Vec<_>>()).await;
    world(
        &mut all[leads].as_ref().expect("runs").admin().await,
        "10.0.0.0/16",
    )
    .await;
    let load = Load::begin(&endpoints(&plan, 3));
    load.goes_on(BETWEEN).await;
    for (place, runs) in all.iter_mut().enumerate() {
        let (success, said) = runs.take().expect("runs").stop();
        assert!(success, "{said}");
        load.goes_on(BETWEEN).await;
        let mut again = plan.spawn(place, 3, &[]);
        again.until_ready();
        *runs = Some(again);
        load.goes_on(BETWEEN).await;
    }
    let told = load.end().await;
    same(&all.iter().flatten().collect::<Vec<_>>()).await;
    println!(
        "{} held, the longest wait {:?}",
        told.held.len(),
        told.longest
    );
}

/// Promise: a dead member's place is taken by a new one in one step while the load goes on; the dead one is no member any
/// more, and is not taken in again should it come back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_member_is_replaced_under_load() {
    let plan = Plan::new(4);
    let mut all = plan.begin();
    let leads = leader(&all.iter().collect::<Vec<_>>()).await;
    world(&mut all[leads].admin().await, "10.0.0.0/16").await;
    let load = Load::begin(&endpoints(&plan, 4));
    load.goes_on(BETWEEN).await;
    // The leader: the worst to lose.
    all.remove(leads).kill();
    let second = leader(&all.iter().collect::<Vec<_>>()).await;
    let others = if leads == 0 { 1 } else { 0 };
    let join = ["--join", &plan.peer(others), "--learner"];
    let mut new = plan.spawn(3, 0, &[&join[..], &SMALL[..]].concat());
    new.until_ready();
    let client = Client::new(Options::endpoints(endpoints(&plan, 4))).expect("endpoints");
    let request = v1::PromoteMemberRequest {
        change: change(),
        member: "berth-3".into(),
        replaces: format!("berth-{leads}"),
    };
    let end = std::time::Instant::now() + PATIENCE;
    while let Err(refused) = client.promote_member(request.clone()).await {
        let text = refused.to_string();
        assert!(text.contains("wait"), "{text}");
        assert!(std::time::Instant::now() < end, "{text}");
        load.goes_on(1).await;
    }
    voters(&all[second], 3).await;
    let (success, said) = plan.spawn(leads, 3, &[]).ended();
    assert!(
        !success && said.contains("removed from this cluster"),
        "{said}"
    );
    load.goes_on(BETWEEN).await;
    let told = load.end().await;
    all.push(new);
    same(&all.iter().collect::<Vec<_>>()).await;
    println!(
        "{} held, the longest wait {:?}",
        told.held.len(),
        told.longest
    );
}
