//! Every crate says at its head what it is, and what it knows nothing of.

use crate::manifest;
use crate::tree::Tree;

/// Members under this folder test; they need a head, but know of everything.
const TESTS: &str = "tests/";

/// Every member's `lib.rs` (else `main.rs`) opens with a comment, and a crate that ships names its absences there.
pub fn of_crates(tree: &Tree) -> Vec<String> {
    let members = match manifest::members(tree) {
        Ok(members) => members,
        Err(finding) => return vec![finding],
    };
    members
        .iter()
        .filter_map(|member| finding(tree, &member.folder))
        .collect()
}

fn finding(tree: &Tree, folder: &str) -> Option<String> {
    let roots = [
        format!("{folder}/src/lib.rs"),
        format!("{folder}/src/main.rs"),
    ];
    let Some((path, text)) = roots.iter().find_map(|path| Some((path, tree.text(path)?))) else {
        return Some(format!("{folder} has neither src/lib.rs nor src/main.rs"));
    };
    let head: Vec<&str> = text
        .lines()
        .take_while(|line| line.starts_with("//!"))
        .collect();
    let words = head.join(" ").replace("//!", " ").to_lowercase();
    if words.split_whitespace().count() < 5 {
        return Some(format!(
            "{path} does not open with a comment that says what the crate is"
        ));
    }
    let ships = !folder.starts_with(TESTS);
    let names_absences = words
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .contains("nothing of");
    (ships && !names_absences)
        .then(|| format!("{path} does not say what the crate knows nothing of"))
}

#[cfg(test)]
mod tests {
    use super::of_crates;
    use crate::tree::Tree;

    /// Promise (negative control): a crate without a head, and one that names no absence, are found.
    #[test]
    fn silent_crates_are_found() {
        let tree = Tree::made_up([
            (
                "Cargo.toml",
                "[workspace]\nmembers = [\"proto\", \"services/a\", \"services/b\", \"tests/c\"]",
            ),
            ("proto/Cargo.toml", "[package]\nname = \"p\""),
            ("services/a/Cargo.toml", "[package]\nname = \"a\""),
            ("services/b/Cargo.toml", "[package]\nname = \"b\""),
            ("tests/c/Cargo.toml", "[package]\nname = \"c\""),
            (
                "proto/src/lib.rs",
                "//! The wire. Knows nothing\n//! of what the messages mean.\n",
            ),
            ("services/a/src/lib.rs", "pub mod x;\n"),
            (
                "services/b/src/main.rs",
                "//! A good program that does very much.\n",
            ),
            (
                "tests/c/src/lib.rs",
                "//! Tests that look at everything there is.\n",
            ),
        ]);
        let findings = of_crates(&tree);
        assert_eq!(findings.len(), 2, "{findings:?}");
        assert!(findings[0].contains("services/a") && findings[1].contains("services/b"));
    }
}
