//! Small rooms: most files fit on two screens.

use crate::tree::Tree;

/// At least half of the files are shorter than this.
const HALF_BELOW: usize = 150;
/// Nine in ten are shorter than this.
const NINE_IN_TEN_BELOW: usize = 400;
/// None is longer than this without a reason below.
const LONGEST: usize = 800;

/// (path, why it may be longer)
const EXCUSED: &[(&str, &str)] = &[];

/// How long the files that people wrote may be.
pub fn files(tree: &Tree) -> Vec<String> {
    let mut lengths: Vec<(usize, &str)> = tree
        .rust()
        .map(|(path, text)| (text.lines().count(), path))
        .collect();
    lengths.sort_unstable();
    let Some(last) = lengths.len().checked_sub(1) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    let mut at_most = |share: &str, position: usize, limit: usize| {
        let (lines, path) = lengths[position];
        if lines >= limit {
            findings.push(format!("{share} of the files should be under {limit} lines; {path}, at that place, has {lines}"));
        }
    };
    at_most("half", last / 2, HALF_BELOW);
    at_most("nine in ten", last * 9 / 10, NINE_IN_TEN_BELOW);
    let long = lengths.iter().filter(|(lines, path)| {
        *lines > LONGEST && !EXCUSED.iter().any(|(excused, _)| excused == path)
    });
    let long: Vec<String> = long
        .map(|(lines, path)| {
            format!("{path} has {lines} lines; over {LONGEST} needs a listed reason")
        })
        .collect();
    findings.extend(long);
    findings
}

#[cfg(test)]
mod tests {
    use super::files;
    use crate::tree::Tree;

    /// Promise (negative control): each of the three limits is found to be broken when it is, and only then.
    #[test]
    fn long_files_are_found() {
        let (short, long, huge) = ("x\n".repeat(10), "x\n".repeat(500), "x\n".repeat(801));
        let good = Tree::made_up([("a.rs", &short), ("b.rs", &short)]);
        assert_eq!(files(&good), Vec::<String>::new());
        let bad = Tree::made_up([
            ("a.rs", &short),
            ("b.rs", &long),
            ("c.rs", &huge),
            ("x/gen/d.rs", &huge),
        ]);
        let findings = files(&bad);
        assert_eq!(findings.len(), 3, "{findings:?}");
    }
}
