//! Promise: spans reach the collector with the trace of the remote caller, and dropping the guard loses none of them,
//! even when the thread that drops it is the one that would have to serve its own runtime.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use berth_telemetry::{
    Options, remote_parent, trace_id_of_current_span, traceparent_of_current_span,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// More than one batch, fewer than the queue.
const SPANS: usize = 5_000;
const CALLER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Span>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let resources = request.into_inner().resource_spans.into_iter();
        let scopes = resources.flat_map(|resource| resource.scope_spans);
        let spans = scopes.flat_map(|scope| scope.spans);
        self.0.lock().expect("no panic").extend(spans);
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// Serves on a thread of its own until the process ends.
fn serve(collector: Collector) -> SocketAddr {
    let (told, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let incoming = TcpIncoming::bind(([127, 0, 0, 1], 0).into()).expect("a port");
            told.send(incoming.local_addr().expect("an address"))
                .expect("someone waits");
            tonic::transport::Server::builder()
                .add_service(TraceServiceServer::new(collector))
                .serve_with_incoming(incoming)
                .await
                .expect("served");
        });
    });
    address.recv().expect("an address")
}

#[test]
fn none_is_lost() {
    let collector = Collector::default();
    let address = serve(collector.clone());
    let mut options = Options::new("berth-test");
    options.otlp_endpoint = Some(format!("http://{address}"));
    options.filter = Some("off".into());
    let guard = berth_telemetry::init(options).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let sent_on = runtime.block_on(async move {
        let parent = remote_parent(CALLER).unwrap();
        let call = tracing::info_span!(target: "berth_test", "call");
        parent.adopt(&call);
        let sent_on = call.in_scope(|| {
            assert_eq!(trace_id_of_current_span(), Some(parent.trace_id));
            for number in 0..SPANS - 1 {
                tracing::debug_span!(target: "berth_test", "step", number).in_scope(|| {
                    tracing::debug!(target: "berth_test", "not sent");
                    tracing::info!(target: "berth_test", "sent");
                });
            }
            tracing::info_span!(target: "h2::client", "foreign").in_scope(|| {});
            traceparent_of_current_span()
        });
        drop(call);
        drop(guard); // on the only thread of a current-thread runtime
        sent_on
    });
    let spans = collector.0.lock().unwrap();
    assert_eq!(spans.len(), SPANS);
    let ids: BTreeSet<_> = spans.iter().map(|span| &span.span_id).collect();
    assert_eq!(ids.len(), SPANS);
    let parent = remote_parent(CALLER).unwrap();
    assert!(spans.iter().all(|span| span.trace_id == parent.trace_id));
    let call = spans.iter().find(|span| span.name == "call").unwrap();
    assert_eq!(call.parent_span_id, parent.span_id);
    let sent_on = remote_parent(&sent_on.unwrap()).unwrap();
    assert_eq!(sent_on.span_id.as_slice(), call.span_id);
    // The negative control: what is not ours is not sent, and none of the steps hangs elsewhere.
    let step = |span: &&Span| span.name == "step" && span.parent_span_id == call.span_id;
    assert_eq!(spans.iter().filter(step).count(), SPANS - 1);
    let events = spans.iter().flat_map(|span| &span.events);
    assert!(events.clone().all(|event| event.name == "sent"));
    assert_eq!(events.count(), SPANS - 1);
}
