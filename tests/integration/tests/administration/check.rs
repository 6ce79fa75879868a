//! `berthctl check`: what it says of a cluster that is well, and of one that is not.

use crate::administrator::berthctl;
use crate::fleet::Fleet;
use berth_testkit::process::Cluster;

/// Promise: a cluster under load is found well by a look, by a watch, and by a replay of every member's history.
#[test]
fn a_cluster_that_is_well_is_found_well() {
    let cluster = Cluster::start(3).expect("a cluster");
    let endpoints = cluster.endpoints();
    let mut fleet = Fleet::new(&endpoints, "10.8.0.0/20");
    fleet.start(100);
    let asked = endpoints[0].clone();
    let looking = std::thread::spawn(move || {
        let looked = berthctl(
            &asked,
            &["check", "--watch", "--every", "200ms", "--looks", "4"],
        );
        (berthctl(&asked, &["check", "--history"]), looked)
    });
    while !looking.is_finished() {
        fleet.start(20);
        fleet.end(10);
    }
    let (checked, looked) = looking.join().expect("looked");
    let report = checked.good();
    assert_eq!(report["findings"], serde_json::json!([]));
    let histories = report["histories"].as_array().expect("a list");
    assert_eq!(histories.len(), 3);
    for history in histories {
        assert_eq!(history["replayed"], true, "{history}");
        assert!(history["groups"].as_u64() > Some(100), "{history}");
    }
    let lines: Vec<serde_json::Value> = looked.lines();
    assert!(looked.done, "{lines:?}");
    assert_eq!(lines.len(), 5, "four looks and the verdict: {lines:?}");
    assert!(
        lines[..4]
            .iter()
            .all(|look| look["holds"] == true && look["answered"] == 3)
    );
    assert_eq!(lines[4]["broken"], 0);
}

/// Promise: a member that does not answer is named, and so is a cluster that has no quorum.
#[test]
fn silence_is_found() {
    let mut cluster = Cluster::start(3).expect("a cluster");
    let endpoints = cluster.endpoints();
    // A member is named by where it is; one that has not said so yet is named by its number.
    let all_known = (0..50).any(|_| berthctl(&endpoints[1], &["check"]).done);
    assert!(
        all_known,
        "a cluster that has just begun is never found well"
    );
    cluster.members()[0].kill().expect("killed");
    let words = |given: &str| berthctl(given, &["check", "--timeout", "3s"]);
    let given = format!("{},{}", endpoints[1], endpoints[2]);
    // Those that are left elect a leader first.
    cluster_serves(&given);
    let checked = words(&given);
    assert!(!checked.done);
    let findings = checked.json["findings"].to_string();
    assert!(
        findings.contains(&endpoints[0]) && findings.contains("did not answer"),
        "{findings}"
    );
    cluster.members()[1].kill().expect("killed");
    let checked = words(&endpoints[2]);
    let findings = checked.json["findings"].to_string();
    assert!(
        !checked.done && findings.contains("R11"),
        "{findings} {}",
        checked.said
    );
}

fn cluster_serves(endpoints: &str) {
    let listed = berthctl(endpoints, &["node", "list", "--timeout", "30s"]);
    listed.good();
}

/// Negative control: a member whose ledger goes its own way is found, by the ledgers and by the histories.
#[cfg(feature = "root-tests")]
#[test]
fn a_member_that_goes_its_own_way_is_found() {
    let setup = berth_testkit::process::Setup::default().planted(2, "forget-repeats");
    let cluster = Cluster::start_with(3, &setup).expect("a cluster");
    let endpoints = cluster.endpoints();
    let mut fleet = Fleet::new(&endpoints, "10.8.0.0/20");
    fleet.start(20);
    let checked = berthctl(&endpoints[0], &["check"]);
    assert!(!checked.done, "it was not found: {}", checked.json);
    let findings = checked.json["findings"].to_string();
    assert!(findings.contains("R5: "), "{findings}");
    assert!(findings.contains("H3: "), "{findings}");
    assert!(findings.contains(&endpoints[2]), "{findings}");
}
