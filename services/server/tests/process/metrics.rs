//! /metrics: every address state, calls by method and code, refusals, raft's numbers.

use crate::harness::*;

/// Promise: all states of a vSwitch are shown and add up to its size; calls and refusals are counted.
#[tokio::test]
async fn a_scrape_shows_states_and_calls() {
    let directory = directory();
    let berthd = Berthd::dev(directory.path(), &[]);
    let (mut admin, mut allocator) = (berthd.admin().await, berthd.allocator().await);
    world(&mut admin, "10.0.3.0/24").await;
    allocator.allocate(add("one")).await.expect("an address");
    allocator.allocate(add("two")).await.expect("an address");
    allocator.release(del("two")).await.expect("released");
    let mut bad = add("three");
    bad.deadline_ms = 1;
    allocator.allocate(bad).await.expect_err("refused");
    let text = berthd.scrape();
    for line in [
        "berth_addresses{vswitch=\"pods\",family=\"ipv4\",state=\"bound\"} 1.0",
        "berth_addresses{vswitch=\"pods\",family=\"ipv4\",state=\"cooling\"} 1.0",
        "berth_addresses{vswitch=\"pods\",family=\"ipv4\",state=\"excluded\"} 2.0",
        "berth_vswitch_size{vswitch=\"pods\",family=\"ipv4\"} 256.0",
        "berth_calls_total{method=\"berth.v1.Allocator/Allocate\",code=\"ok\"} 2",
        "berth_calls_total{method=\"berth.v1.Allocator/Allocate\",code=\"invalid_argument\"} 1",
        "berth_refusals_total{reason=\"invalid\"} 1",
        "berth_raft_is_leader 1.0",
        "berth_invariant_violations{id=\"A9\"} 0.0",
        "berth_scrape_is_stale 0.0",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    let states: Vec<f64> = text
        .lines()
        .filter(|line| line.starts_with("berth_addresses{vswitch=\"pods\""))
        .map(|line| {
            line.rsplit(' ')
                .next()
                .expect("a value")
                .parse()
                .expect("a number")
        })
        .collect();
    assert_eq!((states.len(), states.iter().sum::<f64>()), (11, 256.0));
}
