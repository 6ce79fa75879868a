//! Members that come, get their vote, take another's place, and go.

use crate::harness::*;
use crate::three::{Plan, leader, status, until};
use berth_proto::v1::{self, RefusalCode};
use std::time::{Duration, Instant};
use tonic::Code;

fn change(reason: &str) -> Option<v1::Change> {
    Some(v1::Change {
        reason: reason.into(),
        ..v1::Change::default()
    })
}

async fn members(berthd: &Berthd) -> Vec<v1::Member> {
    let request = v1::ListMembersRequest { stale: false };
    let listed = berthd.admin().await.list_members(request).await;
    listed.expect("a list").into_inner().members
}

/// Asks whoever leads until it is done: a leader that is to leave hands over first.
async fn removed(all: &[&Berthd], member: &str) {
    let end = Instant::now() + PATIENCE;
    loop {
        let request = v1::RemoveMemberRequest {
            change: change("drill"),
            member: member.into(),
            force: false,
        };
        let leader = all[leader(all).await];
        match leader.admin().await.remove_member(request).await {
            Ok(done) => {
                let left = done.into_inner().members;
                assert!(left.iter().all(|row| row.name != member), "{left:?}");
                return;
            }
            Err(status) => {
                assert_eq!(status.code(), Code::Unavailable, "{status}");
                assert!(Instant::now() < end, "{status}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

fn named<'a>(members: &'a [v1::Member], name: &str) -> &'a v1::Member {
    let found = members.iter().find(|member| member.name == name);
    found.unwrap_or_else(|| panic!("{name} is not among {members:?}"))
}

/// Promise: a learner that was asked to stay one does; an administrator puts it in a member's place, who ends and says why;
/// who asked, and why, is in the history.
#[tokio::test]
async fn a_standby_takes_a_members_place() {
    let plan = Plan::new(4);
    let mut all = plan.begin();
    let mut standby = plan.spawn(3, 0, &["--join", &plan.peer(0), "--learner"]);
    standby.until_ready();
    let first = leader(&all.iter().collect::<Vec<_>>()).await;
    let caught_up = |status: &v1::ClusterStatusResponse| {
        let mut members = status.members.iter();
        members
            .any(|member| member.name == "berth-3" && member.matched_index >= status.commit_index)
    };
    until(&all[first], "the standby catching up", caught_up).await;
    let end = Instant::now() + PATIENCE;
    let learner = loop {
        let listed = members(&all[first]).await;
        let row = named(&listed, "berth-3").clone();
        if row.history_revision > 0 || Instant::now() > end {
            break row;
        }
    };
    assert_eq!(
        (learner.role.as_str(), learner.stays_learner),
        ("learner", true)
    );
    assert!(learner.history_revision > 0 && learner.recently_active);

    let old = (first + 1) % 3;
    let promote = v1::PromoteMemberRequest {
        change: Some(v1::Change {
            reason: "berth is tired".into(),
            request_id: "place-1".into(),
        }),
        member: "berth-3".into(),
        replaces: format!("berth-{old}"),
    };
    let mut admin = all[first].admin().await;
    let done = loop {
        match admin.promote_member(promote.clone()).await {
            Ok(done) => break done,
            // Its history may be a little behind.
            Err(status) => {
                assert!(status.message().contains("wait"), "{status}");
                assert!(Instant::now() < end, "{status}");
            }
        }
    };
    let now = done.into_inner().members;
    assert_eq!(named(&now, "berth-3").role, "voter");
    assert!(
        now.len() == 3 && now.iter().all(|row| row.name != format!("berth-{old}")),
        "{now:?}"
    );
    let (_, said) = all[old].ended();
    assert!(
        said.contains("is not a member") || said.contains("removed"),
        "{said}"
    );

    let request = v1::ListHistoryRequest {
        newest_first: true,
        page_size: 10,
        ..Default::default()
    };
    let history = admin.list_history(request).await.expect("the history");
    let groups = history.into_inner().groups;
    let noted = |cause: &str| {
        let mut groups = groups.iter();
        groups.any(|group| group.cause == cause && group.reason == "berth is tired")
    };
    assert!(
        noted("register-member") && noted("remove-member"),
        "{groups:?}"
    );

    // A caller that lost its connection asks again, and is told the same; as another request it names nobody.
    let again = admin.promote_member(promote.clone()).await.expect("done");
    assert_eq!(again.into_inner().members.len(), 3);
    let other = v1::PromoteMemberRequest {
        change: change("berth is tired"),
        ..promote.clone()
    };
    let other = admin.promote_member(other).await.expect_err("is gone");
    assert_eq!(other.code(), Code::NotFound);
    for (request_id, code) in [("out-1", None), ("out-1", None), ("", Some(Code::NotFound))] {
        let request = v1::RemoveMemberRequest {
            change: Some(v1::Change {
                reason: "drill".into(),
                request_id: request_id.into(),
            }),
            member: format!("berth-{}", (first + 2) % 3),
            force: false,
        };
        let told = admin.remove_member(request).await;
        assert_eq!(told.err().map(|status| status.code()), code, "{request_id}");
    }

    let missing = v1::PromoteMemberRequest {
        member: "berth-9".into(),
        replaces: String::new(),
        ..promote
    };
    let missing = admin.promote_member(missing).await.expect_err("nobody");
    assert_eq!(missing.code(), Code::NotFound);
}

/// Promise: a leader that is removed hands over first, then ends; nothing acknowledged is lost, and a quorum that would
/// be lost is not given up.
#[tokio::test]
async fn the_leader_is_removed() {
    let plan = Plan::new(3);
    let mut all = plan.begin();
    let first = leader(&all.iter().collect::<Vec<_>>()).await;
    world(&mut all[first].admin().await, "10.0.3.0/24").await;
    let one = all[first].allocator().await.allocate(add("one")).await;
    let one = one.expect("an address").into_inner();

    removed(&all.iter().collect::<Vec<_>>(), &format!("berth-{first}")).await;
    let (_, said) = all.remove(first).ended();
    assert!(
        said.contains("is not a member") || said.contains("removed"),
        "{said}"
    );
    let rest: Vec<&Berthd> = all.iter().collect();
    let second = rest[leader(&rest).await];
    let again = second.allocator().await.allocate(add("one")).await;
    assert_eq!(
        again.expect("the same").into_inner().addresses,
        one.addresses
    );

    // Of two, one is silent: without it there is no quorum, so the other must not be taken away.
    let names: Vec<String> = members(second)
        .await
        .into_iter()
        .map(|row| row.name)
        .collect();
    assert_eq!(names.len(), 2);
    let me = status(second).await.expect("a status").member_id;
    let other = members(second).await.into_iter().find(|row| row.id != me);
    let other = other.expect("two").name;
    let silent = rest.iter().find(|berthd| berthd.client != second.client);
    silent.expect("two").signal("STOP");
    let request = v1::RemoveMemberRequest {
        change: change("drill"),
        member: status_name(second).await,
        force: false,
    };
    let refused = second.admin().await.remove_member(request).await;
    let refused = refused.expect_err("no quorum would be left");
    let is_known = [
        RefusalCode::Membership,
        RefusalCode::Unavailable,
        RefusalCode::NotLeader,
    ];
    assert!(
        is_known.contains(&refusal(&refused).code()),
        "{refused} ({other})"
    );
    silent.expect("two").signal("CONT");
}

async fn status_name(berthd: &Berthd) -> String {
    let status = status(berthd).await.expect("a status");
    let mut members = status.members.into_iter();
    let me = members.find(|member| member.id == status.member_id);
    me.expect("it is a member").name
}

/// Promise: a member that was removed while it was away is not taken in again: frozen meanwhile or started anew, it ends and
/// says what to do; with --rejoin it is welcome, as another.
#[tokio::test]
async fn a_member_removed_while_away_ends() {
    let plan = Plan::new(3);
    let mut all = plan.begin();
    let first = leader(&all.iter().collect::<Vec<_>>()).await;
    let gone = (first + 1) % 3;
    all[gone].signal("STOP");
    // Its connection is given up: what raft says to it from here on is lost.
    all[first].until("no link to a replica");
    let rest: Vec<&Berthd> = (0..3).filter(|at| *at != gone).map(|at| &all[at]).collect();
    removed(&rest, &format!("berth-{gone}")).await;
    all[gone].signal("CONT");
    let (success, said) = all[gone].ended();
    assert!(
        !success && said.contains("removed from this cluster"),
        "{said}"
    );

    let join = ["--join", &plan.peer(first)];
    for more in [&[][..], &join] {
        let (success, said) = plan.spawn(gone, 3, more).ended();
        assert!(
            !success && said.contains("removed from this cluster") && said.contains("--rejoin"),
            "{said}"
        );
    }
    let left = members(&all[first]).await;
    assert!(left.len() == 2 && left.iter().all(|row| row.name != format!("berth-{gone}")));

    let mut back = plan.spawn(gone, 3, &["--rejoin"]);
    back.until_ready();
    until(&all[first], "three voters again", |status| {
        let voters = status.members.iter().filter(|row| row.role == "voter");
        voters.count() == 3
    })
    .await;
}

/// Promise: while one change of the membership is under way a second is refused, with a code of its own and a text that says
/// which and what to do; a repeat of the same request is not a second one.
#[tokio::test]
async fn a_second_change_is_refused() {
    let plan = Plan::new(3);
    let all = plan.begin();
    let first = leader(&all.iter().collect::<Vec<_>>()).await;
    let others: Vec<&Berthd> = (0..3)
        .filter(|at| *at != first)
        .map(|at| &all[at])
        .collect();
    let admin = all[first].admin().await;
    // Without a quorum the first change stays under way until the leader gives up.
    others.iter().for_each(|other| other.signal("STOP"));
    let ask = |request_id: &str| {
        let change = Some(v1::Change {
            request_id: request_id.into(),
            reason: "drill".into(),
        });
        let member = format!("berth-{}", (first + 1) % 3);
        let mut admin = admin.clone();
        let request = v1::RemoveMemberRequest {
            change,
            member,
            force: false,
        };
        async move { admin.remove_member(request).await.expect_err("no quorum") }
    };
    let (one, repeat, two) = tokio::join!(ask("one"), ask("one"), ask("two"));
    others.iter().for_each(|other| other.signal("CONT"));
    let refused = refusal(&two);
    assert_eq!(refused.code(), RefusalCode::Membership, "{two}");
    assert_eq!(two.code(), Code::FailedPrecondition);
    let text = &refused.message;
    assert!(
        text.contains("the removal of berth-") && text.contains("ask again"),
        "{text}"
    );
    for lost in [one, repeat] {
        assert_eq!(lost.code(), Code::Unavailable, "{lost}");
        assert_ne!(refusal(&lost).code(), RefusalCode::Membership, "{lost}");
    }
    until(&all[first], "a leader again", |status| {
        status.leader_id != 0
    })
    .await;
}

/// Promise: data of another cluster in a member's place is refused, with both clusters named and nothing touched, although
/// it could lead its own cluster alone; the member's own data are taken (the control).
#[tokio::test]
async fn data_of_another_cluster_is_refused() {
    let (plan, elsewhere) = (Plan::new(3), Plan::new(1));
    let mut all = plan.begin();
    let mut other = elsewhere.spawn(0, 1, &["--bootstrap"]);
    other.until_ready();
    let theirs = status(&other).await.expect("a status").cluster_id;
    let ours = status(&all[1]).await.expect("a status").cluster_id;
    assert!(other.stop().0);
    assert!(all.remove(0).stop().0);
    let (own, foreign) = (plan.data(0), elsewhere.data(0));
    std::fs::rename(&own, format!("{own}.kept")).expect("moved");
    std::fs::rename(&foreign, &own).expect("moved");
    let before = std::fs::read(format!("{own}/log/db")).expect("its log");
    let (success, said) = plan.spawn(0, 3, &[]).ended();
    assert!(
        !success && said.contains(&ours) && said.contains(&theirs),
        "{said}"
    );
    assert!(std::fs::read(format!("{own}/log/db")).expect("its log") == before);

    std::fs::rename(&own, &foreign).expect("moved back");
    std::fs::rename(format!("{own}.kept"), &own).expect("moved back");
    plan.spawn(0, 3, &[]).until_ready();
}
