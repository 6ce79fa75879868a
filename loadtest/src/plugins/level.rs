//! How many addresses are in use while a plugin is measured.

use std::fmt;
use std::str::FromStr;

/// How many addresses are in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// So many.
    InUse(u64),
    /// So many that the last ADD of a turn takes the last address.
    Full,
}

// === impl Level ===

impl Level {
    /// Addresses in use before a turn of so many calls.
    pub(crate) fn in_use(self, size: u64, calls: u32) -> u64 {
        let most = size.saturating_sub(u64::from(calls));
        match self {
            Self::InUse(number) => number.min(most),
            Self::Full => most,
        }
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "full" => Ok(Self::Full),
            number => number
                .parse()
                .map(Self::InUse)
                .map_err(|_| format!("{number:?} is neither a number nor \"full\"")),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse(number) => number.fmt(formatter),
            Self::Full => formatter.write_str("full"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Level;

    /// Promise: a level leaves room for a turn's calls, and "full" leaves no more than that.
    #[test]
    fn a_turn_has_room() {
        let level = |text: &str| text.parse::<Level>();
        assert_eq!(level("1000").unwrap().in_use(16_000, 50), 1_000);
        assert_eq!(level("full").unwrap().in_use(16_000, 50), 15_950);
        assert_eq!(level("99999").unwrap().in_use(16_000, 50), 15_950);
        assert_eq!(level("full").unwrap().to_string(), "full");
        assert!(level("half").unwrap_err().contains("\"half\""));
    }
}
