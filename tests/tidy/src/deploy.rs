//! The three configurations of `deploy/three-by-hand` fit each other.

use std::collections::BTreeSet;

use toml::{Table, Value};

use crate::tree::Tree;

const FOLDER: &str = "deploy/three-by-hand/";
const LISTENERS: [&str; 3] = ["listen_client", "listen_peer", "listen_metrics"];

/// Same members, same cluster, different names, directories and ports; each is where the list says it is.
pub fn three_by_hand(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    let mut tables: Vec<(&str, Table)> = Vec::new();
    for (path, text) in tree
        .files()
        .filter(|(path, _)| path.starts_with(FOLDER) && path.ends_with(".toml"))
    {
        match text.parse() {
            Ok(table) => tables.push((path, table)),
            Err(error) => findings.push(format!("{path}: {error}")),
        }
    }
    if tables.len() != 3 {
        findings.push(format!(
            "{FOLDER} has {} configurations, not 3",
            tables.len()
        ));
    }
    let mut taken = BTreeSet::new();
    for (path, table) in &tables {
        for key in ["members", "cluster_id"] {
            if table.get(key).is_none() || table.get(key) != tables[0].1.get(key) {
                findings.push(format!("{path}: {key} is not that of {}", tables[0].0));
            }
        }
        for key in ["name", "data_dir"].iter().chain(&LISTENERS) {
            let value = text(table, key);
            if value.is_empty() || !taken.insert(value) {
                findings.push(format!("{path}: {key} = {value:?} is missing or another's"));
            }
        }
        if !is_listed(table) {
            findings.push(format!(
                "{path}: the members do not list it where it listens"
            ));
        }
    }
    findings
}

fn is_listed(table: &Table) -> bool {
    let members = table
        .get("members")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let mut own = members
        .filter_map(Value::as_table)
        .filter(|member| text(member, "name") == text(table, "name"));
    own.any(|member| {
        let at = |key, listener| text(member, key) == format!("http://{}", text(table, listener));
        at("client", "listen_client") && at("peer", "listen_peer")
    })
}

fn text<'a>(table: &'a Table, key: &str) -> &'a str {
    table.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::three_by_hand;
    use crate::tree::Tree;

    fn replica(number: u8, port: &str) -> String {
        let listeners = format!(
            "listen_client = \"h:{port}\"\nlisten_peer = \"h:p{number}\"\nlisten_metrics = \"h:m{number}\"\n"
        );
        let member = |number: u8| {
            format!(
                "[[members]]\nname = \"b{number}\"\nclient = \"http://h:{number}\"\npeer = \"http://h:p{number}\"\n"
            )
        };
        let members: String = (1..=3).map(member).collect();
        format!(
            "name = \"b{number}\"\ncluster_id = \"c\"\ndata_dir = \"d{number}\"\n{listeners}{members}"
        )
    }

    /// Promise (negative control): three that fit hold; a port that is another's, and not the listed one, is found.
    #[test]
    fn a_wrong_port_is_found() {
        let (one, two) = (replica(1, "1"), replica(2, "2"));
        let tree = |three: &str| {
            Tree::made_up([
                ("deploy/three-by-hand/a.toml", &one),
                ("deploy/three-by-hand/b.toml", &two),
                ("deploy/three-by-hand/c.toml", three),
            ])
        };
        assert_eq!(three_by_hand(&tree(&replica(3, "3"))), Vec::<String>::new());
        assert_eq!(three_by_hand(&tree(&replica(3, "2"))).len(), 2);
    }
}
