//! A test's first line names the promise that it keeps.

use crate::tree::Tree;

/// Every test has a comment above it or as the first line of its body; a file with one test may say it at its head.
pub fn of_tests(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.rust() {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let tests: Vec<usize> = (0..lines.len()).filter(|at| is_test(lines[*at])).collect();
        let at_head =
            tests.len() == 1 && text.starts_with("//!") && text.to_lowercase().contains("promise");
        let silent = tests.iter().filter(|at| !at_head && !speaks(&lines, **at));
        findings.extend(silent.map(|at| format!("{path}:{}: this test names no promise", at + 1)));
    }
    findings
}

/// No test is switched off.
pub fn none_ignored(tree: &Tree) -> Vec<String> {
    let ignored = |line: &str| line.trim().starts_with(concat!("#[ig", "nore"));
    let mut findings = Vec::new();
    for (path, text) in tree.rust() {
        let lines = text.lines().enumerate().filter(|(_, line)| ignored(line));
        findings.extend(lines.map(|(at, _)| format!("{path}:{}: a test is ignored", at + 1)));
    }
    findings
}

fn is_test(line: &str) -> bool {
    line == "#[test]"
        || (line.starts_with("#[") && line.contains("::test") && !line.contains("cfg"))
}

/// A comment above the attributes, between them, or first in the body.
fn speaks(lines: &[&str], attribute: usize) -> bool {
    let above = lines[..attribute]
        .iter()
        .rev()
        .find(|line| !line.starts_with("#["));
    if above.is_some_and(|line| line.starts_with("//")) {
        return true;
    }
    let rest = &lines[attribute + 1..];
    let Some(signature) = rest.iter().position(|line| line.contains("fn ")) else {
        return false;
    };
    if rest[..signature].iter().any(|line| line.starts_with("//")) {
        return true;
    }
    let body = rest[signature..]
        .iter()
        .position(|line| line.ends_with('{'));
    let first = body.and_then(|opening| rest.get(signature + opening + 1));
    first.is_some_and(|line| line.starts_with("//"))
}

#[cfg(test)]
mod tests {
    use super::{none_ignored, of_tests};
    use crate::tree::Tree;

    /// Promise (negative control): a test without a promise is found; the three places where one may stand are known.
    #[test]
    fn silent_tests_are_found() {
        let silent = "#[test]\nfn a() {\n    go();\n}\n";
        let above = "/// Promise: x.\n#[test]\nfn b() {}\n";
        let inside = "#[tokio::test]\nasync fn c() {\n    // Promise: y.\n    go();\n}\n";
        let head = format!("//! Promise: z.\n{silent}");
        let off = format!("{above}{}", concat!("#[ig", "nore]\n"));
        let tree = Tree::made_up([
            ("a.rs", silent),
            ("b.rs", above),
            ("c.rs", inside),
            ("d.rs", &head),
            ("e.rs", &off),
        ]);
        assert_eq!(of_tests(&tree), ["a.rs:1: this test names no promise"]);
        assert_eq!(none_ignored(&tree).len(), 1);
    }
}
