//! Numbers, a short table, and the verdict.

use std::time::Duration;

/// One ADD that succeeded.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// The berth-cni process that succeeded, from start to end.
    pub took: Duration,
    /// From the first try on.
    pub waited: Duration,
    /// Tries before it.
    pub retries: u32,
    /// A static address that came from another node: two seconds of it are the rule.
    pub hand_over: bool,
}

/// One step of the story.
#[derive(Debug)]
pub struct Step {
    /// What was done.
    pub name: String,
    /// Its ADDs.
    pub samples: Vec<Sample>,
}

/// What the demo found.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Every ADD that succeeded.
    pub samples: Vec<Sample>,
    /// Every time two pods held one address.
    pub duplicates: Vec<String>,
    /// One entry per re-creation of a static pod: what went wrong, if anything.
    pub moves: Vec<Option<String>>,
    /// What else does not hold, in sentences.
    pub failures: Vec<String>,
}

// === impl Step ===

impl Step {
    fn cells(&self) -> [String; 7] {
        let ordinary = sorted(&self.samples, |sample| {
            (!sample.hand_over).then_some(sample.took)
        });
        let hand_over = sorted(&self.samples, |sample| {
            sample.hand_over.then_some(sample.took)
        });
        let retries: u32 = self.samples.iter().map(|sample| sample.retries).sum();
        let slowest = self.samples.iter().map(|sample| sample.waited).max();
        [
            self.name.clone(),
            self.samples.len().to_string(),
            quantile(&ordinary, 50).map_or("-".to_owned(), milliseconds),
            quantile(&ordinary, 99).map_or("-".to_owned(), milliseconds),
            quantile(&hand_over, 50).map_or("-".to_owned(), milliseconds),
            slowest.map_or("-".to_owned(), milliseconds),
            retries.to_string(),
        ]
    }
}

/// The steps as a table.
pub fn table(steps: &[Step]) -> String {
    let header = [
        "step",
        "ADDs",
        "p50",
        "p99",
        "hand-over",
        "longest",
        "retries",
    ];
    let mut rows = vec![header.map(str::to_owned)];
    rows.extend(steps.iter().map(Step::cells));
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |row: &[String; 7]| {
        let mut line = format!("  {:<width$}", row[0], width = widths[0]);
        for (cell, width) in row.iter().zip(&widths).skip(1) {
            line.push_str(&format!("  {cell:>width$}"));
        }
        line
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

// === impl Verdict ===

impl Verdict {
    /// Whether everything that must hold does, and something was done at all.
    pub fn holds(&self) -> bool {
        let something = !self.samples.is_empty() && !self.moves.is_empty();
        something
            && self.duplicates.is_empty()
            && self.failures.is_empty()
            && self.moves.iter().all(Option::is_none)
    }

    /// The one line.
    pub fn line(&self) -> String {
        let ordinary = sorted(&self.samples, |sample| {
            (!sample.hand_over).then_some(sample.took)
        });
        let shown = |percent| quantile(&ordinary, percent).map_or("-".to_owned(), milliseconds);
        let kept = self.moves.iter().filter(|wrong| wrong.is_none()).count();
        format!(
            "verdict: {} · {} allocations · ADD p50 {} p99 {} · duplicates {} · statics kept {kept}/{}",
            if self.holds() {
                "holds"
            } else {
                "DOES NOT HOLD"
            },
            self.samples.len(),
            shown(50),
            shown(99),
            self.duplicates.len(),
            self.moves.len(),
        )
    }

    /// Everything that is wrong, in sentences.
    pub fn complaints(&self) -> Vec<String> {
        let duplicates = self
            .duplicates
            .iter()
            .map(|duplicate| format!("duplicate: {duplicate}"));
        let moves = self
            .moves
            .iter()
            .flatten()
            .map(|wrong| format!("static address not kept: {wrong}"));
        duplicates
            .chain(moves)
            .chain(self.failures.iter().cloned())
            .collect()
    }
}

fn sorted(samples: &[Sample], which: impl Fn(&Sample) -> Option<Duration>) -> Vec<Duration> {
    let mut times: Vec<Duration> = samples.iter().filter_map(which).collect();
    times.sort_unstable();
    times
}

/// The smallest time that `percent` of them do not exceed.
fn quantile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.max(1) - 1).copied()
}

/// "12.3 s"
pub fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn milliseconds(time: Duration) -> String {
    let milliseconds = time.as_secs_f64() * 1000.0;
    if milliseconds < 100.0 {
        format!("{milliseconds:.1} ms")
    } else {
        format!("{milliseconds:.0} ms")
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Sample, Step, Verdict, quantile, table};

    fn sample(milliseconds: u64, hand_over: bool) -> Sample {
        let took = Duration::from_millis(milliseconds);
        Sample {
            took,
            waited: took,
            retries: 0,
            hand_over,
        }
    }

    fn good() -> Verdict {
        Verdict {
            samples: vec![sample(5, false), sample(2010, true)],
            moves: vec![None],
            ..Verdict::default()
        }
    }

    /// Promise: the verdict line counts what it says, and hand-overs do not blur the ADD's latency.
    #[test]
    fn the_verdict_says_what_was_counted() {
        let line = "verdict: holds · 2 allocations · ADD p50 5.0 ms p99 5.0 ms · duplicates 0 · statics kept 1/1";
        assert_eq!(good().line(), line);
        assert!(good().holds());
    }

    /// Promise: the verdict of a demo that met a slow disk and an election still stands on one line of a usual terminal.
    #[test]
    fn the_verdict_fits_a_terminal() {
        let verdict = Verdict {
            samples: vec![sample(1234, false); 148],
            moves: vec![None; 12],
            ..Verdict::default()
        };
        let line = verdict.line();
        assert!(line.contains("p99 1234 ms"), "{line}");
        assert!(line.chars().count() <= 100, "{line}");
    }

    /// Promise (negative control): a duplicate, a lost static address, a failure or an empty run never holds.
    #[test]
    fn nothing_bad_holds() {
        let duplicate = Verdict {
            duplicates: vec!["x".to_owned()],
            ..good()
        };
        let lost = Verdict {
            moves: vec![None, Some("y".to_owned())],
            ..good()
        };
        let failure = Verdict {
            failures: vec!["z".to_owned()],
            ..good()
        };
        for bad in [&duplicate, &lost, &failure] {
            assert!(!bad.holds() && bad.complaints().len() == 1, "{bad:?}");
            assert!(bad.line().contains("DOES NOT HOLD"));
        }
        assert!(!Verdict::default().holds());
    }

    /// Promise: a quantile is a time that was measured.
    #[test]
    fn quantiles_are_measured_times() {
        let times: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(quantile(&times, 50), Some(Duration::from_millis(50)));
        assert_eq!(quantile(&times, 99), Some(Duration::from_millis(99)));
        assert_eq!(quantile(&times[..1], 99), Some(Duration::from_millis(1)));
        assert_eq!(quantile(&[], 50), None);
    }

    /// Promise: the table's columns line up.
    #[test]
    fn the_table_lines_up() {
        let step = Step {
            name: "a step".to_owned(),
            samples: vec![sample(7, false)],
        };
        let text = table(&[step]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "  step    ADDs     p50     p99  hand-over  longest  retries"
        );
        assert_eq!(
            lines[1],
            "  a step     1  7.0 ms  7.0 ms          -   7.0 ms        0"
        );
    }
}
