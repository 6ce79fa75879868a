//! Words that must not stand in the project: promises to do it later, and places of one machine.

use crate::tree::Tree;

/// This file has to spell them.
const HERE: &str = "tests/tidy/src/words.rs";

/// (word, why not); looked for in everything that people wrote.
const EVERYWHERE: &[(&str, &str)] = &[
    ("/work/", "a place of one machine"),
    ("/root/", "a place of one machine"),
    ("/home/", "a place of one machine"),
    (
        "FIXME",
        "do it now, or say in the README that it is missing",
    ),
    ("TODO", "do it now, or say in the README that it is missing"),
];

/// Looked for in Rust alone.
const IN_RUST: &[(&str, &str)] = &[
    ("todo!(", "do it now"),
    ("unimplemented!(", "do it now"),
    ("dbg!(", "left over"),
    ("Placeholder", "left over"),
];

/// None of the words stands anywhere.
pub fn forbidden(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.files() {
        if path == HERE || path == "Cargo.lock" || path == "LICENSE" || path.contains("/gen/") {
            continue;
        }
        let rust = path.ends_with(".rs");
        let words = EVERYWHERE.iter().chain(IN_RUST.iter().filter(|_| rust));
        for (word, why) in words {
            let lines = text
                .lines()
                .enumerate()
                .filter(|(_, line)| line.contains(word));
            findings.extend(lines.map(|(at, _)| format!("{path}:{}: {word:?}: {why}", at + 1)));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::forbidden;
    use crate::tree::Tree;

    /// Promise (negative control): each word is found, with its line; prose may still say what Rust may not.
    #[test]
    fn each_word_is_found() {
        let tree = Tree::made_up([
            ("a.rs", "fn a() {\n    todo!()\n}\n// TODO later\n"),
            ("b.md", "see /work/main; a Placeholder"),
            ("x/gen/c.rs", "// TODO by the generator"),
        ]);
        let findings = forbidden(&tree);
        assert_eq!(findings.len(), 3, "{findings:?}");
        assert!(
            findings[0].starts_with("a.rs:4")
                && findings[1].starts_with("a.rs:2")
                && findings[2].starts_with("b.md:1")
        );
    }
}
