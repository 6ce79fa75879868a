//! Those who wait in one lane for one action: in order for each owner, one owner after the other.

use super::Ticket;
use std::collections::{BTreeMap, VecDeque};

#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    waiting: BTreeMap<u64, VecDeque<Ticket>>,
    /// Whose turn is over.
    last: Option<u64>,
}

// === impl Queue ===

impl Queue {
    pub fn push(&mut self, owner: u64, ticket: Ticket) {
        self.waiting.entry(owner).or_default().push_back(ticket);
    }

    pub fn pop(&mut self) -> Option<Ticket> {
        let next = self.last.and_then(|last| {
            let mut after = self.waiting.range(last.checked_add(1)?..);
            after.next().map(|(owner, _)| *owner)
        });
        let owner = next.or_else(|| self.waiting.keys().next().copied())?;
        let tickets = self.waiting.get_mut(&owner)?;
        let ticket = tickets.pop_front();
        if tickets.is_empty() {
            self.waiting.remove(&owner);
        }
        self.last = Some(owner);
        ticket
    }

    pub fn remove(&mut self, ticket: Ticket) {
        self.waiting.values_mut().for_each(|tickets| {
            tickets.retain(|other| *other != ticket);
        });
        self.waiting.retain(|_, tickets| !tickets.is_empty());
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub fn len(&self) -> usize {
        self.waiting.values().map(VecDeque::len).sum()
    }
}
