//! Who may depend on whom: the arrows of the design, nothing else.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use crate::manifest::{self, Member};
use crate::tree::Tree;

/// (package, what of ours it may depend on); a member that is not listed may depend on nothing.
const ARROWS: &[(&str, &[&str])] = &[
    ("berth-proto", &[]),
    ("berth-domain", &[]),
    ("berth-actors", &[]),
    ("berth-raft", &[]),
    ("berth-telemetry", &[]),
    ("berth-store", &["berth-raft"]),
    ("berth-cloud", &["berth-domain"]),
    ("berth-client", &["berth-proto"]),
    ("berth-cni", &["berth-client", "berth-proto"]),
    (
        // The cloud's client: preflight asks with the administrator's own credentials, without a server.
        "berthctl",
        &[
            "berth-client",
            "berth-cloud",
            "berth-proto",
            "berth-telemetry",
        ],
    ),
    (
        "berth-loadtest",
        &["berth-client", "berth-proto", "berth-telemetry"],
    ),
    (
        "berthd",
        &[
            "berth-actors",
            "berth-client",
            "berth-cloud",
            "berth-domain",
            "berth-proto",
            "berth-raft",
            "berth-store",
            "berth-telemetry",
        ],
    ),
    (
        "berth-testkit",
        &[
            "berth-client",
            "berth-domain",
            "berth-proto",
            "berth-raft",
            "berth-store",
            "berthd",
        ],
    ),
    (
        "berth-sim",
        &[
            "berth-actors",
            "berth-cloud",
            "berth-domain",
            "berth-proto",
            "berth-raft",
            "berth-store",
            "berthd",
        ],
    ),
    (
        "berth-integration",
        &[
            "berth-client",
            "berth-cloud",
            "berth-domain",
            "berth-proto",
            "berth-raft",
            "berth-store",
            "berth-testkit",
            "berthd",
        ],
    ),
    (
        "berth-cni-tests",
        &["berth-client", "berth-proto", "berth-testkit"],
    ),
    ("berth-tidy", &[]),
    ("xtask", &[]),
];

/// (package, what it must never link, however far away, why)
const NEVER_LINKED: &[(&str, &[&str], &str)] = &[
    (
        "berth-cni",
        &[
            "actix",
            "raft",
            "sled",
            "kube",
            "clap",
            "tracing-subscriber",
            "opentelemetry",
        ],
        "it must start in a millisecond",
    ),
    ("berthd", &["kube"], "it runs with no Kubernetes in sight"),
    (
        "berth-domain",
        &["tokio", "tonic", "serde"],
        "the ledger is pure",
    ),
    (
        "xtask",
        &["tokio", "tonic", "prost"],
        "`cargo xtask` compiles in seconds",
    ),
];

/// Every arrow between members is one of the design's. Tests obey the same arrows.
pub fn between_members(tree: &Tree) -> Vec<String> {
    let members = match manifest::members(tree) {
        Ok(members) => members,
        Err(finding) => return vec![finding],
    };
    let ours: BTreeSet<&str> = members
        .iter()
        .map(|member| member.package.as_str())
        .collect();
    let forbidden = |member: &Member| -> Vec<String> {
        let listed = ARROWS
            .iter()
            .find(|(package, _)| *package == member.package);
        let allowed = listed.map_or(&[][..], |(_, allowed)| allowed);
        let all = member.dependencies.iter().chain(&member.test_dependencies);
        all.filter(|name| {
            ours.contains(name.as_str())
                && !allowed.contains(&name.as_str())
                && **name != member.package
        })
        .map(|name| format!("{} may not depend on {name}", member.package))
        .collect()
    };
    members.iter().flat_map(forbidden).collect()
}

/// What a package must never link is nowhere in its closure.
pub fn closures(tree: &Tree) -> Vec<String> {
    let (members, graph) = match (manifest::members(tree), lock(tree)) {
        (Ok(members), Ok(graph)) => (members, graph),
        (Err(finding), _) | (_, Err(finding)) => return vec![finding],
    };
    let mut findings = Vec::new();
    for (package, forbidden, why) in NEVER_LINKED {
        let Some(member) = members.iter().find(|member| member.package == *package) else {
            continue;
        };
        // The lock file does not tell tests' dependencies from others; a member's own manifest does.
        let reached = closure(&graph, &members, &member.dependencies);
        let bad = forbidden.iter().filter(|name| reached.contains(**name));
        findings.extend(bad.map(|name| format!("{package} links {name}, but {why}")));
    }
    findings
}

fn lock(tree: &Tree) -> Result<BTreeMap<String, Vec<String>>, String> {
    let text = tree.text("Cargo.lock").ok_or("Cargo.lock is missing")?;
    let lock: Table = text
        .parse()
        .map_err(|error| format!("Cargo.lock: {error}"))?;
    let mut graph: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in lock
        .get("package")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let Some(name) = package.get("name").and_then(Value::as_str) else {
            continue;
        };
        let entries = package
            .get("dependencies")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        // "name" or "name version"
        let names = entries
            .filter_map(Value::as_str)
            .filter_map(|entry| entry.split(' ').next());
        graph
            .entry(name.to_owned())
            .or_default()
            .extend(names.map(str::to_owned));
    }
    Ok(graph)
}

fn closure(
    graph: &BTreeMap<String, Vec<String>>,
    members: &[Member],
    start: &[String],
) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<String> = start.to_vec();
    while let Some(name) = open.pop() {
        if !reached.insert(name.clone()) {
            continue;
        }
        match members.iter().find(|member| member.package == name) {
            Some(member) => open.extend(member.dependencies.iter().cloned()),
            None => open.extend(graph.get(&name).into_iter().flatten().cloned()),
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::{between_members, closures};
    use crate::tree::Tree;

    const ROOT: &str = "[workspace]\nmembers = [\"proto\", \"services/cni\"]";
    const PROTO: &str =
        "[package]\nname = \"berth-proto\"\n[dev-dependencies]\nberth-cni.workspace = true";
    const CNI: &str = "[package]\nname = \"berth-cni\"\n[dependencies]\nberth-proto.workspace = true\nthin = \"1\"";

    fn bad() -> Tree {
        let lock = "[[package]]\nname = \"thin\"\ndependencies = [\"thick 1.0.0\"]\n[[package]]\nname = \"thick\"\ndependencies = [\"sled\"]";
        Tree::made_up([
            ("Cargo.toml", ROOT),
            ("proto/Cargo.toml", PROTO),
            ("services/cni/Cargo.toml", CNI),
            ("Cargo.lock", lock),
        ])
    }

    /// Promise (negative control): an arrow that is not in the design is found, in tests too; a good one is not.
    #[test]
    fn a_wrong_arrow_is_found() {
        assert_eq!(
            between_members(&bad()),
            ["berth-proto may not depend on berth-cni"]
        );
    }

    /// Promise (negative control): a heavy crate is found two steps away.
    #[test]
    fn a_heavy_crate_is_found_far_away() {
        assert_eq!(
            closures(&bad()),
            ["berth-cni links sled, but it must start in a millisecond"]
        );
    }
}
