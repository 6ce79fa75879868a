use super::*;

fn at(start: Instant, ms: u64) -> Instant {
    start + Duration::from_millis(ms)
}

/// Starts all that is due.
fn started(plan: &mut Plan, now: Instant) -> Vec<usize> {
    std::iter::from_fn(|| plan.start(now)).collect()
}

/// Promise: a refused connection costs no time; a silent one 150 ms.
#[test]
fn the_next_is_dialled_soon() {
    let start = Instant::now();
    let mut plan = Plan::new(3, true, start);
    assert_eq!(started(&mut plan, start), [0]);
    plan.failed(0, at(start, 1));
    assert_eq!(started(&mut plan, at(start, 1)), [1]);
    assert_eq!(started(&mut plan, at(start, 150)), []);
    assert_eq!(started(&mut plan, at(start, 151)), [2]);
    assert_eq!(plan.standing(1), Some("did not accept the connection"));
}

/// Promise: with one request sent no other follows for a second, though a second connection came through meanwhile;
/// then a frozen server is asked beside.
#[test]
fn a_frozen_server_is_asked_beside() {
    let start = Instant::now();
    let mut plan = Plan::new(2, true, start);
    assert_eq!(started(&mut plan, start), [0]);
    assert_eq!(started(&mut plan, at(start, 150)), [1]);
    assert!(plan.may_send(0, true, at(start, 160)));
    assert!(!plan.may_send(1, true, at(start, 170)));
    assert_eq!(started(&mut plan, at(start, 1_159)), []);
    assert_eq!(started(&mut plan, at(start, 1_160)), [1]);
    assert!(plan.may_send(1, true, at(start, 1_160)));
    assert_eq!(plan.standing(0), Some("did not answer"));
}

/// Promise: what must not be repeated is never sent while another one is unanswered, however long that takes.
#[test]
fn once_is_once() {
    let start = Instant::now();
    let mut plan = Plan::new(2, false, start);
    assert_eq!(started(&mut plan, start), [0]);
    assert_eq!(started(&mut plan, at(start, 150)), [1]);
    assert!(plan.may_send(0, true, at(start, 160)));
    assert!(!plan.may_send(1, true, at(start, 5_000)));
    assert_eq!(plan.due(), None);
    // The negative control: a repeatable one is.
    let mut plan = Plan::new(2, true, start);
    assert_eq!(started(&mut plan, start), [0]);
    assert_eq!(started(&mut plan, at(start, 150)), [1]);
    assert!(plan.may_send(0, true, at(start, 160)));
    assert!(plan.may_send(1, true, at(start, 5_000)));
}

/// Promise: a hint is followed at once, one back to a server that was asked is waited for, and a loop ends in a pause.
#[test]
fn hints_lead_somewhere() {
    let start = Instant::now();
    let mut plan = Plan::new(2, true, start);
    assert_eq!(started(&mut plan, start), [0]);
    assert!(plan.may_send(0, true, start));
    plan.add_route();
    plan.hinted(0, 2, start);
    assert_eq!(started(&mut plan, start), [2]);
    assert!(plan.may_send(2, true, start));
    // 2 is silent; 1 is asked beside and names 2: no third request, but patience.
    assert_eq!(started(&mut plan, at(start, 1_000)), [1]);
    assert!(plan.may_send(1, true, at(start, 1_000)));
    plan.hinted(1, 2, at(start, 1_001));
    assert_eq!(started(&mut plan, at(start, 1_900)), []);

    let mut plan = Plan::new(2, true, start);
    let mut asked = Vec::new();
    while let Some(route) = plan.start(start) {
        assert!(plan.may_send(route, true, start));
        plan.hinted(route, 1 - route, start);
        asked.push(route);
    }
    assert_eq!(asked, [0, 1, 0, 1, 0]);
    assert!(plan.due().is_some_and(|due| due >= at(start, 25)));
}

/// Promise: after all have failed comes a pause, longer each time up to a quarter of a second, and then the first again.
#[test]
fn pauses_grow() {
    let start = Instant::now();
    let mut now = start;
    let mut plan = Plan::new(2, true, start);
    for most_ms in [50, 100, 200, 250, 250, 250] {
        for route in 0..2 {
            assert_eq!(plan.start(now), Some(route));
            plan.failed(route, now);
        }
        let pause = plan.due().unwrap() - now;
        let most = Duration::from_millis(most_ms);
        assert!(pause >= most / 2 && pause <= most, "{pause:?}");
        assert_eq!(plan.start(now), None);
        now += pause;
    }
    assert!(plan.nobody_listens());
}

/// Promise: a busy leader is asked again, not before what it advised, and at most half as long again after.
#[test]
fn busy_is_waited_for() {
    let start = Instant::now();
    let mut plan = Plan::new(3, true, start);
    assert_eq!(started(&mut plan, start), [0]);
    assert!(plan.may_send(0, true, start));
    plan.told_to_wait(0, Some(Duration::from_millis(400)), start);
    let due = plan.due().unwrap();
    assert!(due >= at(start, 400) && due <= at(start, 600));
    assert_eq!(plan.start(due), Some(0));
    assert!(!plan.nobody_listens(), "somebody answered");
}

/// Promise: with too little time left nothing is sent any more.
#[test]
fn too_late_is_not_sent() {
    let start = Instant::now();
    let mut plan = Plan::new(2, true, start);
    assert_eq!(started(&mut plan, start), [0]);
    assert!(!plan.may_send(0, false, start));
    assert_eq!(started(&mut plan, at(start, 60_000)), []);
}
