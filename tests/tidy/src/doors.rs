//! A heavy dependency has one door: one crate, sometimes one file, that names it.

use crate::manifest;
use crate::tree::Tree;

struct Door {
    /// Package names; a trailing `*` stands for any rest.
    packages: &'static [&'static str],
    /// The one folder that may depend on them.
    folder: &'static str,
    /// The one file that may name them, if the crate is not door enough.
    file: Option<&'static str>,
    /// Other members whose tests may depend on one of them, and why.
    tests: &'static [(&'static str, &'static str, &'static str)],
}

const DOORS: &[Door] = &[
    Door {
        packages: &["actix", "actix-rt"],
        folder: "services/actors",
        file: Some("services/actors/src/actix.rs"),
        tests: &[],
    },
    Door {
        packages: &["sled"],
        folder: "storage/sled",
        file: None,
        tests: &[],
    },
    Door {
        packages: &["raft", "raft-proto", "protobuf"],
        folder: "storage/raft",
        file: None,
        tests: &[],
    },
    Door {
        packages: &["kube*", "k8s-openapi"],
        folder: "services/operator",
        file: None,
        tests: &[],
    },
    Door {
        packages: &[
            "opentelemetry*",
            "tracing-opentelemetry",
            "prometheus-client",
        ],
        folder: "services/telemetry",
        file: None,
        tests: &[(
            "tests/integration",
            "opentelemetry-proto",
            "the receiver that spans are sent to",
        )],
    },
];

/// Only the door's manifest names the dependency.
pub fn manifests(tree: &Tree) -> Vec<String> {
    let members = match manifest::members(tree) {
        Ok(members) => members,
        Err(finding) => return vec![finding],
    };
    let mut findings = Vec::new();
    for (door, member) in DOORS
        .iter()
        .flat_map(|door| members.iter().map(move |member| (door, member)))
    {
        if member.folder == door.folder {
            continue;
        }
        let excused = |name: &str| {
            door.tests
                .iter()
                .any(|(folder, package, _)| *folder == member.folder && *package == name)
        };
        let tests = member
            .test_dependencies
            .iter()
            .filter(|name| !excused(name));
        let named = member
            .dependencies
            .iter()
            .chain(tests)
            .filter(|name| matches(door, name));
        findings.extend(named.map(|name| {
            format!(
                "{} depends on {name}; its door is {}",
                member.folder, door.folder
            )
        }));
    }
    findings
}

/// Inside the door's crate only the door's file names the dependency, and no door hands it on.
pub fn sources(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for door in DOORS {
        let inside = tree
            .rust()
            .filter(|(path, _)| path.starts_with(&format!("{}/", door.folder)));
        for (path, text) in inside {
            for package in door.packages {
                let name = package.trim_end_matches('*').replace('-', "_");
                if text
                    .lines()
                    .any(|line| line.trim_start().starts_with(&format!("pub use {name}")))
                {
                    findings.push(format!("{path} hands {name} on; a door keeps it"));
                }
                if door.file.is_some_and(|file| file != path) && names(text, &name) {
                    findings.push(format!(
                        "{path} names {name}; only {} may",
                        door.file.unwrap_or_default()
                    ));
                }
            }
        }
    }
    findings
}

fn matches(door: &Door, name: &str) -> bool {
    door.packages
        .iter()
        .any(|package| match package.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => *package == name,
        })
}

/// Whether code, not a comment, uses the crate: `name::` that is not the tail of a longer path or word, or `use name;`.
fn names(text: &str, name: &str) -> bool {
    let path = format!("{name}::");
    text.lines()
        .map(|line| line.split("//").next().unwrap_or(""))
        .any(|code| {
            let starts_alone = |at: usize| {
                !code[..at].ends_with(|before: char| {
                    before.is_alphanumeric() || before == '_' || before == ':'
                })
            };
            let used = code.match_indices(&path).any(|(at, _)| starts_alone(at));
            used || code.trim() == format!("use {name};")
        })
}

#[cfg(test)]
mod tests {
    use super::{manifests, sources};
    use crate::tree::Tree;

    /// Promise (negative control): a second door is found, in the manifest and in the source; comments and our own modules are not.
    #[test]
    fn a_second_door_is_found() {
        let tree = Tree::made_up([
            (
                "Cargo.toml",
                "[workspace]\nmembers = [\"services/actors\", \"services/server\"]",
            ),
            (
                "services/actors/Cargo.toml",
                "[package]\nname = \"berth-actors\"\n[dependencies]\nactix = \"1\"",
            ),
            (
                "services/server/Cargo.toml",
                "[package]\nname = \"berthd\"\n[dependencies]\nsled = \"1\"\n[dev-dependencies]\nopentelemetry_sdk = \"1\"",
            ),
            ("services/actors/src/actix.rs", "use actix::Actor;"),
            (
                "services/actors/src/lib.rs",
                "mod actix;\n// actix::Actor is hidden\nuse crate::actix::run;\n",
            ),
            (
                "services/actors/src/mailbox.rs",
                "fn run() { let _x: actix::Addr<A>; }\npub use actix::prelude;",
            ),
        ]);
        assert_eq!(
            manifests(&tree),
            [
                "services/server depends on sled; its door is storage/sled",
                "services/server depends on opentelemetry_sdk; its door is services/telemetry"
            ]
        );
        let findings = sources(&tree);
        assert_eq!(findings.len(), 2, "{findings:?}");
        assert!(
            findings
                .iter()
                .all(|finding| finding.contains("mailbox.rs"))
        );
    }
}
