//! How much is measured: everything, or as much as shows in under four minutes that it works.

use clap::ValueEnum;

use super::Arguments;
use super::catch_up::WINDOW_SECONDS;

/// What the bench is made of, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Part {
    /// One and three replicas, and three members of etcd, in turns
    Systems,
    /// Pods that come and go, statics that move; correctness counted
    Churn,
    /// berth-cni as a whole process, beside host-local
    Plugins,
    /// The ledger alone, with many live allocations
    Apply,
    /// From exec to serving, with many live allocations
    Restart,
    /// The leader killed, and asked to hand over: how long callers wait
    Failover,
    /// Snapshots under load, and a member that joins, with many live allocations
    CatchUp,
}

/// All parts.
pub const ALL: [Part; 7] = [
    Part::Systems,
    Part::Churn,
    Part::Plugins,
    Part::Apply,
    Part::Restart,
    Part::Failover,
    Part::CatchUp,
];

/// The numbers of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub parts: Vec<Part>,
    pub rounds: u32,
    pub in_flight: String,
    pub open_loop: String,
    pub seconds: u32,
    pub warm_up_seconds: u32,
    pub churn_seconds: u32,
    pub plugin_rounds: u32,
    pub plugin_calls: u32,
    pub plugin_seconds: u32,
    /// Of the ledger alone, and of the server that is restarted.
    pub live: u64,
    /// Leaders killed, and as many hand-overs on request.
    pub failovers: u32,
    /// Looked at for snapshots.
    pub windows: u32,
    pub etcd: bool,
}

/// The figures are for so many.
pub const LIVE_JUDGED: u64 = 1_000_000;

/// The p99 of fewer would say nothing.
pub const FAILOVERS_JUDGED: u32 = 25;

/// To kill, elect, start again and catch up; to hand over takes less.
const FAILOVER_SECONDS: u32 = 7;
/// To start the servers of a system, and for the list that the load tester compares at the end.
const AROUND_SECONDS: u32 = 4;
/// ADDs per second that one replica surely makes.
const FILLED_PER_SECOND: u64 = 12_000;
/// What the ledger's program makes of everything per second, all its rounds together.
const APPLIED_PER_SECOND: u64 = 60_000;
/// Its rounds, whatever is live.
const APPLIED_BESIDES: u64 = 1_200_000;

// === impl Settings ===

impl Settings {
    /// What was asked for, else what is usual.
    pub fn of(arguments: &Arguments) -> Self {
        let base = if arguments.quick {
            Self::quick()
        } else {
            Self::whole()
        };
        let mut parts = arguments.only.clone();
        parts.sort_unstable();
        parts.dedup();
        if parts.is_empty() {
            parts = ALL.to_vec();
        }
        let churn_seconds = arguments.churn_seconds.unwrap_or(base.churn_seconds);
        parts.retain(|part| *part != Part::Churn || churn_seconds > 0);
        Self {
            parts,
            rounds: arguments.rounds.unwrap_or(base.rounds),
            in_flight: arguments.in_flight.clone().unwrap_or(base.in_flight),
            open_loop: arguments.open_loop.clone().unwrap_or(base.open_loop),
            seconds: arguments.seconds.unwrap_or(base.seconds),
            churn_seconds,
            live: arguments.live.unwrap_or(base.live),
            etcd: !arguments.without_etcd,
            ..base
        }
    }

    fn whole() -> Self {
        Self {
            parts: ALL.to_vec(),
            rounds: 3,
            in_flight: "1,16,64,256".to_owned(),
            open_loop: "2000".to_owned(),
            seconds: 8,
            warm_up_seconds: 2,
            churn_seconds: 60,
            plugin_rounds: 3,
            plugin_calls: 200,
            plugin_seconds: 3,
            live: LIVE_JUDGED,
            failovers: FAILOVERS_JUDGED,
            windows: 14,
            etcd: true,
        }
    }

    fn quick() -> Self {
        Self {
            rounds: 1,
            in_flight: "1,256".to_owned(),
            seconds: 2,
            warm_up_seconds: 1,
            churn_seconds: 6,
            plugin_rounds: 1,
            plugin_calls: 50,
            plugin_seconds: 1,
            live: 100_000,
            failovers: 2,
            windows: 2,
            ..Self::whole()
        }
    }

    /// Whether it is to be measured.
    pub fn has(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    /// One system's turn.
    pub fn turn_seconds(&self) -> u32 {
        let steps = |list: &str| {
            list.split(',')
                .filter(|part| !part.trim().is_empty())
                .count()
        };
        let steps = (steps(&self.in_flight) + steps(&self.open_loop)) as u32;
        steps * (self.seconds + self.warm_up_seconds) + AROUND_SECONDS
    }

    /// One churn.
    pub fn churn_turn_seconds(&self) -> u32 {
        self.churn_seconds + 2 * AROUND_SECONDS
    }

    /// All levels of the plugins.
    pub fn plugins_seconds(&self) -> u32 {
        // Four levels, two plugins, a turn's ADDs and as many DELs, and what is weighed.
        4 * (self.plugin_rounds * (2 * self.plugin_seconds + 2) + 2) + AROUND_SECONDS
    }

    /// The ledger's program.
    pub fn apply_seconds(&self) -> u32 {
        u32::try_from((self.live + APPLIED_BESIDES) / APPLIED_PER_SECOND).unwrap_or(u32::MAX)
    }

    /// Filling, and two restarts.
    pub fn restart_seconds(&self) -> u32 {
        let filling = u32::try_from(self.live / FILLED_PER_SECOND).unwrap_or(u32::MAX);
        filling + filling / 4 + 2 * AROUND_SECONDS
    }

    /// Leaders that are killed, and hand-overs.
    pub fn failover_seconds(&self) -> u32 {
        self.failovers * FAILOVER_SECONDS + 2 * AROUND_SECONDS
    }

    /// Filling, windows, and a member.
    pub fn catch_up_seconds(&self) -> u32 {
        let filling = u32::try_from(self.live / FILLED_PER_SECOND).unwrap_or(u32::MAX);
        let windows = self.windows * (WINDOW_SECONDS + 3);
        filling + filling / 4 + windows + AROUND_SECONDS
    }

    /// Everything, as far as it can be foreseen.
    pub fn all_seconds(&self) -> u32 {
        let systems = self.rounds * self.turn_seconds() * (2 + u32::from(self.etcd));
        let of = |part: &Part| match part {
            Part::Systems => systems,
            Part::Churn => 2 * self.churn_turn_seconds(),
            Part::Plugins => self.plugins_seconds(),
            Part::Apply => self.apply_seconds(),
            Part::Restart => self.restart_seconds(),
            Part::Failover => self.failover_seconds(),
            Part::CatchUp => self.catch_up_seconds(),
        };
        self.parts.iter().map(of).sum()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::{ALL, Part, Settings};
    use crate::bench::Arguments;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn settings(line: &str) -> Settings {
        let words = std::iter::once("bench").chain(line.split_whitespace());
        Settings::of(&Line::parse_from(words).arguments)
    }

    /// Promise: everything is measured unless less is asked for, and what is said wins over what is usual.
    #[test]
    fn what_was_said_wins() {
        let whole = settings("");
        assert_eq!((whole.parts.as_slice(), whole.rounds), (&ALL[..], 3));
        assert!(whole.etcd && whole.live == 1_000_000);
        let some = settings("--only restart,plugins --only plugins --live 5000 --without-etcd");
        assert_eq!(some.parts, [Part::Plugins, Part::Restart]);
        assert!(!some.etcd && some.live == 5_000);
        assert!(!settings("--churn-seconds 0").has(Part::Churn));
        let quick = settings("--quick --rounds 2");
        assert_eq!((quick.rounds, quick.seconds, quick.live), (2, 2, 100_000));
    }

    /// Promise: a quick run has every part and is foreseen to take less than three and a half minutes; a whole one takes longer (the
    /// negative control).
    #[test]
    fn quick_is_quick() {
        let quick = settings("--quick");
        assert_eq!(quick.parts, ALL);
        assert!(quick.all_seconds() < 210, "{}", quick.all_seconds());
        assert!(settings("").all_seconds() > 600);
    }

    /// Promise: a part that is not there is refused by name.
    #[test]
    fn an_unknown_part_is_refused() {
        let refused = Line::try_parse_from(["bench", "--only", "everything"]);
        let text = refused
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(
            text.contains("everything") && text.contains("restart"),
            "{text}"
        );
    }
}
