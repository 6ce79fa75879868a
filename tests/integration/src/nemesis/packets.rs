//! Partitions and loss.

use crate::ground::{Cut, Disturbed};
use crate::load::Chance;
use crate::run::Run;
use std::thread;
use std::time::Duration;

/// Longer than two elections: whoever can lead does.
const WITHOUT_QUORUM: Duration = Duration::from_millis(1_500);

pub(super) fn cut(run: &mut Run, cuts: &[(usize, Cut)], chance: &mut Chance) -> Duration {
    let all = cuts
        .iter()
        .map(|(victim, cut)| Disturbed::cut(run.ground.member(*victim), cut));
    let disturbed: Vec<_> = all.collect();
    if cuts.len() > 1 {
        thread::sleep(WITHOUT_QUORUM);
        drop(disturbed);
        return run.await_service();
    }
    let served = run.await_service();
    thread::sleep(Duration::from_millis(chance.between(100, 900)));
    drop(disturbed);
    served
}
