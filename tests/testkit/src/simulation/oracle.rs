//! What must be true of the answers, from outside: the rules A1, A3, A4, A8 and H1, checked against what pods really use.

use super::Trick;
use super::kubelet::Kubelet;
use berth_domain::command::Command;
use berth_domain::event::Chain;
use berth_domain::id::*;
use berth_domain::outcome::{Answer, Outcome, Refusal};
use berth_domain::row::Allocation;
use berth_raft::simulation::workload::Violation;
use berthd::replica::Effect;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// What a run did; a run that did nothing proves nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Addresses given to new attachments.
    pub bound: u64,
    /// Repeats that found what was made.
    pub repeated: u64,
    /// Attachments ended.
    pub released: u64,
    /// Commands refused.
    pub refused: u64,
    /// Static addresses that came to their pod again in a new sandbox.
    pub statics_kept: u64,
    /// The last revision.
    pub revision: u64,
}

pub struct Oracle {
    applied: u64,
    /// The chain at each revision, as first seen.
    chains: BTreeMap<u64, Chain>,
    /// Keys whose DEL the ledger has acknowledged.
    deleted: BTreeSet<AttachmentKey>,
    /// A static pod's addresses, as long as its claim stands.
    statics: BTreeMap<ClaimId, (PodIdentity, Vec<IpAddr>)>,
    seen: Seen,
    trick: Option<Trick>,
}

// === impl Oracle ===

impl Oracle {
    pub fn new(trick: Option<Trick>) -> Self {
        Self {
            applied: 0,
            chains: BTreeMap::new(),
            deleted: BTreeSet::new(),
            statics: BTreeMap::new(),
            seen: Seen::default(),
            trick,
        }
    }

    pub fn seen(&self) -> Seen {
        self.seen
    }

    /// H1 and H3 for every application; true for the first of this index anywhere.
    pub fn is_news(&mut self, index: u64, effect: &Effect) -> Result<bool, Violation> {
        for group in effect.groups.iter() {
            let known = *self.chains.entry(group.revision.0).or_insert(group.chain);
            if known != group.chain {
                return Err(Violation::new(
                    "H3",
                    format!("two chains at revision {}", group.revision),
                ));
            }
        }
        if index <= self.applied {
            return Ok(false);
        }
        self.applied = index;
        for group in effect.groups.iter() {
            if group.revision.0 != self.seen.revision + 1 {
                let text = format!("revision {} follows {}", group.revision, self.seen.revision);
                return Err(Violation::new("H1", text));
            }
            self.seen.revision = group.revision.0;
        }
        Ok(true)
    }

    pub fn answered(
        &mut self,
        kubelet: &mut Kubelet,
        command: &Command,
        answer: &Answer,
    ) -> Result<(), Violation> {
        match (command, &answer.result) {
            (
                Command::Bind(_),
                Ok(Outcome::Bound {
                    allocation,
                    created,
                }),
            ) => self.bound(kubelet, allocation, *created),
            (Command::Release(release), Ok(Outcome::Released { released })) => {
                self.deleted.insert(release.key.clone());
                self.seen.released += u64::from(*released);
                Ok(())
            }
            (_, Err(refusal)) => {
                self.seen.refused += 1;
                is_expected(refusal)
            }
            _ => Ok(()),
        }
    }

    fn bound(
        &mut self,
        kubelet: &mut Kubelet,
        allocation: &Allocation,
        created: bool,
    ) -> Result<(), Violation> {
        let key = &*allocation.key;
        if self.deleted.contains(key) {
            return Err(Violation::new(
                "A8",
                format!("{key} was bound after its DEL"),
            ));
        }
        let other = kubelet.users().find(|sandbox| {
            sandbox.key != *key
                && sandbox
                    .addresses
                    .iter()
                    .any(|ip| allocation.addresses.contains(ip))
        });
        if let Some(other) = other {
            let text = format!(
                "{:?} was given to {key} while {} lives",
                allocation.addresses, other.key
            );
            return Err(Violation::new("A1", text));
        }
        self.same_as_before(kubelet, allocation, created)?;
        self.same_static(allocation, created)
    }

    /// A4: whatever came first for this key is what every repeat gets.
    fn same_as_before(
        &mut self,
        kubelet: &mut Kubelet,
        allocation: &Allocation,
        created: bool,
    ) -> Result<(), Violation> {
        let key = &*allocation.key;
        let Some(sandbox) = kubelet.sandbox(key) else {
            return Err(Violation::new(
                "H5",
                format!("{key} was bound and nobody asked for it"),
            ));
        };
        let before = sandbox.addresses.clone();
        if !before.is_empty() && before != allocation.addresses {
            return Err(Violation::new(
                "A4",
                format!("{key} had {before:?}, now {:?}", allocation.addresses),
            ));
        }
        sandbox.addresses = allocation.addresses.clone();
        if self.trick == Some(Trick::SwapAnswers) {
            sandbox
                .addresses
                .iter_mut()
                .for_each(|address| *address = IpAddr::from([198, 51, 100, 250]));
        }
        match created {
            true => self.seen.bound += 1,
            false => self.seen.repeated += 1,
        }
        Ok(())
    }

    /// A3: as long as a claim stands, its addresses are its pod's and nobody else's.
    fn same_static(&mut self, allocation: &Allocation, created: bool) -> Result<(), Violation> {
        let Some(claim) = allocation.claim else {
            return Ok(());
        };
        let pod = &allocation.pod;
        let known = self
            .statics
            .entry(claim)
            .or_insert_with(|| (pod.clone(), allocation.addresses.clone()));
        if known.0.name != pod.name || known.1 != allocation.addresses {
            let text = format!(
                "claim {claim} was {known:?}, now {}: {:?}",
                pod.name, allocation.addresses
            );
            return Err(Violation::new("A3", text));
        }
        if created && known.0.uid != pod.uid {
            self.seen.statics_kept += 1;
        }
        Ok(())
    }
}

/// A refusal that this world can bring about; any other is a fault.
fn is_expected(refusal: &Refusal) -> Result<(), Violation> {
    match refusal {
        Refusal::ParametersChanged { .. } | Refusal::NodeFull { .. } | Refusal::Invalid { .. } => {
            Err(Violation::new(
                "A15",
                format!("refused without a cause: {refusal}"),
            ))
        }
        _ => Ok(()),
    }
}
