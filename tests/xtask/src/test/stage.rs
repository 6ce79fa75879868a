//! Stages: run one after the other, timed, and summed up at the end.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::tally::Tally;
use super::{cannot_run, timed};
use crate::error::{Error, Result};

/// What ran so far.
pub struct Stages {
    done: Vec<Stage>,
    /// Where the tests' output is shown.
    shown: Box<dyn Write>,
}

#[derive(Debug)]
struct Stage {
    name: &'static str,
    took: Duration,
    /// The program's own exit status.
    success: bool,
    /// None for a stage without tests.
    tally: Option<Tally>,
}

// === impl Stages ===

impl Stages {
    /// Nothing ran yet; the tests' output will be shown there.
    pub fn showing(shown: Box<dyn Write>) -> Self {
        Self {
            done: Vec::new(),
            shown,
        }
    }

    /// Runs a command whose exit status says it all.
    pub fn run(&mut self, name: &'static str, mut command: Command) -> Result<()> {
        announce(name, &command);
        let (status, took) = timed(|| {
            command
                .status()
                .map_err(|error| cannot_run(&command, &error))
        })?;
        self.done.push(Stage {
            name,
            took,
            success: status.success(),
            tally: None,
        });
        Ok(())
    }

    /// Runs a command whose output is that of test binaries; it is shown as it comes, and counted.
    pub fn run_tests(&mut self, name: &'static str, mut command: Command) -> Result<()> {
        announce(name, &command);
        let ((success, tally), took) = timed(|| shown_and_counted(&mut command, &mut self.shown))?;
        self.done.push(Stage {
            name,
            took,
            success,
            tally: Some(tally),
        });
        Ok(())
    }

    /// Time per stage.
    pub fn table(&self) -> String {
        let total: Duration = self.done.iter().map(|stage| stage.took).sum();
        let mut lines: Vec<String> = self.done.iter().map(Stage::line).collect();
        lines.push(format!("  {:<10} {:>7.1} s", "all", total.as_secs_f64()));
        lines.join("\n")
    }

    /// Everything that did not hold, in sentences.
    pub fn complaints(&self) -> Vec<String> {
        self.done.iter().filter_map(Stage::complaint).collect()
    }

    /// "N passed, N failed", summed over all test binaries; a binary that died counts as one failure.
    pub fn closing_line(&self) -> String {
        let tallies = || {
            self.done
                .iter()
                .filter_map(|stage| stage.tally.as_ref().map(|tally| (stage, tally)))
        };
        let passed: u64 = tallies().map(|(_, tally)| tally.passed).sum();
        let failed: u64 = tallies()
            .map(|(stage, tally)| tally.failed.max(u64::from(!stage.success)))
            .sum();
        format!("{passed} passed, {failed} failed")
    }

    /// Whether every stage held.
    pub fn held(&self) -> bool {
        self.complaints().is_empty() && !self.done.is_empty()
    }
}

// === impl Stage ===

impl Stage {
    fn line(&self) -> String {
        let verdict = if self.complaint().is_none() {
            "held"
        } else {
            "FAILED"
        };
        format!(
            "  {:<10} {:>7.1} s  {verdict}",
            self.name,
            self.took.as_secs_f64()
        )
    }

    fn complaint(&self) -> Option<String> {
        let name = self.name;
        match &self.tally {
            _ if !self.success => Some(format!("{name}: failed, see above")),
            Some(tally) if tally.failed > 0 => {
                Some(format!("{name}: {} tests failed", tally.failed))
            }
            Some(tally) if tally.ignored > 0 => Some(format!(
                "{name}: {} tests are ignored; none may be",
                tally.ignored
            )),
            Some(tally) if tally.passed == 0 => Some(format!("{name}: not one test ran")),
            _ => None,
        }
    }
}

fn announce(name: &str, command: &Command) {
    let arguments: Vec<_> = command
        .get_args()
        .map(|argument| argument.to_string_lossy())
        .collect();
    println!("\n=== {name}: cargo {}", arguments.join(" "));
}

fn shown_and_counted(command: &mut Command, shown: &mut dyn Write) -> Result<(bool, Tally)> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| cannot_run(command, &error))?;
    let output = child
        .stdout
        .take()
        .ok_or(Error::new("cargo has no output"))?;
    let mut tally = Tally::default();
    for line in BufReader::new(output).split(b'\n') {
        let line = line.map_err(|error| Error::system("cannot read the tests' output", &error))?;
        tally.read(&String::from_utf8_lossy(&line));
        shown
            .write_all(&line)
            .and_then(|()| shown.write_all(b"\n"))
            .map_err(|error| Error::system("cannot write", &error))?;
    }
    let status = child.wait().map_err(|error| cannot_run(command, &error))?;
    Ok((status.success(), tally))
}

#[cfg(test)]
mod tests {
    use super::{Command, Stages};

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    /// The made-up results must not be counted among the real ones.
    fn stages() -> Stages {
        Stages::showing(Box::new(std::io::sink()))
    }

    const GOOD: &str =
        "echo 'test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out'";

    /// Promise: tests are summed over all binaries, and a run in which everything held says so.
    #[test]
    fn good_stages_hold() {
        let mut stages = stages();
        stages.run("one", shell("true")).expect("sh runs");
        stages
            .run_tests("two", shell(&format!("{GOOD}; {GOOD}")))
            .expect("sh runs");
        assert_eq!(stages.closing_line(), "4 passed, 0 failed");
        assert!(stages.held());
    }

    /// Promise (negative control): a failed stage, a failed or ignored test, a dead binary and an empty run do not hold.
    #[test]
    fn nothing_bad_holds() {
        let ignored = GOOD.replace("0 ignored", "1 ignored");
        let failed = GOOD.replace("0 failed", "1 failed");
        for script in ["true", &ignored, &failed, &format!("{GOOD}; exit 101")] {
            let mut stages = stages();
            stages.run_tests("bad", shell(script)).expect("sh runs");
            assert!(!stages.held(), "{script}");
        }
        let mut dead = stages();
        dead.run_tests("dead", shell(&format!("{GOOD}; kill -9 $$")))
            .expect("sh runs");
        assert_eq!(dead.closing_line(), "2 passed, 1 failed");
        let mut unformatted = stages();
        unformatted.run("format", shell("false")).expect("sh runs");
        assert!(!unformatted.held());
        assert!(!stages().held());
    }
}
