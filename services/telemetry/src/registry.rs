//! All metrics of a program, and their text for a scrape.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::encoding::EncodeMetric;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry;

/// The `Content-Type` of [`Registry::encode`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Metrics register where they happen: hand a clone along. Every name gets the prefix "berth_".
#[derive(Clone)]
pub struct Registry {
    inner: Arc<Mutex<registry::Registry>>,
}

/// Becomes the last part of the name: "berth_allocate_seconds".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A plain number.
    None,
    /// Time, always in seconds.
    Seconds,
    /// Sizes.
    Bytes,
    /// 0 to 1.
    Ratios,
}

// === impl Registry ===

impl Registry {
    /// An empty one.
    pub fn new() -> Self {
        let inner = registry::Registry::with_prefix("berth");
        let inner = Arc::new(Mutex::new(inner));
        Self { inner }
    }

    /// The OpenMetrics text of all metrics as they stand, in the order in which they were registered.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.lock()) {
            Ok(()) => text,
            Err(fmt::Error) => String::new(), // cannot be: a String takes everything
        }
    }

    pub(crate) fn register<M>(&self, name: &str, unit: Unit, help: &str, metric: M)
    where
        M: EncodeMetric + fmt::Debug + Send + Sync + 'static,
    {
        // The library ends the sentence.
        let help = help.trim_end_matches('.');
        let mut registry = self.lock();
        match unit {
            Unit::None => registry.register(name, help, metric),
            Unit::Seconds => {
                registry.register_with_unit(name, help, registry::Unit::Seconds, metric);
            }
            Unit::Bytes => registry.register_with_unit(name, help, registry::Unit::Bytes, metric),
            Unit::Ratios => registry.register_with_unit(name, help, registry::Unit::Ratios, metric),
        }
    }

    fn lock(&self) -> MutexGuard<'_, registry::Registry> {
        // A panic while registering leaves a registry that is merely shorter.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Registry")
    }
}
