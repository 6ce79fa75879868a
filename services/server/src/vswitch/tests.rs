//! The VSwitchActor's state by hand: a ledger of its own decides what it proposes.

use super::message::{Ask, CreateClaim, Drawn, Grant, Purpose};
use super::state::{NO_NODE, Out, State, Tag};
use crate::engine::samples::*;
use crate::failure::Failure;
use crate::feed::{Batches, Dated};
use crate::journal::{Committed, LedgerClock};
use crate::router::TakeBack;
use berth_actors::{Reply, Waiting};
use berth_domain::Ledger;
use berth_domain::choose::{Families, VSwitchPool};
use berth_domain::command::*;
use berth_domain::id::*;
use berth_domain::outcome::{Answer, Outcome, Refusal};
use berth_domain::row::Policy;
use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::task::{self, Poll};

const VSWITCH: VSwitchId = VSwitchId(1);
const ONE: NodeId = NodeId(2);
const OTHER: NodeId = NodeId(3);
const V4: Families = Families {
    v4: true,
    v6: false,
};

struct World {
    ledger: Ledger,
    state: State,
    now_ms: u64,
    out: Vec<Out>,
}

impl World {
    /// A vSwitch of six addresses that cool for a second, two nodes.
    fn new() -> Self {
        let mut world = Self::undrawn();
        world.draw();
        world
    }

    fn undrawn() -> Self {
        let mut ledger = Ledger::new(ClusterId::new("test").expect("a name"));
        let commands = vec![
            create_vswitch("a", "10.0.0.0/29", 1_000),
            register_node("one", 0),
            register_node("other", 0),
        ];
        let applied = ledger.apply(&header(0), commands);
        assert!(
            applied.answers.iter().all(|answer| answer.result.is_ok()),
            "{applied:?}"
        );
        let row = ledger.vswitch(VSWITCH).expect("there").clone();
        Self {
            state: State::new(row, LedgerClock::start(0, 0)),
            ledger,
            now_ms: 0,
            out: Vec::new(),
        }
    }

    fn draw(&mut self) {
        let drawn = Drawn {
            pool: VSwitchPool::new(&self.ledger, VSWITCH),
            revision: self.ledger.revision(),
        };
        assert!(self.state.on_drawn(drawn, self.now_ms, &mut self.out));
    }

    fn ask(
        &mut self,
        node: NodeId,
        count: u32,
        purpose: Purpose,
        give_up_at_ms: u64,
    ) -> Waiting<Grant> {
        let (reply, waiting) = Reply::new();
        let ask = Ask {
            node,
            families: V4,
            count,
            purpose,
            give_up_at_ms,
            reply,
        };
        self.state.on_ask(ask, self.now_ms, &mut self.out);
        waiting
    }

    /// Applies a command; what changed, as the feed brings it.
    fn apply(&mut self, command: Command) -> (Answer, Vec<Dated>) {
        let applied = self
            .ledger
            .apply(&header(self.now_ms), vec![proposal(command)]);
        let mut batches = Batches::default();
        batches.take(&applied.groups);
        let changes = batches.vswitches.remove(&VSWITCH).unwrap_or_default();
        (applied.answers[0].clone(), changes)
    }

    fn stock(&mut self, node: NodeId, addresses: &[&str]) {
        let stock = Command::Stock(Stock {
            vswitch: VSWITCH,
            node,
            eni: None,
            addresses: addresses.iter().map(|text| ip(text)).collect(),
        });
        let (answer, changes) = self.apply(stock);
        assert!(answer.result.is_ok(), "{answer:?}");
        self.state.on_changed(changes, self.now_ms, &mut self.out);
    }

    /// Applies what the state proposed, feeds it back, and says what came of it.
    fn settle(&mut self) -> Vec<&'static str> {
        let mut names = Vec::new();
        let mut proposals = Vec::new();
        for out in std::mem::take(&mut self.out) {
            match out {
                // As the actor does where there is no cloud in between.
                Out::Take { node, addresses } => {
                    self.state.reclaim_of(node, addresses, &mut proposals);
                }
                out => proposals.push(out),
            }
        }
        for out in proposals {
            let Out::Propose { proposal, tag } = out else {
                continue;
            };
            names.push(proposal.command.name());
            let (answer, changes) = self.apply(proposal.command);
            self.state.on_changed(changes, self.now_ms, &mut self.out);
            self.state
                .on_committed(tag, Ok(answer), self.now_ms, &mut self.out);
        }
        names
    }

    /// What is to be taken back from nodes.
    fn takes(&mut self) -> Vec<(NodeId, usize)> {
        let mut takes = Vec::new();
        self.out.retain(|out| match out {
            Out::Take { node, addresses } => {
                takes.push((*node, addresses.len()));
                false
            }
            _ => true,
        });
        takes
    }

    fn wakes(&mut self) -> Vec<u64> {
        let wakes = self.out.iter().filter_map(|out| match out {
            Out::WakeAt(at_ms) => Some(*at_ms),
            Out::Propose { .. } | Out::Take { .. } => None,
        });
        wakes.collect()
    }
}

fn header(now_ms: u64) -> Header {
    Header {
        ledger_time_ms: now_ms,
        wall_time_ms: now_ms,
    }
}

fn told<T>(waiting: &mut Waiting<T>) -> Option<T> {
    let mut context = task::Context::from_waker(task::Waker::noop());
    match pin!(waiting).poll(&mut context) {
        Poll::Ready(answer) => Some(answer.expect("never dropped")),
        Poll::Pending => None,
    }
}

fn sets(mut waiting: Waiting<Grant>) -> Vec<IpAddr> {
    let grant = told(&mut waiting).expect("granted");
    assert_eq!(grant.dry, None);
    grant.sets.into_iter().flatten().collect()
}

fn dry(mut waiting: Waiting<Grant>) -> Failure {
    told(&mut waiting).expect("told").dry.expect("dry")
}

fn bind(node: NodeId, container: &str, address: IpAddr) -> Command {
    let request = add(container, "any");
    Command::Bind(Bind {
        parameters: request.parameters(),
        key: request.key,
        node,
        boot: request.boot,
        invoked_at_ms: request.invoked_at_ms,
        pod: request.pod,
        vswitch: VSWITCH,
        eni: None,
        addresses: vec![address],
        claim: BindClaim::None,
    })
}

fn release(container: &str) -> Command {
    let request = del(container, "any");
    Command::Release(Release {
        key: request.key,
        node: ONE,
        boot: request.boot,
        invoked_at_ms: request.invoked_at_ms,
        generation: None,
        proof: Proof::Del,
        pod_gone: false,
    })
}

/// Promise: what is promised to one node is promised to no other until it comes back or its node has ended.
#[test]
fn a_promise_is_one_nodes() {
    let mut world = World::new();
    let one = world.ask(ONE, 4, Purpose::Pods, 10_000);
    let one = sets(one);
    let other = world.ask(OTHER, 4, Purpose::Pods, 10_000);
    let other = sets(other);
    assert_eq!((one.len(), other.len()), (4, 2), "as many as there are");
    assert!(one.iter().all(|address| !other.contains(address)));
    // A promise may come back, so nobody is refused yet.
    let mut again = world.ask(OTHER, 1, Purpose::Pods, 10_000);
    assert!(told(&mut again).is_none());
    world.state.on_give_back(ONE, &one[..1], 0, &mut world.out);
    assert_eq!(sets(again), one[..1]);
    world.state.on_node_ended(ONE, 0, &mut world.out);
    let rest = world.ask(OTHER, 9, Purpose::Pods, 10_000);
    assert_eq!(sets(rest).len(), 3);
}

/// Promise: a pod is refused only when the last promise was kept, and the refusal counts every state.
#[test]
fn the_last_promise_decides() {
    let mut world = World::new();
    let promised = world.ask(ONE, 6, Purpose::Pods, 10_000);
    let promised = sets(promised);
    let mut waiting = world.ask(OTHER, 1, Purpose::Pods, 10_000);
    for (number, address) in promised.into_iter().enumerate() {
        assert!(told(&mut waiting).is_none(), "{number}");
        let (_, changes) = world.apply(bind(ONE, &format!("c{number}"), address));
        world.state.on_changed(changes, 0, &mut world.out);
    }
    let failure = dry(waiting);
    assert!(
        matches!(&failure, Failure::Exhausted { counts, .. } if counts.contains("size 8: bound 6")),
        "{failure:?}"
    );
}

/// Promise: an ask that comes before the addresses are drawn waits for them, and a change that was drawn already counts once.
#[test]
fn asks_wait_for_the_draw() {
    let mut world = World::undrawn();
    let waiting = world.ask(ONE, 1, Purpose::Pods, 10_000);
    // Applied before the draw, told after it.
    let (_, early) = world.apply(bind(ONE, "c1", ip("10.0.0.1")));
    let drawn = Drawn {
        pool: VSwitchPool::new(&world.ledger, VSWITCH),
        revision: world.ledger.revision(),
    };
    // Applied after the draw, told before it is here.
    let (_, late) = world.apply(bind(ONE, "c2", ip("10.0.0.2")));
    world.state.on_changed(late, 0, &mut world.out);
    assert!(world.state.on_drawn(drawn, 0, &mut world.out));
    world.state.on_changed(early, 0, &mut world.out);
    assert_eq!(sets(waiting), [ip("10.0.0.3")]);
    let rest = world.ask(ONE, 9, Purpose::Pods, 10_000);
    assert_eq!(sets(rest).len(), 3);
}

/// Promise: addresses that have cooled are made free as soon as somebody needs one, and not before they are due.
#[test]
fn a_dry_vswitch_waits_for_what_cools() {
    let mut world = World::new();
    for number in 1..=6 {
        let (_, changes) = world.apply(bind(
            ONE,
            &format!("c{number}"),
            ip(&format!("10.0.0.{number}")),
        ));
        world.state.on_changed(changes, 0, &mut world.out);
    }
    world.now_ms = 500;
    let (_, changes) = world.apply(release("c4"));
    world.state.on_changed(changes, 500, &mut world.out);
    let hasty = world.ask(ONE, 1, Purpose::Pods, 1_000);
    assert!(matches!(
        dry(hasty),
        Failure::Cooling {
            retry_after_ms: 1_000,
            ..
        }
    ));
    let mut patient = world.ask(ONE, 1, Purpose::Pods, 9_000);
    assert_eq!(
        (world.settle().len(), world.wakes().is_empty()),
        (0, true),
        "nothing is due"
    );
    world.state.on_wake(500, &mut world.out);
    assert_eq!(world.wakes(), [1_500]);
    world.out.clear();
    world.now_ms = 1_500;
    world.state.on_wake(1_500, &mut world.out);
    assert!(told(&mut patient).is_none());
    assert_eq!(world.settle(), ["expire"]);
    assert_eq!(sets(patient), [ip("10.0.0.4")]);
}

/// Promise: what a node in a pool says no to is asked for again a little later, not at once.
#[test]
fn a_node_that_keeps_its_own_is_not_pressed() {
    let mut world = World::new();
    let all: Vec<String> = (1..=6).map(|n| format!("10.0.0.{n}")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    world.stock(OTHER, &all);
    let _waiting = world.ask(ONE, 1, Purpose::Pods, 60_000);
    let taken = world.takes();
    assert_eq!(taken.len(), 1, "{taken:?}");
    world.state.on_taken(false, world.now_ms, &mut world.out);
    assert_eq!(world.takes(), []);
    world.now_ms += 100;
    world.state.on_wake(world.now_ms, &mut world.out);
    assert_eq!(world.takes(), taken);
}

/// Promise: before a pod is refused, idle addresses are taken back from the node that has most; for mere warmth they are not.
#[test]
fn a_dry_vswitch_takes_idle_ones_back() {
    let mut world = World::new();
    world.stock(ONE, &["10.0.0.1"]);
    world.stock(
        OTHER,
        &["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"],
    );
    let warmth = world.ask(NodeId(9), 1, Purpose::Later, 10_000);
    assert!(matches!(dry(warmth), Failure::Exhausted { .. }));
    assert!(world.settle().is_empty());
    let pods = world.ask(NodeId(9), 2, Purpose::Pods, 10_000);
    assert_eq!(world.settle(), ["reclaim"]);
    assert_eq!(sets(pods).len(), 2);
    let idle = |world: &World, node| world.ledger.node_standing(node).count();
    assert_eq!(
        (idle(&world, ONE), idle(&world, OTHER)),
        (1, 1),
        "from the one with most"
    );
}

/// Promise: a warm address that somebody asks for by name is kept from everybody who waits from the moment at which it is
/// free, and given to them once it is put back; without being asked for by name it goes to whoever waits.
#[test]
fn an_address_asked_for_by_name_is_kept() {
    let all = [
        "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6",
    ];
    let take_back = |world: &mut World, address: &str| {
        let (reply, waiting) = Reply::new();
        let take = TakeBack {
            vswitch: VSWITCH,
            node: OTHER,
            address: ip(address),
            reply,
        };
        world.state.on_take_back(take, &mut world.out);
        waiting
    };
    let mut world = World::new();
    world.stock(OTHER, &all);
    let mut back = take_back(&mut world, "10.0.0.4");
    assert_eq!(world.settle(), ["reclaim"]);
    assert_eq!(told(&mut back), Some(true));
    let warmth = world.ask(OTHER, 1, Purpose::Later, 10_000);
    dry(warmth);
    world
        .state
        .on_give_back(NO_NODE, &[ip("10.0.0.4")], 0, &mut world.out);
    let warmth = world.ask(OTHER, 1, Purpose::Later, 10_000);
    assert_eq!(sets(warmth), [ip("10.0.0.4")]);

    // Whoever has given up before it is back leaves it to others.
    let gone = take_back(&mut world, "10.0.0.5");
    world
        .state
        .on_give_back(NO_NODE, &[ip("10.0.0.5")], 0, &mut world.out);
    drop(gone);
    world.settle();
    let warmth = world.ask(OTHER, 1, Purpose::Later, 10_000);
    assert_eq!(sets(warmth), [ip("10.0.0.5")]);

    // One that its node has bound meanwhile is not to be had.
    let mut late = take_back(&mut world, "10.0.0.6");
    let (_, changes) = world.apply(bind(OTHER, "c6", ip("10.0.0.6")));
    world.state.on_changed(changes, 0, &mut world.out);
    world.settle();
    assert_eq!(told(&mut late), Some(false));
}

/// Promise: when a taking-back brings nothing, the waiting one is not forgotten, and there is no busy loop.
#[test]
fn a_fruitless_relief_rests() {
    let mut world = World::new();
    world.stock(
        OTHER,
        &[
            "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6",
        ],
    );
    let mut waiting = world.ask(ONE, 1, Purpose::Pods, 10_000);
    let proposed = std::mem::take(&mut world.out);
    assert_eq!(proposed.len(), 1);
    let taken = Answer {
        revision: Revision(9),
        result: Err(Refusal::Taken {
            address: ip("10.0.0.1"),
        }),
    };
    world
        .state
        .on_committed(Tag::Reclaim, Ok(taken), 0, &mut world.out);
    assert!(
        matches!(world.out[..], [Out::WakeAt(100)]),
        "{:?}",
        world.out
    );
    world.out.clear();
    world.now_ms = 100;
    world.state.on_wake(100, &mut world.out);
    assert_eq!(world.settle(), ["reclaim"]);
    assert_eq!(told(&mut waiting).expect("granted").sets.len(), 1);
}

/// Promise: drawn anew, it keeps its promises and its waiting ones.
#[test]
fn a_new_draw_keeps_promises() {
    let mut world = World::new();
    let promised = world.ask(ONE, 5, Purpose::Pods, 10_000);
    let promised = sets(promised);
    assert!(world.state.redraw());
    let mut waiting = world.ask(OTHER, 2, Purpose::Pods, 10_000);
    assert!(told(&mut waiting).is_none());
    world.draw();
    let rest = sets(waiting);
    assert_eq!(rest.len(), 1);
    assert!(!promised.contains(&rest[0]));
}

fn create_claim(pod: &str) -> Proposal {
    proposal(Command::CreateClaim(berth_domain::command::CreateClaim {
        name: ClaimName {
            cluster: ClusterName::new("one").expect("a name"),
            namespace: Namespace::new("web").expect("a name"),
            pod: PodName::new(pod).expect("a name"),
        },
        vswitch: VSWITCH,
        addresses: Vec::new(),
        policy: Policy::Never,
    }))
}

/// Promise: a claim without addresses gets free ones, chosen again if they were taken, but not for ever.
#[test]
fn a_claim_is_chosen_for() {
    let mut world = World::new();
    let ask = |world: &mut World, pod: &str| {
        let (reply, waiting) = Reply::<Committed>::new();
        let create = CreateClaim {
            proposal: create_claim(pod),
            give_up_at_ms: 10_000,
            reply,
        };
        world.state.on_claim(create, world.now_ms, &mut world.out);
        waiting
    };
    let mut made = ask(&mut world, "db-0");
    assert_eq!(world.settle(), ["create-claim"]);
    let answer = told(&mut made).expect("told").expect("answered");
    assert!(
        matches!(answer.result, Ok(Outcome::Claim { addresses, .. }) if addresses == [ip("10.0.0.1")])
    );

    let mut unlucky = ask(&mut world, "db-1");
    for _ in 0..3 {
        let Some(Out::Propose { tag, .. }) = world.out.pop() else {
            panic!("nothing proposed");
        };
        assert!(told(&mut unlucky).is_none());
        let taken = Answer {
            revision: Revision(9),
            result: Err(Refusal::Taken {
                address: ip("10.0.0.2"),
            }),
        };
        world.state.on_committed(tag, Ok(taken), 0, &mut world.out);
    }
    assert!(world.out.is_empty());
    assert!(matches!(
        told(&mut unlucky),
        Some(Ok(Answer {
            result: Err(Refusal::Taken { .. }),
            ..
        }))
    ));
    let all = world.ask(ONE, 9, Purpose::Pods, 10_000);
    assert_eq!(
        sets(all).len(),
        5,
        "what was chosen for the unlucky one is free again"
    );
}

/// Promise: what was chosen for a claim whose command certainly never came to the ledger is free for others at once.
#[test]
fn a_claim_that_did_not_happen_gives_its_address_back() {
    let mut world = World::new();
    let (reply, mut made) = Reply::<Committed>::new();
    let create = CreateClaim {
        proposal: create_claim("db-0"),
        give_up_at_ms: 10_000,
        reply,
    };
    world.state.on_claim(create, 0, &mut world.out);
    let Some(Out::Propose { tag, .. }) = world.out.pop() else {
        panic!("nothing proposed");
    };
    let busy = Failure::Busy {
        what: "the journal",
        retry_after_ms: 50,
    };
    world
        .state
        .on_committed(tag, Err(busy.clone()), 0, &mut world.out);
    assert_eq!(told(&mut made), Some(Err(busy)));
    let all = world.ask(ONE, 9, Purpose::Pods, 10_000);
    assert_eq!(sets(all).len(), 6);
}

/// Promise: a node that ends while it waits for addresses gets none: nobody would give them back.
#[test]
fn a_node_that_ended_waits_no_more() {
    let mut world = World::new();
    let all = sets(world.ask(OTHER, 6, Purpose::Pods, 10_000));
    let mut waiting = world.ask(ONE, 1, Purpose::Pods, 10_000);
    assert_eq!(told(&mut waiting), None);
    world.state.on_node_ended(ONE, 0, &mut world.out);
    world
        .state
        .on_give_back(OTHER, &all[..1], 0, &mut world.out);
    let next = world.ask(OTHER, 1, Purpose::Pods, 10_000);
    assert_eq!(sets(next), all[..1]);
}
