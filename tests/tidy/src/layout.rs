//! The top level is fixed, and a module's file stands beside its folder.

use std::collections::BTreeSet;

use crate::tree::Tree;

/// All that may stand at the top, beside dot-files.
const TOP: [&str; 14] = [
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "clippy.toml",
    "deny.toml",
    "deploy",
    "loadtest",
    "proto",
    "rust-toolchain.toml",
    "services",
    "storage",
    "tests",
];

/// Exactly the fixed set at the top: nothing missing, nothing more.
pub fn top_level(tree: &Tree) -> Vec<String> {
    let first = |path: &str| path.split('/').next().unwrap_or(path).to_owned();
    let found: BTreeSet<String> = tree
        .files()
        .map(|(path, _)| first(path))
        .filter(|name| !name.starts_with('.'))
        .collect();
    let wanted: BTreeSet<String> = TOP.iter().map(|name| (*name).to_owned()).collect();
    let more = found
        .difference(&wanted)
        .map(|name| format!("{name} does not belong at the top level"));
    let missing = wanted
        .difference(&found)
        .map(|name| format!("{name} is missing at the top level"));
    more.chain(missing).collect()
}

/// `foo.rs` beside `foo/`, never `foo/mod.rs`.
pub fn module_files(tree: &Tree) -> Vec<String> {
    let bad = tree.rust().filter(|(path, _)| path.ends_with("/mod.rs"));
    bad.map(|(path, _)| {
        format!("{path}: name the file after the module and put it beside the folder")
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::{module_files, top_level};
    use crate::tree::Tree;

    /// Promise (negative control): a stray folder, a missing file and a mod.rs are found.
    #[test]
    fn strays_are_found() {
        let tree = Tree::made_up([
            ("utils/lib.rs", ""),
            ("README.md", ""),
            ("services/x/src/y/mod.rs", ""),
        ]);
        let findings = top_level(&tree);
        assert!(findings.contains(&"utils does not belong at the top level".to_owned()));
        assert!(findings.contains(&"LICENSE is missing at the top level".to_owned()));
        assert!(!findings.iter().any(|finding| finding.contains("README.md")));
        assert_eq!(module_files(&tree).len(), 1);
    }
}
