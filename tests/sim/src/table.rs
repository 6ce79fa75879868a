//! The README's table of planted bugs: written by a command, read by a test.

use crate::planted::{Found, ROWS, Row};

const BEGIN: &str = "<!-- planted: begin -->";
const END: &str = "<!-- planted: end -->";

/// Where the README is.
pub fn path() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")
}

/// The README with this table in it; none if it has no place for one.
pub fn written(readme: &str, found: &[(Row, Option<Found>)]) -> Option<String> {
    let (head, rest) = readme.split_once(BEGIN)?;
    let (_, tail) = rest.split_once(END)?;
    let lines: Vec<String> = found.iter().map(line).collect();
    let table = lines.join("\n");
    let head_line = "| Planted bug | What is wrong | Seeds | Rule |\n|---|---|---:|---|";
    Some(format!("{head}{BEGIN}\n{head_line}\n{table}\n{END}{tail}"))
}

/// The names of the bugs that the README's table says were found.
pub fn names(readme: &str) -> Vec<String> {
    let table = readme
        .split_once(BEGIN)
        .and_then(|(_, rest)| rest.split_once(END))
        .map_or("", |(table, _)| table);
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter(|row| !row.contains("not found"))
        .filter_map(|row| row.split('`').next().map(str::to_owned))
        .collect()
}

/// The seed that found a bug, by the README.
pub fn seed(readme: &str, name: &str) -> Option<u64> {
    let row = readme
        .lines()
        .find(|line| line.starts_with(&format!("| `{name}`")))?;
    row.split('|').nth(3)?.trim().parse().ok()
}

/// Every bug there is.
pub fn all() -> Vec<String> {
    ROWS.iter().map(|row| row.name.to_owned()).collect()
}

fn line((row, found): &(Row, Option<Found>)) -> String {
    let (seeds, rule) = match found {
        Some(found) => (found.seeds.to_string(), found.rule.clone()),
        None => ("not found".into(), String::new()),
    };
    format!("| `{}` | {} | {seeds} | {rule} |", row.name, row.what)
}
