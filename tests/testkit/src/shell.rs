//! Programs that the tests run, and the one way to run them: to their end, with what they said in the failure.

use std::process::{Command, Output};

/// What it said on stdout; a failure is a failure of the test.
pub fn run(program: &str, arguments: &[&str]) -> String {
    let output = try_run(program, arguments);
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The same where a failure is an answer.
pub fn try_run(program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program).args(arguments).output();
    output.unwrap_or_else(|error| panic!("{program}: {error}; it is in apt-packages.txt"))
}
