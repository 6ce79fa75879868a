//! What a program says of itself: log lines, traces, metrics.
//!
//! Knows nothing of what is told. Callers use `tracing`'s macros and the types here; no name of OpenTelemetry's or of
//! Prometheus' libraries leaves this crate.

mod start;
pub use start::{Error, Format, Guard, Options, init};

mod trace_context;
pub use trace_context::{
    SpanParent, remote_parent, trace_id_of_current_span, traceparent_of_current_span,
};

mod registry;
pub use registry::{CONTENT_TYPE, Registry, Unit};

mod metric;
pub use metric::{
    Counter, CounterFamily, Gauge, GaugeFamily, Histogram, HistogramFamily, LATENCY_SECONDS_BUCKETS,
};

mod spans;
