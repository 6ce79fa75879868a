//! Calls by method and code, how long they took, and refusals by reason.

use crate::grpc::authorisation::TABLE;
use crate::grpc::status;
use berth_proto::v1::RefusalCode;
use berth_telemetry::{Counter, CounterFamily, Histogram, HistogramFamily, Registry};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tonic::{Code, Status};

/// One set per process; clones share it.
#[derive(Clone, Debug)]
pub struct Calls {
    count: CounterFamily,
    latency: HistogramFamily,
    refusals: CounterFamily,
    /// What every answered call touches, looked up once.
    hot: Arc<BTreeMap<&'static str, Hot>>,
}

#[derive(Debug)]
struct Hot {
    ok: Counter,
    latency: Histogram,
}

/// Methods that there are not share one label: a caller must not be able to make new series.
const UNKNOWN: &str = "unknown";

// === impl Calls ===

impl Calls {
    /// Registers its metrics.
    pub fn register(registry: &Registry) -> Self {
        let count = registry.counter_family("calls", "gRPC calls answered", &["method", "code"]);
        let latency = registry.latency_family(
            "call",
            "From the arrival of a gRPC call to its answer, or to the beginning of its stream",
            &["method"],
        );
        let hot = TABLE.iter().map(|row| {
            let label = label(row.method);
            let hot = Hot {
                ok: count.with(&[label, code(Code::Ok)]),
                latency: latency.with(&[label]),
            };
            (row.method, hot)
        });
        Self {
            hot: Arc::new(hot.collect()),
            refusals: registry.counter_family("refusals", "Calls refused, by reason", &["reason"]),
            count,
            latency,
        }
    }

    /// A call ended. `method` is one of the table's; none = there is no such method.
    pub fn ended(&self, method: Option<&'static str>, ended: &Status, elapsed: Duration) {
        let hot = method.and_then(|method| self.hot.get(method));
        match hot {
            Some(hot) => hot.latency.observe(elapsed.as_secs_f64()),
            None => self.latency.with(&[UNKNOWN]).observe(elapsed.as_secs_f64()),
        }
        match (hot, ended.code()) {
            (Some(hot), Code::Ok) => return hot.ok.increase(),
            (_, ended) => {
                let method = method.map_or(UNKNOWN, label);
                self.count.with(&[method, code(ended)]).increase();
            }
        }
        let reason = status::read(ended).map_or(RefusalCode::Unspecified, |refusal| refusal.code());
        let reason = reason.as_str_name().trim_start_matches("REFUSAL_CODE_");
        self.refusals
            .with(&[&reason.to_ascii_lowercase()])
            .increase();
    }
}

/// "berth.v1.Allocator/Allocate"
fn label(method: &'static str) -> &'static str {
    method.trim_start_matches('/')
}

/// The gRPC code's name, as other servers' metrics write it.
fn code(code: Code) -> &'static str {
    match code {
        Code::Ok => "ok",
        Code::Cancelled => "cancelled",
        Code::Unknown => "unknown",
        Code::InvalidArgument => "invalid_argument",
        Code::DeadlineExceeded => "deadline_exceeded",
        Code::NotFound => "not_found",
        Code::AlreadyExists => "already_exists",
        Code::PermissionDenied => "permission_denied",
        Code::ResourceExhausted => "resource_exhausted",
        Code::FailedPrecondition => "failed_precondition",
        Code::Aborted => "aborted",
        Code::OutOfRange => "out_of_range",
        Code::Unimplemented => "unimplemented",
        Code::Internal => "internal",
        Code::Unavailable => "unavailable",
        Code::DataLoss => "data_loss",
        Code::Unauthenticated => "unauthenticated",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: calls are counted by method and code, refusals by reason; an unknown method makes no series of its own.
    #[test]
    fn calls_are_counted() {
        let registry = Registry::new();
        let calls = Calls::register(&registry);
        let method = Some("/berth.v1.Allocator/Allocate");
        let time = Duration::from_millis(3);
        calls.ended(method, &Status::ok(""), time);
        calls.ended(method, &status::refused(RefusalCode::Busy, "later"), time);
        calls.ended(None, &Status::unimplemented("/x/y"), time);
        let text = registry.encode();
        for line in [
            "berth_calls_total{method=\"berth.v1.Allocator/Allocate\",code=\"ok\"} 1\n",
            "berth_calls_total{method=\"berth.v1.Allocator/Allocate\",code=\"resource_exhausted\"} 1\n",
            "berth_calls_total{method=\"unknown\",code=\"unimplemented\"} 1\n",
            "berth_call_seconds_count{method=\"berth.v1.Allocator/Allocate\"} 2\n",
            "berth_refusals_total{reason=\"busy\"} 1\n",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("/x/y"));
    }
}
