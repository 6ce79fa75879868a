//! When what happens: drawn from the seed before anything runs, so that two runs differ in the answers only.

use std::time::Duration;

use crate::random::Random;
use crate::scenario::Churn;

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A job's pod comes, to this node, for so long.
    Arrive { node: usize, stay: Duration },
    /// This static pod is deleted and comes again on another node.
    Reschedule { index: usize },
    /// The Deployment is replaced.
    Roll,
}

/// All steps with their time since the start, in order.
pub(crate) fn plan(churn: &Churn) -> Vec<(Duration, Step)> {
    let mut random = Random::new(churn.seed);
    let mut steps = Vec::new();
    let stay = Duration::from_secs_f64(churn.stay_seconds_mean);
    for at in arrivals(&mut random, churn.arrivals_per_second, churn.seconds) {
        let node = random.below(churn.nodes as usize);
        let stay = random.exponential(stay);
        steps.push((at, Step::Arrive { node, stay }));
    }
    if churn.statics > 0 {
        for at in arrivals(&mut random, churn.reschedules_per_second, churn.seconds) {
            let index = random.below(churn.statics as usize);
            steps.push((at, Step::Reschedule { index }));
        }
    }
    if let Some(update) = &churn.rolling_update {
        let at = Duration::from_secs(u64::from(update.at_seconds));
        steps.push((at, Step::Roll));
    }
    steps.sort_by_key(|(at, _)| *at);
    steps
}

fn arrivals(random: &mut Random, per_second: f64, seconds: u32) -> Vec<Duration> {
    let mut times = Vec::new();
    if per_second <= 0.0 {
        return times;
    }
    let mean = Duration::from_secs_f64(1.0 / per_second);
    let mut at = random.exponential(mean);
    while at < Duration::from_secs(u64::from(seconds)) {
        times.push(at);
        at += random.exponential(mean);
    }
    times
}

#[cfg(test)]
mod tests {
    use super::{Step, plan};
    use crate::scenario::Scenario;

    /// Promise: a seed is one story, in order, with everything in it, at the rates that were asked for.
    #[test]
    fn a_seed_is_one_story() {
        let Ok(Scenario::Churn(mut churn)) = Scenario::load("churn") else {
            panic!("built in")
        };
        let steps = plan(&churn);
        assert_eq!(steps, plan(&churn));
        assert!(steps.is_sorted_by_key(|(at, _)| *at));
        let count =
            |wanted: fn(&Step) -> bool| steps.iter().filter(|(_, step)| wanted(step)).count();
        let arrivals = count(|step| matches!(step, Step::Arrive { .. }));
        let moves = count(|step| matches!(step, Step::Reschedule { .. }));
        assert!((11_500..=12_500).contains(&arrivals), "{arrivals}");
        assert!((180..=300).contains(&moves), "{moves}");
        assert_eq!(count(|step| *step == Step::Roll), 1);
        churn.seed += 1;
        assert_ne!(steps, plan(&churn));
    }
}
