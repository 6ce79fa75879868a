//! The README's code map is whole, and what it names is there. (Its `berthctl` and `cargo xtask` lines are parsed by
//! those programs' own tests.)

use crate::manifest;
use crate::tree::Tree;

/// Every member stands in the code map, as `folder/` or `folder`.
pub fn code_map(tree: &Tree) -> Vec<String> {
    let (members, readme) = match (manifest::members(tree), tree.text("README.md")) {
        (Ok(members), Some(readme)) => (members, readme),
        (Err(finding), _) => return vec![finding],
        (_, None) => return vec!["README.md is missing".to_owned()],
    };
    let named = |folder: &str| {
        readme.contains(&format!("`{folder}`")) || readme.contains(&format!("`{folder}/`"))
    };
    let missing = members.iter().filter(|member| !named(&member.folder));
    missing
        .map(|member| format!("README.md's code map does not name `{}`", member.folder))
        .collect()
}

/// Every relative link, and every `-p package` of a command, names something that is there; no figure is left open.
pub fn what_it_names(tree: &Tree) -> Vec<String> {
    let Some(readme) = tree.text("README.md") else {
        return vec!["README.md is missing".to_owned()];
    };
    let packages: Vec<String> = manifest::members(tree)
        .map(|members| members.into_iter().map(|member| member.package).collect())
        .unwrap_or_default();
    let there = |path: &str| {
        tree.files().any(|(file, _)| {
            file == path || file.starts_with(&format!("{}/", path.trim_end_matches('/')))
        })
    };
    let mut findings = Vec::new();
    for target in links(readme).filter(|target| !target.contains("://") && !target.starts_with('#'))
    {
        let path = target.split('#').next().unwrap_or(target);
        if !there(path) {
            findings.push(format!("README.md links to {path}, which is not there"));
        }
    }
    for package in readme
        .split(" -p ")
        .skip(1)
        .filter_map(|rest| rest.split([' ', '\n', '`']).next())
    {
        if !packages.iter().any(|known| known == package) {
            findings.push(format!(
                "README.md names the package {package}, which is not there"
            ));
        }
    }
    findings
}

/// No measured figure is left to be filled in.
pub fn no_open_figure(tree: &Tree) -> Vec<String> {
    let readme = tree.text("README.md").unwrap_or_default();
    let open = readme
        .lines()
        .enumerate()
        .filter(|(_, line)| line.contains("<!-- figure:"));
    open.map(|(at, _)| format!("README.md:{}: a figure is still to be measured", at + 1))
        .collect()
}

/// The targets of `[text](target)`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
}

#[cfg(test)]
mod tests {
    use super::{code_map, no_open_figure, what_it_names};
    use crate::tree::Tree;

    /// Promise (negative control): a member missing from the map, a dead link, an unknown package and an open figure are found.
    #[test]
    fn untrue_words_are_found() {
        let readme = "| `proto/` | the wire |\nsee [this](services/gone.md) and [that](proto/src/lib.rs#x)\n\
                      run `cargo test -p nobody`, then `cargo test -p p`\n<!-- figure: p50 -->\n";
        let tree = Tree::made_up([
            (
                "Cargo.toml",
                "[workspace]\nmembers = [\"proto\", \"services/a\"]",
            ),
            ("proto/Cargo.toml", "[package]\nname = \"p\""),
            ("proto/src/lib.rs", ""),
            ("services/a/Cargo.toml", "[package]\nname = \"a\""),
            ("README.md", readme),
        ]);
        assert_eq!(
            code_map(&tree),
            ["README.md's code map does not name `services/a`"]
        );
        let findings = what_it_names(&tree);
        assert_eq!(findings.len(), 2, "{findings:?}");
        assert_eq!(no_open_figure(&tree).len(), 1);
    }
}
