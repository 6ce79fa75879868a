//! Data directories that are emptied, or set back to an old copy.

use super::await_end;
use crate::ground::Ground;
use crate::run::Run;
use berth_testkit::shell::run as shell;
use std::fs;
use std::time::Duration;

/// What became of a member with an old copy of its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RolledBack {
    /// It ended by itself, and said why.
    Refused,
    /// It went on, or said nothing of what is wrong.
    Accepted(String),
}

/// So much must happen between the copy and its return.
const MISSED: usize = 200;
/// A member that is refused ends within this time.
const REFUSED_WITHIN: Duration = Duration::from_secs(10);

/// Kills a member and removes all its data.
pub fn wipe(ground: &mut Ground, victim: usize) {
    let member = ground.member(victim);
    member.kill();
    member.wait();
    fs::remove_dir_all(member.data()).expect("its data is ours");
}

/// Starts a member that the cluster refuses as it is, as a new one.
pub fn rejoin(ground: &mut Ground, victim: usize) {
    ground
        .member(victim)
        .start_with(&["--rejoin"])
        .expect("it starts");
}

pub(super) fn wipe_and_rejoin(run: &mut Run, victim: usize) -> Duration {
    wipe(&mut run.ground, victim);
    let served = run.await_service();
    // As if it were to be begun once more: the others know its id with another store.
    let before = run.ground.member(victim).said().len();
    run.ground.member(victim).start(true).expect("it starts");
    let ended = await_end(&mut run.ground, victim);
    let said = run.ground.member(victim).said().split_off(before);
    assert!(
        ended.is_some_and(|status| !status.success()),
        "an emptied member votes on:\n{said}"
    );
    assert!(
        said.contains("--rejoin"),
        "it does not say what to do:\n{said}"
    );
    rejoin(&mut run.ground, victim);
    served
}

pub(super) fn roll_back_and_rejoin(run: &mut Run, victim: usize) -> Duration {
    let (served, verdict) = roll_back(run, victim);
    assert_eq!(verdict, RolledBack::Refused);
    rejoin(&mut run.ground, victim);
    served
}

/// Copies a member's data, lets the cluster go on, and starts the member on the copy. Its leader stays.
pub fn roll_back(run: &mut Run, victim: usize) -> (Duration, RolledBack) {
    let member = run.ground.member(victim);
    member.kill();
    member.wait();
    let (data, copy) = (
        member.data().to_owned(),
        member.data().with_extension("copy"),
    );
    shell(
        "cp",
        &["-a", &data.to_string_lossy(), &copy.to_string_lossy()],
    );
    member.start(false).expect("it starts");
    let served = run.await_service();
    run.ground.await_whole();
    let enough = run.load.recorder().count() + MISSED;
    run.ground
        .until("more operations", || run.load.recorder().count() >= enough);
    run.ground.await_whole();

    let member = run.ground.member(victim);
    member.kill();
    member.wait();
    fs::remove_dir_all(&data).expect("its data is ours");
    fs::rename(&copy, &data).expect("the copy is ours");
    let before = member.said().len();
    member.start(false).expect("it starts");
    let ended = member.ended_within(REFUSED_WITHIN);
    let said = member.said().split_off(before);
    let is_refused = ended.is_some_and(|status| !status.success()) && said.contains("rolled back");
    match is_refused {
        true => (served, RolledBack::Refused),
        false => (served, RolledBack::Accepted(said)),
    }
}
