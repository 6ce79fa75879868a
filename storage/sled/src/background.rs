//! Hears what sled's own threads only log.
//!
//! sled's flusher and writer threads report a failed write or sync with `log::error!` and go on (pitfall S3). A process
//! installs [`install`] once, before any other logger; from then on such a record stops every store of the process.
//! Without it a failed write-back is still seen by our own sync, because the kernel reports it once per open file.

use log::{LevelFilter, Log, Metadata, Record, SetLoggerError};
use std::sync::OnceLock;

/// sled complains here about settings, not about the disk: "cache capacity is limited to the cgroup memory limit".
const HARMLESS_TARGET: &str = "sled::config";

static FIRST_FAULT: OnceLock<String> = OnceLock::new();

struct Watch {
    forward: Option<Box<dyn Log>>,
}

/// Makes this the process's `log` logger, passing every record on to `forward`.
///
/// Call it before a tracing subscriber that would install its own; hand that one in as `forward`.
///
/// # Errors
/// If the process has a logger already: then sled's faults would go unheard, so treat it as fatal.
pub fn install(forward: Option<Box<dyn Log>>) -> Result<(), SetLoggerError> {
    let level = if forward.is_some() {
        log::max_level().max(LevelFilter::Warn)
    } else {
        LevelFilter::Error
    };
    log::set_boxed_logger(Box::new(Watch { forward }))?;
    log::set_max_level(level);
    Ok(())
}

/// The first fault that sled's own threads reported in this process, if any. For status pages and metrics.
pub fn fault() -> Option<&'static str> {
    FIRST_FAULT.get().map(String::as_str)
}

/// Whether a record says that sled could not do its work.
fn is_fault(target: &str, level: log::Level) -> bool {
    let from_sled = target == "sled" || target.starts_with("sled::");
    from_sled && level == log::Level::Error && target != HARMLESS_TARGET
}

// === impl Watch ===

impl Log for Watch {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        is_fault(metadata.target(), metadata.level())
            || self
                .forward
                .as_ref()
                .is_some_and(|forward| forward.enabled(metadata))
    }

    fn log(&self, record: &Record<'_>) {
        if is_fault(record.target(), record.level()) {
            FIRST_FAULT.get_or_init(|| format!("{}: {}", record.target(), record.args()));
        }
        if let Some(forward) = &self.forward {
            forward.log(record);
        }
    }

    fn flush(&self) {
        if let Some(forward) = &self.forward {
            forward.flush();
        }
    }
}
