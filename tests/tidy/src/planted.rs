//! Safeguards are taken out in tests only: no shipped program is built with a feature that does.

use toml::{Table, Value};

use crate::manifest;
use crate::tree::Tree;

/// Features that take safeguards out, or let somebody do so.
const FEATURES: [&str; 2] = ["planted", "testkit"];
/// The file that must refuse to be compiled for a release.
const DOOR: &str = "services/server/src/planted.rs";
/// How it does.
const REFUSAL: &str = "#[cfg(all(feature = \"planted\", not(debug_assertions)))]\ncompile_error!(";
/// Members under this folder test: they may ask for what is planted.
const TESTS: &str = "tests/";
/// What builds or packs a release.
const RELEASES: &str = "deploy/";

/// No default and no shipped member's dependency has such a feature, the server's refuses a release, and nothing that makes
/// a release names one.
pub fn never_shipped(tree: &Tree) -> Vec<String> {
    let members = match manifest::members(tree) {
        Ok(members) => members,
        Err(finding) => return vec![finding],
    };
    let mut findings = Vec::new();
    for member in &members {
        let path = format!("{}/Cargo.toml", member.folder);
        let manifest: Table = match tree.text(&path).map(str::parse) {
            Some(Ok(manifest)) => manifest,
            _ => return vec![format!("{path} cannot be read")],
        };
        if defaults(&manifest).any(is_planted) {
            findings.push(format!("{path}: a default feature takes safeguards out"));
        }
        let ships = !member.folder.starts_with(TESTS);
        if ships && asked(&manifest).any(|feature| is_planted(&feature)) {
            findings.push(format!(
                "{path}: a dependency is built without its safeguards"
            ));
        }
    }
    findings.extend(refuses(tree));
    findings.extend(tree.files().filter_map(|(path, text)| {
        let names = path.starts_with(RELEASES)
            && (text.contains("--all-features") || FEATURES.iter().any(|name| text.contains(name)));
        names.then(|| format!("{path} builds a release with what takes safeguards out"))
    }));
    findings
}

fn is_planted(feature: &str) -> bool {
    let name = feature.rsplit(['/', ':']).next().unwrap_or(feature);
    FEATURES.contains(&name)
}

fn defaults(manifest: &Table) -> impl Iterator<Item = &str> {
    let features = manifest
        .get("features")
        .and_then(|features| features.get("default"));
    let features = features.and_then(Value::as_array).into_iter().flatten();
    features.filter_map(Value::as_str)
}

/// Features asked of normal and build dependencies; tests' own may ask for anything.
fn asked(manifest: &Table) -> impl Iterator<Item = String> {
    let sections = ["dependencies", "build-dependencies"];
    let tables = sections
        .into_iter()
        .filter_map(|section| manifest.get(section)?.as_table());
    let features = tables
        .flat_map(|table| table.values())
        .filter_map(|value| value.get("features")?.as_array());
    let features: Vec<String> = features
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    features.into_iter()
}

fn refuses(tree: &Tree) -> Option<String> {
    let text = tree.text(DOOR)?;
    let refusal = text.contains(REFUSAL);
    (!refusal).then(|| format!("{DOOR} does not refuse to be compiled for a release"))
}

#[cfg(test)]
mod tests {
    use super::never_shipped;
    use crate::tree::Tree;

    const ROOT: &str = "[workspace]\nmembers = [\"services/server\", \"tests/kit\"]";
    const GOOD: &str = "[package]\nname = \"berthd\"\n[features]\nplanted = [\"berth-raft/testkit\"]\n\
                        [dependencies]\nberth-raft.workspace = true";
    const KIT: &str = "[package]\nname = \"kit\"\n[dependencies]\nberth-raft = { workspace = true, features = [\"testkit\"] }";
    const DOOR: &str =
        "#[cfg(all(feature = \"planted\", not(debug_assertions)))]\ncompile_error!(\"no\");\n";

    fn findings(server: &str, door: &str, image: &str) -> usize {
        let tree = Tree::made_up([
            ("Cargo.toml", ROOT),
            ("services/server/Cargo.toml", server),
            ("tests/kit/Cargo.toml", KIT),
            ("services/server/src/planted.rs", door),
            ("deploy/image/Dockerfile", image),
        ]);
        never_shipped(&tree).len()
    }

    /// Promise (negative control): a default, a dependency's feature, a release's build and a missing refusal are found;
    /// the feature itself and a test's use of it are not.
    #[test]
    fn a_shipped_plant_is_found() {
        let build = "cargo build --release";
        assert_eq!(findings(GOOD, DOOR, build), 0);
        let default = GOOD.replace("[features]", "[features]\ndefault = [\"planted\"]");
        assert_eq!(findings(&default, DOOR, build), 1);
        let asked = GOOD.replace(
            "berth-raft.workspace = true",
            "berth-raft = { workspace = true, features = [\"testkit\"] }",
        );
        assert_eq!(findings(&asked, DOOR, build), 1);
        assert_eq!(findings(GOOD, "fn main() {}", build), 1);
        assert_eq!(
            findings(GOOD, DOOR, "cargo build --release --features planted"),
            1
        );
        assert_eq!(
            findings(GOOD, DOOR, "cargo build --release --all-features"),
            1
        );
    }
}
