//! What happens to a cluster from outside, one fault at a time, drawn by a seed; each is over, and the cluster whole again,
//! before the next.

mod data;
mod packets;
mod processes;

pub use data::{RolledBack, rejoin, roll_back, wipe};

use crate::ground::{Cut, Disturbed, Ground};
use crate::load::Chance;
use crate::run::Run;
use std::fmt;
use std::thread;
use std::time::Duration;

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// `kill -9` of the leader.
    KillLeader,
    /// `kill -9` of a follower.
    KillFollower,
    /// `kill -9` of all at once.
    KillAll,
    /// The leader is stopped for longer than an election, and then goes on.
    PauseLeader,
    /// A follower is stopped and goes on.
    PauseFollower,
    /// The leader cannot talk to its peers; clients still reach it.
    CutLeaderFromPeers,
    /// The leader reaches nobody.
    CutLeader,
    /// A follower reaches nobody.
    CutFollower,
    /// The leader hears neither peer; they hear it.
    DeafLeader,
    /// A follower does not hear the leader; the leader hears it.
    DeafFollower,
    /// Leader and one follower cannot talk; the third reaches both.
    CutOneLink,
    /// No server reaches another.
    CutEverybody,
    /// A tenth to a third of all packets of one member are lost.
    Loss,
    /// One member's disk takes 100 to 400 ms for each sync.
    SlowSync,
    /// One member's disk fails to sync: the process must end.
    FailedSync,
    /// A follower's data is gone; it must be refused under its old id and rejoin as a new member.
    Wipe,
    /// A follower's data is an old copy; it must be refused and rejoin as a new member.
    RollBack,
}

/// All of them, by kind: processes, packets, disks, data.
pub const ALL: [Fault; 17] = [
    Fault::KillLeader,
    Fault::KillFollower,
    Fault::KillAll,
    Fault::PauseLeader,
    Fault::PauseFollower,
    Fault::CutLeaderFromPeers,
    Fault::CutLeader,
    Fault::CutFollower,
    Fault::DeafLeader,
    Fault::DeafFollower,
    Fault::CutOneLink,
    Fault::CutEverybody,
    Fault::Loss,
    Fault::SlowSync,
    Fault::FailedSync,
    Fault::Wipe,
    Fault::RollBack,
];

/// How it went.
#[derive(Clone, Copy, Debug)]
pub struct Struck {
    /// What happened.
    pub fault: Fault,
    /// From then on until an ADD that began afterwards was served.
    pub served_after: Duration,
}

// === impl Fault ===

impl Fault {
    /// Lets it happen and go over. Panics if what must be refused is not, or nobody serves again.
    pub fn strike(self, run: &mut Run, chance: &mut Chance) -> Struck {
        let leader = run.ground.await_leader();
        let follower = *chance.pick(&others(leader));
        let served_after = match self {
            Self::KillLeader => processes::kill(run, &[leader]),
            Self::KillFollower => processes::kill(run, &[follower]),
            Self::KillAll => processes::kill(run, &[1, 2, 3]),
            Self::PauseLeader => processes::pause(run, leader, chance),
            Self::PauseFollower => processes::pause(run, follower, chance),
            Self::FailedSync => processes::fail_syncs(run, *chance.pick(&[leader, follower])),
            Self::SlowSync => {
                let delay_ms = chance.between(100, 400);
                slow_syncs(run, *chance.pick(&[leader, follower]), delay_ms)
            }
            Self::Wipe => data::wipe_and_rejoin(run, follower),
            Self::RollBack => data::roll_back_and_rejoin(run, follower),
            cut => packets::cut(run, &cut.cuts(leader, follower, chance), chance),
        };
        run.ground.await_whole();
        Struck {
            fault: self,
            served_after,
        }
    }

    fn cuts(self, leader: usize, follower: usize, chance: &mut Chance) -> Vec<(usize, Cut)> {
        let [one, other] = others(leader);
        match self {
            Self::CutLeaderFromPeers => vec![(leader, Cut::Peers)],
            Self::CutLeader => vec![(leader, Cut::Alone)],
            Self::CutFollower => vec![(follower, Cut::Alone)],
            Self::DeafLeader => vec![(leader, Cut::DeafTo(vec![one, other]))],
            Self::DeafFollower => vec![(follower, Cut::DeafTo(vec![leader]))],
            Self::CutOneLink => vec![(leader, Cut::From(vec![follower]))],
            Self::CutEverybody => {
                vec![(one, Cut::Peers), (other, Cut::Peers), (leader, Cut::Peers)]
            }
            _ => {
                let percent = u32::try_from(chance.between(10, 33)).unwrap_or(10);
                vec![(*chance.pick(&[leader, follower]), Cut::Loss(percent))]
            }
        }
    }

    /// Whether packets are what it is about.
    pub fn is_partition(self) -> bool {
        (Self::CutLeaderFromPeers..=Self::CutEverybody).contains(&self)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// The two that are not this one.
pub fn others(number: usize) -> [usize; 2] {
    [number % 3 + 1, (number + 1) % 3 + 1]
}

fn slow_syncs(run: &mut Run, victim: usize, delay_ms: u64) -> Duration {
    let injection = format!("delay_exit={}", delay_ms * 1_000);
    let slow = Disturbed::syncs(run.ground.member(victim), &injection);
    let served_after = run.await_service();
    thread::sleep(Duration::from_millis(delay_ms * 4));
    drop(slow);
    served_after
}

/// Waits until this member's process has ended by itself.
pub fn await_end(ground: &mut Ground, victim: usize) -> Option<std::process::ExitStatus> {
    ground.member(victim).ended_within(crate::ground::PATIENCE)
}
