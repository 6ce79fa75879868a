//! Whether a key that nobody knows is one of ours misspelt.

use super::section::Section;
use crate::error::Error;

/// Shorter keys have too many neighbours that mean something else: "mode" is not "node".
const ONE_SLIP_FROM_BYTES: usize = 6;
/// From this length on two slips are still the same word.
const TWO_SLIPS_FROM_BYTES: usize = 9;

/// Refuses the first key that is none of `ours` but looks like one.
pub fn check(section: &Section<'_>, ours: &[&str]) -> Result<(), Error> {
    for key in section.keys().filter(|key| !ours.contains(key)) {
        if let Some(meant) = ours.iter().find(|known| looks_like(key, known)) {
            return Err(Error::config(format!(
                "{} is not known; did you mean {}?",
                section.path_of(key),
                section.path_of(meant)
            )));
        }
    }
    Ok(())
}

/// The same but for case, `_`, `-` and a plural, or a slip or two away from it.
fn looks_like(key: &str, known: &str) -> bool {
    let (key, known) = (plain(key), plain(known));
    let slips = match known.len() {
        length if length >= TWO_SLIPS_FROM_BYTES => 2,
        length if length >= ONE_SLIP_FROM_BYTES => 1,
        _ => 0,
    };
    let plural = |text: &str| text.trim_end_matches('s').to_owned();
    let swapped = known.len() >= ONE_SLIP_FROM_BYTES && letters(&key) == letters(&known);
    plural(&key) == plural(&known) || swapped || distance(&key, &known) <= slips
}

/// In order, so that two that changed places make no difference.
fn letters(text: &str) -> Vec<char> {
    let mut letters: Vec<char> = text.chars().collect();
    letters.sort_unstable();
    letters
}

fn plain(text: &str) -> String {
    let letters = text.chars().filter(|c| !matches!(c, '_' | '-'));
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

/// Levenshtein: letters to insert, drop or replace.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, letter) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (column, other) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, looks_like};

    /// Promise: slips of ours are found, and the keys of other address plugins are left alone.
    #[test]
    fn slips_are_told_from_other_words() {
        for (slip, known) in [
            ("endpoint", "endpoints"),
            ("deadlineMs", "deadline_ms"),
            ("vSwitch", "vswitch"),
            ("scoket", "socket"),
            ("clustre", "cluster"),
            ("Node", "node"),
            ("dedline_m", "deadline_ms"),
        ] {
            assert!(looks_like(slip, known), "{slip}");
        }
        for other in [
            "mode",
            "subnet",
            "ranges",
            "dataDir",
            "gateway",
            "resolvConf",
            "rangeStart",
        ] {
            for known in super::super::ipam::KEYS {
                assert!(!looks_like(other, known), "{other} {known}");
            }
        }
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
