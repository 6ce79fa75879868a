use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::{Length, closed, open};
use crate::target::Target;

/// Answers after `takes`, and not at all before `frozen_until`.
#[derive(Clone)]
struct Clockwork {
    takes: Duration,
    frozen_until: Instant,
    under_way: Rc<Cell<u32>>,
    most: Rc<Cell<u32>>,
    numbers: Rc<RefCell<BTreeSet<u64>>>,
}

impl Clockwork {
    fn new(takes_ms: u64, frozen_ms: u64) -> Self {
        Self {
            takes: Duration::from_millis(takes_ms),
            frozen_until: Instant::now() + Duration::from_millis(frozen_ms),
            under_way: Rc::default(),
            most: Rc::default(),
            numbers: Rc::default(),
        }
    }
}

impl Target for Clockwork {
    async fn perform(&self, number: u64) -> Result<(), String> {
        assert!(
            self.numbers.borrow_mut().insert(number),
            "{number} came twice"
        );
        self.under_way.set(self.under_way.get() + 1);
        self.most.set(self.most.get().max(self.under_way.get()));
        sleep(self.takes).await;
        sleep_until(self.frozen_until).await;
        self.under_way.set(self.under_way.get() - 1);
        match number % 10 {
            9 => Err("every tenth".to_owned()),
            _ => Ok(()),
        }
    }
}

const LENGTH: Length = Length {
    warm_up: Duration::from_secs(1),
    measured: Duration::from_secs(10),
};

fn on_a_paused_clock<F: Future>(work: F) -> F::Output {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(work)
}

/// Promise: a closed loop keeps exactly so many under way, counts what was due after the warm-up, and failures apart.
#[test]
fn a_closed_loop_is_closed() {
    on_a_paused_clock(async {
        let target = Clockwork::new(100, 0);
        let measuring = Rc::new(Cell::new(false));
        let flag = Rc::clone(&measuring);
        let next = Rc::new(Cell::new(0));
        let measured = closed(target.clone(), 8, LENGTH, next, move || flag.set(true)).await;
        assert_eq!(target.most.get(), 8);
        assert!(measuring.get());
        let latency = measured.recorder.latency();
        let failed = measured.recorder.failures()["every tenth"];
        assert!(
            (790..=810).contains(&(latency.count + failed)),
            "{latency:?}"
        );
        assert!((75..=85).contains(&failed));
        assert!((99_000..=103_000).contains(&latency.p50_us), "{latency:?}");
    });
}

/// Promise: a server that stands still for two seconds is felt by all who were due meanwhile: nothing is left out.
#[test]
fn an_open_loop_omits_nothing() {
    on_a_paused_clock(async {
        let target = Clockwork::new(1, 3_000);
        let next = Rc::new(Cell::new(0));
        let measured = open(target, 100, LENGTH, next, || {}).await;
        let latency = measured.recorder.latency();
        let arrivals = measured.arrivals.expect("an open loop counts them");
        assert!((900..=1_100).contains(&arrivals), "{arrivals}");
        let failed = measured.recorder.failures()["every tenth"];
        assert_eq!(latency.count + failed, arrivals);
        // A fifth of all arrivals waited, evenly from 0 to 2 s: the 90th percentile is about one second.
        assert!(
            (800_000..=1_200_000).contains(&latency.p90_us),
            "{latency:?}"
        );
        // The negative control: a closed loop of one sees the same pause as a single slow request.
        let next = Rc::new(Cell::new(0));
        let measured = closed(Clockwork::new(1, 3_000), 1, LENGTH, next, || {}).await;
        assert!(measured.recorder.latency().p90_us < 10_000);
    });
}
