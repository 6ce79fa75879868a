//! Promise: what people read and the names that programs use stay as committed in `rendering/`.
//!
//! After a wanted change: `BERTH_REGENERATE=1 cargo test -p berthctl`, and read the difference.

#[path = "rendering/makers.rs"]
mod makers;

use std::fs;
use std::path::PathBuf;

use berthctl::output::{Document, Format, render};

fn compare(name: &str, document: &dyn Document) {
    let text = render(document, Format::Table).expect("renders");
    let json = render(document, Format::Json).expect("renders");
    let shown = format!("{text}\n\n---- json\n{json}\n");
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/rendering")
        .join(name)
        .with_extension("txt");
    if std::env::var_os("BERTH_REGENERATE").is_some() {
        fs::write(&path, &shown).expect("the file can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(shown == committed, "{name} is shown otherwise:\n{shown}");
}

/// Promise: a vSwitch shows every state, for both families.
#[test]
fn a_vswitch() {
    compare("vswitch", &makers::vswitch());
}

/// Promise: a list has a line per vSwitch and family.
#[test]
fn a_list_of_vswitches() {
    compare("vswitches", &makers::vswitches());
}

/// Promise: an empty list says what to do next.
#[test]
fn an_empty_list() {
    compare("no_vswitches", &makers::no_vswitches());
}

/// Promise: a node without limits says so, and one with limits shows them.
#[test]
fn a_list_of_nodes() {
    compare("nodes", &makers::nodes());
}

/// Promise: a pool shows which of its vSwitches drain, and what it has.
#[test]
fn a_node_pool() {
    compare("pool", &makers::pool());
    compare("pools", &makers::pools());
}

/// Promise: what holds the leader back from asking the cloud is said with its reason, and no cloud says what to do.
#[test]
fn a_cloud_status() {
    compare("cloud_status", &makers::cloud_status());
    compare("cloud_none", &makers::cloud_none());
}

/// Promise: an ENI that is not made yet is shown without a name.
#[test]
fn a_list_of_enis() {
    compare("enis", &makers::enis());
}

/// Promise: a cloud call shows what keeps it, and none says so.
#[test]
fn a_list_of_jobs() {
    compare("jobs", &makers::jobs());
    compare("no_jobs", &makers::no_jobs());
}

/// Promise: a claim shows its addresses, its holder and its end.
#[test]
fn a_claim() {
    compare("claim", &makers::claim());
}

/// Promise: members are shown with who leads, who is silent, and whose history has a part missing.
#[test]
fn a_list_of_members() {
    compare("members", &makers::members());
}

/// Promise: an allocation is a line, with the pod first.
#[test]
fn a_list_of_allocations() {
    compare("allocations", &makers::allocations());
}

/// Promise: history says revision, time, who and why once per command, then one line per changed row.
#[test]
fn a_history() {
    compare("history", &makers::history());
}

/// Promise: who holds an address is the first line, now and in the past.
#[test]
fn holders() {
    compare("holder_then", &makers::holder_then());
    compare("holder_nobody", &makers::holder_nobody());
    compare("holder_nowhere", &makers::holder_nowhere(None));
    compare("holder_nowhere_then", &makers::holder_nowhere_then());
}

/// Promise: what a pod waits for and what to do stands before everything else.
#[test]
fn an_explanation() {
    compare("explanation", &makers::explanation());
}

/// Promise: the replicas' table names the leader and who did not answer.
#[test]
fn raft_status() {
    compare("raft_status", &makers::raft_status());
}

/// Promise: a check that does not hold says why.
#[test]
fn checks() {
    compare("check_holds", &makers::check(true));
    compare("check_fails", &makers::check(false));
}

/// Promise: the cluster version is shown with what each member can apply, one that has not said so too, and what it waits for.
#[test]
fn versions() {
    compare("version", &makers::versions());
}

/// Promise: a type's capacity is a line per mode, what is not known says so, and why it may not join stands below.
#[test]
fn capacities() {
    let (large, small) = (makers::capacity(), makers::capacity_too_small());
    compare("capacity", &large);
    compare("capacity_too_small", &small);
    assert!(large.holds() && !small.holds());
}

/// Promise: a plan's findings are a line each, and only what is refused makes it one that does not hold.
#[test]
fn plans() {
    let overlap = "Service CIDR 10.1.0.0/16 overlaps 10.1.0.0/24 of node vSwitch nodes-a";
    let refused = ["refused", "service_overlap", overlap];
    let few = "node vSwitches lie in 2 zones, at least 3 are recommended";
    let warned = ["warning", "few_zones", few];
    let (holds, fails) = (makers::plan(&[warned]), makers::plan(&[refused, warned]));
    compare("plan_fails", &fails);
    assert!(holds.holds() && !fails.holds());
    compare("plan_holds", &makers::plan(&[]));
}
