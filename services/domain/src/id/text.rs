//! The text of a name: short ones stand in place, so that a row is one piece of memory and not a dozen.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A text of at most `N` bytes in place, a longer one shared.
#[derive(Clone)]
pub(super) enum Text<const N: usize> {
    Short { length: u8, bytes: [u8; N] },
    Long(Arc<str>),
}

// === impl Text ===

impl<const N: usize> Text<N> {
    pub(super) fn new(text: &str) -> Self {
        match u8::try_from(text.len()) {
            Ok(length) if text.len() <= N => {
                let mut bytes = [0; N];
                bytes[..text.len()].copy_from_slice(text.as_bytes());
                Self::Short { length, bytes }
            }
            _ => Self::Long(text.into()),
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short { length, bytes } => &bytes[..usize::from(*length)],
            Self::Long(text) => text.as_bytes(),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        match self {
            // Whole texts are put in, so it is always one.
            Self::Short { .. } => std::str::from_utf8(self.as_bytes()).unwrap_or_default(),
            Self::Long(text) => text,
        }
    }
}

impl<const N: usize> PartialEq for Text<N> {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl<const N: usize> Eq for Text<N> {}

impl<const N: usize> PartialOrd for Text<N> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The order of the bytes, which is that of the characters.
impl<const N: usize> Ord for Text<N> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl<const N: usize> Hash for Text<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: a text is itself, wherever it stands, and short and long ones compare as texts do.
    #[test]
    fn short_and_long_are_texts() {
        let texts = ["", "a", "abcdef", "abcdefg", "äöü", "äöüä", "b"];
        let made: Vec<Text<6>> = texts.iter().map(|text| Text::new(text)).collect();
        assert!(made.iter().map(Text::as_str).eq(texts));
        let long = |text: &Text<6>| matches!(text, Text::Long(_));
        assert_eq!(made.iter().filter(|text| long(text)).count(), 2);
        for (a, x) in made.iter().zip(texts) {
            for (b, y) in made.iter().zip(texts) {
                assert_eq!((a.cmp(b), a == b), (x.cmp(y), x == y));
            }
        }
    }
}
