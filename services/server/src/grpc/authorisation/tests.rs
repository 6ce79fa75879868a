use super::*;
use prost::Message;
use std::collections::BTreeSet;

/// The methods that the .proto files have.
fn methods() -> BTreeSet<String> {
    let set =
        prost_types::FileDescriptorSet::decode(berth_proto::DESCRIPTORS).expect("descriptors");
    let mut methods = BTreeSet::new();
    for file in &set.file {
        for service in &file.service {
            for method in &service.method {
                methods.insert(format!(
                    "/{}.{}/{}",
                    file.package(),
                    service.name(),
                    method.name()
                ));
            }
        }
    }
    methods
}

fn missing<'a>(methods: &'a BTreeSet<String>, table: &[Row]) -> Vec<&'a String> {
    let rows: BTreeSet<&str> = table.iter().map(|row| row.method).collect();
    methods
        .iter()
        .filter(|method| !rows.contains(method.as_str()))
        .collect()
}

/// Promise: every method of every service has exactly one row, and no row names a method that there is not.
#[test]
fn every_method_has_a_row() {
    let methods = methods();
    assert!(
        methods.contains("/berth.v1.Allocator/Allocate"),
        "the descriptors are read"
    );
    assert_eq!(missing(&methods, TABLE), Vec::<&String>::new());
    // The control: without its first row the check fails.
    assert_eq!(
        missing(&methods, &TABLE[1..]),
        ["/berth.v1.Allocator/Allocate"]
    );
    let ours = TABLE.iter().filter(|row| row.method.starts_with("/berth."));
    assert_eq!(ours.clone().count(), methods.len());
    assert!(ours.clone().all(|row| methods.contains(row.method)));
}

/// Promise: nodes and observers change nothing but their own attachments; a replica's certificate opens no client's call.
#[test]
fn the_table_keeps_roles_apart() {
    for row in TABLE {
        let reads = [
            "Get",
            "List",
            "WhoHas",
            "Watch",
            "Explain",
            "ClusterStatus",
            "CloudStatus",
            "CompareCloud",
            "LedgerDigest",
            "Capacity",
            "ValidatePlan",
        ];
        let method = row.method.rsplit('/').next().expect("a name");
        let admin = row.method.starts_with("/berth.v1.Admin/");
        let read = reads.iter().any(|word| method.starts_with(word));
        if admin {
            assert_eq!(row.allows(Observer), read, "{method}");
            assert!(!row.allows(Node) && row.allows(Admin), "{method}");
        }
        if row.method.starts_with("/berth.v1.") {
            assert!(!row.allows(Member), "{method}");
        }
        if row.method.starts_with("/berth.peer.") {
            assert_eq!(row.who, MEMBERS, "{method}");
        }
    }
    assert!(find("/berth.v1.Admin/Nothing").is_none());
}

/// Promise: a node speaks for itself only.
#[test]
fn a_node_speaks_for_itself() {
    let mut caller = Caller::local();
    assert!(caller.speaks_for("worker-2"));
    (caller.role, caller.name) = (Node, "worker-1".into());
    assert!(
        caller.speaks_for("worker-1") && !caller.speaks_for("worker-2") && !caller.speaks_for("")
    );
}
