//! Data directories that are emptied or set back while the others go on.

use crate::turns::turn;
use berth_integration::ground::{Cut, Disturbed, Setup};
use berth_integration::load::{Chance, Recorder};
use berth_integration::nemesis::{Fault, RolledBack, others, rejoin, roll_back, wipe};
use berth_integration::run::Run;
use std::thread;
use std::time::Duration;

/// Promise: an emptied member, and one whose data is an old copy, are refused under their old id, say `--rejoin`, and then
/// join as new members; nothing is violated meanwhile.
#[test]
fn emptied_and_rolled_back_members_join_anew() {
    let _turn = turn();
    let mut run = Run::shipped(31);
    let mut chance = Chance::new(31, 9);
    Fault::Wipe.strike(&mut run, &mut chance);
    Fault::RollBack.strike(&mut run, &mut chance);
    let ended = run.finish();
    println!("{}", ended.verdict);
    ended.assert_good();
}

/// Negative control: a member that does not mind what it has lost goes on under its old id.
#[test]
fn a_rolled_back_member_that_goes_on_is_found() {
    let _turn = turn();
    let mut run = Run::planted(32, "ignore-rollback");
    let leader = run.ground.await_leader();
    let (_, verdict) = roll_back(&mut run, others(leader)[0]);
    assert_ne!(verdict, RolledBack::Refused, "the control controls nothing");
    run.finish_anyhow().expected_bad();
}

/// Leader and one follower have everything, the other follower nothing new. The leader dies; the follower that has
/// everything is emptied and comes back under its old id. Together the two that are left must not forget.
fn emptied_voter(setup: &Setup) -> Run {
    let mut run = Run::start(33, Recorder::default(), |_| setup.clone());
    run.await_service();
    let leader = run.ground.await_leader();
    let [complete, behind] = others(leader);
    let cut = Disturbed::cut(run.ground.member(behind), &Cut::Alone);
    for _ in 0..ENOUGH {
        run.await_service();
    }
    wipe(&mut run.ground, complete);
    // Its kernel would send on what the process has written, as its machine would not.
    let silence = Disturbed::cut(run.ground.member(leader), &Cut::Alone);
    run.ground.member(leader).kill();
    run.ground.member(leader).wait();
    drop(cut);
    run.ground.member(complete).start(true).expect("it starts");
    // If the emptied one could vote, there is a leader within two elections.
    thread::sleep(TWO_ELECTIONS);
    drop(silence);
    run.ground.member(leader).start(false).expect("it starts");
    run
}

/// Allocations that one follower does not have.
const ENOUGH: usize = 10;
const TWO_ELECTIONS: Duration = Duration::from_secs(4);

/// Promise: an emptied member has no vote under its old id, even if without it there is no quorum.
#[test]
fn an_emptied_member_has_no_vote() {
    let _turn = turn();
    let mut run = emptied_voter(&Setup::shipped());
    let number = (1..=3).find(|number| {
        run.ground
            .member(*number)
            .ended_within(REFUSED_WITHIN)
            .is_some()
    });
    let emptied = number.expect("the emptied one ends by itself");
    assert!(
        run.ground.member(emptied).said().contains("--rejoin"),
        "it does not say what to do"
    );
    rejoin(&mut run.ground, emptied);
    run.await_service();
    let ended = run.finish();
    println!("{}", ended.verdict);
    ended.assert_good();
}

const REFUSED_WITHIN: Duration = Duration::from_secs(5);

/// Negative control: where any store may speak for a member, the two forget what was acknowledged.
#[test]
fn an_emptied_member_that_votes_is_found() {
    let _turn = turn();
    let run = emptied_voter(&Setup::planted("trust-any-store"));
    let verdict = run.finish_anyhow().expected_bad();
    println!("{}", verdict.summary());
    assert!(verdict.breaks("R3"), "{verdict}");
}
