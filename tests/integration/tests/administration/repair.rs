//! `berthctl check --repair`.

use crate::administrator::{Facts, berthctl};
use crate::fleet::Fleet;
use berth_testkit::process::Cluster;

/// Promise: a claim that ends with its pod, and whose pod does not exist, is found; a dry run changes nothing; a repair
/// ends it, with who asked and why in the history; then there is nothing left to mend.
#[test]
fn what_is_kept_for_nobody_is_mended() {
    let cluster = Cluster::dev().expect("a server");
    let endpoint = cluster.endpoints()[0].clone();
    let mut fleet = Fleet::new(&cluster.endpoints(), "10.8.0.0/24");
    fleet.start(3);
    for (pod, policy) in [
        ("gone-0", "delete"),
        ("kept-0", "never"),
        ("here-0", "delete"),
    ] {
        let claim = format!("shop/{pod}");
        let create = ["claim", "create", &claim, "--cluster", "main"];
        let how = ["--vswitch", "pods", "--policy", policy];
        let create = [&create[..], &how].concat();
        berthctl(&endpoint, &create).good();
    }
    let plan = || berthctl(&endpoint, &["check", "--repair", "--dry-run"]).good();
    assert_eq!(
        plan()["findings"],
        serde_json::json!([]),
        "without facts nobody is gone"
    );
    let facts = Facts::report(
        &endpoint,
        &[
            r#"{"kind":"pod","namespace":"shop","name":"here-0","uid":"1","node":"worker-1"}"#,
            r#"{"kind":"synced"}"#,
        ],
    );
    for _ in 0..2 {
        let findings = plan()["findings"].clone();
        let findings = findings.as_array().expect("a list");
        let what: Vec<&str> = findings
            .iter()
            .filter_map(|row| row["what"].as_str())
            .collect();
        assert_eq!(
            what,
            ["claim main/shop/gone-0 ends with its pod, and there is no such pod"]
        );
        assert_eq!(findings[0]["state"], "planned");
    }
    berthctl(&endpoint, &["check"]).good();
    let mend = ["check", "--repair", "--reason", "left over"];
    let mended = berthctl(&endpoint, &mend).good();
    assert_eq!(mended["findings"][0]["state"], "done", "{mended}");
    assert_eq!(plan()["findings"], serde_json::json!([]));
    let gone = berthctl(&endpoint, &["claim", "show", "main/shop/gone-0"]).refused();
    assert!(gone.contains("does not exist"), "{gone}");
    for pod in ["main/shop/kept-0", "main/shop/here-0"] {
        berthctl(&endpoint, &["claim", "show", pod]).good();
    }
    let history = berthctl(&endpoint, &["history", "--claim", "main/shop/gone-0"]).good();
    let last = history["events"]
        .as_array()
        .and_then(|events| events.last().cloned());
    let last = last.expect("it has one");
    assert_eq!(
        (&last["cause"], &last["reason"]),
        (&"repair".into(), &"left over".into())
    );
    drop(facts);
    assert_eq!(fleet.not_known_as_they_are(), Vec::<String>::new());
}
