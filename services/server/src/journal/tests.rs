//! The journal by hand, and once with its actor.

use super::state::{COMMANDS_MAX, ENTRIES_MAX, QUEUE_MAX, State};
use super::*;
use crate::engine::samples::{create_vswitch, proposal};
use berth_actors::{MonotonicClock, Reply, Spawner, Waiting};
use berth_domain::command::{Command, DeleteVSwitch};
use berth_domain::id::{Revision, VSwitchName};
use berth_domain::outcome::{Answer, Outcome};
use berth_domain::version::{BASE, CARE};
use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{self, Poll};
use tracing::Span;

const BOOT: [u8; 16] = [1; 16];

fn leading() -> State {
    let mut state = State::new(BOOT);
    state.begin(LedgerClock::start(5_000, 100), 1_000, BASE);
    state
}

fn propose(state: &mut State) -> Waiting<Committed> {
    let delete = DeleteVSwitch {
        name: VSwitchName::new("a").expect("a name"),
    };
    proposed(state, Command::DeleteVSwitch(delete))
}

fn proposed(state: &mut State, command: Command) -> Waiting<Committed> {
    proposed_until(state, command, None)
}

fn propose_until(state: &mut State, until_ms: u64) -> Waiting<Committed> {
    let create = create_vswitch("a", "10.0.0.0/24", 0).command;
    proposed_until(state, create, Some(until_ms))
}

fn proposed_until(
    state: &mut State,
    command: Command,
    until_ms: Option<u64>,
) -> Waiting<Committed> {
    let (reply, waiting) = Reply::new();
    state.propose(Propose {
        proposal: proposal(command),
        span: Span::none(),
        until_ms,
        reply,
    });
    waiting
}

/// What it was told, if it was told by now.
fn told(waiting: Waiting<Committed>) -> Option<Committed> {
    let mut context = task::Context::from_waker(task::Waker::noop());
    match pin!(waiting).poll(&mut context) {
        Poll::Ready(answer) => Some(answer.expect("never dropped")),
        Poll::Pending => None,
    }
}

fn answer(revision: u64) -> Answer {
    Answer {
        revision: Revision(revision),
        result: Ok(Outcome::Done),
    }
}

/// Promise: each proposer hears the answer of its own command, whatever order entries are applied in.
#[test]
fn answers_find_their_proposers() {
    let mut state = leading();
    let (one, two) = (propose(&mut state), propose(&mut state));
    let (first, _) = state.pack(100, 0).expect("an entry");
    let three = propose(&mut state);
    let (second, _) = state.pack(100, 0).expect("an entry");
    state.applied(BOOT, second, 9, vec![answer(3)]);
    state.applied(BOOT, first, 9, vec![answer(1), answer(2)]);
    assert_eq!(told(one), Some(Ok(answer(1))));
    assert_eq!(told(two), Some(Ok(answer(2))));
    assert_eq!(told(three), Some(Ok(answer(3))));
}

/// Promise: an entry of another process with the same counter is never taken for ours.
#[test]
fn an_entry_of_another_boot_answers_nobody() {
    let mut state = leading();
    let waiting = propose(&mut state);
    let (batch, _) = state.pack(100, 0).expect("an entry");
    state.applied([2; 16], batch, 9, vec![answer(1)]);
    assert_eq!(state.under_way(), 1);
    state.applied(BOOT, batch, 9, vec![answer(2)]);
    assert_eq!(told(waiting), Some(Ok(answer(2))));
}

/// Promise: with the leadership lost, what raft has is unknown, never failed, and what it never had did not happen.
#[test]
fn a_lost_leadership_leaves_the_outcome_unknown() {
    let mut state = leading();
    let flying = propose(&mut state);
    let (batch, _) = state.pack(100, 0).expect("an entry");
    let queued = propose(&mut state);
    state.lose();
    assert!(matches!(told(flying), Some(Err(Failure::Unknown { .. }))));
    assert!(matches!(told(queued), Some(Err(Failure::NotLeader { .. }))));
    assert!(matches!(
        told(propose(&mut state)),
        Some(Err(Failure::NotLeader { .. }))
    ));
    assert!(state.pack(100, 0).is_none());
    // That it is committed after all is nobody's answer any more, also not in a new term.
    state.begin(LedgerClock::start(6_000, 200), 0, BASE);
    let next = propose(&mut state);
    state.applied(BOOT, batch, 9, vec![answer(1)]);
    assert_eq!(told(next), None);
}

/// Promise: a command that nobody waits for any more is in no entry and its proposer is told so, so that those behind it have
/// its place; in time it is in one (the control).
#[test]
fn what_nobody_waits_for_is_not_packed() {
    let mut state = leading();
    let (late, on_time) = (
        propose_until(&mut state, 99),
        propose_until(&mut state, 100),
    );
    let patient = propose(&mut state);
    let (batch, data) = state.pack(100, 0).expect("an entry");
    assert_eq!(decode_entry(&data).expect("ours").proposals.len(), 2);
    assert!(matches!(told(late), Some(Err(Failure::Busy { .. }))));
    state.applied(BOOT, batch, 9, vec![answer(1), answer(2)]);
    assert_eq!(told(on_time), Some(Ok(answer(1))));
    assert_eq!(told(patient), Some(Ok(answer(2))));
    let late = propose_until(&mut state, 99);
    assert!(state.pack(100, 0).is_none(), "nothing is left to pack");
    assert!(matches!(told(late), Some(Err(Failure::Busy { .. }))));
}

/// Promise: an entry holds no more than its limit, and no more than a few are under way; the rest waits for the next.
#[test]
fn entries_are_bounded_and_shared() {
    let mut state = leading();
    let count = COMMANDS_MAX + 10;
    let waiting: Vec<_> = (0..count).map(|_| propose(&mut state)).collect();
    let (_, data) = state.pack(100, 0).expect("an entry");
    assert_eq!(
        decode_entry(&data).expect("ours").proposals.len(),
        COMMANDS_MAX
    );
    let (_, data) = state.pack(100, 0).expect("the rest");
    assert_eq!(decode_entry(&data).expect("ours").proposals.len(), 10);
    let more: Vec<_> = (2..ENTRIES_MAX + 1)
        .map(|_| {
            let waiting = propose(&mut state);
            (state.pack(100, 0).is_some(), waiting)
        })
        .collect();
    assert!(more[..more.len() - 1].iter().all(|(packed, _)| *packed));
    assert!(!more[more.len() - 1].0, "as many under way as there may be");
    assert_eq!(waiting.len(), count);
}

/// Promise: a full queue is told at once, and takes nothing in.
#[test]
fn a_full_queue_is_busy() {
    let mut state = leading();
    let waiting: Vec<_> = (0..QUEUE_MAX).map(|_| propose(&mut state)).collect();
    assert!(matches!(
        told(propose(&mut state)),
        Some(Err(Failure::Busy { .. }))
    ));
    assert_eq!(state.queued(), waiting.len());
}

/// Promise: what raft will not take for a while is offered again, the same bytes; in the end its callers know that nothing happened.
#[test]
fn a_refused_entry_is_offered_again() {
    let mut state = leading();
    let waiting = propose(&mut state);
    let (batch, data) = state.pack(100, 0).expect("an entry");
    let mut offers = 1;
    while let Some(again) = state.refused(batch) {
        assert_eq!(again, data);
        offers += 1;
    }
    assert!(offers > 10, "{offers}");
    assert!(matches!(told(waiting), Some(Err(Failure::Busy { .. }))));
    assert_eq!(state.under_way(), 0);
}

/// Promise: the ledger time stamped is the leader's monotonic time on top of the ledger's; the wall clock never goes back.
#[test]
fn headers_carry_two_times() {
    let mut state = leading();
    let mut header = |now_ms, wall_ms| {
        drop(propose(&mut state));
        let (batch, data) = state.pack(now_ms, wall_ms).expect("an entry");
        state.applied(BOOT, batch, 9, vec![answer(1)]);
        let header = decode_entry(&data).expect("ours").header;
        (header.ledger_time_ms, header.wall_time_ms)
    };
    assert_eq!(header(100, 9_000), (5_000, 9_000));
    assert_eq!(header(350, 4_000), (5_250, 9_000));
    assert_eq!(header(351, 9_001), (5_251, 9_001));
}

/// Promise: commands that come in one turn share one entry.
#[test]
fn one_turn_is_one_entry() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let entries = Rc::new(RefCell::new(Vec::new()));
        let seen = Rc::clone(&entries);
        let offer: Offer = Box::new(move |data| {
            seen.borrow_mut().push(decode_entry(&data).expect("ours"));
            true
        });
        let spawner = Spawner::new(Arc::new(MonotonicClock::start()));
        let journal = spawner.spawn(Journal::new(BOOT, offer, Arc::new(|| 1)), 100);
        journal.deliver(Begin {
            clock: LedgerClock::start(0, 0),
            wall_ms: 0,
            version: BASE,
        });
        let waiting: Vec<_> = (0..50)
            .map(|_| {
                let (reply, waiting) = Reply::new();
                let proposal = create_vswitch("a", "10.0.0.0/24", 0);
                let span = Span::none();
                journal
                    .try_send(Propose {
                        proposal,
                        span,
                        until_ms: None,
                        reply,
                    })
                    .expect("room");
                waiting
            })
            .collect();
        while entries.borrow().is_empty() {
            tokio::task::yield_now().await;
        }
        let (batch, count) = (
            entries.borrow()[0].batch,
            entries.borrow()[0].proposals.len(),
        );
        assert_eq!(count, 50);
        journal.deliver(Settle(vec![Settled::Applied {
            leader_boot: BOOT,
            batch,
            index: 9,
            answers: (1..=50).map(answer).collect(),
        }]));
        for (revision, waiting) in (1..).zip(waiting) {
            assert_eq!(waiting.await.expect("told"), Ok(answer(revision)));
        }
    });
}

/// Promise: entries reach raft in their order: what comes later waits for one that raft would not take; one that raft has
/// dropped, with a later one taken already, is given back, and one without is offered again (the control).
#[test]
fn nothing_is_passed() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let (tried, taken) = (
            Rc::new(RefCell::new(Vec::new())),
            Rc::new(RefCell::new(Vec::new())),
        );
        let (tries, takes) = (Rc::clone(&tried), Rc::clone(&taken));
        let offer: Offer = Box::new(move |data| {
            let batch = decode_entry(&data).expect("ours").batch;
            tries.borrow_mut().push(batch);
            // The first is refused once.
            let is_taken = tries.borrow().len() > 1;
            if is_taken {
                takes.borrow_mut().push((batch, data));
            }
            is_taken
        });
        let spawner = Spawner::new(Arc::new(MonotonicClock::start()));
        let journal = spawner.spawn(Journal::new(BOOT, offer, Arc::new(|| 1)), 100);
        journal.deliver(Begin {
            clock: LedgerClock::start(0, 0),
            wall_ms: 0,
            version: BASE,
        });
        let ask = || {
            let (reply, waiting) = Reply::new();
            let (proposal, span) = (create_vswitch("a", "10.0.0.0/24", 0), Span::none());
            let propose = Propose {
                proposal,
                span,
                until_ms: None,
                reply,
            };
            journal.try_send(propose).expect("room");
            waiting
        };
        let first = ask();
        while tried.borrow().is_empty() {
            tokio::task::yield_now().await;
        }
        let second = ask();
        while taken.borrow().len() < 2 {
            tokio::task::yield_now().await;
        }
        let batches: Vec<u64> = taken.borrow().iter().map(|(batch, _)| *batch).collect();
        assert_eq!(batches, [1, 2]);

        let dropped = |number: usize| Settled::Dropped {
            data: taken.borrow()[number].1.clone(),
            reason: DropReason::Busy,
        };
        journal.deliver(Settle(vec![dropped(0), dropped(1)]));
        let given_back = first.await.expect("told").expect_err("given back");
        assert!(matches!(given_back, Failure::Busy { .. }), "{given_back}");
        while taken.borrow().len() < 3 {
            tokio::task::yield_now().await;
        }
        assert_eq!(taken.borrow()[2].0, 2, "offered again");
        journal.deliver(Settle(vec![Settled::Applied {
            leader_boot: BOOT,
            batch: 2,
            index: 9,
            answers: vec![answer(1)],
        }]));
        assert_eq!(second.await.expect("told"), Ok(answer(1)));
    });
}

/// Promise: a command that the cluster version does not allow is refused before it is proposed, with both numbers; after
/// the raise it is proposed, and its entry says at which version it was written.
#[test]
fn a_command_ahead_of_its_version_is_refused() {
    let mut state = State::new(BOOT);
    state.begin(LedgerClock::start(5_000, 100), 1_000, BASE);
    let repair = || {
        Command::Repair(berth_domain::command::Repair::FreeAddress {
            address: "10.0.0.1".parse().expect("an address"),
        })
    };
    let Some(Err(Failure::Refused(refusal))) = told(proposed(&mut state, repair())) else {
        panic!("not refused");
    };
    assert!(
        refusal
            .to_string()
            .contains("repair needs cluster version 2"),
        "{refusal}"
    );
    assert!(state.pack(200, 2_000).is_none(), "nothing is proposed");
    let to = CARE;
    let raise = Command::SetClusterVersion(berth_domain::command::SetClusterVersion { to });
    let raised = proposed(&mut state, raise);
    let (batch, data) = state
        .pack(200, 2_000)
        .expect("the raise itself is proposed");
    state.applied(BOOT, batch, 9, vec![answer(1)]);
    assert_eq!(told(raised), Some(Ok(answer(1))));
    assert_eq!(
        decode_entry(&data).expect("ours").version,
        CARE,
        "of the version that it sets"
    );
    state.raised(CARE);
    let allowed = proposed(&mut state, repair());
    let (_, data) = state.pack(200, 2_000).expect("now it is proposed");
    assert_eq!(decode_entry(&data).expect("ours").version, CARE);
    assert!(told(allowed).is_none(), "it waits for its commit");
    // A new term starts from its own ledger's version.
    state.begin(LedgerClock::start(6_000, 300), 0, BASE);
    let refused = told(proposed(&mut state, repair()));
    assert!(matches!(refused, Some(Err(Failure::Refused(_)))));
}
