//! Hears what sled's own threads only log.
//!
//! sled's flusher and writer threads report a failed write or sync with `log::error!` and go on (pitfall S3). A process calls
//! [`install`] once, first of all; from then on such a record stops every store of the process at its next call.
//! Without it a failed write-back is still seen by our own sync, because the kernel reports it once per open file.

use crate::Error;
use log::{Level, LevelFilter, Log, Metadata, Record};
use std::sync::OnceLock;

/// sled complains here about settings, not about the disk: "cache capacity is limited to the cgroup memory limit".
const HARMLESS_TARGET: &str = "sled::config";

static FIRST_FAULT: OnceLock<String> = OnceLock::new();
static WATCH: Watch = Watch;

struct Watch;

/// Makes this the process's `log` logger. Warnings and errors, whoever's, go on to `tracing`.
///
/// # Errors
/// `Logger` if the process has a logger already. Treat it as fatal.
pub fn install() -> Result<(), Error> {
    log::set_logger(&WATCH).map_err(|_| Error::Logger)?;
    log::set_max_level(LevelFilter::Warn);
    Ok(())
}

/// The first fault that sled's own threads reported in this process, if any. For status pages and metrics.
pub fn fault() -> Option<&'static str> {
    FIRST_FAULT.get().map(String::as_str)
}

/// Whether a record says that sled could not do its work.
fn is_fault(target: &str, level: Level) -> bool {
    let from_sled = target == "sled" || target.starts_with("sled::");
    from_sled && level == Level::Error && target != HARMLESS_TARGET
}

// === impl Watch ===

impl Log for Watch {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Warn
    }

    fn log(&self, record: &Record<'_>) {
        let (source, message) = (record.target(), record.args());
        if is_fault(source, record.level()) {
            FIRST_FAULT.get_or_init(|| format!("{source}: {message}"));
        }
        match record.level() {
            Level::Error => tracing::error!(source, "{message}"),
            Level::Warn => tracing::warn!(source, "{message}"),
            Level::Info | Level::Debug | Level::Trace => {}
        }
    }

    fn flush(&self) {}
}
