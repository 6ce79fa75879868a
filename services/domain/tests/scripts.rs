//! Sessions with the ledger as plain text: what is asked, what it answers, what changed. Each file of `scripts/` is one.
//!
//! Lines that begin with `> ` are asked, the rest is what came of it. After a wanted change:
//! `BERTH_REGENERATE=1 cargo test -p berth-domain --test scripts`, and read the difference.

#[path = "scripts/language.rs"]
mod language;
#[path = "scripts/session.rs"]
mod session;

use session::Session;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scripts")
}

fn run(text: &str) -> String {
    let mut session = Session::new();
    let mut output = String::new();
    for line in text.lines() {
        if let Some(asked) = line.strip_prefix("> ") {
            output.push_str(&format!("> {asked}\n{}", session.say(asked)));
        } else if line.starts_with('#') || line.is_empty() {
            output.push_str(&format!("{line}\n"));
        }
    }
    output
}

/// Promise: every session goes as it is written down, every rule holds after each line, and its history replays.
#[test]
fn sessions() {
    let entries = std::fs::read_dir(folder()).expect("the folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "txt"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 6, "the sessions are not there: {paths:?}");
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("a session");
        let output = run(&text);
        if std::env::var_os("BERTH_REGENERATE").is_some() {
            std::fs::write(&path, &output).expect("written");
        }
        let committed = std::fs::read_to_string(&path).expect("a session");
        assert_eq!(
            committed,
            output,
            "{}: BERTH_REGENERATE=1, and read the difference",
            path.display()
        );
    }
}

/// Promise (negative control): an answer that is not the one written down shows.
#[test]
fn a_wrong_answer_shows() {
    let text = "> vswitch vsw-a 10.0.0.0/29\nrevision 1: vSwitch 2\n";
    assert_ne!(run(text), text);
}
