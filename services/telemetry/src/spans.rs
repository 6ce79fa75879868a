//! Sending spans over OTLP, from a runtime of its own: a busy or blocked caller neither delays nor loses them.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider,
};
use tokio::runtime::{Builder, Runtime};
use tracing::{Level, Metadata};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use crate::{Error, Options};

/// Long enough for a slow collector, short enough for a shutdown that somebody waits for.
const FINISH_WITHIN: Duration = Duration::from_secs(5);
/// Spans kept while the collector is slow; beyond it they are dropped, and counted by the library. About 20 MB.
const QUEUE_SPANS: usize = 32_768;
/// Per request; the collector's own limit is 4 MiB.
const BATCH_SPANS: usize = 2_048;
/// What a person who looks for a fresh trace will wait.
const SEND_EVERY: Duration = Duration::from_secs(1);
/// Our crates' targets begin so. Spans of the exporter's own HTTP/2 would feed on themselves.
const OURS: &str = "berth";

#[derive(Debug)]
pub(crate) struct Exporter {
    provider: SdkTracerProvider,
    runtime: Runtime,
}

// === impl Exporter ===

impl Exporter {
    /// None without an endpoint. The collector need not be there yet.
    pub(crate) fn start(options: &Options) -> Result<Option<Self>, Error> {
        let Some(endpoint) = options.otlp_endpoint.clone() else {
            return Ok(None);
        };
        let refused = |source| Error::Endpoint { endpoint, source };
        Self::build(options).map(Some).map_err(refused)
    }

    fn build(options: &Options) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("berth-spans")
            .enable_all()
            .build()?;
        let endpoint = options.otlp_endpoint.clone().unwrap_or_default();
        let connection = {
            let _inside = runtime.enter();
            let builder = SpanExporter::builder().with_tonic();
            builder.with_endpoint(endpoint).build()?
        };
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE_SPANS)
            .with_max_export_batch_size(BATCH_SPANS)
            .with_scheduled_delay(SEND_EVERY)
            .build();
        let processor = BatchSpanProcessor::builder(connection)
            .with_batch_config(batches)
            .build();
        let root = Sampler::TraceIdRatioBased(options.trace_ratio);
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor)
            .with_sampler(Sampler::ParentBased(Box::new(root)))
            .with_resource(resource(options))
            .build();
        Ok(Self { provider, runtime })
    }

    pub(crate) fn layer<S>(&self, options: &Options) -> impl Layer<S> + use<S>
    where
        S: tracing::Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        let tracer = self.provider.tracer(options.service.clone());
        tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_filter(filter_fn(wanted))
    }

    /// Sends what is left. The runtime goes on by itself, so this may be called on any thread.
    pub(crate) fn finish(self) -> Result<(), String> {
        let finished = self.provider.shutdown_with_timeout(FINISH_WITHIN);
        self.runtime.shutdown_background();
        finished.map_err(|error| error.to_string())
    }
}

/// Spans of every level, whatever the log lines' filter says: where nobody asked for traces, none of them is made.
/// Of the events beside them those that log lines show by default.
fn wanted(metadata: &Metadata<'_>) -> bool {
    let is_wanted = metadata.is_span() || *metadata.level() <= Level::INFO;
    is_wanted && metadata.target().starts_with(OURS)
}

fn resource(options: &Options) -> Resource {
    let mut builder = Resource::builder().with_service_name(options.service.clone());
    if !options.instance.is_empty() {
        let instance = options.instance.clone();
        builder = builder.with_attribute(KeyValue::new("service.instance.id", instance));
    }
    builder.build()
}
