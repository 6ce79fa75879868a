//! Promise: every `berthctl` line of the README is one that berthctl understands.

use berthctl::arguments::Arguments;
use clap::Parser;

/// Lines of code blocks that begin with berthctl, perhaps after a prompt and variables.
fn commands(text: &str) -> Vec<String> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        } else if inside {
            let line = line.trim_start().trim_start_matches("$ ");
            let line = line.split(" #").next().unwrap_or(line).trim_end();
            if line.starts_with("berthctl ") {
                found.push(line.to_owned());
            }
        }
    }
    found
}

/// Words as a shell would cut them; quotes keep blanks.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for letter in line.chars() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (None, '\'' | '"') => quote = Some(letter),
            (None, ' ') => words.push(String::new()),
            _ => words
                .iter_mut()
                .last()
                .into_iter()
                .for_each(|word| word.push(letter)),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn misunderstood(text: &str) -> Vec<String> {
    let refused = |line: &String| {
        let error = Arguments::try_parse_from(words(line)).err()?;
        Some(format!("{line}: {error}"))
    };
    commands(text).iter().filter_map(refused).collect()
}

/// Promise: every line is understood.
#[test]
fn every_line_of_the_readme_is_understood() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let readme = std::fs::read_to_string(path).expect("the README is there");
    assert!(commands(&readme).len() >= 5, "the README shows berthctl");
    let wrong = misunderstood(&readme);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Promise: the examples in berthctl's own help are understood too.
#[test]
fn every_example_of_the_help_is_understood() {
    use clap::CommandFactory;
    let mut open = vec![Arguments::command()];
    let mut examples = 0;
    while let Some(command) = open.pop() {
        let help = command
            .get_after_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        let lines = help
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("berthctl "));
        for line in lines.map(|line| line.split(['|', '<', '>']).next().unwrap_or(line)) {
            examples += 1;
            let parsed = Arguments::try_parse_from(words(line));
            assert!(
                parsed.is_ok(),
                "{line}: {}",
                parsed
                    .err()
                    .map(|error| error.to_string())
                    .unwrap_or_default()
            );
        }
        open.extend(command.get_subcommands().cloned());
    }
    assert!(examples > 20, "{examples} examples were found");
}

/// Promise (negative control): a line with a flag that there is not is found; prose and comments are not read.
#[test]
fn a_wrong_line_is_found() {
    let text = "berthctl nonsense\n```sh\n$ berthctl whohas 10.0.0.1 --at '5m ago'   # who?\nberthctl whohas --colour\n```\n";
    let wrong = misunderstood(text);
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert!(wrong[0].contains("--colour"));
}
