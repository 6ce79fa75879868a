//! Starting: one call at the head of `main`, one guard that lives as long as `main`.

use std::io::IsTerminal;

use tracing::subscriber::{SetGlobalDefaultError, set_global_default};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use crate::spans::Exporter;

/// What is said, how, and to whom.
#[derive(Clone, Debug)]
pub struct Options {
    /// The program: "berthd".
    pub service: String,
    /// Which one of several; empty = not said.
    pub instance: String,
    /// `RUST_LOG`'s language: "info,berthd=debug". None = `RUST_LOG` if that is set, else "info".
    pub filter: Option<String>,
    /// How lines look on stderr.
    pub format: Format,
    /// Where spans go over OTLP/gRPC: "http://127.0.0.1:4317". None = nowhere.
    pub otlp_endpoint: Option<String>,
    /// The share of traces begun here that is recorded, 0 to 1. A trace that came with its caller follows the caller's flag.
    pub trace_ratio: f64,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people; coloured on a terminal.
    #[default]
    Human,
    /// One JSON object per line.
    Json,
}

/// Keeps spans flowing. Dropping it sends what is left, for a few seconds at most.
#[derive(Debug)]
#[must_use = "dropping the guard ends the sending of spans"]
pub struct Guard {
    exporter: Option<Exporter>,
}

/// Why it could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The filter is not in `RUST_LOG`'s language.
    #[error("the log filter {filter:?} is not understood; write it like \"info,berthd=debug\"")]
    Filter {
        /// As given.
        filter: String,
        /// What is wrong with it.
        source: tracing_subscriber::filter::ParseError,
    },
    /// Spans cannot be sent to this endpoint.
    #[error(
        "spans cannot be sent to {endpoint:?}; give an OTLP/gRPC endpoint like \"http://127.0.0.1:4317\""
    )]
    Endpoint {
        /// As given.
        endpoint: String,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// `init` ran before.
    #[error("telemetry has been started before in this process")]
    Twice(#[from] SetGlobalDefaultError),
}

/// Starts log lines on stderr and, with an endpoint, the sending of spans. Once per process.
pub fn init(options: Options) -> Result<Guard, Error> {
    let filter = filter(&options)?;
    let exporter = Exporter::start(&options)?;
    let spans = exporter.as_ref().map(|exporter| exporter.layer(&options));
    let subscriber = Registry::default()
        .with(spans)
        .with(lines(options.format).with_filter(filter));
    // Not `try_init`: it wants to be the `log` crate's logger too, and in berthd that one listens to sled.
    set_global_default(subscriber)?;
    Ok(Guard { exporter })
}

fn filter(options: &Options) -> Result<EnvFilter, Error> {
    let from_environment = std::env::var("RUST_LOG").ok();
    let chosen = options.filter.clone().or(from_environment);
    let filter = chosen
        .filter(|filter| !filter.is_empty())
        .unwrap_or_else(|| "info".to_owned());
    EnvFilter::try_new(&filter).map_err(|source| Error::Filter { filter, source })
}

fn lines<S>(format: Format) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'span> tracing_subscriber::registry::LookupSpan<'span>,
{
    let layer = fmt::layer().with_writer(std::io::stderr);
    match format {
        Format::Human => Box::new(layer.with_ansi(std::io::stderr().is_terminal())),
        Format::Json => Box::new(layer.json().flatten_event(true)),
    }
}

// === impl Options ===

impl Options {
    /// Lines for people on stderr, no spans.
    pub fn new(service: &str) -> Self {
        Self {
            service: service.to_owned(),
            instance: String::new(),
            filter: None,
            format: Format::Human,
            otlp_endpoint: None,
            trace_ratio: 1.0,
        }
    }
}

// === impl Guard ===

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(exporter) = self.exporter.take()
            && let Err(reason) = exporter.finish()
        {
            tracing::warn!(reason, "spans were lost at the end");
        }
    }
}
