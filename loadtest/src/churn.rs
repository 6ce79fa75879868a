//! A cluster's busy minute: job pods come and go, a Deployment is rolled out, static pods move to other nodes.

mod plan;
mod pod;
mod world;

use std::rc::Rc;
use std::time::Duration;

use tokio::task::{JoinSet, LocalSet};
use tokio::time::{Instant, sleep_until};

use crate::recorder::Recorder;
use crate::scenario::Churn;
use plan::Step;
pub(crate) use world::World;

/// After the last arrival, what is under way may end in this time: an ADD's deadline and a DEL's.
const ENDED_WITHIN: Duration = Duration::from_secs(60);

/// What the minute showed.
pub(crate) struct Shown {
    pub(crate) add: Recorder,
    pub(crate) add_static: Recorder,
    pub(crate) del: Recorder,
    pub(crate) lasted: Duration,
}

/// Runs the whole story.
pub(crate) async fn run(churn: &Churn, world: World) -> Shown {
    let steps = plan::plan(churn);
    let world = Rc::new(world);
    let begun = Instant::now();
    LocalSet::new()
        .run_until(perform(churn, steps, Rc::clone(&world), begun))
        .await;
    world.shown(begun.elapsed())
}

async fn perform(churn: &Churn, steps: Vec<(Duration, Step)>, world: Rc<World>, begun: Instant) {
    let mut stories = JoinSet::new();
    {
        let world = Rc::clone(&world);
        stories.spawn_local(async move { world.deploy().await });
    }
    for (at, step) in steps {
        let due = begun + at;
        sleep_until(due).await;
        let world = Rc::clone(&world);
        match step {
            Step::Arrive { node, stay } => {
                stories.spawn_local(async move { world.job(node, stay, due).await });
            }
            Step::Reschedule { index } => {
                stories.spawn_local(async move { world.reschedule(index).await });
            }
            Step::Roll => {
                stories.spawn_local(async move { world.roll().await });
            }
        }
        while stories.try_join_next().is_some() {}
    }
    sleep_until(begun + Duration::from_secs(u64::from(churn.seconds))).await;
    world.close();
    let rest = async { while stories.join_next().await.is_some() {} };
    if tokio::time::timeout(ENDED_WITHIN, rest).await.is_err() {
        world.unfinished(stories.len());
    }
}
