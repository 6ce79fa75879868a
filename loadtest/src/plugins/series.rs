//! One turn of a plugin: ADD after ADD, then the DEL of each.

use std::path::Path;
use std::time::{Duration, Instant};

use super::call::Call;
use super::report::Turns;
use crate::Error;

/// A plugin with its configuration.
pub(crate) trait Subject {
    fn program(&self) -> &Path;
    /// For the sandbox of this number.
    fn config(&self, number: u64) -> String;

    fn call(&self, verb: &'static str, number: u64) -> Call {
        let config = self.config(number);
        Call {
            verb,
            number,
            config,
        }
    }
}

/// How long a turn is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Series {
    pub(crate) calls: u32,
    /// No ADD begins later, unless there were too few.
    pub(crate) longest: Duration,
}

/// So that a slow plugin has a median too.
const FEWEST: u32 = 5;

// === impl Series ===

impl Series {
    /// The sandboxes' numbers go on from `next`. What a plugin refuses is counted.
    pub(crate) fn turn(
        &self,
        subject: &dyn Subject,
        next: &mut u64,
        turns: &mut Turns,
    ) -> Result<(), Error> {
        let (first, begun) = (*next, Instant::now());
        for at in 0..self.calls {
            if at >= FEWEST && begun.elapsed() > self.longest {
                break;
            }
            let answer = subject.call("ADD", *next).make(subject.program())?;
            turns.add.answered(answer);
            *next += 1;
        }
        for number in first..*next {
            let answer = subject.call("DEL", number).make(subject.program())?;
            turns.del.answered(answer);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use super::{FEWEST, Series, Subject};
    use crate::plugins::report::Turns;

    struct Script(PathBuf);

    impl Subject for Script {
        fn program(&self) -> &Path {
            &self.0
        }

        fn config(&self, number: u64) -> String {
            format!("config {number}\n")
        }
    }

    fn turn(script: &str, seconds: u64) -> (Turns, u64, String) {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("plugin");
        let seen = folder.path().join("seen");
        let head = format!(
            "#!/bin/sh\nread a b; echo $CNI_COMMAND $b >> {}\n",
            seen.display()
        );
        fs::write(&program, head + script).unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        let series = Series {
            calls: 8,
            longest: Duration::from_secs(seconds),
        };
        let (mut next, mut turns) = (3, Turns::new("script"));
        let script = Script(program);
        series.turn(&script, &mut next, &mut turns).unwrap();
        (turns, next, fs::read_to_string(seen).unwrap())
    }

    /// Promise: each ADD of a turn is another sandbox's, and each has its DEL; a refusal is counted by what it said, not timed.
    #[test]
    fn a_turn_is_made_and_undone() {
        let refuse =
            "[ $b = 5 ] && [ $CNI_COMMAND = ADD ] && echo '{\"msg\": \"no\"}' && exit 1; exit 0";
        let (turns, next, seen) = turn(refuse, 60);
        assert_eq!(next, 11);
        let calls = |verb| (3..11).map(move |number| format!("{verb} {number}\n"));
        assert_eq!(seen, calls("ADD").chain(calls("DEL")).collect::<String>());
        let plugin = turns.of_plugin();
        assert_eq!((plugin.add.count, plugin.del.count), (7, 8));
        assert_eq!(plugin.failed.get("no"), Some(&1));
    }

    /// Promise: a slow plugin's turn ends early, but not before there is a median.
    #[test]
    fn a_slow_turn_ends_early() {
        let (turns, next, _) = turn("exit 0", 0);
        assert_eq!(next, 3 + u64::from(FEWEST));
        assert_eq!(turns.of_plugin().add.count, u64::from(FEWEST));
    }
}
