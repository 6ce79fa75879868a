//! A claim's policy as people write it: "never", "delete", "ttl=10m".

use berth_domain::row::Policy;

/// A claim that outlives its pod by less cannot survive a rescheduling; one of more than ten years is `never`.
const TTL_MS: std::ops::RangeInclusive<u64> = 1_000..=315_360_000_000;
const UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];
const FORM: &str = "use \"never\", \"delete\" or \"ttl=10m\" (units ms, s, m, h, d)";

/// Reads it; the error is one sentence with what is allowed.
pub fn parse(text: &str) -> Result<Policy, String> {
    match text {
        "never" => Ok(Policy::Never),
        "delete" => Ok(Policy::Delete),
        _ => {
            let duration = text.strip_prefix("ttl=");
            let ttl_ms = duration.and_then(milliseconds);
            let ttl_ms = ttl_ms.ok_or_else(|| format!("{text:?} is not a policy: {FORM}"))?;
            match TTL_MS.contains(&ttl_ms) {
                true => Ok(Policy::Ttl { ttl_ms }),
                false => Err(format!("{text:?} is not from 1 s to 3650 d")),
            }
        }
    }
}

fn milliseconds(text: &str) -> Option<u64> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit_at);
    let (_, ms) = UNITS.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*ms)
}

/// Writes it, in the largest unit that is exact.
pub fn text(policy: Policy) -> String {
    match policy {
        Policy::Never => "never".into(),
        Policy::Delete => "delete".into(),
        Policy::Ttl { ttl_ms } => {
            let exact = UNITS.iter().rev().find(|(_, ms)| ttl_ms % ms == 0);
            let (unit, ms) = exact.unwrap_or(&UNITS[0]);
            format!("ttl={}{unit}", ttl_ms / ms)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: what is written is read back as the same policy.
    #[test]
    fn written_and_read() {
        for said in [
            "never",
            "delete",
            "ttl=10m",
            "ttl=36h",
            "ttl=1500ms",
            "ttl=7d",
        ] {
            assert_eq!(parse(said).map(text).as_deref(), Ok(said));
        }
        assert_eq!(parse("ttl=60s").map(text).as_deref(), Ok("ttl=1m"));
    }

    /// Promise: what is no policy is refused with what is allowed.
    #[test]
    fn nonsense_is_refused() {
        for said in [
            "",
            "Never",
            "ttl",
            "ttl=",
            "ttl=m",
            "ttl=10",
            "ttl=10w",
            "ttl=-1s",
            "ttl=99999999999999999999d",
        ] {
            assert!(parse(said).expect_err(said).contains("ttl=10m"), "{said}");
        }
        for said in ["ttl=0s", "ttl=999ms", "ttl=4000d"] {
            assert!(parse(said).expect_err(said).contains("3650 d"), "{said}");
        }
    }
}
