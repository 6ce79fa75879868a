//! A replica that missed how the members changed, and is led by one that it has never heard of.

use crate::harness::*;
use crate::three::{Plan, leader, status, until};
use berth_proto::v1;
use std::time::{Duration, Instant};

/// Where the new member is in the plan.
const NEW: usize = 3;

/// The cluster takes a fourth member in, which leads from then on. Only two are present, and hear of it.
async fn led_by_a_new_one(plan: &Plan, present: [&Berthd; 2], through: usize) -> Berthd {
    let mut new = plan.spawn(NEW, 0, &["--join", &plan.peer(through)]);
    new.until_ready();
    let end = Instant::now() + PATIENCE;
    loop {
        let first = present[leader(&present).await];
        until(first, "the new one's vote", |status| {
            let mut members = status.members.iter();
            members.any(|member| member.name == "berth-3" && member.role == "voter")
        })
        .await;
        let to = status(&new).await.expect("a status").member_id;
        let request = v1::TransferLeadershipRequest {
            to_member_id: to,
            reason: "drill".into(),
        };
        match first.admin().await.transfer_leadership(request).await {
            Ok(_) => break,
            // The new one may not have everything at this moment, or an election was quicker.
            Err(status) => assert!(Instant::now() < end, "{status}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    until(&new, "the new one's lead", |status| status.role == "leader").await;
    world(&mut new.admin().await, "10.0.3.0/24").await;
    new
}

/// It follows the new leader, and knows whatever that one does.
async fn follows(behind: &Berthd, new: &Berthd) {
    let head = status(new).await.expect("a status");
    until(behind, "following the new leader", |status| {
        status.leader_id == head.member_id && status.revision >= head.revision
    })
    .await;
    let now = status(behind).await.expect("a status");
    assert_eq!(now.chain_head, head.chain_head);
}

/// Promise: a member that was down while a new one came follows it when it is back, though neither its ledger nor its list
/// names it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_member_follows_a_new_leader() {
    let plan = Plan::new(4);
    let mut all = plan.begin();
    let away = (leader(&all.iter().collect::<Vec<_>>()).await + 1) % 3;
    let (succeeded, said) = all.remove(away).stop();
    assert!(succeeded, "{said}");
    let new = led_by_a_new_one(&plan, [&all[0], &all[1]], (away + 1) % 3).await;
    let mut back = plan.spawn(away, 0, &[]);
    back.until_ready();
    follows(&back, &new).await;
}

/// Promise: a member of a new cluster that was started again before it could know the others takes part when they come,
/// also if the list is not said again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_knew_nobody_takes_part() {
    let plan = Plan::new(3);
    let mut first = plan.spawn(0, 3, &["--bootstrap"]);
    first.until("\"listening\"");
    let (succeeded, said) = first.stop();
    assert!(succeeded, "{said}");
    let mut first = plan.spawn(0, 0, &[]);
    let mut others = [1, 2].map(|place| plan.spawn(place, 3, &["--bootstrap"]));
    others.iter_mut().for_each(Berthd::until_ready);
    first.until_ready();
    let all = [&first, &others[0], &others[1]];
    let head = status(all[leader(&all).await]).await.expect("a status");
    until(&first, "everything", |status| {
        status.revision >= head.revision
    })
    .await;
}
