//! One replica on a disk.

use super::cluster::{Cluster, run};
use crate::engine::samples::*;
use crate::failure::Failure;
use crate::history::{Query, Subject};
use berth_domain::command::{Command, CreateClaim};
use berth_domain::id::*;
use berth_domain::outcome::{Outcome, Refusal};
use berth_domain::row::{AddressState, Policy};
use std::collections::BTreeSet;

fn history_of(subject: Subject) -> Query {
    Query {
        subject,
        from_wall_ms: None,
        until_wall_ms: None,
        after: Revision(0),
        limit: 100,
        newest_first: false,
    }
}

/// Promise: an ADD gets an address, its repeat the same one, its DEL gives it back once, and all of it is in the history.
#[test]
fn the_life_of_an_attachment() {
    run(async {
        let cluster = Cluster::begin(1).await;
        let (_, gate) = cluster.leader().await;
        furnish(&gate, "10.0.0.0/24", 30_000, &["n1"]).await;
        let first = allocate(&gate, add("c1", "n1")).await;
        assert_eq!((address(&first), first.created), (ip("10.0.0.1"), true));
        let repeat = allocate(&gate, add("c1", "n1")).await;
        assert_eq!(
            (repeat.allocation.clone(), repeat.created),
            (first.allocation.clone(), false)
        );
        let mut other = add("c1", "n1");
        other.requested = vec![ip("10.0.0.9")];
        let refused = failure(gate.allocate(other).await);
        assert!(
            matches!(refused, Failure::Refused(Refusal::ParametersChanged { .. })),
            "{refused}"
        );
        assert!(release(&gate, del("c1", "n1")).await.released);
        let again = release(&gate, del("c1", "n1")).await;
        assert!(!again.released);
        let late = failure(gate.allocate(add("c1", "n1")).await);
        assert!(
            matches!(late, Failure::Refused(Refusal::Tombstone { .. })),
            "{late}"
        );

        let timeline = gate
            .history()
            .list(history_of(Subject::Address(ip("10.0.0.1"))), again.revision)
            .await
            .expect("read");
        let causes: Vec<&str> = timeline.groups.iter().map(|group| group.cause).collect();
        assert_eq!(causes, ["bind", "release"]);
        let by_pod = Subject::Pod {
            namespace: Namespace::new("web").expect("a name"),
            name: PodName::new("c1").expect("a name"),
        };
        assert_eq!(
            gate.history()
                .list(history_of(by_pod), again.revision)
                .await
                .expect("read")
                .groups
                .len(),
            2
        );
        let by_node = Subject::Node(NodeName::new("n1").expect("a name"));
        assert_eq!(
            gate.history()
                .list(history_of(by_node), again.revision)
                .await
                .expect("read")
                .groups
                .len(),
            3
        );
        let bound_at = timeline.groups[0].wall_time_ms;
        let then = gate
            .history()
            .who_has(ip("10.0.0.1"), bound_at, again.revision)
            .await
            .expect("read");
        assert!(then.since_revision >= timeline.groups[0].revision);
        let now = gate
            .history()
            .who_has(ip("10.0.0.1"), u64::MAX, again.revision)
            .await
            .expect("read");
        assert!(
            matches!(now.state, Some(AddressState::Cooling { .. })),
            "{now:?}"
        );
        cluster.shutdown().await;
    });
}

/// Promise: after a restart everything is as it was, and the history goes on where it was.
#[test]
fn a_restart_keeps_everything() {
    run(async {
        let mut cluster = Cluster::begin_with(1, (4, 1)).await;
        let (_, gate) = cluster.leader().await;
        furnish(&gate, "10.0.0.0/24", 0, &["n1", "n2"]).await;
        let mut before = Vec::new();
        for number in 0..30 {
            before.push(allocate(&gate, add(&format!("c{number}"), "n1")).await);
        }
        let digest = gate
            .read(|ledger| (ledger.digest(), ledger.revision()))
            .await
            .expect("read");
        drop(gate);
        cluster.end(1).await;
        cluster.restart(1).await;
        let (_, gate) = cluster.leader().await;
        assert_eq!(
            gate.read(|ledger| (ledger.digest(), ledger.revision()))
                .await
                .expect("read"),
            digest
        );
        for (number, known) in before.iter().enumerate() {
            let repeat = allocate(&gate, add(&format!("c{number}"), "n1")).await;
            assert_eq!(
                (repeat.allocation, repeat.created),
                (known.allocation.clone(), false)
            );
        }
        let fresh = allocate(&gate, add("fresh", "n2")).await;
        assert!(before.iter().all(|known| address(known) != address(&fresh)));
        let all = gate
            .history()
            .list(history_of(Subject::All), fresh.revision)
            .await
            .expect("read");
        let revisions: Vec<u64> = all.groups.iter().map(|group| group.revision.0).collect();
        assert_eq!(revisions, (1..=fresh.revision.0).collect::<Vec<u64>>());
        cluster.shutdown().await;
    });
}

/// Promise: many ADDs at once on many nodes never get one address twice, and fill the vSwitch to the last address.
#[test]
fn many_at_once_never_share() {
    run(async {
        let cluster = Cluster::begin(1).await;
        let (_, gate) = cluster.leader().await;
        furnish(
            &gate,
            "10.0.0.0/24",
            30_000,
            &["n0", "n1", "n2", "n3", "n4"],
        )
        .await;
        let adds = (0..254).map(|number| {
            let gate = gate.clone();
            async move {
                gate.allocate(add(&format!("c{number}"), &format!("n{}", number % 5)))
                    .await
            }
        });
        let answers = futures::future::join_all(adds).await;
        let (given, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        let addresses: BTreeSet<_> = given.iter().flatten().map(address).collect();
        // Network, broadcast; the rule's gateway is the routed network's own business.
        assert_eq!(addresses.len(), given.len());
        assert_eq!(given.len() + refused.len(), 254);
        let counts = gate.read(|ledger| {
            let vswitch = ledger.vswitches().next().expect("there");
            ledger
                .counts(vswitch.id)
                .expect("there")
                .ipv4
                .expect("there")
        });
        let counts = counts.await.expect("read");
        assert_eq!(
            (counts.bound, counts.free),
            (given.len() as u128, 0),
            "{counts:?}"
        );
        let full = failure(gate.allocate(add("one-more", "n0")).await);
        let Failure::Exhausted { counts, .. } = &full else {
            panic!("{full:?}");
        };
        assert!(
            counts.contains("bound") && counts.contains("excluded"),
            "{counts}"
        );
        cluster.shutdown().await;
    });
}

/// Promise: the same ADD sent several times at once has one effect and one answer.
#[test]
fn repeats_in_flight_share_one_effect() {
    run(async {
        let cluster = Cluster::begin(1).await;
        let (_, gate) = cluster.leader().await;
        furnish(&gate, "10.0.0.0/24", 30_000, &["n1"]).await;
        let adds = (0..8).map(|_| allocate(&gate, add("c1", "n1")));
        let answers = futures::future::join_all(adds).await;
        assert!(
            answers
                .iter()
                .all(|answer| answer.allocation == answers[0].allocation)
        );
        assert_eq!(answers.iter().filter(|answer| answer.created).count(), 1);
        let bound = gate
            .read(|ledger| ledger.allocations_len())
            .await
            .expect("read");
        assert_eq!(bound, 1);
        cluster.shutdown().await;
    });
}

/// Promise: a released address is not given out while it cools; an ADD that can wait for it gets it, one that cannot is told when.
#[test]
fn a_cooling_address_is_waited_for() {
    run(async {
        let cluster = Cluster::begin(1).await;
        let (_, gate) = cluster.leader().await;
        furnish(&gate, "10.0.0.0/31", 1_500, &["n1"]).await;
        allocate(&gate, add("c1", "n1")).await;
        let second = allocate(&gate, add("c2", "n1")).await;
        release(&gate, del("c2", "n1")).await;
        let mut hasty = add("c3", "n1");
        hasty.deadline_ms = 1_000;
        let refused = failure(gate.allocate(hasty).await);
        assert!(
            matches!(
                refused,
                Failure::Cooling {
                    retry_after_ms: 1..=1_500,
                    ..
                }
            ),
            "{refused:?}"
        );
        let patient = allocate(&gate, add("c4", "n1")).await;
        assert_eq!(address(&patient), address(&second));
        let rested_ms = patient.allocation.bound_at_ms - second.allocation.bound_at_ms;
        assert!(rested_ms >= 1_500, "{rested_ms}");
        cluster.shutdown().await;
    });
}

/// Promise: a specific address that is in use names who has it.
#[test]
fn a_specific_address_names_its_holder() {
    run(async {
        let cluster = Cluster::begin(1).await;
        let (_, gate) = cluster.leader().await;
        furnish(&gate, "10.0.0.0/24", 30_000, &["n1"]).await;
        let asking = |container: &str| {
            let mut request = add(container, "n1");
            request.requested = vec![ip("10.0.0.77")];
            request
        };
        assert_eq!(
            address(&allocate(&gate, asking("c1")).await),
            ip("10.0.0.77")
        );
        let refused = failure(gate.allocate(asking("c2")).await);
        assert!(
            matches!(refused, Failure::Refused(Refusal::AddressInUse { .. })),
            "{refused:?}"
        );
        assert!(
            refused.to_string().contains("web/c1 on node n1"),
            "{refused}"
        );
        cluster.shutdown().await;
    });
}

/// Promise: a node that is not registered is told to register; a DEL from it is served all the same.
#[test]
fn an_unknown_node() {
    run(async {
        let cluster = Cluster::begin(1).await;
        let (_, gate) = cluster.leader().await;
        furnish(&gate, "10.0.0.0/24", 0, &["n1"]).await;
        let refused = failure(gate.allocate(add("c1", "ghost")).await).to_string();
        assert!(
            refused.contains("ghost") && refused.contains("berthctl node register"),
            "{refused}"
        );
        assert!(!release(&gate, del("c1", "ghost")).await.released);
        allocate(&gate, add("c2", "n1")).await;
        assert!(
            release(&gate, del("c2", "ghost")).await.released,
            "by its attachment"
        );
        cluster.shutdown().await;
    });
}

/// Promise: a claim made without addresses gets some, its pod gets exactly those on whatever node, and nobody else does.
#[test]
fn a_claim_follows_its_pod() {
    run(async {
        let cluster = Cluster::begin(1).await;
        let (_, gate) = cluster.leader().await;
        let vswitch = furnish(&gate, "10.0.0.0/29", 0, &["n1", "n2"]).await;
        let name = ClaimName {
            cluster: ClusterName::new("one").expect("a name"),
            namespace: Namespace::new("web").expect("a name"),
            pod: PodName::new("db-0").expect("a name"),
        };
        let create = Command::CreateClaim(CreateClaim {
            name: name.clone(),
            vswitch,
            addresses: Vec::new(),
            policy: Policy::Never,
        });
        let made = done(&gate, proposal(create)).await;
        let Ok(Outcome::Claim { addresses, .. }) = made.result else {
            panic!("{made:?}");
        };
        let stranger = allocate(&gate, add("stranger", "n1")).await;
        assert_ne!(address(&stranger), addresses[0]);
        let first = allocate(&gate, add_pod("sandbox-1", "n1", "db-0")).await;
        assert_eq!(
            (address(&first), first.claim.as_ref()),
            (addresses[0], Some(&name))
        );

        let mut early = add_pod("sandbox-2", "n2", "db-0");
        early.deadline_ms = 1_000;
        let held = failure(gate.allocate(early).await);
        assert!(
            matches!(&held, Failure::Refused(Refusal::HeldByLiveHolder { .. })),
            "{held:?}"
        );
        assert!(
            held.to_string().contains("sandbox-1") && held.to_string().contains("n1"),
            "{held}"
        );

        // Asked before the holder is gone, answered once its DEL has settled for two seconds.
        let moved = allocate(&gate, add_pod("sandbox-3", "n2", "db-0"));
        let released = async {
            let released = release(&gate, del("sandbox-1", "n1")).await;
            gate.read(|ledger| ledger.ledger_time_ms())
                .await
                .map(|at_ms| (released, at_ms))
                .expect("read")
        };
        let (moved, (_, released_at_ms)) = tokio::join!(moved, released);
        assert_eq!(address(&moved), addresses[0]);
        assert!(moved.allocation.bound_at_ms >= released_at_ms + 2_000);
        cluster.shutdown().await;
    });
}

/// Promise: a node keeps as many addresses warm as it is told to, binds them first, and gives them up before a pod is refused.
#[test]
fn warm_addresses() {
    run(async {
        let cluster = Cluster::begin(1).await;
        let (_, gate) = cluster.leader().await;
        furnish(&gate, "10.0.0.0/29", 30_000, &["cold"]).await;
        done(&gate, register_node("warm", 3)).await;
        // The actor starts with the first request.
        allocate(&gate, add("w1", "warm")).await;
        let mut after = Revision(0);
        loop {
            let groups = gate.history().after(after, 10).await.expect("read");
            after = groups.last().expect("one at least").revision;
            if groups.iter().any(|group| group.cause == "stock") {
                break;
            }
        }
        let idle = |ledger: &berth_domain::Ledger| {
            let vswitch = ledger.vswitches().next().expect("there");
            ledger
                .counts(vswitch.id)
                .and_then(|counts| counts.ipv4)
                .map(|counts| (counts.idle, counts.free))
                .expect("there")
        };
        let (warm, free) = gate.read(idle).await.expect("read");
        assert_eq!(warm, 3);
        let bound = allocate(&gate, add("w2", "warm")).await;
        assert_eq!(gate.read(idle).await.expect("read"), (2, free), "{bound:?}");
        // All that is left and the warm ones, too.
        for number in 0..free + 2 {
            allocate(&gate, add(&format!("c{number}"), "cold")).await;
        }
        assert_eq!(gate.read(idle).await.expect("read"), (0, 0));
        let full = failure(gate.allocate(add("over", "cold")).await);
        assert!(matches!(full, Failure::Exhausted { .. }), "{full:?}");
        cluster.shutdown().await;
    });
}

/// Promise: a specific address that is only warm on another node is taken back for whoever asks for it by name, in a
/// vSwitch where that node wants it back at once, too; for an ADD and for a claim. One that a pod has is not.
#[test]
fn a_warm_address_is_given_to_who_names_it() {
    run(async {
        let cluster = Cluster::begin(1).await;
        let (_, gate) = cluster.leader().await;
        let vswitch = furnish(&gate, "10.0.0.0/29", 30_000, &["cold"]).await;
        done(&gate, register_node("warm", 6)).await;
        let has = allocate(&gate, add("w1", "warm"))
            .await
            .allocation
            .addresses[0];
        // All that are left are warm there.
        let idle = |ledger: &berth_domain::Ledger| {
            let idle = |(address, state)| match state {
                AddressState::Idle { .. } => Some(address),
                _ => None,
            };
            let id = ledger.vswitches().next().expect("one").id;
            ledger.addresses(id).filter_map(idle).collect::<Vec<_>>()
        };
        let warm = loop {
            let warm = gate.read(idle).await.expect("read");
            if warm.len() == 5 {
                break warm;
            }
            tokio::task::yield_now().await;
        };
        let mut request = add("c1", "cold");
        request.requested = vec![warm[0]];
        let bound = allocate(&gate, request).await;
        assert_eq!(bound.allocation.addresses, [warm[0]]);
        let create = CreateClaim {
            name: ClaimName {
                cluster: ClusterName::new("one").expect("a name"),
                namespace: Namespace::new("web").expect("a name"),
                pod: PodName::new("db-0").expect("a name"),
            },
            vswitch,
            addresses: vec![warm[1]],
            policy: Policy::Never,
        };
        let made = done(&gate, proposal(Command::CreateClaim(create))).await;
        assert!(made.result.is_ok(), "{made:?}");
        let mut request = add("c2", "cold");
        request.requested = vec![has];
        let refused = failure(gate.allocate(request).await);
        let in_use =
            |refusal: &Refusal| matches!(refusal, Refusal::AddressInUse { state: "bound", .. });
        assert!(
            matches!(&refused, Failure::Refused(refusal) if in_use(refusal)),
            "{refused:?}"
        );
        cluster.shutdown().await;
    });
}
