//! Static pods: claims that there are, claims that facts ask for, and who has to wait for what.

use super::world::{Play, told};
use crate::engine::samples::*;
use crate::facts::STALE_AFTER_MS;
use crate::failure::Failure;
use crate::node::choice::FACTS_LAG_MS;
use crate::node::state::Out;
use berth_domain::command::*;
use berth_domain::id::*;
use berth_domain::outcome::Refusal;
use berth_domain::row::Policy;
use berth_proto::v1;
use berth_proto::v1::facts_report::Report;

fn claim_name(pod: &str) -> ClaimName {
    ClaimName {
        cluster: ClusterName::new("one").expect("a name"),
        namespace: Namespace::new("web").expect("a name"),
        pod: PodName::new(pod).expect("a name"),
    }
}

fn create(play: &mut Play, pod: &str, address: &str) {
    let create = CreateClaim {
        name: claim_name(pod),
        vswitch: VSwitchId(1),
        addresses: vec![ip(address)],
        policy: Policy::Never,
    };
    assert!(play.apply(Command::CreateClaim(create)).result.is_ok());
}

fn pod(name: &str, annotations: &[(&str, &str)]) -> Report {
    let annotations = annotations
        .iter()
        .map(|(key, value)| (key.to_string(), value.to_string()));
    Report::Pod(v1::PodFact {
        namespace: "web".into(),
        name: name.into(),
        uid: format!("uid-{name}"),
        annotations: annotations.collect(),
        ..v1::PodFact::default()
    })
}

/// Promise: a pod that has a claim gets the claim's address, and nobody is asked for one.
#[test]
fn a_claim_is_bound() {
    let mut play = Play::new();
    create(&mut play, "db-0", "10.0.0.50");
    let mut waiting = play.add(add_pod("c1", "n1", "db-0"));
    assert!(play.asks().is_empty());
    play.settle();
    let bound = told(&mut waiting).expect("told").expect("bound");
    assert_eq!(
        (address(&bound), bound.claim),
        (ip("10.0.0.50"), Some(claim_name("db-0")))
    );
    let mut other = add_pod("c2", "n1", "db-0");
    other.requested = vec![ip("10.0.0.51")];
    let mut waiting = play.add(other);
    let refused = told(&mut waiting)
        .expect("told")
        .expect_err("another address");
    assert!(refused.to_string().contains("10.0.0.50"), "{refused}");
}

/// Promise: a claim with a holder is waited for; the ADD looks again when the claim changes, once more when the hand-over
/// has settled, and is told who holds it half a second before its deadline.
#[test]
fn a_held_claim_is_waited_for() {
    let mut play = Play::new();
    create(&mut play, "db-0", "10.0.0.50");
    drop(play.add(add_pod("c1", "n1", "db-0")));
    play.settle();
    let mut moved = add_pod("c2", "n1", "db-0");
    moved.pod.uid = PodUid::new("another").expect("a name");
    moved.deadline_ms = 9_000;
    let mut waiting = play.add(moved.clone());
    assert!(play.proposed().is_empty());
    assert!(
        play.out
            .iter()
            .any(|out| matches!(out, Out::Watch(name) if *name == claim_name("db-0")))
    );
    assert_eq!(play.wakes(), [8_500], "half a second before the deadline");

    play.clock.advance(1_000);
    drop(play.del(del("c1", "n1")));
    play.settle();
    play.wake();
    assert!(play.proposed().is_empty(), "not settled");
    assert_eq!(play.wakes(), [3_000], "two seconds after the DEL");
    let mut hasty = add_pod("c0", "n1", "db-0");
    hasty.pod.uid = PodUid::new("another").expect("a name");
    hasty.deadline_ms = 1_000;
    let mut hasty = play.add(hasty);
    play.clock.advance(500);
    play.wake();
    let refused = told(&mut hasty).expect("told").expect_err("not settled");
    let pending = matches!(
        &refused,
        Failure::HandOverPending {
            retry_after_ms: 1_500,
            ..
        }
    );
    assert!(
        pending,
        "two seconds after the DEL, said half a second after it: {refused:?}"
    );
    play.clock.advance(1_500);
    play.wake();
    play.settle();
    assert_eq!(
        address(&told(&mut waiting).expect("told").expect("bound")),
        ip("10.0.0.50")
    );

    let mut third = moved;
    third.key = key("c3");
    third.pod.uid = PodUid::new("a-third").expect("a name");
    let mut waiting = play.add(third);
    play.clock.advance(8_499);
    play.wake();
    assert!(told(&mut waiting).is_none());
    play.clock.advance(1);
    play.wake();
    let refused = told(&mut waiting).expect("told").expect_err("held");
    assert!(
        matches!(&refused, Failure::Refused(Refusal::HeldByLiveHolder { .. })),
        "{refused:?}"
    );
    assert!(
        refused.to_string().contains("c2") && refused.to_string().contains("n1"),
        "{refused}"
    );
}

/// Promise: a newer sandbox of the same pod on the same node takes the claim over at once.
#[test]
fn a_newer_sandbox_supersedes() {
    let mut play = Play::new();
    create(&mut play, "db-0", "10.0.0.50");
    drop(play.add(add_pod("c1", "n1", "db-0")));
    play.settle();
    let mut newer = add_pod("c2", "n1", "db-0");
    newer.pod.uid = PodUid::new("uid-c1").expect("a name");
    let mut waiting = play.add(newer);
    assert_eq!(play.settle(), ["bind"]);
    assert_eq!(
        address(&told(&mut waiting).expect("told").expect("bound")),
        ip("10.0.0.50")
    );
    assert_eq!(play.ledger.allocations_len(), 1);
}

/// Promise: the annotation makes a claim at the first ADD, in the annotated vSwitch; a wrong one is refused with the form.
#[test]
fn an_annotation_makes_a_claim() {
    let mut play = Play::new();
    let mut session = play.begin_facts();
    play.say(
        &mut session,
        pod(
            "db-0",
            &[
                ("berth.io/static-address", "ttl=10m"),
                ("berth.io/vswitch", "b"),
            ],
        ),
    );
    play.say(
        &mut session,
        pod("db-1", &[("berth.io/static-address", "always")]),
    );
    play.say(&mut session, Report::Synced(v1::FactsSynced {}));
    let mut waiting = play.add(add_pod("c1", "n1", "db-0"));
    let asks = play.asks();
    assert_eq!(asks[0].1, VSwitchId(2));
    play.grant(asks[0].0, &["10.0.1.7"]);
    let proposed = play.proposed();
    assert_eq!(
        proposed[0].0.facts,
        Some(FactsVersion {
            epoch: 1,
            version: 3
        })
    );
    let answer = play.apply(proposed[0].0.command.clone());
    play.answer(proposed[0].1.clone(), answer);
    assert_eq!(
        told(&mut waiting).expect("told").expect("bound").claim,
        Some(claim_name("db-0"))
    );
    let claim = play.ledger.claim_named(&claim_name("db-0")).expect("made");
    assert_eq!(claim.policy, Policy::Ttl { ttl_ms: 600_000 });

    let mut wrong = play.add(add_pod("c2", "n1", "db-1"));
    let refused = told(&mut wrong)
        .expect("told")
        .expect_err("wrong")
        .to_string();
    assert!(
        refused.contains("berth.io/static-address") && refused.contains("ttl=10m"),
        "{refused}"
    );
}

/// Promise: with a source that has not synced or is stale the ADD waits, and is told so in time; without a source it does not.
#[test]
fn missing_facts_are_waited_for() {
    let mut play = Play::new();
    drop(play.add(add("c0", "n1")));
    assert_eq!(play.asks().len(), 1, "no source, no waiting");
    let mut session = play.begin_facts();
    let mut waiting = play.add(add_pod("c1", "n1", "db-0"));
    assert!(play.asks().is_empty());
    play.say(&mut session, pod("db-0", &[]));
    play.say(&mut session, Report::Synced(v1::FactsSynced {}));
    play.wake();
    assert_eq!(play.asks().len(), 1);
    assert!(told(&mut waiting).is_none());

    play.clock.advance(STALE_AFTER_MS + 1);
    let mut stale = play.add(add_pod("c2", "n1", "db-1"));
    play.clock.advance(9_500);
    play.wake();
    let refused = told(&mut stale).expect("told").expect_err("stale");
    assert!(
        matches!(&refused, Failure::FactsMissing { reason, .. } if reason.contains("129 s old")),
        "{refused:?}"
    );
}

/// Promise: a pod that synced facts do not name yet is waited for a moment, because its source may be behind, but not longer.
#[test]
fn a_pod_ahead_of_its_facts() {
    let mut play = Play::new();
    let mut session = play.begin_facts();
    play.say(&mut session, Report::Synced(v1::FactsSynced {}));
    let mut early = play.add(add_pod("c1", "n1", "db-0"));
    let mut never = play.add(add_pod("c2", "n1", "ghost"));
    assert!(play.asks().is_empty());
    play.say(
        &mut session,
        pod("db-0", &[("berth.io/static-address", "never")]),
    );
    play.clock.advance(25);
    play.wake();
    play.grant_all(&["10.0.0.1"]);
    play.settle();
    assert!(
        told(&mut early)
            .expect("told")
            .expect("bound")
            .claim
            .is_some()
    );
    assert!(told(&mut never).is_none());
    play.clock.advance(FACTS_LAG_MS);
    play.wake();
    play.grant_all(&["10.0.0.2"]);
    play.settle();
    assert!(
        told(&mut never)
            .expect("told")
            .expect("bound")
            .claim
            .is_none()
    );
}

/// Promise: a DEL says that its pod is gone only if fresh facts say so.
#[test]
fn a_del_says_that_the_pod_is_gone() {
    let mut play = Play::new();
    let gone = |play: &mut Play, container: &str| {
        drop(play.del(del(container, "n1")));
        let proposed = play.proposed();
        let Command::Release(release) = &proposed[0].0.command else {
            panic!("{proposed:?}");
        };
        release.pod_gone
    };
    for (number, container) in ["c1", "c2", "c3", "c4"].into_iter().enumerate() {
        drop(play.add(add(container, "n1")));
        play.grant_all(&[&format!("10.0.0.{}", number + 1)]);
        play.settle();
    }
    assert!(!gone(&mut play, "c1"), "no source");
    let mut session = play.begin_facts();
    play.say(&mut session, pod("c3", &[]));
    play.say(&mut session, Report::Synced(v1::FactsSynced {}));
    assert!(gone(&mut play, "c2"));
    assert!(!gone(&mut play, "c3"), "it is there");
    play.clock.advance(STALE_AFTER_MS + 1);
    assert!(!gone(&mut play, "c4"), "stale");
}

/// Promise: ADDs that still wait when a new boot of their node is heard of are over: their sandboxes are gone, and bound
/// now they would end the new boot's sandbox of the same pod, which lives.
#[test]
fn a_reboot_ends_what_waited() {
    let mut play = Play::new();
    let mut session = play.begin_facts();
    let mut before = play.add(add_pod("z-before", "n1", "web-0"));
    let mut rebooted = add_pod("a-after", "n1", "web-0");
    (rebooted.boot, rebooted.invoked_at_ms) = (BootId::new("boot-2").expect("a name"), 5);
    let mut after = play.add(rebooted);
    let over = told(&mut before).expect("told").expect_err("is over");
    assert!(over.to_string().contains("boot"), "{over}");
    assert!(told(&mut after).is_none(), "it waits for facts");
    play.say(&mut session, pod("web-0", &[]));
    play.say(&mut session, Report::Synced(v1::FactsSynced {}));
    play.wake();
    play.grant_all(&["10.0.0.1"]);
    assert_eq!(play.settle(), ["bind"]);
    assert!(told(&mut after).expect("told").is_ok());
}

/// Promise (A1): an ADD of a boot that has ended comes too late, however long it was under way: bound after the new boot's
/// sandbox of the same pod it would take the address of one that lives. So it is for an actor that starts after that.
#[test]
fn an_ended_boot_is_not_heard() {
    let mut play = Play::new();
    create(&mut play, "db-0", "10.0.0.50");
    drop(play.add(add_pod("c1", "n1", "db-0")));
    play.settle();
    let mut rebooted = add_pod("c2", "n1", "db-0");
    rebooted.boot = BootId::new("boot-2").expect("a name");
    let mut bound = play.add(rebooted);
    assert_eq!(play.settle(), ["bind"]);
    told(&mut bound).expect("told").expect("bound");
    let mut late = play.add(add_pod("c0", "n1", "db-0"));
    let over = told(&mut late).expect("told").expect_err("is over");
    assert!(over.to_string().contains("boot-2"), "{over}");
}

/// Promise: a new boot of the holder's node shows that the holder is gone (design §6, proof f): whoever has the claim in
/// that boot gets it at once, without a DEL of the old sandbox, which some runtimes forget.
#[test]
fn a_new_boot_hands_over() {
    let mut play = Play::new();
    create(&mut play, "db-0", "10.0.0.50");
    drop(play.add(add_pod("c1", "n1", "db-0")));
    play.settle();
    let mut remade = add_pod("c2", "n1", "db-0");
    remade.pod.uid = PodUid::new("another").expect("a name");
    let mut same_boot = play.add(remade.clone());
    assert!(told(&mut same_boot).is_none(), "in the same boot it waits");
    remade.boot = BootId::new("boot-2").expect("a name");
    remade.key.container = ContainerId::new("c3").expect("a name");
    let mut bound = play.add(remade);
    assert_eq!(play.settle(), ["bind"]);
    let bound = told(&mut bound).expect("told").expect("bound");
    assert_eq!(address(&bound), ip("10.0.0.50"));
}

/// Promise: the same of one that was in the journal when the new boot was heard of, and was refused there.
#[test]
fn a_reboot_ends_what_would_be_chosen_again() {
    let mut play = Play::new();
    let mut before = play.add(add("c1", "n1"));
    play.grant_all(&["10.0.0.1"]);
    let mut rebooted = add("c2", "n1");
    rebooted.boot = BootId::new("boot-2").expect("a name");
    drop(play.add(rebooted));
    assert!(told(&mut before).is_none(), "the journal has it");
    play.overtake();
    let over = told(&mut before).expect("told").expect_err("is over");
    assert!(over.to_string().contains("boot"), "{over}");
}
