//! Moments as people write them, read into milliseconds since 1970; and back.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// A moment of the servers' clock, copied from their answer, is not refused because this machine's clock is late.
const CLOCKS_DIFFER_MS: u64 = 60 * 1000;

/// A moment, ms since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub u64);

// === impl Moment ===

impl Moment {
    /// The machine's wall clock.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Self(since.map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        }))
    }

    /// RFC 3339 with milliseconds, UTC: `2026-01-31T14:02:11.000Z`.
    pub fn rfc3339(self) -> String {
        // A year after 9999 cannot be written; the largest that can stands for it.
        const LAST_MS: u64 = 253_402_300_799_999;
        let time = UNIX_EPOCH + Duration::from_millis(self.0.min(LAST_MS));
        humantime::format_rfc3339_millis(time).to_string()
    }
}

/// Reads what a user typed, for clap; the clock is the machine's.
pub fn parse(text: &str) -> Result<Moment, String> {
    parse_at(text, Moment::now())
}

/// Reads a length of time, for clap.
pub fn parse_distance(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|_| format!("{text:?} is no length of time; write for example 500ms, 30s or 5m"))
}

/// A moment of which the answer is known already. Clocks of two machines differ a little.
pub fn parse_past(text: &str) -> Result<Moment, String> {
    let now = Moment::now();
    past(parse_at(text, now)?, now)
}

fn past(moment: Moment, now: Moment) -> Result<Moment, String> {
    if moment.0 > now.0.saturating_add(CLOCKS_DIFFER_MS) {
        let shown = moment.rfc3339();
        return Err(format!(
            "{shown} is still to come; nobody knows who will hold what then"
        ));
    }
    Ok(moment)
}

/// RFC 3339 with or without an offset, `14:02:11` (UTC, the last time it was so late), `5m ago` or `now`, seen from `now`.
pub fn parse_at(text: &str, now: Moment) -> Result<Moment, String> {
    let text = text.trim();
    if text == "now" {
        return Ok(now);
    }
    if let Some(distance) = text.strip_suffix("ago") {
        let distance = humantime::parse_duration(distance.trim())
            .map_err(|error| format!("{text:?}: {error}; write for example \"5m ago\""))?;
        let distance_ms = u64::try_from(distance.as_millis()).unwrap_or(u64::MAX);
        return Ok(Moment(now.0.saturating_sub(distance_ms)));
    }
    if let Some(of_day_ms) = clock_time_ms(text) {
        // The last time that it was so late: today, or yesterday if it is still to come.
        let today_ms = now.0 - now.0 % DAY_MS + of_day_ms;
        let day_ms = if today_ms > now.0 { DAY_MS } else { 0 };
        return Ok(Moment(today_ms.saturating_sub(day_ms)));
    }
    date_time(text).ok_or_else(|| {
        format!("{text:?} is no time; write 2026-01-31T14:02:11Z, 14:02:11 (UTC) or \"5m ago\"")
    })
}

/// `14:02` or `14:02:11`, as ms of the day.
fn clock_time_ms(text: &str) -> Option<u64> {
    let parts: Vec<&str> = text.split(':').collect();
    if !(2..=3).contains(&parts.len()) || parts.iter().any(|part| part.len() != 2) {
        return None;
    }
    let mut numbers = [0u64; 3];
    for (number, part) in numbers.iter_mut().zip(&parts) {
        *number = part.parse().ok()?;
    }
    let [hours, minutes, seconds] = numbers;
    let in_range = hours < 24 && minutes < 60 && seconds < 60;
    in_range.then_some(((hours * 60 + minutes) * 60 + seconds) * 1000)
}

/// RFC 3339; `Z`, an offset such as `+08:00`, or none (UTC).
fn date_time(text: &str) -> Option<Moment> {
    let (text, offset_ms) = split_offset(text);
    let time = humantime::parse_rfc3339_weak(text).ok()?;
    let since = time.duration_since(UNIX_EPOCH).ok()?.as_millis();
    let utc_ms = i64::try_from(since).ok()?.checked_sub(offset_ms)?;
    u64::try_from(utc_ms).ok().map(Moment)
}

/// The text without its offset, and the offset in ms.
fn split_offset(text: &str) -> (&str, i64) {
    let Some(at) = text
        .len()
        .checked_sub(6)
        .filter(|at| text.is_char_boundary(*at))
    else {
        return (text, 0);
    };
    let (head, tail) = text.split_at(at);
    let sign = match tail.as_bytes()[0] {
        b'+' => 1,
        // A date's own hyphen stands before any colon; an offset's stands after the clock time.
        b'-' if head.contains(':') => -1,
        _ => return (text, 0),
    };
    match clock_time_ms(&tail[1..]) {
        Some(offset_ms) => (head, sign * i64::try_from(offset_ms).unwrap_or(0)),
        None => (text, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::{CLOCKS_DIFFER_MS, Moment, parse_at, parse_distance, past};

    /// 2026-01-31T15:00:00Z.
    const NOW: Moment = Moment(1_769_871_600_000);

    fn shown(text: &str) -> String {
        match parse_at(text, NOW) {
            Ok(moment) => moment.rfc3339(),
            Err(error) => format!("error: {error}"),
        }
    }

    /// Promise: every documented way of writing a time means the moment it says.
    #[test]
    fn every_documented_form_is_read() {
        let table = [
            ("now", "2026-01-31T15:00:00.000Z"),
            ("14:02:11", "2026-01-31T14:02:11.000Z"),
            ("14:02", "2026-01-31T14:02:00.000Z"),
            ("15:00:00", "2026-01-31T15:00:00.000Z"),
            ("15:00:01", "2026-01-30T15:00:01.000Z"),
            ("5m ago", "2026-01-31T14:55:00.000Z"),
            ("1h 30m ago", "2026-01-31T13:30:00.000Z"),
            ("2026-01-30T01:02:03Z", "2026-01-30T01:02:03.000Z"),
            ("2026-01-30T01:02:03.250Z", "2026-01-30T01:02:03.250Z"),
            ("2026-01-30 01:02:03", "2026-01-30T01:02:03.000Z"),
            ("2026-01-30T01:02:03+08:00", "2026-01-29T17:02:03.000Z"),
            ("2026-01-30T01:02:03-03:30", "2026-01-30T04:32:03.000Z"),
        ];
        for (text, expected) in table {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    /// Promise: what is no time is refused with the forms that are taken.
    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "yesterday",
            "25:00:00",
            "14:2:11",
            "5 parsecs ago",
            "2026-13-01T00:00:00Z",
        ] {
            assert!(shown(text).starts_with("error: "), "{text}");
        }
    }

    /// Promise: nobody is told who holds an address at a moment that is still to come; a late clock here is no obstacle (control).
    #[test]
    fn the_future_is_refused() {
        let soon = Moment(NOW.0 + CLOCKS_DIFFER_MS);
        assert_eq!(past(soon, NOW), Ok(soon));
        let refused = past(Moment(soon.0 + 1), NOW).expect_err("still to come");
        assert!(refused.contains("still to come"), "{refused}");
    }

    /// Promise: a length of time that is none, negative ones too, is refused with the form that is taken.
    #[test]
    fn lengths_of_time() {
        for text in ["-5s", "5", "", "ten"] {
            assert!(
                parse_distance(text).is_err_and(|said| said.contains("30s")),
                "{text}"
            );
        }
        assert_eq!(
            parse_distance("1m 30s"),
            Ok(std::time::Duration::from_secs(90))
        );
    }
}
