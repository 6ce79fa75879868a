//! One run: prepare, load round by round, compare, report.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::book::Book;
use crate::churn::{self, World};
use crate::load::{self, Length, Measured};
use crate::processes::{Sample, Watched};
use crate::recorder::Recorder;
use crate::report::{Correctness, Report, Round};
use crate::scenario::{Allocate, Churn, Scenario};
use crate::setup::{self, Prepared, Wanted};
use crate::target::{BerthAdd, EtcdCreate, Target};
use crate::{Error, audit};

/// What to run, against whom.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The story.
    pub scenario: Scenario,
    /// Against whom.
    pub system: System,
    /// Whose CPU time and memory are reported; the load tester's own always is.
    pub watched: Vec<Watched>,
}

/// Against whom.
#[derive(Clone, Debug)]
pub enum System {
    /// berthd's client endpoints.
    Berth(Vec<String>),
    /// etcd's client endpoints. Only for the `allocate` kind of scenario: a transaction instead of each ADD.
    Etcd(Vec<String>),
}

/// Runs it, on this thread. `said` is told of each round as it ends.
pub fn run(plan: &Plan, said: impl Fn(&Round)) -> Result<Report, Error> {
    let mut watched = plan.watched.clone();
    watched.push(Watched::ourselves());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match (&plan.scenario, &plan.system) {
            (Scenario::Allocate(story), System::Berth(endpoints)) => {
                allocate(story, endpoints, &watched, said).await
            }
            (Scenario::Allocate(story), System::Etcd(endpoints)) => {
                transact(story, endpoints, &watched, said).await
            }
            (Scenario::Churn(story), System::Berth(endpoints)) => {
                churned(story, endpoints, &watched, said).await
            }
            (Scenario::Churn(_), System::Etcd(_)) => Err(Error::Scenario {
                scenario: "churn".to_owned(),
                reason: "etcd has no pods; give it an allocate scenario".to_owned(),
            }),
        }
    })
}

async fn allocate(
    story: &Allocate,
    endpoints: &[String],
    watched: &[Watched],
    said: impl Fn(&Round),
) -> Result<Report, Error> {
    let wanted = Wanted {
        prefix: setup::PREFIX,
        cidrs: &story.cidrs,
        nodes: story.nodes,
        warm_target: story.warm_target,
        cooling_ms: 0,
        seed: story.seed,
        facts: story.pod_facts.then(BerthAdd::pods_known_before),
    };
    let prepared = Arc::new(setup::prepare(endpoints, wanted).await?);
    let book = Arc::new(Mutex::new(Book::default()));
    let target = BerthAdd::connect(Arc::clone(&prepared), Arc::clone(&book)).await?;
    let payload_bytes = target.payload_bytes();
    let rounds = rounds(story, target, "ADD", watched, said).await?;
    Ok(Report {
        system: "berth".to_owned(),
        version: prepared.version.clone(),
        replicas: prepared.members,
        request: "ADD".to_owned(),
        payload_bytes,
        scenario: Scenario::Allocate(story.clone()),
        rounds,
        correctness: Some(correctness(&prepared, &book).await?),
    })
}

async fn transact(
    story: &Allocate,
    endpoints: &[String],
    watched: &[Watched],
    said: impl Fn(&Round),
) -> Result<Report, Error> {
    let target = EtcdCreate::connect(endpoints, std::process::id().into()).await?;
    let report = Report {
        system: "etcd".to_owned(),
        version: target.version().to_owned(),
        replicas: target.members(),
        request: "create-if-absent transaction".to_owned(),
        payload_bytes: target.payload_bytes(),
        scenario: Scenario::Allocate(story.clone()),
        rounds: rounds(story, target, "txn", watched, said).await?,
        correctness: None,
    };
    Ok(report)
}

async fn rounds<T: Target>(
    story: &Allocate,
    target: T,
    request: &str,
    watched: &[Watched],
    said: impl Fn(&Round),
) -> Result<Vec<Round>, Error> {
    let length = Length {
        warm_up: Duration::from_secs(u64::from(story.warm_up_seconds)),
        measured: Duration::from_secs(u64::from(story.seconds)),
    };
    let next = Rc::new(Cell::new(0));
    let mut rounds = Vec::new();
    for in_flight in &story.in_flight {
        let (sample, measuring) = sampling(watched);
        let (target, next) = (target.clone(), Rc::clone(&next));
        let measured = load::closed(target, *in_flight, length, next, measuring).await;
        let mut round = of_load("closed loop", request, measured, sample, watched)?;
        round.in_flight = Some(*in_flight);
        said(&round);
        rounds.push(round);
    }
    for per_second in &story.open_loop_per_second {
        let (sample, measuring) = sampling(watched);
        let (target, next) = (target.clone(), Rc::clone(&next));
        let measured = load::open(target, *per_second, length, next, measuring).await;
        let mut round = of_load("open loop", request, measured, sample, watched)?;
        round.offered_per_second = Some(*per_second);
        said(&round);
        rounds.push(round);
    }
    Ok(rounds)
}

type Taken = Rc<RefCell<Option<Result<Sample, Error>>>>;

/// A sample that is taken when the measured part begins.
fn sampling(watched: &[Watched]) -> (Taken, impl FnOnce() + use<>) {
    let taken = Taken::default();
    let (for_load, watched) = (Rc::clone(&taken), watched.to_vec());
    let take = move || *for_load.borrow_mut() = Some(Sample::take(&watched));
    (taken, take)
}

fn of_load(
    mode: &str,
    request: &str,
    measured: Measured,
    sample: Taken,
    watched: &[Watched],
) -> Result<Round, Error> {
    let seconds = measured.lasted.as_secs_f64();
    let sample = sample.take().transpose()?;
    let latency = measured.recorder.latency();
    if let Some(arrivals) = measured.arrivals {
        let counted = latency.count + measured.recorder.failures().values().sum::<u64>();
        assert_eq!(arrivals, counted, "an arrival was left out of the count");
    }
    Ok(Round {
        mode: mode.to_owned(),
        in_flight: None,
        offered_per_second: None,
        seconds,
        per_second: latency.count as f64 / seconds,
        failed: failures(request, &measured.recorder),
        latency: BTreeMap::from([(request.to_owned(), latency)]),
        cost: sample.map_or(Ok(Vec::new()), |sample| sample.costs(watched, seconds))?,
    })
}

async fn churned(
    story: &Churn,
    endpoints: &[String],
    watched: &[Watched],
    said: impl Fn(&Round),
) -> Result<Report, Error> {
    let wanted = Wanted {
        prefix: setup::PREFIX,
        cidrs: &story.cidrs,
        nodes: story.nodes,
        warm_target: story.warm_target,
        cooling_ms: story.cooling_ms,
        seed: story.seed,
        facts: Some(World::pods_known_before(story)),
    };
    let prepared = Arc::new(setup::prepare(endpoints, wanted).await?);
    let book = Arc::new(Mutex::new(Book::default()));
    let world = World::new(story, Arc::clone(&prepared), Arc::clone(&book));
    let sample = Sample::take(watched)?;
    let shown = churn::run(story, world).await;
    let seconds = shown.lasted.as_secs_f64();
    let cost = sample.costs(watched, seconds)?;
    let kinds = [
        ("ADD", &shown.add),
        ("ADD static", &shown.add_static),
        ("DEL", &shown.del),
    ];
    let latency = kinds.map(|(request, recorder)| (request.to_owned(), recorder.latency()));
    let adds = latency[0].1.count + latency[1].1.count;
    let failed = kinds.map(|(request, recorder)| failures(request, recorder));
    let round = Round {
        mode: "churn".to_owned(),
        in_flight: None,
        offered_per_second: None,
        seconds,
        per_second: adds as f64 / seconds,
        latency: BTreeMap::from(latency),
        failed: failed.into_iter().flatten().collect(),
        cost,
    };
    said(&round);
    Ok(Report {
        system: "berth".to_owned(),
        version: prepared.version.clone(),
        replicas: prepared.members,
        request: "pods' ADD and DEL".to_owned(),
        payload_bytes: World::payload_bytes(&prepared),
        scenario: Scenario::Churn(story.clone()),
        rounds: vec![round],
        correctness: Some(correctness(&prepared, &book).await?),
    })
}

async fn correctness(prepared: &Prepared, book: &Mutex<Book>) -> Result<Correctness, Error> {
    let listed = audit::list(&prepared.client, &prepared.ids()).await?;
    let book = book.lock().unwrap_or_else(PoisonError::into_inner);
    let audit = audit::compare(&book, &listed);
    Ok(Correctness::new(
        book.counts().clone(),
        book.faults().to_vec(),
        audit,
    ))
}

fn failures(request: &str, recorder: &Recorder) -> BTreeMap<String, u64> {
    let failures = recorder.failures().into_iter();
    failures
        .map(|(reason, count)| (format!("{request}: {reason}"), count))
        .collect()
}
