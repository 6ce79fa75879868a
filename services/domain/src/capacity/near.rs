//! Which names somebody may have meant who mistyped one.

/// How many are named: a screen's line.
const NEAR_MAX: usize = 4;
/// A name that needs more changes than this has nothing to do with what was typed.
const CHANGES_MAX: usize = 6;

/// The nearest of these names, nearest first; of equally near ones the first in the list.
pub(super) fn near<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    // A name much longer or shorter is far off, and long ones are costly to measure.
    let about = names.filter(|name| name.len().abs_diff(typed.len()) <= CHANGES_MAX);
    let measured = about.map(|name| (changes(typed, name), name));
    let mut measured: Vec<(usize, &str)> = measured
        .filter(|(changes, _)| *changes <= CHANGES_MAX)
        .collect();
    measured.sort_by_key(|(changes, _)| *changes);
    measured.truncate(NEAR_MAX);
    measured.into_iter().map(|(_, name)| name).collect()
}

/// How many bytes have to be put in, left out or replaced to make one of the other (Levenshtein's distance).
fn changes(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, left) in one.bytes().enumerate() {
        let mut diagonal = at;
        row[0] = at + 1;
        for (column, right) in other.bytes().enumerate() {
            let replaced = diagonal + usize::from(left != right);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: the distance is the least number of changes.
    #[test]
    fn distances() {
        let table = [
            ("", "", 0),
            ("abc", "", 3),
            ("", "ab", 2),
            ("kitten", "sitting", 3),
            ("4xlrage", "4xlarge", 2),
            ("same", "same", 0),
        ];
        for (one, other, distance) in table {
            assert_eq!(changes(one, other), distance, "{one} {other}");
        }
    }

    /// Promise: the nearest stand first, few, and what is far off is not named at all.
    #[test]
    fn few_and_near() {
        let names = ["aaaa", "aaab", "aabb", "abbb", "bbbb", "zzzzzzzzzzzz"];
        assert_eq!(
            near("aaaa", names.into_iter()),
            ["aaaa", "aaab", "aabb", "abbb"]
        );
        assert_eq!(near("zzzzzzzzz", names.into_iter()), ["zzzzzzzzzzzz"]);
        assert!(near("qqqqqqqqqqqq", names.into_iter()).is_empty());
    }
}
