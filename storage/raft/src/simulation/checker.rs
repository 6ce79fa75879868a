//! The consensus rules, one predicate each, fed by the world.

use super::workload::Violation;
use crate::log_store::{HardState, Membership};
use crate::replica::{EntryMark, Vouched};
use crate::simulated_disk::{Durable, SimulatedDisk};
use std::collections::{BTreeMap, BTreeSet};

/// What was seen so far in one run.
#[derive(Default)]
pub struct Checker {
    leaders: BTreeMap<u64, u64>,
    /// With the term that its first witness was in.
    committed: BTreeMap<u64, (EntryMark, u64)>,
    digests: BTreeMap<u64, [u8; 32]>,
    memberships: BTreeMap<u64, Membership>,
    durable: BTreeMap<u64, Durable>,
    seen: BTreeMap<u64, Seen>,
    /// Disks that were destroyed, as they were until then: what they promised, they held.
    wiped: BTreeMap<u64, SimulatedDisk>,
    /// How many checks were made, so that a run that checked nothing is noticed.
    pub checks: u64,
}

/// The last seen of one running replica.
#[derive(Clone, Copy, Default)]
struct Seen {
    term: u64,
    commit: u64,
    applied: u64,
}

// === impl Checker ===

impl Checker {
    /// The first membership, in force from the start.
    pub fn begin(&mut self, membership: Membership) {
        self.memberships.insert(0, membership);
    }

    /// The highest index known committed anywhere.
    pub fn highest_committed(&self) -> u64 {
        self.committed
            .last_key_value()
            .map_or(0, |(index, _)| *index)
    }

    /// R1: at most one leader per term.
    pub fn one_leader(&mut self, term: u64, member: u64) -> Result<(), Violation> {
        self.checks += 1;
        match self.leaders.insert(term, member) {
            Some(other) if other != member => Err(Violation::new(
                "R1",
                format!("members {other} and {member} both lead in term {term}"),
            )),
            _ => Ok(()),
        }
    }

    /// R2: two logs that have an entry of the same index and term are the same up to there.
    pub fn logs_match(&mut self, left: &[EntryMark], right: &[EntryMark]) -> Result<(), Violation> {
        self.checks += 1;
        let other: BTreeMap<u64, EntryMark> =
            right.iter().map(|mark| (mark.index, *mark)).collect();
        let mut must_match = false;
        for mark in left.iter().rev() {
            let Some(twin) = other.get(&mark.index) else {
                continue;
            };
            must_match |= twin.term == mark.term;
            if must_match && twin != mark {
                return Err(Violation::new(
                    "R2",
                    format!("{mark:?} and {twin:?} stand before a common entry"),
                ));
            }
        }
        Ok(())
    }

    /// R3: what is committed never changes, and a quorum holds it durably at that moment. Its witness is in `term`.
    pub fn committed(
        &mut self,
        (mark, term): (EntryMark, u64),
        disks: &BTreeMap<u64, SimulatedDisk>,
    ) -> Result<(), Violation> {
        self.checks += 1;
        if let Some((known, _)) = self.committed.get(&mark.index) {
            if *known != mark {
                return Err(Violation::new(
                    "R3",
                    format!("{known:?} was committed, then {mark:?}"),
                ));
            }
            return Ok(());
        }
        self.committed.insert(mark.index, (mark, term));
        self.quorum_holds(mark, |member| {
            let held = |disk: Option<&SimulatedDisk>| disk.is_some_and(|disk| disk.holds(mark));
            held(disks.get(member)) || held(self.wiped.get(member))
        })
    }

    /// R3, later: a quorum holds what was committed last.
    pub fn still_held(&mut self, disks: &BTreeMap<u64, SimulatedDisk>) -> Result<(), Violation> {
        let Some(mark) = self.committed.last_key_value().map(|(_, (mark, _))| *mark) else {
            return Ok(());
        };
        self.checks += 1;
        self.quorum_holds(mark, |member| {
            self.wiped.contains_key(member)
                || disks.get(member).is_some_and(|disk| disk.holds(mark))
        })
    }

    fn quorum_holds(&self, mark: EntryMark, holds: impl Fn(&u64) -> bool) -> Result<(), Violation> {
        let majority =
            |voters: &[u64]| voters.iter().filter(|voter| holds(voter)).count() * 2 > voters.len();
        // The entry may have been committed before the last change in front of it was applied, or after a later one.
        let before = self.memberships.range(..=mark.index).rev().take(2);
        let after = self.memberships.range(mark.index + 1..);
        let fits = before.chain(after).any(|(_, membership)| {
            majority(&membership.voters)
                && (membership.voters_outgoing.is_empty() || majority(&membership.voters_outgoing))
        });
        if fits {
            return Ok(());
        }
        let known = self
            .memberships
            .values()
            .flat_map(|membership| &membership.voters);
        let holders: BTreeSet<u64> = known.copied().filter(|member| holds(member)).collect();
        Err(Violation::new(
            "R3",
            format!("{mark:?} is committed, but only {holders:?} hold it"),
        ))
    }

    /// R4: a new leader has everything committed in earlier terms. Its log begins behind `floor`. One that was voted for late
    /// may lack what the leader of a later term has committed, however old that is.
    pub fn leader_complete(
        &mut self,
        term: u64,
        floor: u64,
        log: &[EntryMark],
    ) -> Result<(), Violation> {
        self.checks += 1;
        let log: BTreeMap<u64, EntryMark> = log.iter().map(|mark| (mark.index, *mark)).collect();
        for (index, (mark, committed_in)) in self.committed.range(floor + 1..) {
            if *committed_in < term && log.get(index) != Some(mark) {
                return Err(Violation::new(
                    "R4",
                    format!("the leader of term {term} lacks {mark:?}"),
                ));
            }
        }
        Ok(())
    }

    /// R5: every replica has the same state after the same entry.
    pub fn same_state(
        &mut self,
        member: u64,
        index: u64,
        digest: [u8; 32],
    ) -> Result<(), Violation> {
        self.checks += 1;
        match self.digests.insert(index, digest) {
            Some(known) if known != digest => Err(Violation::new(
                "R5",
                format!("member {member} has another state than others at index {index}"),
            )),
            _ => Ok(()),
        }
    }

    /// R6: within one life, term, commit and applied only rise.
    pub fn monotone(
        &mut self,
        member: u64,
        term: u64,
        commit: u64,
        applied: u64,
    ) -> Result<(), Violation> {
        self.checks += 1;
        let now = Seen {
            term,
            commit,
            applied,
        };
        let before = self.seen.insert(member, now).unwrap_or_default();
        if term < before.term || commit < before.commit || applied < before.applied {
            return Err(Violation::new(
                "R6",
                format!("member {member} went back in term, commit or applied index"),
            ));
        }
        Ok(())
    }

    /// A replica's life ended: its commit and applied index may be behind in the next one.
    pub fn life_ended(&mut self, member: u64) {
        self.seen.remove(&member);
    }

    /// R6 on the disk: term and snapshot only rise, across restarts too, and a vote is given once per term.
    pub fn durable_monotone(&mut self, member: u64, now: Durable) -> Result<(), Violation> {
        self.checks += 1;
        let before = self.durable.insert(member, now.clone());
        let Some(before) = before else { return Ok(()) };
        let HardState { term, vote, .. } = now.hard_state;
        let has_voted_twice = term == before.hard_state.term
            && before.hard_state.vote != 0
            && vote != before.hard_state.vote;
        let snapshot = |durable: &Durable| durable.snapshot.as_ref().map_or(0, |meta| meta.index);
        if term < before.hard_state.term || has_voted_twice || snapshot(&now) < snapshot(&before) {
            let text = format!(
                "member {member} had {:?} durable, then {:?}",
                before.hard_state, now.hard_state
            );
            return Err(Violation::new("R6", text));
        }
        Ok(())
    }

    /// A wiped disk begins again; only a member that never comes back under its id is allowed that.
    pub fn disk_wiped(&mut self, member: u64, until_then: SimulatedDisk) {
        self.durable.remove(&member);
        self.wiped.entry(member).or_insert(until_then);
    }

    /// R7: nothing leaves before what it vouches for is durable.
    pub fn vouched(
        &mut self,
        member: u64,
        vouched: Vouched,
        disk: &SimulatedDisk,
    ) -> Result<(), Violation> {
        self.checks += 1;
        if disk.backs(vouched) {
            return Ok(());
        }
        Err(Violation::new(
            "R7",
            format!(
                "member {member} sent {vouched:?} with only {:?} durable",
                disk.durable()
            ),
        ))
    }

    /// R8: a restarted replica's disk agrees with itself: applied <= commit <= last, truncated <= snapshot.
    pub fn disk_agrees(&mut self, member: u64, durable: &Durable) -> Result<(), Violation> {
        self.checks += 1;
        let snapshot = durable.snapshot.as_ref().map_or(0, |meta| meta.index);
        let commit = durable.hard_state.commit;
        if snapshot > commit || commit > durable.last_index {
            let text = format!(
                "member {member}: snapshot {snapshot}, commit {commit}, last {}",
                durable.last_index
            );
            return Err(Violation::new("R8", text));
        }
        Ok(())
    }

    /// R9: a linearizable read sees everything that was committed before it began.
    pub fn read_is_fresh(
        &mut self,
        member: u64,
        began_at: u64,
        applied: u64,
    ) -> Result<(), Violation> {
        self.checks += 1;
        if applied < began_at {
            let text = format!(
                "member {member} answered from index {applied}, {began_at} was committed before"
            );
            return Err(Violation::new("R9", text));
        }
        Ok(())
    }

    /// A change was applied somewhere; every replica must apply the same one there.
    pub fn membership(&mut self, index: u64, membership: &Membership) -> Result<(), Violation> {
        self.checks += 1;
        // A snapshot repeats the membership of an earlier entry at its own index.
        let in_force = self
            .memberships
            .range(..=index)
            .next_back()
            .map(|(_, known)| known.clone());
        if self
            .memberships
            .get(&index)
            .is_some_and(|known| known != membership)
        {
            return Err(Violation::new(
                "R5",
                format!("two memberships at index {index}"),
            ));
        }
        if in_force.as_ref() != Some(membership) {
            self.memberships.insert(index, membership.clone());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: a leader that lacks what was committed before its term is found (the control); one that is told late of its
    /// votes may lack what a later leader has committed meanwhile.
    #[test]
    fn a_leader_has_what_was_committed_before_it() {
        let old = EntryMark {
            index: 7,
            term: 3,
            crc: 0,
        };
        let mut checker = Checker::default();
        let quorum_is_unknown = checker.committed((old, 5), &BTreeMap::new());
        assert!(quorum_is_unknown.is_err());
        assert!(checker.leader_complete(4, 0, &[]).is_ok());
        assert!(checker.leader_complete(6, 0, &[]).is_err());
        assert!(checker.leader_complete(6, 0, &[old]).is_ok());
        assert!(checker.leader_complete(6, 7, &[]).is_ok());
    }
}
