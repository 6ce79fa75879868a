//! Looks at the cloud, gathered: one call shows a hundred ENIs, so that waiting costs next to nothing.

use berth_cloud::call::{DescribeNetworkInterfaces, ENIS_PER_CALL};
use berth_cloud::conductor::Look;
use berth_cloud::eni::Eni;
use berth_cloud::id::EniId;
use berth_domain::id::JobId;
use std::collections::{BTreeMap, BTreeSet};

/// Between two calls that look.
const EVERY_MS: u64 = 1_000;
/// So long others may join the first.
const GATHER_MS: u64 = 200;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Looks {
    wanted: BTreeMap<Look, BTreeSet<JobId>>,
    first_wanted_at_ms: u64,
    last_ms: Option<u64>,
}

/// One look, page after page.
#[derive(Debug)]
pub(super) struct Looking {
    /// The call of the next page.
    pub call: DescribeNetworkInterfaces,
    /// Who waits for it.
    pub jobs: BTreeSet<JobId>,
    /// What was on the pages before.
    pub enis: Vec<Eni>,
}

// === impl Looks ===

impl Looks {
    pub fn want(&mut self, look: Look, job: JobId, now_ms: u64) {
        if self.wanted.is_empty() {
            self.first_wanted_at_ms = now_ms;
        }
        self.wanted.entry(look).or_default().insert(job);
    }

    /// When [`Self::take`] has something; none = nothing is wanted.
    pub fn due_ms(&self) -> Option<u64> {
        let gathered_ms = self.first_wanted_at_ms + GATHER_MS;
        let next_ms = self.last_ms.map_or(0, |last_ms| last_ms + EVERY_MS);
        (!self.wanted.is_empty()).then_some(gathered_ms.max(next_ms))
    }

    /// All that is wanted, if it is time, in as few calls as there can be.
    pub fn take(&mut self, now_ms: u64) -> Vec<Looking> {
        if self.due_ms().is_none_or(|due_ms| now_ms < due_ms) {
            return Vec::new();
        }
        self.last_ms = Some(now_ms);
        let mut taken = Vec::new();
        let mut named: Vec<(EniId, BTreeSet<JobId>)> = Vec::new();
        for (look, jobs) in std::mem::take(&mut self.wanted) {
            match look {
                Look::Eni(eni) => named.push((eni, jobs)),
                other => taken.push(Looking::new(other.filter(), jobs)),
            }
        }
        for chunk in named.chunks(ENIS_PER_CALL) {
            let call = DescribeNetworkInterfaces {
                enis: chunk.iter().map(|(eni, _)| eni.clone()).collect(),
                ..DescribeNetworkInterfaces::default()
            };
            let jobs = chunk.iter().flat_map(|(_, jobs)| jobs.iter().copied());
            taken.push(Looking::new(call, jobs.collect()));
        }
        taken
    }
}

// === impl Looking ===

impl Looking {
    fn new(call: DescribeNetworkInterfaces, jobs: BTreeSet<JobId>) -> Self {
        Self {
            call,
            jobs,
            enis: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eni(number: u32) -> Look {
        Look::Eni(EniId::new(format!("eni-{number}")).expect("a name"))
    }

    /// Promise: a hundred ENIs are looked at by one call, once a second at most, and whoever comes meanwhile is in the next.
    #[test]
    fn many_are_one_call() {
        let mut looks = Looks::default();
        assert_eq!(looks.due_ms(), None);
        for number in 0..100 {
            looks.want(eni(number), JobId(u64::from(number)), 50);
        }
        assert!(looks.take(249).is_empty());
        let taken = looks.take(250);
        assert_eq!(
            (taken.len(), taken[0].call.enis.len(), taken[0].jobs.len()),
            (1, 100, 100)
        );
        for number in 0..101 {
            looks.want(eni(number), JobId(u64::from(number)), 300);
        }
        assert_eq!(looks.due_ms(), Some(1_250));
        assert_eq!(looks.take(1_250).len(), 2);
        assert_eq!(looks.due_ms(), None);
    }
}
