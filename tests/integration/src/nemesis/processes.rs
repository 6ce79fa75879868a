//! Processes that are killed, stopped, or must end by themselves.

use super::await_end;
use crate::ground::{Cut, Disturbed};
use crate::load::Chance;
use crate::run::Run;
use rustix::process::Signal;
use std::thread;
use std::time::Duration;

pub(super) fn kill(run: &mut Run, victims: &[usize]) -> Duration {
    for victim in victims {
        run.ground.member(*victim).kill();
    }
    // Of fewer than half of the members nobody waits for the restart.
    let served = (victims.len() == 1).then(|| run.await_service());
    for victim in victims {
        let member = run.ground.member(*victim);
        member.wait();
        member.start(false).expect("it starts");
    }
    served.unwrap_or_else(|| run.await_service())
}

/// In half of the cases as a whole machine is stopped: what its peers sent meanwhile is lost, and reaches it only when they
/// send it again, after its own clients' questions.
pub(super) fn pause(run: &mut Run, victim: usize, chance: &mut Chance) -> Duration {
    let member = run.ground.member(victim);
    let is_deaf = chance.percent(50);
    let deaf = is_deaf.then(|| Disturbed::cut(member, &Cut::Peers));
    member.signal(Signal::STOP);
    let served = run.await_service();
    thread::sleep(Duration::from_millis(chance.between(0, 1_000)));
    run.ground.member(victim).signal(Signal::CONT);
    if deaf.is_some() {
        thread::sleep(SENT_AGAIN_AFTER);
    }
    served
}

/// TCP's own pause before it sends again, about.
const SENT_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// Nothing retries a sync: the process ends, and what it had acknowledged is there when it comes back.
pub(super) fn fail_syncs(run: &mut Run, victim: usize) -> Duration {
    let failing = Disturbed::syncs(run.ground.member(victim), "error=EIO");
    let ended = await_end(&mut run.ground, victim);
    drop(failing);
    let ended = ended.unwrap_or_else(|| panic!("member {victim} goes on with a disk that fails"));
    assert!(!ended.success(), "it says nothing of its disk: {ended}");
    let served = run.await_service();
    run.ground.member(victim).start(false).expect("it starts");
    served
}
