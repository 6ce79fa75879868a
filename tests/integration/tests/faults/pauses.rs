//! Servers that are stopped for longer than an election and go on as if nothing had been. (Their control is that of the
//! partitions: a paused leader that reads alone.)

use crate::turns::{spread, turn};
use berth_integration::load::Chance;
use berth_integration::nemesis::Fault;
use berth_integration::run::Run;

/// Half of them as a whole machine is stopped.
const PAUSES: [Fault; 4] = [
    Fault::PauseLeader,
    Fault::PauseFollower,
    Fault::PauseLeader,
    Fault::PauseLeader,
];

/// Promise: a leader that was stopped serves nothing of what it believed before.
#[test]
fn pauses_violate_nothing() {
    let _turn = turn();
    let mut run = Run::shipped(51);
    let mut chance = Chance::new(51, 9);
    let served = PAUSES.map(|fault| fault.strike(&mut run, &mut chance).served_after);
    let ended = run.finish();
    println!(
        "{}\npause to the next ADD: {}",
        ended.verdict,
        spread(served.to_vec())
    );
    ended.assert_good();
}
