//! What callers were told, against what the history says: nothing acknowledged is lost or made up (R3, H5), nothing is said
//! not to have happened that did, and a request's repeats get its first answer (A4).

use super::{Oracle, broken};
use crate::answer::Answer;
use crate::call::{Body, Delivery, delivery_of};
use berth_domain::event::EventGroup;
use berth_domain::id::{BootId, RequestId};
use berth_domain::outcome;
use berth_raft::simulation::workload::Violation;
use berthd::failure::Failure;
use berthd::node::{Allocated, Release};

// === impl Oracle ===

impl Oracle {
    /// A server has answered a delivery.
    pub fn answered(
        &mut self,
        delivery: Delivery,
        body: &Body,
        answer: &Answer,
    ) -> Result<(), Violation> {
        self.counts.answers += 1;
        if let Some(failure) = answer.failure()
            && says_that_nothing_happened(failure)
            && !matches!(body, Body::Collect(_))
        {
            if let Some(revision) = self.effective.get(&delivery) {
                return broken("A4", format!("{failure}: but revision {revision} did it"));
            }
            self.refused.insert(delivery, failure.to_string());
        }
        match (body, answer) {
            (Body::Add(add), Answer::Added(Ok(allocated))) => {
                self.is_committed(&add.boot, allocated)
            }
            (Body::Propose(proposal), Answer::Proposed(Ok(answer))) => {
                self.same_request(&proposal.request_id, answer)
            }
            _ => Ok(()),
        }
    }

    /// The caller has the answer: from now on nobody may see less.
    pub fn acknowledged(&mut self, answer: &Answer) {
        if let Some(revision) = answer.revision() {
            self.floor = self.floor.max(revision);
        }
    }

    /// A DEL is acknowledged.
    pub fn deleted(&mut self, release: &Release) {
        let key = (release.key.clone(), release.boot.clone());
        let at = self.deleted.entry(key).or_insert(0);
        *at = (*at).max(release.invoked_at_ms);
    }

    fn is_committed(&mut self, boot: &BootId, allocated: &Allocated) -> Result<(), Violation> {
        let row = &allocated.allocation;
        match self.committed.get(&row.generation.0) {
            Some((key, addresses)) if *key == *row.key && *addresses == row.addresses => {}
            known => {
                let text = format!(
                    "{} was answered {:?}, the history has {known:?}",
                    row.key, row.addresses
                );
                return broken("R3", text);
            }
        }
        match row.boot == *boot {
            true => Ok(()),
            false => broken(
                "A4",
                format!("{} was answered the bind of another boot", row.key),
            ),
        }
    }

    fn same_request(&mut self, id: &RequestId, answer: &outcome::Answer) -> Result<(), Violation> {
        let Ok(outcome) = &answer.result else {
            return Ok(());
        };
        if id.as_str().is_empty() {
            return Ok(());
        }
        let text = format!("{outcome:?}");
        let first = self
            .requests
            .entry(id.clone())
            .or_insert_with(|| text.clone());
        match *first == text {
            true => Ok(()),
            false => broken(
                "A4",
                format!("request {id} was answered {first}, then {text}"),
            ),
        }
    }

    /// A group is the work of a delivery.
    pub(super) fn effect(&mut self, group: &EventGroup) -> Result<(), Violation> {
        let Some(delivery) = group.trace_id.as_ref().and_then(delivery_of) else {
            return Ok(());
        };
        if let Some(said) = self.refused.get(&delivery) {
            return broken(
                "A4",
                format!("{said}: but revision {} did it", group.revision),
            );
        }
        self.effective.insert(delivery, group.revision.0);
        Ok(())
    }
}

/// All but the one that says that nobody knows.
fn says_that_nothing_happened(failure: &Failure) -> bool {
    !matches!(failure, Failure::Unknown { .. })
}
