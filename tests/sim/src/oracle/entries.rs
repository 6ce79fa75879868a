//! Rules about single commands, on the entries as they stand in the log.

use super::{Oracle, rule};
use berth_domain::command::{Command, Proposal};
use berth_domain::event::EventGroup;
use berth_domain::invariant;
use berth_raft::simulation::workload::Violation;
use berthd::codec::Entry;

// === impl Oracle ===

impl Oracle {
    /// A7: what a DEL ends is what it names. A6: once more it changes nothing. `groups` are what the entry made.
    pub fn entry(&self, entry: &Entry, groups: &[EventGroup]) -> Result<(), Violation> {
        let releases = entry
            .proposals
            .iter()
            .filter_map(|proposal| match &proposal.command {
                Command::Release(release) => Some((proposal, release)),
                _ => None,
            });
        for (proposal, release) in releases {
            // A GC's releases share a trace.
            let same = |other: &&Proposal| other.trace_id == proposal.trace_id;
            if entry.proposals.iter().filter(same).count() > 1 {
                continue;
            }
            let own = groups
                .iter()
                .filter(|group| group.trace_id == proposal.trace_id && group.cause == "release");
            for group in own {
                invariant::released_its_own(release, group).map_err(rule)?;
            }
            if entry.proposals.len() == 1 {
                invariant::released_once(&self.shadow, proposal).map_err(rule)?;
            }
        }
        Ok(())
    }
}
