//! How long things took.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Beyond a minute everything is the same.
const LONGEST_US: u64 = 60_000_000;

/// Latencies and failures of one kind of request.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    histogram: Histogram<u64>,
    failures: BTreeMap<String, u64>,
}

/// Quantiles in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Latency {
    /// Answered with success.
    pub count: u64,
    /// Half were faster.
    pub p50_us: u64,
    /// 90 of 100 were faster.
    pub p90_us: u64,
    /// 99 of 100 were faster.
    pub p99_us: u64,
    /// 999 of 1,000 were faster.
    pub p999_us: u64,
    /// The slowest.
    pub max_us: u64,
}

// === impl Recorder ===

impl Recorder {
    pub(crate) fn new() -> Self {
        // Three digits from 1 us to a minute: about 180 KB.
        let histogram = Histogram::new_with_bounds(1, LONGEST_US, 3);
        Self {
            histogram: histogram.expect("good bounds"), // constants
            failures: BTreeMap::new(),
        }
    }

    pub(crate) fn succeeded(&mut self, took: Duration) {
        let took_us = u64::try_from(took.as_micros()).unwrap_or(LONGEST_US);
        self.histogram.saturating_record(took_us.max(1));
    }

    pub(crate) fn failed(&mut self, reason: &str) {
        *self.failures.entry(reason.to_owned()).or_default() += 1;
    }

    pub(crate) fn latency(&self) -> Latency {
        let at = |quantile| self.histogram.value_at_quantile(quantile);
        Latency {
            count: self.histogram.len(),
            p50_us: at(0.5),
            p90_us: at(0.9),
            p99_us: at(0.99),
            p999_us: at(0.999),
            max_us: self.histogram.max(),
        }
    }

    pub(crate) fn failures(&self) -> BTreeMap<String, u64> {
        self.failures.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Recorder};
    use crate::random::Random;

    /// The smallest time that so many of 1,000 do not exceed.
    fn naive(sorted: &[u64], of_1000: usize) -> u64 {
        let rank = (sorted.len() * of_1000).div_ceil(1_000).max(1);
        sorted[rank - 1]
    }

    fn recorded(times: &[u64]) -> Recorder {
        let mut recorder = Recorder::new();
        for us in times {
            recorder.succeeded(Duration::from_micros(*us));
        }
        recorder
    }

    /// Promise: quantiles are those of the sorted list, within a thousandth, whatever the list looks like.
    #[test]
    fn quantiles_are_those_of_the_sorted_list() {
        let near = |seen: u64, exact: u64| seen >= exact && seen - exact <= exact / 1_000 + 1;
        for seed in 0..200 {
            let mut random = Random::new(seed);
            let (length, mean) = (1 + random.below(3_000), 1 + random.below(2_000_000));
            let mean = Duration::from_micros(mean as u64);
            let times = (0..length).map(|_| random.exponential(mean).as_micros() as u64 + 1);
            let mut times: Vec<u64> = times.collect();
            let latency = recorded(&times).latency();
            times.sort_unstable();
            let pairs = [
                (latency.p50_us, 500),
                (latency.p90_us, 900),
                (latency.p99_us, 990),
                (latency.p999_us, 999),
                (latency.max_us, 1_000),
            ];
            for (seen, of_1000) in pairs {
                let exact = naive(&times, of_1000);
                assert!(near(seen, exact), "seed {seed}, {of_1000}: {seen}, {exact}");
            }
            assert_eq!(latency.count, length as u64);
        }
    }

    /// Promise (negative control): a list with one slow request in fifty is not taken for one without.
    #[test]
    fn a_slow_tail_is_seen() {
        let mut times = vec![1_000; 980];
        assert_eq!(recorded(&times).latency().p99_us, 1_000);
        times.resize(1_000, 90_000);
        let latency = recorded(&times).latency();
        assert!(
            latency.p99_us >= 90_000 && latency.p90_us == 1_000,
            "{latency:?}"
        );
    }
}
