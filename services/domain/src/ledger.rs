//! The ledger: the replicated truth. Commands are decided against it, and only installed changes alter it.

pub(crate) mod addresses;
pub(crate) mod attachments;
pub(crate) mod claims;
mod counts;
pub(crate) mod enis;
mod index;
mod install;
mod layered;
pub(crate) mod nodes;
mod page;
pub(crate) mod pools;
mod read;
mod record;
mod recovery;
pub(crate) mod requests;
mod slab;
pub(crate) mod sorted;
pub(crate) mod vswitches;
mod warm;

pub use counts::{Counts, FamilyCounts};
pub use nodes::{NodeUsage, Standing};
pub use page::{Cursor, Page, Selection};
pub use read::{Located, Sizes};
pub use record::{
    Record, Records, STATE_VERSION, SnapshotHeader, UPGRADES, Upgrade, state_version,
};

use crate::apply::{self, Context};
use crate::command::{Command, Header, Proposal};
use crate::event::{Chain, EventGroup, chained};
use crate::id::{ClusterId, MemberId, Revision};
use crate::outcome::Answer;
use crate::row::{Cluster, Member};
use std::collections::BTreeMap;
use std::sync::Arc;

/// All rows with their indexes. A clone shares everything and takes well under a millisecond.
#[derive(Clone, Debug)]
pub struct Ledger {
    cluster: ClusterId,
    revision: Revision,
    chain: Chain,
    ledger_time_ms: u64,
    wall_time_ms: u64,
    cluster_row: Cluster,
    pub(crate) vswitches: vswitches::VSwitches,
    node_pools: pools::NodePools,
    pub(crate) nodes: nodes::Nodes,
    pub(crate) addresses: addresses::Addresses,
    pub(crate) attachments: attachments::Attachments,
    pub(crate) enis: enis::Enis,
    pub(crate) claims: claims::Claims,
    pub(crate) requests: requests::Requests,
    members: Arc<BTreeMap<MemberId, Arc<Member>>>,
    pub(crate) recoveries: recovery::Recoveries,
    /// The bytes of a group while it is hashed; kept to be used again.
    scratch: Vec<u8>,
}

/// What an entry did: an answer per command, in order, and a group per command that changed something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// In the order of the proposals.
    pub answers: Vec<Answer>,
    /// In the order of their revisions.
    pub groups: Vec<EventGroup>,
}

/// A history or a snapshot that does not make a ledger.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A group is missing, or one came twice.
    #[error("group {found} follows revision {revision}: the history has a gap or a repeat")]
    Gap {
        /// Where the history ends.
        revision: Revision,
        /// Which group came.
        found: Revision,
    },
    /// A group is not the one that was made.
    #[error("group {0} does not hash to its chain: the history was changed")]
    Chain(Revision),
    /// The first record is not a header, or a second one came.
    #[error("the snapshot's header is missing or repeated")]
    Header,
    /// The records are of a form that this version does not know.
    #[error(
        "the snapshot has state version {found}, this program reads {oldest} to {newest}: use the program that wrote it"
    )]
    StateVersion {
        /// What came.
        found: u32,
        /// The oldest that this program reads.
        oldest: u32,
        /// The newest.
        newest: u32,
    },
    /// The records are of another form than their header says.
    #[error(
        "the snapshot says state version {version}, but holds {what}, which that version does not have"
    )]
    Form {
        /// What its header says.
        version: u32,
        /// What it holds.
        what: &'static str,
    },
    /// A record names a row that did not come before it.
    #[error("the snapshot's {what} {name} names a row that is not there")]
    Dangling {
        /// Which kind of thing.
        what: &'static str,
        /// Which one.
        name: String,
    },
}

// === impl Ledger ===

impl Ledger {
    /// A cluster's ledger before the first command.
    pub fn new(cluster: ClusterId) -> Self {
        Self {
            cluster,
            revision: Revision(0),
            chain: Chain::default(),
            ledger_time_ms: 0,
            wall_time_ms: 0,
            cluster_row: Cluster::default(),
            vswitches: vswitches::VSwitches::default(),
            node_pools: pools::NodePools::default(),
            nodes: nodes::Nodes::default(),
            addresses: addresses::Addresses::default(),
            attachments: attachments::Attachments::default(),
            enis: enis::Enis::default(),
            claims: claims::Claims::default(),
            requests: requests::Requests::default(),
            members: Arc::default(),
            recoveries: recovery::Recoveries::default(),
            scratch: Vec::new(),
        }
    }

    /// Applies one entry: its commands in order, each all-or-nothing. The same entries give the same answers,
    /// groups and state on every replica.
    pub fn apply(&mut self, header: &Header, proposals: Vec<Proposal>) -> Applied {
        self.pass_time(header.ledger_time_ms, header.wall_time_ms);
        let mut applied = Applied {
            answers: Vec::with_capacity(proposals.len()),
            groups: Vec::with_capacity(proposals.len()),
        };
        let mut proposals = proposals.into_iter();
        while !proposals.as_slice().is_empty() {
            let next = proposals.as_slice();
            self.warm(&next[..next.len().min(warm::TOGETHER)]);
            for proposal in proposals.by_ref().take(warm::TOGETHER) {
                let (answer, group) = self.apply_one(proposal);
                applied.answers.push(answer);
                applied.groups.extend(group);
            }
        }
        applied
    }

    fn pass_time(&mut self, ledger_time_ms: u64, wall_time_ms: u64) {
        self.ledger_time_ms = self.ledger_time_ms.max(ledger_time_ms);
        self.wall_time_ms = self.wall_time_ms.max(wall_time_ms);
    }

    fn apply_one(&mut self, proposal: Proposal) -> (Answer, Option<EventGroup>) {
        let context = Context {
            ledger: self,
            revision: self.next_revision(&proposal.command),
            now_ms: self.ledger_time_ms,
            wall_ms: self.wall_time_ms,
        };
        let current = |result| Answer {
            revision: self.revision,
            result,
        };
        match apply::decide(&context, &proposal) {
            Err(refusal) => (current(Err(refusal)), None),
            Ok(decision) if decision.changes.is_empty() => (current(Ok(decision.outcome)), None),
            Ok(decision) => {
                let group = self.take_effect(context.revision, proposal, decision.changes);
                let answer = Answer {
                    revision: group.revision,
                    result: Ok(decision.outcome),
                };
                (answer, Some(group))
            }
        }
    }

    /// The next one; a recovery skips some.
    fn next_revision(&self, command: &Command) -> Revision {
        let skipped = match command {
            Command::Recover(recover) => recover.revision_jump,
            _ => 0,
        };
        // What would not fit is refused.
        Revision(self.revision.0.saturating_add(skipped).saturating_add(1))
    }

    fn take_effect(
        &mut self,
        revision: Revision,
        proposal: Proposal,
        changes: Vec<crate::row::Change>,
    ) -> EventGroup {
        self.install(&changes);
        self.revision = revision;
        let mut group = EventGroup {
            revision: self.revision,
            ledger_time_ms: self.ledger_time_ms,
            wall_time_ms: self.wall_time_ms,
            principal: proposal.principal,
            request_id: proposal.request_id,
            trace_id: proposal.trace_id,
            cause: proposal.command.name(),
            reason: proposal.reason,
            changes,
            chain: Chain::default(),
        };
        group.chain = chained(&self.chain, &group, &mut self.scratch);
        self.chain = group.chain;
        group
    }

    /// Installs one group of a history (H2): its revision must be the next, and it must hash to its chain (H3).
    pub fn replay(&mut self, group: &EventGroup) -> Result<(), Error> {
        if !group.follows(self.revision) {
            let (revision, found) = (self.revision, group.revision);
            return Err(Error::Gap { revision, found });
        }
        if chained(&self.chain, group, &mut self.scratch) != group.chain {
            return Err(Error::Chain(group.revision));
        }
        self.pass_time(group.ledger_time_ms, group.wall_time_ms);
        self.install(&group.changes);
        self.revision = group.revision;
        self.chain = group.chain;
        Ok(())
    }
}
