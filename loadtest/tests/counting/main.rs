//! Runs whole scenarios against a fake that is honest, and against fakes that are wrong in one way each: a load test that
//! cannot see a fault proves nothing.

mod fake;

use berth_loadtest::fill::{Fill, Filled, fill};
use berth_loadtest::report::{Correctness, Report};
use berth_loadtest::scenario::Scenario;
use berth_loadtest::{Plan, System, Watched, run};

use fake::{Fake, Fault};

fn load(fault: Fault, scenario: Scenario) -> Report {
    let fake = Fake::start(fault);
    let plan = Plan {
        scenario,
        system: System::Berth(vec![fake.endpoint]),
        watched: vec![Watched {
            name: "self".into(),
            id: std::process::id(),
        }],
    };
    run(&plan, |_| {}).expect("it runs")
}

fn allocate() -> Scenario {
    let Ok(Scenario::Allocate(mut story)) = Scenario::load("allocate") else {
        panic!("built in");
    };
    (story.nodes, story.warm_up_seconds, story.seconds) = (4, 0, 1);
    story.in_flight = vec![1, 8];
    story.open_loop_per_second = vec![300];
    Scenario::Allocate(story)
}

fn churn() -> Scenario {
    let Ok(Scenario::Churn(mut story)) = Scenario::load("churn") else {
        panic!("built in");
    };
    (story.nodes, story.seconds, story.statics) = (6, 2, 9);
    story.stay_seconds_mean = 0.5;
    story.reschedules_per_second = 30.0;
    if let Some(update) = &mut story.rolling_update {
        (update.pods, update.surge, update.at_seconds) = (20, 5, 1);
    }
    Scenario::Churn(story)
}

fn correctness(report: &Report) -> &Correctness {
    report.correctness.as_ref().expect("berth's is counted")
}

/// Promise: an honest system is found correct, with every round measured and its cost known.
#[test]
fn an_honest_system_is_correct() {
    let report = load(Fault::None, allocate());
    assert!(report.holds(), "{}", report.table());
    assert_eq!(report.rounds.len(), 3);
    assert!(
        (220..=280).contains(&report.payload_bytes),
        "{}",
        report.payload_bytes
    );
    for round in &report.rounds {
        assert!(
            round.per_second > 100.0 && round.failed.is_empty(),
            "{round:?}"
        );
        assert_eq!(round.cost.len(), 2);
        let latency = &round.latency["ADD"];
        assert!(latency.p50_us > 0 && latency.p50_us <= latency.p99_us);
    }
    let counted = correctness(&report);
    let total = report.rounds.iter().map(|round| round.latency["ADD"].count);
    assert!(counted.audit.compared >= total.sum());
    assert!(
        serde_json::to_string(&report)
            .expect("JSON")
            .contains("\"duplicates\":0")
    );
}

/// Promise: a churn of an honest system is correct: pods came and went, statics moved and kept their addresses.
#[test]
fn an_honest_churn_is_correct() {
    let report = load(Fault::None, churn());
    assert!(report.holds(), "{}", report.table());
    let counts = &correctness(&report).counts;
    assert!(
        counts.releases > 100 && counts.statics_recreated > 20,
        "{counts:?}"
    );
    assert_eq!(counts.statics_kept, counts.statics_recreated);
    let round = &report.rounds[0];
    assert!(round.failed.is_empty(), "{round:?}");
    assert!(round.latency["ADD static"].count > 20);
}

/// Promise (negative control): an address given twice is found.
#[test]
fn duplicates_are_found() {
    let report = load(Fault::Twice, allocate());
    assert!(!report.holds());
    assert!(correctness(&report).counts.duplicates > 0);
    assert!(report.table().contains("WRONG"));
}

/// Promise (negative control): an answered ADD that the system does not have is found.
#[test]
fn losses_are_found() {
    let report = load(Fault::Forgets, allocate());
    let audit = &correctness(&report).audit;
    assert!(!report.holds() && audit.lost > 0, "{audit:?}");
}

/// Promise (negative control): static pods that come back with other addresses are found.
#[test]
fn moved_statics_are_found() {
    let report = load(Fault::MovesStatics, churn());
    let counts = &correctness(&report).counts;
    assert!(
        !report.holds() && counts.statics_kept < counts.statics_recreated,
        "{counts:?}"
    );
}

/// Promise (negative control): an answered DEL that was not done is found.
#[test]
fn what_is_left_over_is_found() {
    let report = load(Fault::KeepsReleased, churn());
    let audit = &correctness(&report).audit;
    assert!(!report.holds() && audit.left_over > 0, "{audit:?}");
}

fn filled(fault: Fault) -> Filled {
    let plan = Fill {
        endpoints: vec![Fake::start(fault).endpoint],
        allocations: 1_500,
        in_flight: 32,
    };
    fill(&plan).expect("it runs")
}

/// Promise: a filled cluster has exactly so many allocations; one that gives an address twice is not taken for filled.
#[test]
fn filling_is_counted() {
    let good = filled(Fault::None);
    assert_eq!(
        (good.allocations, good.nodes, good.holds()),
        (1_500, 8, true)
    );
    let wrong = filled(Fault::Twice);
    assert!(wrong.duplicates > 0 && !wrong.holds(), "{}", wrong.line());
}
