//! Rounds of faults until the time is over or somebody says stop: each round a new cluster, a load, faults drawn by the
//! round's seed, the checker; every third round its power is cut as well.

mod report;

pub use report::Report;

use crate::check::Verdict;
use crate::ground::Setup;
use crate::load::Chance;
use crate::nemesis::{ALL, Fault, Struck};
use crate::power::Recording;
use crate::run::{Ended, Run};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Faults of one round: a minute or so, and a record that is checked in a second.
const FAULTS: u64 = 10;
/// Every so many rounds the power is cut.
const CUT_EVERY: u64 = 3;
/// Cuts of one recording.
const CUTS: u64 = 4;
/// How long a recording is.
const RECORDING: Duration = Duration::from_secs(8);

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Until then; none = until stopped.
    pub length: Option<Duration>,
    /// The first round's; each round has its own.
    pub seed: u64,
}

struct Soak<'a> {
    plan: Plan,
    begun: Instant,
    report: Report,
    is_stopped: &'a dyn Fn() -> bool,
}

/// Runs it, with a line for each fault.
pub fn soak(plan: Plan, is_stopped: &dyn Fn() -> bool) -> Report {
    let mut soak = Soak {
        plan,
        begun: Instant::now(),
        report: Report::default(),
        is_stopped,
    };
    let mut round = 0;
    while soak.goes_on() {
        let seed = soak.plan.seed + round;
        println!("round {round}, seed {seed}");
        // A harness that waits in vain panics: the round has failed, and its folder stays.
        let done = catch_unwind(AssertUnwindSafe(|| soak.round(seed)));
        if done.is_err() {
            soak.report.broke(seed);
        }
        if round % CUT_EVERY == CUT_EVERY - 1 && soak.goes_on() {
            let done = catch_unwind(AssertUnwindSafe(|| soak.cuts(seed)));
            if done.is_err() {
                soak.report.broke(seed);
            }
        }
        round += 1;
    }
    soak.report.took = soak.begun.elapsed();
    soak.report
}

// === impl Soak ===

impl Soak<'_> {
    fn goes_on(&self) -> bool {
        let is_over = self
            .plan
            .length
            .is_some_and(|length| self.begun.elapsed() >= length);
        !is_over && !(self.is_stopped)()
    }

    fn round(&mut self, seed: u64) {
        let mut chance = Chance::new(seed, 9);
        let mut run = Run::shipped(seed);
        for _ in 0..FAULTS {
            if !self.goes_on() {
                break;
            }
            let fault = draw(&mut chance);
            let struck = fault.strike(&mut run, &mut chance);
            self.report.struck(struck);
            self.say(&struck);
        }
        let ended = run.finish();
        self.judge(seed, &ended);
    }

    fn judge(&mut self, seed: u64, ended: &Ended) {
        println!("  {}", ended.verdict);
        self.report.judged(seed, &ended.verdict, ended.kept());
    }

    fn cuts(&mut self, seed: u64) {
        let mut chance = Chance::new(seed, 10);
        let mut recording = Recording::make(seed, &Setup::shipped(), RECORDING);
        for _ in 0..CUTS {
            if !self.goes_on() {
                break;
            }
            let verdict: Verdict = recording.cut(&mut chance);
            let is_bad = !verdict.violations.is_empty();
            let kept: Option<PathBuf> = is_bad.then(|| recording.keep().to_owned());
            println!("  power cut: {verdict}");
            self.report.power_cut(seed, &verdict, kept);
        }
        self.report.operations += recording.operations();
    }

    fn say(&self, struck: &Struck) {
        let elapsed = self.begun.elapsed().as_secs();
        let (minutes, seconds) = (elapsed / 60, elapsed % 60);
        let length = match self.plan.length {
            Some(length) => format!(" of {} min", length.as_secs() / 60),
            None => String::new(),
        };
        println!(
            "  {minutes:3}:{seconds:02}{length}  {:<20} served after {:>6.2} s   {} faults, {} violations",
            struck.fault.to_string(),
            struck.served_after.as_secs_f64(),
            self.report.faults(),
            self.report.violations(),
        );
    }
}

/// Kills and partitions more often than what takes a member away for good.
fn draw(chance: &mut Chance) -> Fault {
    let fault = *chance.pick(&ALL);
    match fault {
        Fault::Wipe | Fault::RollBack | Fault::FailedSync if chance.percent(50) => {
            Fault::KillLeader
        }
        fault => fault,
    }
}
