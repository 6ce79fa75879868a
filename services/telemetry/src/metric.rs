//! Counters, gauges and histograms, alone or in families told apart by labels.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::{counter, gauge, histogram};

use crate::{Registry, Unit};

/// From 0.1 ms to 26 s, each twice the last: an ADD from memory and one that waits for a cloud are both on the scale.
pub const LATENCY_SECONDS_BUCKETS: [f64; 19] = [
    0.0001, 0.0002, 0.0004, 0.0008, 0.0016, 0.0032, 0.0064, 0.0128, 0.0256, 0.0512, 0.1024, 0.2048,
    0.4096, 0.8192, 1.6384, 3.2768, 6.5536, 13.1072, 26.2144,
];

/// Only grows. Its name ends in "_total" by itself. A clone is the same counter.
#[derive(Clone, Debug)]
pub struct Counter(counter::Counter);

/// Goes up and down. A clone is the same gauge.
#[derive(Clone, Debug)]
pub struct Gauge(gauge::Gauge<f64, AtomicU64>);

/// How values are spread. A clone is the same histogram.
#[derive(Clone, Debug)]
pub struct Histogram(histogram::Histogram);

/// Counters told apart by labels.
#[derive(Clone, Debug)]
pub struct CounterFamily(Labelled<counter::Counter>);

/// Gauges told apart by labels.
#[derive(Clone, Debug)]
pub struct GaugeFamily(Labelled<gauge::Gauge<f64, AtomicU64>>);

/// Histograms told apart by labels.
#[derive(Clone, Debug)]
pub struct HistogramFamily(Labelled<histogram::Histogram, Buckets>);

type Labels = Vec<(&'static str, String)>;

#[derive(Clone, Debug)]
struct Labelled<M, C = fn() -> M> {
    names: &'static [&'static str],
    family: Family<Labels, M, C>,
}

#[derive(Clone, Debug)]
struct Buckets(Vec<f64>);

// === impl Registry ===

impl Registry {
    /// A new counter.
    pub fn counter(&self, name: &str, help: &str) -> Counter {
        let counter = counter::Counter::default();
        self.register(name, Unit::None, help, counter.clone());
        Counter(counter)
    }

    /// A new gauge.
    pub fn gauge(&self, name: &str, unit: Unit, help: &str) -> Gauge {
        let gauge = gauge::Gauge::default();
        self.register(name, unit, help, gauge.clone());
        Gauge(gauge)
    }

    /// A new histogram with these upper bounds; one without a bound is added.
    pub fn histogram(&self, name: &str, unit: Unit, help: &str, buckets: &[f64]) -> Histogram {
        let histogram = histogram::Histogram::new(buckets.iter().copied());
        self.register(name, unit, help, histogram.clone());
        Histogram(histogram)
    }

    /// A new family of counters; `labels` are the labels' names.
    pub fn counter_family(
        &self,
        name: &str,
        help: &str,
        labels: &'static [&'static str],
    ) -> CounterFamily {
        let family = Family::new_with_constructor(counter::Counter::default as fn() -> _);
        self.register(name, Unit::None, help, family.clone());
        CounterFamily(Labelled {
            names: labels,
            family,
        })
    }

    /// A new family of gauges; `labels` are the labels' names.
    pub fn gauge_family(
        &self,
        name: &str,
        unit: Unit,
        help: &str,
        labels: &'static [&'static str],
    ) -> GaugeFamily {
        let family = Family::new_with_constructor(gauge::Gauge::default as fn() -> _);
        self.register(name, unit, help, family.clone());
        GaugeFamily(Labelled {
            names: labels,
            family,
        })
    }

    /// A new family of histograms in seconds, for latencies; `labels` are the labels' names.
    pub fn latency_family(
        &self,
        name: &str,
        help: &str,
        labels: &'static [&'static str],
    ) -> HistogramFamily {
        let buckets = Buckets(LATENCY_SECONDS_BUCKETS.to_vec());
        let family = Family::new_with_constructor(buckets);
        self.register(name, Unit::Seconds, help, family.clone());
        HistogramFamily(Labelled {
            names: labels,
            family,
        })
    }
}

// === impl Counter ===

impl Counter {
    /// One more.
    pub fn increase(&self) {
        self.0.inc();
    }

    /// `by` more.
    pub fn increase_by(&self, by: u64) {
        self.0.inc_by(by);
    }

    /// As it stands.
    pub fn value(&self) -> u64 {
        self.0.get()
    }
}

// === impl Gauge ===

impl Gauge {
    /// Sets it. Exact up to 2^53.
    pub fn set(&self, value: f64) {
        self.0.set(value);
    }

    /// Adds, or with a negative number takes away.
    pub fn add(&self, by: f64) {
        self.0.inc_by(by);
    }

    /// As it stands.
    pub fn value(&self) -> f64 {
        self.0.get()
    }
}

// === impl Histogram ===

impl Histogram {
    /// Records one value.
    pub fn observe(&self, value: f64) {
        self.0.observe(value);
    }
}

// === impl CounterFamily ===

impl CounterFamily {
    /// The counter of these label values, in the order of the names; missing ones are empty. Keep it where it is hot.
    /// Values must come from a small closed set: each combination is kept for ever.
    pub fn with(&self, values: &[&str]) -> Counter {
        Counter(self.0.with(values))
    }
}

// === impl GaugeFamily ===

impl GaugeFamily {
    /// As [`CounterFamily::with`].
    pub fn with(&self, values: &[&str]) -> Gauge {
        Gauge(self.0.with(values))
    }

    /// Forgets all members, before they are set anew from a list in which some may be gone.
    pub fn clear(&self) {
        self.0.family.clear();
    }
}

// === impl HistogramFamily ===

impl HistogramFamily {
    /// As [`CounterFamily::with`].
    pub fn with(&self, values: &[&str]) -> Histogram {
        Histogram(self.0.with(values))
    }
}

// === impl Labelled ===

impl<M: Clone, C: MetricConstructor<M>> Labelled<M, C> {
    fn with(&self, values: &[&str]) -> M {
        let value = |at: usize| values.get(at).copied().unwrap_or_default().to_owned();
        let names = self.names.iter().enumerate();
        let labels = names.map(|(at, name)| (*name, value(at))).collect();
        self.family.get_or_create_owned(&labels)
    }
}

// === impl Buckets ===

impl MetricConstructor<histogram::Histogram> for Buckets {
    fn new_metric(&self) -> histogram::Histogram {
        histogram::Histogram::new(self.0.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use crate::{LATENCY_SECONDS_BUCKETS, Registry, Unit};

    /// Promise: names carry prefix, unit and kind; help ends in one full stop; labels tell members apart.
    #[test]
    fn the_text_is_open_metrics() {
        let registry = Registry::new();
        let binds = registry.counter("binds", "Binds applied.");
        let disk = registry.gauge("disk_free", Unit::Bytes, "Left on the disk");
        let refusals = registry.counter_family("refusals", "By code", &["code"]);
        let wait = registry.histogram("wait", Unit::Seconds, "Waited", &[0.5, 1.0]);
        binds.increase_by(2);
        binds.increase();
        disk.set(4096.0);
        disk.add(-96.0);
        refusals.with(&["busy"]).increase();
        refusals.with(&["ta\"ken"]).increase_by(5);
        wait.observe(0.7);
        assert_eq!((binds.value(), disk.value()), (3, 4000.0));
        let expected = "\
# HELP berth_binds Binds applied.
# TYPE berth_binds counter
berth_binds_total 3
# HELP berth_disk_free_bytes Left on the disk.
# TYPE berth_disk_free_bytes gauge
# UNIT berth_disk_free_bytes bytes
berth_disk_free_bytes 4000.0
";
        let text = registry.encode();
        assert!(text.starts_with(expected), "{text}");
        for line in [
            "berth_refusals_total{code=\"busy\"} 1\n",
            "berth_refusals_total{code=\"ta\\\"ken\"} 5\n",
            "berth_wait_seconds_bucket{le=\"0.5\"} 0\n",
            "berth_wait_seconds_bucket{le=\"1.0\"} 1\n",
            "berth_wait_seconds_count 1\n",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }

    /// Promise: a family of latencies has the common scale, and a cleared family of gauges shows nothing.
    #[test]
    fn families_share_their_scale() {
        let registry = Registry::new();
        let calls = registry.latency_family("call", "Answered", &["method", "code"]);
        calls.with(&["Allocate", "ok"]).observe(0.003);
        let states = registry.gauge_family("addresses", Unit::None, "By state", &["state"]);
        states.with(&["free"]).set(7.0);
        let text = registry.encode();
        let buckets = text.matches("berth_call_seconds_bucket").count();
        assert_eq!(buckets, LATENCY_SECONDS_BUCKETS.len() + 1);
        assert!(text.contains("berth_addresses{state=\"free\"} 7.0\n"));
        states.clear();
        assert!(!registry.encode().contains("state=\"free\""));
    }
}
