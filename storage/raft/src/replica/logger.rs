//! raft-rs logs to slog; its words go to tracing, at debug, without slog's fields.

use slog::{Drain, Level, Logger, Never, OwnedKVList, Record};

struct ToTracing;

/// raft-rs's own messages appear under the target `raft`.
pub(crate) fn logger() -> Logger {
    Logger::root(ToTracing, slog::o!())
}

// === impl ToTracing ===

impl Drain for ToTracing {
    type Ok = ();
    type Err = Never;

    fn log(&self, record: &Record<'_>, _values: &OwnedKVList) -> Result<(), Never> {
        match record.level() {
            Level::Critical | Level::Error => tracing::error!(target: "raft", "{}", record.msg()),
            Level::Warning => tracing::warn!(target: "raft", "{}", record.msg()),
            _ => tracing::debug!(target: "raft", "{}", record.msg()),
        }
        Ok(())
    }

    fn is_enabled(&self, level: Level) -> bool {
        match level {
            Level::Critical | Level::Error | Level::Warning => true,
            Level::Info => tracing::enabled!(target: "raft", tracing::Level::DEBUG),
            Level::Debug | Level::Trace => false,
        }
    }
}
