//! What an administrator types.

use berth_testkit::process::binary;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// What a command left behind.
#[derive(Debug)]
pub struct Answer {
    /// Its exit status was 0.
    pub done: bool,
    /// The JSON on stdout; null if there was none.
    pub json: Value,
    /// What people would read.
    pub said: String,
    text: String,
}

/// `berthctl facts report --hold`, until it is dropped.
pub struct Facts(Child);

/// `berthctl -o json` with these words, to this server.
pub fn berthctl(endpoint: &str, words: &[&str]) -> Answer {
    let mut command = Command::new(binary("berthctl").expect("it is built"));
    // What it becomes for files is the program of this build.
    command
        .env_clear()
        .env("BERTHD", binary("berthd").expect("it is built"));
    command.env("BERTH_ENDPOINTS", endpoint).env("USER", "anna");
    let output = command
        .args(["-o", "json"])
        .args(words)
        .output()
        .expect("it runs");
    Answer {
        done: output.status.success(),
        json: serde_json::from_slice(&output.stdout).unwrap_or(Value::Null),
        said: String::from_utf8_lossy(&output.stderr).into_owned(),
        text: String::from_utf8_lossy(&output.stdout).into_owned(),
    }
}

/// The same without a server.
pub fn offline(words: &[&str]) -> Answer {
    berthctl("http://127.0.0.1:1", words)
}

/// A path as a word.
pub fn word(path: &Path) -> &str {
    path.to_str().expect("a path of plain characters")
}

// === impl Answer ===

impl Answer {
    /// Its JSON, one document a line.
    pub fn lines(&self) -> Vec<Value> {
        let lines = self.text.lines();
        lines
            .map(|line| serde_json::from_str(line).expect("a document a line"))
            .collect()
    }

    /// Its JSON; panics if it was not done.
    #[track_caller]
    pub fn good(self) -> Value {
        assert!(self.done, "{}", self.said);
        self.json
    }

    /// What it said; panics if it was done.
    #[track_caller]
    pub fn refused(self) -> String {
        assert!(!self.done, "it was done: {}", self.json);
        self.said
    }
}

// === impl Facts ===

impl Facts {
    /// Until the leader has taken all of them.
    pub fn report(endpoint: &str, facts: &[&str]) -> Self {
        let mut command = Command::new(binary("berthctl").expect("it is built"));
        command.env_clear().env("BERTH_ENDPOINTS", endpoint);
        command.args([
            "-o",
            "json",
            "facts",
            "report",
            "--cluster",
            "main",
            "--hold",
        ]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it runs");
        let mut input = child.stdin.take().expect("a pipe");
        for fact in facts {
            writeln!(input, "{fact}").expect("written");
        }
        drop(input);
        let all = format!("{}", facts.len());
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let taken = output
            .lines()
            .map_while(Result::ok)
            .any(|line| line.contains(&all));
        assert!(taken, "they were not taken");
        Self(child)
    }
}

impl Drop for Facts {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
