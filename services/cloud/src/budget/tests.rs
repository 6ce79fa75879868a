//! The budget rule by rule, and against a cloud with a limit of its own.

use super::*;

const ASSIGN: Action = Action::AssignPrivateIpAddresses;

fn ask(number: u64, lane: Lane, owner: u64) -> Ask {
    Ask {
        ticket: Ticket(number),
        action: ASSIGN,
        lane,
        owner,
    }
}

fn budget(per_minute: u32) -> Budget {
    Budget::new(Limits::new(BTreeMap::new(), per_minute))
}

fn numbers(granted: Vec<Ticket>) -> Vec<u64> {
    granted.into_iter().map(|ticket| ticket.0).collect()
}

/// Promise: no sliding minute has more calls than the limit, however many wait and whenever it is asked.
#[test]
fn no_minute_has_more_than_the_limit() {
    for limit in [1, 2, 7, 60, 400] {
        let mut budget = budget(limit);
        let mut out: Vec<u64> = Vec::new();
        (0..2_000).for_each(|number| budget.ask(ask(number, Lane::Refill, 1)));
        for now_ms in (0..240_000).step_by(37) {
            let granted = budget.grant(now_ms).len();
            out.extend(std::iter::repeat_n(now_ms, granted));
        }
        for (place, begin_ms) in out.iter().enumerate() {
            let minute = out[place..]
                .iter()
                .take_while(|at_ms| **at_ms < begin_ms + 60_000);
            let count = minute.count() as u32;
            // A limit of one has a burst of one besides: a minute then has two at most.
            assert!(count <= limit.max(2), "{count} of {limit} from {begin_ms}");
        }
        let least = u64::from(limit) * 3 * 4 / 6;
        assert!(
            out.len() as u64 >= least.min(2_000),
            "{} of {limit}",
            out.len()
        );
    }
}

/// Promise: higher lanes come first, and the lowest has its turn all the same.
#[test]
fn lanes_are_served_in_order_and_none_starves() {
    let mut budget = budget(6_000);
    (0..100).for_each(|number| budget.ask(ask(number, Lane::WaitingPod, 1)));
    (100..103).for_each(|number| budget.ask(ask(number, Lane::Reclaim, 1)));
    let granted = numbers(budget.grant(0));
    let reclaims: Vec<usize> = (0..granted.len())
        .filter(|at| granted[*at] >= 100)
        .collect();
    let turn = TURN_OF_OTHERS as usize;
    assert_eq!(reclaims, [turn - 1, 2 * turn - 1, 3 * turn - 1]);
    let pods: Vec<u64> = granted.into_iter().filter(|number| *number < 100).collect();
    assert_eq!(pods, (0..100).collect::<Vec<u64>>());
}

/// Promise: nothing waits behind another node's calls; one node's keep their order.
#[test]
fn owners_take_turns() {
    let mut budget = budget(6_000);
    (0..5).for_each(|number| budget.ask(ask(number, Lane::Refill, 1)));
    budget.ask(ask(10, Lane::Refill, 2));
    budget.ask(ask(11, Lane::Refill, 2));
    assert_eq!(numbers(budget.grant(0)), [0, 10, 1, 11, 2, 3, 4]);
}

/// Promise: what was withdrawn is never granted, and nothing else is lost.
#[test]
fn what_is_withdrawn_is_not_granted() {
    let mut budget = budget(6_000);
    (0..3).for_each(|number| budget.ask(ask(number, Lane::Refill, number)));
    budget.withdraw(Ticket(1));
    assert_eq!(budget.waiting(), BTreeMap::from([(Lane::Refill, 2)]));
    assert_eq!(numbers(budget.grant(0)), [0, 2]);
    assert_eq!(budget.next_due_ms(0), None);
}

/// Promise: the time that is named is the first at which something is granted.
#[test]
fn the_due_time_is_the_first() {
    let mut budget = budget(60);
    (0..11).for_each(|number| budget.ask(ask(number, Lane::Refill, 1)));
    assert_eq!(budget.grant(0).len(), 10, "the burst");
    let due_ms = budget.next_due_ms(0).expect("one waits");
    assert!(budget.grant(due_ms - 1).is_empty());
    assert_eq!(numbers(budget.grant(due_ms)), [10]);
}

/// A cloud that takes so many calls a minute, evenly; how many it answered and throttled in ten minutes.
fn against_a_cloud(takes: u64, hears: bool) -> (u64, u64) {
    let mut budget = budget(400);
    let (mut answered, mut throttled, mut number) = (0_u64, 0_u64, 0);
    let mut tokens = 60_000_u64;
    for now_ms in (0..600_000).step_by(10) {
        tokens = (tokens + takes * 10).min(takes * 10_000);
        while budget.waiting().is_empty() {
            budget.ask(ask(number, Lane::Refill, 1));
            number += 1;
        }
        for _ in budget.grant(now_ms) {
            let heard = match tokens >= 60_000 {
                true => {
                    tokens -= 60_000;
                    answered += 1;
                    Heard::Answered
                }
                false => {
                    throttled += 1;
                    Heard::Throttled
                }
            };
            if hears {
                budget.heard(ASSIGN, heard, number * 7_919, now_ms);
            }
        }
    }
    (answered, throttled)
}

/// Promise: a cloud that takes half of what was thought is used well, and seldom asked in vain.
#[test]
fn it_adapts_to_throttling() {
    let takes = 200;
    let (answered, throttled) = against_a_cloud(takes, true);
    assert!(
        answered * 100 >= takes * 10 * 70,
        "{answered} of {}",
        takes * 10
    );
    assert!(
        throttled * 100 <= answered * 5,
        "{throttled} in vain beside {answered}"
    );
    // The control: a budget that does not hear asks in vain all the time.
    let (deaf, in_vain) = against_a_cloud(takes, false);
    assert!(in_vain * 100 > deaf * 30, "{in_vain} in vain beside {deaf}");
}

/// Promise: when the cloud fails nothing is given back, then only probes go out, and answers bring everything back.
#[test]
fn levels_come_and_go_by_themselves() {
    let mut budget = budget(6_000);
    let mut said = Vec::new();
    for at_ms in 0..6 {
        budget.heard(ASSIGN, Heard::Answered, 0, at_ms);
    }
    for at_ms in 6..80 {
        said.extend(budget.heard(ASSIGN, Heard::Failed, 0, at_ms));
    }
    let levels: Vec<Level> = said.iter().map(|(level, _)| *level).collect();
    assert_eq!(levels, [Level::Careful, Level::CachedOnly]);
    assert!(said[0].1.contains("6 of 12 calls"), "{}", said[0].1);
    (0..5).for_each(|number| budget.ask(ask(number, Lane::WaitingPod, 1)));
    budget.ask(ask(9, Lane::Reclaim, 1));
    assert_eq!(numbers(budget.grant(100)), [0], "one probe");
    let due_ms = budget.next_due_ms(101).expect("they wait");
    assert_eq!(numbers(budget.grant(due_ms)), [1], "the next one");
    for at_ms in 0..3 {
        budget.heard(ASSIGN, Heard::Answered, 0, due_ms + at_ms);
    }
    assert_eq!(budget.level(), Level::Careful);
    assert_eq!(
        numbers(budget.grant(due_ms + 10)),
        [2, 3, 4],
        "and no reclaim"
    );
    let later_ms = due_ms + 60_000;
    assert_eq!(numbers(budget.grant(later_ms)), [9]);
    assert_eq!(budget.level(), Level::Normal);
}
