//! All members tell the same history and end in the same ledger.

use super::Violation;
use crate::record::{Group, Record};

/// The history that all agree on; where they do not, that of the first.
pub(super) fn agreed<'a>(record: &'a Record, violations: &mut Vec<Violation>) -> &'a [Group] {
    let mut members = record.histories.iter();
    let Some((first, history)) = members.next() else {
        return &[];
    };
    for (member, other) in members {
        if history == other {
            continue;
        }
        let mut pairs = history.iter().zip(other);
        let place = pairs.position(|(one, other)| one != other);
        let place = place.unwrap_or(history.len().min(other.len()));
        let what = format!(
            "{first} ({} groups) and {member} ({} groups) differ at place {place}: {:?} and {:?}",
            history.len(),
            other.len(),
            history.get(place),
            other.get(place)
        );
        violations.push(Violation::new("H3 one history on all members", what));
    }
    let mut digests = record.digests.iter();
    if let Some((first, (index, digest))) = digests.next() {
        for (member, (other_index, other)) in digests {
            if index == other_index && digest != other {
                let what = format!("{first} and {member} differ at index {index}");
                violations.push(Violation::new("R5 one ledger on all members", what));
            }
        }
    }
    history
}
