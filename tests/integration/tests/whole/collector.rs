//! A receiver of OTLP over gRPC that keeps what it is sent.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::sync::Notify;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// Spans are sent every second; a busy machine takes longer. Nothing waits so long in a run that passes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A span, and which replica sent it.
#[derive(Clone, Debug)]
pub struct Sent {
    /// "berth-2"
    pub instance: String,
    /// As it came.
    pub span: Span,
}

/// See the module; clones share it.
#[derive(Clone, Default)]
pub struct Collector {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    sent: Mutex<Vec<Sent>>,
    more: Notify,
}

// === impl Sent ===

impl Sent {
    /// An attribute that is a number.
    pub fn number(&self, key: &str) -> Option<i64> {
        match value(&self.span.attributes, key)? {
            Value::IntValue(number) => Some(number),
            _ => None,
        }
    }

    /// An attribute that is text; empty if it is not there.
    pub fn text(&self, key: &str) -> String {
        text(&self.span.attributes, key)
    }

    /// How long it took, ns.
    pub fn duration_ns(&self) -> u64 {
        let Span {
            start_time_unix_nano: start,
            end_time_unix_nano: end,
            ..
        } = &self.span;
        end.checked_sub(*start).expect("it ended after it began")
    }

    /// Whether this is a child of the other, and lies within its time.
    pub fn is_below(&self, other: &Self) -> bool {
        self.span.parent_span_id == other.span.span_id
            && self.span.start_time_unix_nano >= other.span.start_time_unix_nano
            && self.span.end_time_unix_nano <= other.span.end_time_unix_nano
    }
}

fn value(attributes: &[KeyValue], key: &str) -> Option<Value> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    found.value.clone()?.value
}

fn text(attributes: &[KeyValue], key: &str) -> String {
    match value(attributes, key) {
        Some(Value::StringValue(text)) => text,
        _ => String::new(),
    }
}

// === impl Collector ===

impl Collector {
    /// Serves until the test's runtime ends; its endpoint.
    pub fn serve(&self) -> String {
        let incoming = TcpIncoming::bind(([127, 0, 0, 1], 0).into()).expect("a port");
        let address = incoming.local_addr().expect("an address");
        let service = TraceServiceServer::new(self.clone());
        let server = tonic::transport::Server::builder().add_service(service);
        tokio::spawn(async move {
            server.serve_with_incoming(incoming).await.expect("served");
        });
        format!("http://{address}")
    }

    /// Everything that was sent of this trace, as soon as it holds; what there is otherwise is said.
    pub async fn trace_when(&self, trace_id: &[u8], holds: impl Fn(&[Sent]) -> bool) -> Vec<Sent> {
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                let more = self.shared.more.notified();
                let trace = self.trace(trace_id);
                if holds(&trace) {
                    return trace;
                }
                more.await;
            }
        });
        let found = found.await;
        found.unwrap_or_else(|_| panic!("it never held; there is {:?}", self.all()))
    }

    /// What was sent of this trace until now.
    pub fn trace(&self, trace_id: &[u8]) -> Vec<Sent> {
        let mut all = self.all();
        all.retain(|sent| sent.span.trace_id == trace_id);
        all
    }

    /// Everything that was sent until now.
    pub fn all(&self) -> Vec<Sent> {
        self.shared.sent.lock().expect("no panic").clone()
    }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for resource in request.into_inner().resource_spans {
            let attributes = resource.resource.unwrap_or_default().attributes;
            let instance = text(&attributes, "service.instance.id");
            let spans = resource.scope_spans.into_iter();
            let sent = spans.flat_map(|scope| scope.spans).map(|span| Sent {
                instance: instance.clone(),
                span,
            });
            self.shared.sent.lock().expect("no panic").extend(sent);
        }
        self.shared.more.notify_waiters();
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}
