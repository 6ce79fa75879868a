//! Every saga, with trouble at every point of it.

use crate::world::{Crash, World};
use berth_cloud::simulator::{Fault, Scripted, Setup};
use berth_domain::command::Plan;
use berth_domain::row::CALL_LIFE_MS;

/// More changing calls than any saga makes, its way back included.
const CALLS_MAX: u32 = 8;
const FAULTS: [Fault; 7] = [
    Fault::ErrorBefore,
    Fault::ErrorAfter,
    Fault::LostBefore,
    Fault::LostAfter,
    Fault::Throttled,
    Fault::Conflict,
    Fault::Partial,
];
const CHANGING: [&str; 8] = [
    "CreateNetworkInterface",
    "AttachNetworkInterface",
    "AssignPrivateIpAddresses",
    "AssignIpv6Addresses",
    "UnassignPrivateIpAddresses",
    "UnassignIpv6Addresses",
    "DetachNetworkInterface",
    "DeleteNetworkInterface",
];

/// A world in which the saga is about to begin, and the saga's plan.
type Saga = (&'static str, fn(&mut World) -> Plan);

const SAGAS: [Saga; 4] = [
    ("create an ENI", |world| world.create(3)),
    ("assign", |world| {
        with_an_eni(world);
        let eni = world.in_use().expect("attached");
        let addresses = world.free(700, 4);
        Plan::Assign { eni, addresses }
    }),
    ("unassign", |world| {
        with_an_eni(world);
        let eni = world.in_use().expect("attached");
        assert!(world.bind(eni), "a pod beside it");
        let idle = world.idle(eni);
        let ipv4 = idle.iter().find(|at| at.is_ipv4()).expect("one is left");
        let ipv6 = idle.iter().find(|at| at.is_ipv6()).expect("one is left");
        let addresses = vec![*ipv4, *ipv6];
        Plan::Unassign { eni, addresses }
    }),
    ("delete an ENI", |world| {
        with_an_eni(world);
        let eni = world.in_use().expect("attached");
        Plan::DeleteEni {
            eni,
            trunk_too: false,
        }
    }),
];

fn with_an_eni(world: &mut World) {
    let plan = world.create(4);
    world.begin(plan).expect("begun");
    world.settle();
}

/// The saga in a world that this makes troublesome first; its world at the end.
fn run((name, plan): Saga, trouble: impl FnOnce(&mut World)) -> World {
    let mut setup = Setup::built_in();
    setup.faults.foreign_hold_ms = 60_000;
    let mut world = World::new(setup, 7);
    let plan = plan(&mut world);
    (world.calls, world.reports) = (0, 0);
    trouble(&mut world);
    world
        .begin(plan)
        .unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
    world.settle();
    world
        .agrees()
        .unwrap_or_else(|said| panic!("{name}: {said}"));
    world
}

/// Makes the action's n-th call from now on fail so.
fn script(world: &mut World, action: &str, number: u32, fault: Fault) {
    let before = world.cloud.ledger().calls_of(action);
    let script = &mut world.cloud.setup().faults.script;
    let (action, call) = (action.to_owned(), before + u64::from(number));
    script.push(Scripted {
        action,
        call,
        fault,
    });
}

/// Promise: without trouble each saga makes the fewest calls that it can.
#[test]
fn a_saga_makes_the_fewest_calls() {
    let calls: Vec<u32> = SAGAS.iter().map(|saga| run(*saga, |_| {}).calls).collect();
    // Create and attach; one assign, and one unassign, a family; detach and delete.
    assert_eq!(calls, [2, 2, 2, 2]);
}

/// Promise: a fault at any call of any saga leaks no ENI, grants nothing early, and takes nothing that is owned.
#[test]
fn a_fault_at_any_call() {
    let mut runs = 0;
    for saga in SAGAS {
        for action in CHANGING {
            for number in 1..=2 {
                for fault in FAULTS {
                    run(saga, |world| script(world, action, number, fault));
                    runs += 1;
                }
            }
        }
    }
    println!("{runs} runs");
}

/// Promise: the loss of the leader at any point of any saga, also one whose last call arrives minutes later, does no harm.
#[test]
fn a_crash_at_any_point() {
    let mut runs = 0;
    for saga in SAGAS {
        for number in 1..=CALLS_MAX {
            let late = |late_ms| Crash::WithLateCall(number, late_ms);
            for crash in [
                Crash::BeforeCall(number),
                Crash::AfterCall(number),
                Crash::BeforeReport(number),
                Crash::AfterReport(number),
                late(1),
                late(15_000),
                late(CALL_LIFE_MS / 2),
                late(CALL_LIFE_MS - 30_000),
            ] {
                run(saga, |world| world.crash = crash);
                runs += 1;
            }
        }
    }
    println!("{runs} runs");
}

/// Promise: a fault and a crash together, at any two points, do no harm either.
#[test]
fn a_fault_and_a_crash() {
    let mut runs = 0;
    for saga in SAGAS {
        for action in CHANGING {
            for fault in FAULTS {
                for number in 1..=4 {
                    for crash in [
                        Crash::BeforeCall(number),
                        Crash::AfterCall(number),
                        Crash::WithLateCall(number, 20_000),
                        Crash::AfterReport(number),
                    ] {
                        run(saga, |world| {
                            script(world, action, 1, fault);
                            world.crash = crash;
                        });
                        runs += 1;
                    }
                }
            }
        }
    }
    println!("{runs} runs");
}

/// The leader is lost with an unassign on its way; the next one ends the job, and gives the same addresses to the same ENI again.
fn given_out_again(next_leader_is_hasty: bool) {
    let mut world = World::new(Setup::built_in(), 7);
    let (_, plan) = SAGAS[2];
    let plan = plan(&mut world);
    let Plan::Unassign { eni, addresses } = plan.clone() else {
        panic!("{plan:?}");
    };
    world.next_leader_is_hasty = next_leader_is_hasty;
    world.crash = Crash::WithLateCall(world.calls + 1, 60_000);
    for plan in [plan, Plan::Assign { eni, addresses }] {
        world.begin(plan).expect("begun");
        while world.ledger.jobs().next().is_some() {
            world.step();
        }
    }
    world.settle();
    world.agrees().expect("they agree");
}

/// Promise: an address is not given out again while a call that nobody heard of again could take it away.
#[test]
fn nothing_is_given_out_before_a_late_call() {
    given_out_again(false);
}

/// Negative control: a next leader that takes the jobs for its own gives it out too early, and is found out.
#[test]
fn a_hasty_next_leader_is_found() {
    let harm = std::panic::catch_unwind(|| given_out_again(true));
    let said = harm.expect_err("nothing is found");
    let said = said.downcast_ref::<String>().expect("a text");
    assert!(said.contains("not on its ENI"), "{said}");
}
