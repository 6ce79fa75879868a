//! Dates as the API writes them: `2026-11-24T03:30:00Z` (ISO 8601, UTC, whole seconds).

use std::time::{Duration, UNIX_EPOCH};

/// The text of a time, ms since 1970.
pub(super) fn text(ms: u64) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_millis(ms)).to_string()
}

#[cfg(test)]
mod tests {
    use super::text;

    /// Promise: dates are written as the API writes them.
    #[test]
    fn dates_are_the_apis() {
        assert_eq!(text(0), "1970-01-01T00:00:00Z");
        assert_eq!(text(1_709_164_800_999), "2024-02-29T00:00:00Z");
    }
}
