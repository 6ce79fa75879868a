//! The memory of facts, on a clock moved by hand.

use super::*;
use crate::failure::Failure;
use berth_actors::ManualClock;
use berth_domain::id::{ClusterName, Namespace, PodName};
use berth_proto::v1;
use berth_proto::v1::facts_report::Report;
use std::sync::Arc;

struct World {
    clock: Arc<ManualClock>,
    facts: Facts,
    version: u64,
}

impl World {
    fn leading() -> Self {
        let clock = Arc::new(ManualClock::default());
        let facts = Facts::new(clock.clone());
        facts.lead([]);
        Self {
            clock,
            facts,
            version: 0,
        }
    }

    fn begin(&mut self, epoch: u64) -> Result<Session, Failure> {
        self.version = 0;
        self.facts.begin(&v1::FactsBegin {
            cluster: "one".into(),
            source: "test".into(),
            epoch,
        })
    }

    fn say(&mut self, session: &mut Session, report: Report) -> Result<u64, Failure> {
        self.version += 1;
        session.report(v1::FactsReport {
            version: self.version,
            report: Some(report),
        })
    }

    fn lookup(&self, pod: &str) -> Lookup {
        self.facts.pod(
            &ClusterName::new("one").expect("a name"),
            &Namespace::new("web").expect("a name"),
            &PodName::new(pod).expect("a name"),
        )
    }
}

fn pod(name: &str, gone: bool) -> Report {
    Report::Pod(v1::PodFact {
        namespace: "web".into(),
        name: name.into(),
        uid: format!("uid-{name}"),
        gone,
        ..v1::PodFact::default()
    })
}

/// Promise: without a source nothing waits; with one, nothing is decided before its list is complete.
#[test]
fn a_list_decides_only_when_complete() {
    let mut world = World::leading();
    assert_eq!(world.lookup("web-0"), Lookup::NoSource);
    let mut session = world.begin(7).expect("begins");
    world.say(&mut session, pod("web-0", false)).expect("taken");
    assert_eq!(
        world.lookup("web-0"),
        Lookup::Missing("have not synced".into())
    );
    world
        .say(&mut session, Report::Synced(v1::FactsSynced {}))
        .expect("taken");
    assert!(
        matches!(world.lookup("web-0"), Lookup::Known(fact, version) if fact.uid == "uid-web-0" && version.epoch == 7)
    );
    assert!(matches!(world.lookup("web-1"), Lookup::Gone(_)));
    world.say(&mut session, pod("web-0", true)).expect("taken");
    assert!(matches!(world.lookup("web-0"), Lookup::Gone(version) if version.version == 3));
}

/// Promise: facts that are two minutes old decide nothing, and a heartbeat makes them good again.
#[test]
fn stale_facts_decide_nothing() {
    let mut world = World::leading();
    let mut session = world.begin(1).expect("begins");
    world
        .say(&mut session, Report::Synced(v1::FactsSynced {}))
        .expect("taken");
    world.clock.advance(STALE_AFTER_MS);
    assert!(matches!(world.lookup("web-0"), Lookup::Gone(_)));
    world.clock.advance(1);
    assert_eq!(
        world.lookup("web-0"),
        Lookup::Missing("are 120 s old".into())
    );
    world
        .say(&mut session, Report::Heartbeat(v1::FactsHeartbeat {}))
        .expect("taken");
    assert!(matches!(world.lookup("web-0"), Lookup::Gone(_)));
    session.end();
    world.clock.advance(STALE_AFTER_MS + 1);
    assert_eq!(
        world.lookup("web-0"),
        Lookup::NoSource,
        "a source that took its leave is not waited for"
    );
}

/// Promise: while a new list comes, the old one decides; what the new one does not name is gone.
#[test]
fn a_new_list_replaces_the_old_at_once() {
    let mut world = World::leading();
    let mut session = world.begin(1).expect("begins");
    world.say(&mut session, pod("web-0", false)).expect("taken");
    world
        .say(&mut session, Report::Synced(v1::FactsSynced {}))
        .expect("taken");
    let mut next = world.begin(2).expect("begins");
    world.say(&mut next, pod("web-1", false)).expect("taken");
    assert!(matches!(world.lookup("web-0"), Lookup::Known(_, version) if version.epoch == 1));
    world
        .say(&mut next, Report::Synced(v1::FactsSynced {}))
        .expect("taken");
    assert!(matches!(world.lookup("web-0"), Lookup::Gone(version) if version.epoch == 2));
    assert!(matches!(world.lookup("web-1"), Lookup::Known(..)));
    assert!(
        world.say(&mut session, pod("web-9", false)).is_err(),
        "the old stream may not speak any more"
    );
    assert!(world.begin(1).is_err(), "an older epoch may not begin");
}

/// Promise: a version that does not grow is refused, and so is an empty report.
#[test]
fn disorder_is_refused() {
    let mut world = World::leading();
    let mut session = world.begin(1).expect("begins");
    world.say(&mut session, pod("web-0", false)).expect("taken");
    world.version -= 1;
    assert!(world.say(&mut session, pod("web-1", false)).is_err());
    let empty = v1::FactsReport {
        version: 9,
        report: None,
    };
    assert!(session.report(empty).is_err());
    assert!(world.begin(0).is_err(), "epochs start at 1");
}

/// Promise: only a leader takes facts; a new one has none, and waits for a source that there was, but not for ever.
#[test]
fn a_leader_change_forgets() {
    let mut world = World::leading();
    let mut session = world.begin(1).expect("begins");
    world
        .say(&mut session, Report::Synced(v1::FactsSynced {}))
        .expect("taken");
    world.facts.resign();
    assert!(matches!(
        world.say(&mut session, pod("web-0", false)),
        Err(Failure::NotLeader { .. })
    ));
    assert!(matches!(world.begin(2), Err(Failure::NotLeader { .. })));
    world.facts.lead([ClusterName::new("one").expect("a name")]);
    assert!(
        matches!(world.lookup("web-0"), Lookup::Missing(reason) if reason.contains("leader change"))
    );
    world.clock.advance(STALE_AFTER_MS);
    assert_eq!(world.lookup("web-0"), Lookup::NoSource);
    let mut session = world.begin(1).expect("the new memory knows no epoch");
    world
        .say(&mut session, Report::Synced(v1::FactsSynced {}))
        .expect("taken");
    assert!(matches!(world.lookup("web-0"), Lookup::Gone(_)));
}

/// Promise: whoever waits for facts is told once when they become usable.
#[test]
fn waiters_are_told() {
    let mut world = World::leading();
    let (sender, told) = std::sync::mpsc::channel();
    world
        .facts
        .on_usable(move |cluster| sender.send(cluster.clone()).expect("listens"));
    let mut session = world.begin(1).expect("begins");
    assert!(told.try_recv().is_err());
    world
        .say(&mut session, Report::Synced(v1::FactsSynced {}))
        .expect("taken");
    assert_eq!(
        told.try_recv()
            .map(|cluster| cluster.to_string())
            .as_deref(),
        Ok("one")
    );
    world.say(&mut session, pod("web-0", false)).expect("taken");
    assert!(told.try_recv().is_err());
    world.clock.advance(STALE_AFTER_MS + 1);
    world
        .say(&mut session, Report::Heartbeat(v1::FactsHeartbeat {}))
        .expect("taken");
    assert!(told.try_recv().is_ok());
}
