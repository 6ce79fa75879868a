//! What the manifests say: members, and who depends on whom.

use toml::{Table, Value};

use crate::tree::Tree;

/// One member of the workspace.
#[derive(Debug)]
pub struct Member {
    /// "services/server"
    pub folder: String,
    /// "berthd"
    pub package: String,
    /// Normal and build dependencies, by package name.
    pub dependencies: Vec<String>,
    /// Dependencies of its tests alone.
    pub test_dependencies: Vec<String>,
}

/// All members in the order of the root manifest; a broken manifest is a finding.
pub fn members(tree: &Tree) -> Result<Vec<Member>, String> {
    let root = table(tree, "Cargo.toml")?;
    let listed = root
        .get("workspace")
        .and_then(|workspace| workspace.get("members"))
        .and_then(Value::as_array)
        .ok_or("Cargo.toml has no [workspace] members")?;
    listed
        .iter()
        .filter_map(Value::as_str)
        .map(|folder| member(tree, folder))
        .collect()
}

fn member(tree: &Tree, folder: &str) -> Result<Member, String> {
    let manifest = table(tree, &format!("{folder}/Cargo.toml"))?;
    let package = manifest
        .get("package")
        .and_then(|package| package.get("name"))
        .and_then(Value::as_str)
        .ok_or(format!("{folder}/Cargo.toml has no package name"))?;
    let mut dependencies = names(&manifest, "dependencies");
    dependencies.extend(names(&manifest, "build-dependencies"));
    Ok(Member {
        folder: folder.to_owned(),
        package: package.to_owned(),
        dependencies,
        test_dependencies: names(&manifest, "dev-dependencies"),
    })
}

fn table(tree: &Tree, path: &str) -> Result<Table, String> {
    let text = tree.text(path).ok_or(format!("{path} is missing"))?;
    text.parse().map_err(|error| format!("{path}: {error}"))
}

/// Of the section, and of the same section under every `[target.'cfg(..)']`.
fn names(manifest: &Table, section: &str) -> Vec<String> {
    let mut tables: Vec<&Value> = manifest.get(section).into_iter().collect();
    if let Some(targets) = manifest.get("target").and_then(Value::as_table) {
        tables.extend(targets.values().filter_map(|target| target.get(section)));
    }
    let entries = tables.into_iter().filter_map(Value::as_table).flatten();
    entries
        .map(|(name, value)| {
            value
                .get("package")
                .and_then(Value::as_str)
                .unwrap_or(name)
                .to_owned()
        })
        .collect()
}
