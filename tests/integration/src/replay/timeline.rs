//! What a thing was, from which revision on.

/// Values with the revision at which each began, ascending.
#[derive(Debug, Clone)]
pub struct Timeline<T>(Vec<(u64, T)>);

// === impl Timeline ===

impl<T> Default for Timeline<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Timeline<T> {
    /// It is this from `revision` on.
    pub fn set(&mut self, revision: u64, value: T) {
        match self.0.last_mut() {
            Some((last, known)) if *last == revision => *known = value,
            _ => self.0.push((revision, value)),
        }
    }

    /// What it was at `revision`; none = it had not begun.
    pub fn at(&self, revision: u64) -> Option<&T> {
        let after = self.0.partition_point(|(from, _)| *from <= revision);
        self.0[..after].last().map(|(_, value)| value)
    }

    /// What it is at the end.
    pub fn last(&self) -> Option<&T> {
        self.0.last().map(|(_, value)| value)
    }

    /// All changes.
    pub fn changes(&self) -> impl Iterator<Item = (u64, &T)> {
        self.0.iter().map(|(from, value)| (*from, value))
    }

    /// The first revision of this range at which `holds` is true of what it was then (none = it had not begun).
    pub fn first(
        &self,
        range: std::ops::RangeInclusive<u64>,
        holds: impl Fn(Option<&T>) -> bool,
    ) -> Option<u64> {
        let (low, high) = range.into_inner();
        if low > high {
            return None;
        }
        if holds(self.at(low)) {
            return Some(low);
        }
        let mut later = self
            .0
            .iter()
            .filter(|(from, _)| (low + 1..=high).contains(from));
        later
            .find(|(_, value)| holds(Some(value)))
            .map(|(from, _)| *from)
    }
}

#[cfg(test)]
mod tests {
    use super::Timeline;

    /// Promise: a value holds from its revision to the next, and the first moment of a range is found.
    #[test]
    fn values_hold_until_the_next() {
        let mut line = Timeline::default();
        line.set(3, "a");
        line.set(7, "b");
        assert_eq!(line.at(2), None);
        assert_eq!(
            (line.at(3), line.at(6), line.at(7)),
            (Some(&"a"), Some(&"a"), Some(&"b"))
        );
        assert_eq!(line.first(1..=9, |value| value == Some(&"b")), Some(7));
        assert_eq!(line.first(4..=6, |value| value == Some(&"b")), None);
        assert_eq!(line.first(1..=2, |value| value.is_none()), Some(1));
    }
}
