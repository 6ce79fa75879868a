//! Decodes entries, applies them, and says what came of each.

use super::decoding::decoded;
use crate::codec::{self, SnapshotChunks, decode_clusters, decode_entry, encode_clusters};
use crate::history::{Place, Progress};
use crate::planted::{self, Planted};
use crate::versions::Versions;
use berth_domain::Ledger;
use berth_domain::command::{Bind, BindClaim, Command, Proposal};
use berth_domain::event::EventGroup;
use berth_domain::id::{ClusterId, ClusterName};
use berth_domain::ledger;
use berth_domain::outcome::{Answer, Outcome};
use berth_domain::row::Member;
use berth_domain::version::{APPLIES, ClusterVersion};
use berth_raft::state_machine::{Error, StateMachine};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The ledger of one replica.
#[derive(Debug)]
pub struct LedgerMachine {
    ledger: Ledger,
    /// How far the history is durable.
    history: Arc<Progress>,
    /// Where the newest snapshot put this replica, until the history has heard of it.
    restored: Arc<Mutex<Option<Restored>>>,
    /// Clusters whose last bind was decided on facts: a new leader waits for those sources. The same on every replica, because
    /// it follows from the log and is in the snapshot; no part of the ledger, because no decision of its rests on it.
    with_facts: BTreeSet<ClusterName>,
    /// Told of the cluster version.
    versions: Versions,
}

/// Where a snapshot put a replica.
#[derive(Clone, Debug)]
pub struct Restored {
    /// In the history.
    pub place: Place,
    /// Who is registered.
    pub members: Vec<Arc<Member>>,
}

/// A frozen ledger, and the history that must be durable before it may stand for the log.
#[derive(Debug)]
pub struct Image {
    ledger: Ledger,
    with_facts: BTreeSet<ClusterName>,
    history: Arc<Progress>,
}

/// What one entry did.
#[derive(Clone, Debug)]
pub struct Effect {
    /// The process that proposed it; with `batch` it names the entry.
    pub leader_boot: [u8; 16],
    /// The proposer's counter.
    pub batch: u64,
    /// One per command, in order.
    pub answers: Vec<Answer>,
    /// One per command that changed something, in order.
    pub groups: Arc<[EventGroup]>,
    /// The ledger time at which something is due next; none = nothing waits.
    pub next_due_ms: Option<u64>,
}

/// A snapshot's chunk that this version cannot read, or a ledger that it does not make.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// A chunk is not one of this version.
    #[error("chunk {number} cannot be read")]
    Chunk {
        /// Which, from 0.
        number: usize,
        /// Why.
        #[source]
        source: codec::Error,
    },
    /// The chunk that names clusters.
    #[error("the clusters with facts cannot be read")]
    Clusters(#[source] codec::Error),
    /// What the chunks say together.
    #[error("the records do not make a ledger")]
    Ledger(#[from] ledger::Error),
    /// Written at a version that this program does not apply.
    #[error(
        "the snapshot is of cluster version {found}, and this program applies {APPLIES}: start the program that the other members run"
    )]
    Version {
        /// The snapshot's.
        found: ClusterVersion,
    },
    /// Another cluster's.
    #[error("the snapshot is of cluster {found}, this replica is of {own}")]
    Cluster {
        /// Whose it is.
        found: ClusterId,
        /// Whose replica this is.
        own: ClusterId,
    },
}

// === impl LedgerMachine ===

impl LedgerMachine {
    /// A cluster's machine before the first entry.
    pub fn new(cluster: ClusterId, history: Arc<Progress>) -> Self {
        Self {
            ledger: Ledger::new(cluster),
            history,
            restored: Arc::default(),
            with_facts: BTreeSet::new(),
            versions: Versions::new(),
        }
    }

    /// Told of the cluster version, as it is applied.
    pub fn versions(&self) -> Versions {
        self.versions.clone()
    }

    /// Where the newest snapshot put this replica; whoever tells the history takes it out.
    pub fn restored(&self) -> Arc<Mutex<Option<Restored>>> {
        Arc::clone(&self.restored)
    }

    /// The state, to be read.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Clusters whose last bind was decided on facts.
    pub fn with_facts(&self) -> &BTreeSet<ClusterName> {
        &self.with_facts
    }

    /// A bind that names facts was decided on some. That its cluster has no source any more shows only a bind for which
    /// facts would have been asked, and that made something: repeats and claims that there are need none.
    fn remember_facts(&mut self, proposals: &[Proposal]) -> Vec<usize> {
        let mut without = Vec::new();
        for (number, proposal) in proposals.iter().enumerate() {
            let Command::Bind(bind) = &proposal.command else {
                continue;
            };
            let cluster = &bind.key.cluster;
            let is_known = self.with_facts.contains(cluster);
            match proposal.facts {
                Some(_) if !is_known => {
                    self.with_facts.insert(cluster.clone());
                }
                None if is_known && asks_for_facts(bind) => without.push(number),
                _ => {}
            }
        }
        without
    }
}

fn asks_for_facts(bind: &Bind) -> bool {
    bind.claim == BindClaim::None && !bind.pod.name.as_str().is_empty()
}

impl StateMachine for LedgerMachine {
    type Effect = Effect;
    type Image = Image;

    fn apply(&mut self, index: u64, data: &[u8]) -> Result<Effect, Error> {
        let mut entry = decode_entry(data).map_err(|error| Error {
            index,
            source: Box::new(error),
        })?;
        if planted::has(Planted::ForgetRepeats) {
            forget_repeats(index, &mut entry.proposals);
        }
        let without = self.remember_facts(&entry.proposals);
        let applied = self.ledger.apply(&entry.header, entry.proposals);
        for number in without {
            if let Ok(Outcome::Bound {
                allocation,
                created: true,
            }) = &applied.answers[number].result
            {
                self.with_facts.remove(&allocation.key.cluster);
            }
        }
        self.versions.reach(self.ledger.version());
        Ok(Effect {
            leader_boot: entry.leader_boot,
            batch: entry.batch,
            answers: applied.answers,
            groups: applied.groups.into(),
            next_due_ms: self.ledger.next_due_ms(),
        })
    }

    fn freeze(&self) -> Image {
        Image {
            ledger: self.ledger.clone(),
            with_facts: self.with_facts.clone(),
            history: Arc::clone(&self.history),
        }
    }

    /// A restart goes on from the snapshot and makes no events of what is below it. So the snapshot waits for the history:
    /// what it covers must be there already.
    fn encode(image: Image) -> Box<dyn Iterator<Item = Vec<u8>> + Send> {
        let chunks = std::iter::once(()).flat_map(move |()| {
            if !planted::has(Planted::SnapshotBeforeHistory) {
                image.history.await_revision(image.ledger.revision());
            }
            SnapshotChunks::new(image.ledger.records()).chain(encode_clusters(&image.with_facts))
        });
        Box::new(chunks)
    }

    fn restore(
        &mut self,
        index: u64,
        chunks: &mut dyn Iterator<Item = Vec<u8>>,
    ) -> Result<(), Error> {
        let restored = restore(chunks, self.ledger.cluster());
        (self.ledger, self.with_facts) = restored.map_err(|error| Error {
            index,
            source: Box::new(error),
        })?;
        self.versions.reach(self.ledger.version());
        let place = Place {
            index,
            revision: self.ledger.revision(),
            chain: self.ledger.chain(),
        };
        let members = self.ledger.members().cloned().collect();
        *self.restored.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Restored { place, members });
        Ok(())
    }

    fn digest(&self) -> [u8; 32] {
        self.ledger.digest()
    }
}

/// Each ADD comes from a boot of its own, so that nothing is a repeat; only where that is planted.
fn forget_repeats(index: u64, proposals: &mut [Proposal]) {
    for (place, proposal) in proposals.iter_mut().enumerate() {
        if let Command::Bind(bind) = &mut proposal.command
            && let Ok(boot) = berth_domain::id::BootId::new(&format!("{index}-{place}"))
        {
            bind.boot = boot;
        }
    }
}

/// Of this cluster only.
fn restore(
    chunks: &mut dyn Iterator<Item = Vec<u8>>,
    own: &ClusterId,
) -> Result<(Ledger, BTreeSet<ClusterName>), RestoreError> {
    let (ledger, with_facts) = restored(chunks)?;
    match ledger.cluster() == own {
        true => Ok((ledger, with_facts)),
        false => Err(RestoreError::Cluster {
            found: ledger.cluster().clone(),
            own: own.clone(),
        }),
    }
}

/// A ledger and its clusters with facts. Record by record, so that a large snapshot is in memory once and not twice.
pub(crate) fn restored(
    chunks: &mut dyn Iterator<Item = Vec<u8>>,
) -> Result<(Ledger, BTreeSet<ClusterName>), RestoreError> {
    let mut broken = None;
    let mut with_facts = Ok(Vec::new());
    let mut chunks = chunks.inspect(|chunk| {
        if let Ok(names) = &mut with_facts {
            match decode_clusters(chunk) {
                Ok(found) => names.extend(found),
                Err(error) => with_facts = Err(error),
            }
        }
    });
    let ledger = decoded(&mut chunks, |chunks| {
        let records = chunks.map_while(|(number, records)| match records {
            Ok(records) => Some(records),
            Err(source) => {
                broken = Some(RestoreError::Chunk { number, source });
                None
            }
        });
        Ledger::from_records(records.flatten())
    });
    if let Some(error) = broken {
        return Err(error);
    }
    let ledger = ledger?;
    let with_facts = with_facts.map_err(RestoreError::Clusters)?;
    let found = ledger.version();
    if !APPLIES.contains(found) {
        return Err(RestoreError::Version { found });
    }
    Ok((ledger, with_facts.into_iter().collect()))
}

#[cfg(test)]
mod tests;
