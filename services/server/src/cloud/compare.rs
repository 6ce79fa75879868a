//! Cloud and ledger, held against each other: what one has and the other has not.
//!
//! Pure. What a job works on, or has worked on since the look began, is left out: there the two may differ for a moment. But a lost
//! tag is said of everything.

use berth_cloud::eni::{Eni as CloudEni, EniStatus};
use berth_cloud::id::EniId as CloudEniId;
use berth_domain::Ledger;
use berth_domain::id::EniNumber;
use berth_domain::row::{AddressState, Eni, EniState};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// What a look at all ENIs of this cluster showed.
#[derive(Clone, Debug)]
pub struct Audit {
    /// Monotonic, when it began.
    pub began_ms: u64,
    /// Every ENI with this cluster's tag.
    pub enis: Vec<CloudEni>,
    /// ENIs that a job has worked on since.
    pub touched: BTreeSet<EniNumber>,
    /// ENIs that lack a tag which they have to have.
    pub untagged: BTreeSet<EniNumber>,
    /// ENIs without a row, and since when they were seen; monotonic.
    pub orphans: BTreeMap<CloudEniId, u64>,
}

/// One thing that is otherwise there than here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What it is.
    pub kind: Kind,
    /// Which ENI, as the cloud names it.
    pub eni: String,
    /// Which address; none = the ENI itself.
    pub address: Option<IpAddr>,
    /// More, for people.
    pub what: String,
}

/// Kinds of differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The cloud has an ENI of this cluster that the ledger does not know.
    Orphan,
    /// The ledger has an ENI that the cloud does not.
    Vanished,
    /// It is on another machine than the ledger thinks, or on none.
    Elsewhere,
    /// It has lost a tag, and is left alone.
    Untagged,
    /// The ledger has an address on an ENI, and the cloud has it not there.
    Missing,
    /// The cloud has an address on an ENI of ours, and the ledger has it not there.
    Extra,
}

// === impl Kind ===

impl Kind {
    /// For people: "orphan".
    pub fn name(self) -> &'static str {
        match self {
            Self::Orphan => "orphan",
            Self::Vanished => "vanished",
            Self::Elsewhere => "elsewhere",
            Self::Untagged => "untagged",
            Self::Missing => "missing",
            Self::Extra => "extra",
        }
    }

    /// What is safe to do.
    pub fn repair(self) -> &'static str {
        match self {
            Self::Orphan => {
                "nothing: one that is on no machine is deleted ten minutes after it was first seen; detach one that is on a machine yourself, once no pod uses it"
            }
            Self::Vanished => {
                "drain the node, then `berthctl node remove --confirmed-dead` and register it again: the pods on this ENI have no network"
            }
            Self::Elsewhere => {
                "attach it to its machine again in the cloud's console, or treat it as vanished"
            }
            Self::Untagged => {
                "nothing new comes onto it and nothing of it is changed: give it its tags back, or drain the node and end it yourself"
            }
            Self::Missing => {
                "assign the address to the ENI again in the cloud's console; if somebody else has it, delete the pod that holds it"
            }
            Self::Extra => {
                "unassign the address in the cloud's console: the ledger never gives it out there"
            }
        }
    }
}

/// All differences, orphans first.
pub fn compare(ledger: &Ledger, audit: &Audit) -> Vec<Difference> {
    let cloud: BTreeMap<&str, &CloudEni> = audit
        .enis
        .iter()
        .map(|eni| (eni.id.as_str(), eni))
        .collect();
    let mut found = orphans(ledger, audit);
    for eni in ledger.enis() {
        // Also where a job works: it waits for the tag.
        if let Some(there) = eni.id.as_ref().and_then(|id| cloud.get(id.as_str()))
            && audit.untagged.contains(&eni.number)
        {
            found.push(untagged(there));
        }
        let busy = ledger.jobs_of(eni.node).any(|job| job.eni == eni.number);
        let (Some(id), false) = (&eni.id, busy || audit.touched.contains(&eni.number)) else {
            continue;
        };
        match cloud.get(id.as_str()) {
            None => found.push(vanished(ledger, eni, id.as_str())),
            Some(there) => found.extend(differences(ledger, eni, there)),
        }
    }
    found.sort_by(|one, other| {
        (one.kind, &one.eni, one.address).cmp(&(other.kind, &other.eni, other.address))
    });
    found
}

fn orphans(ledger: &Ledger, audit: &Audit) -> Vec<Difference> {
    let known: BTreeSet<&str> = ledger
        .enis()
        .filter_map(|eni| Some(eni.id.as_ref()?.as_str()))
        .collect();
    let unknown = audit
        .enis
        .iter()
        .filter(|eni| !known.contains(eni.id.as_str()) && audit.orphans.contains_key(&eni.id));
    let one = |eni: &CloudEni| {
        let on = eni.attachment.as_ref().map(|on| on.instance.to_string());
        Difference {
            kind: Kind::Orphan,
            eni: eni.id.to_string(),
            address: None,
            what: match on {
                Some(instance) => format!("on machine {instance}, primary address {}", eni.primary),
                None => format!("on no machine, primary address {}", eni.primary),
            },
        }
    };
    unknown.map(one).collect()
}

fn vanished(ledger: &Ledger, eni: &Eni, id: &str) -> Difference {
    let on_it = ledger.addresses_on(eni);
    let bound = on_it
        .iter()
        .filter(|at| ledger.holder(**at).is_some())
        .count();
    Difference {
        kind: Kind::Vanished,
        eni: id.to_owned(),
        address: None,
        what: format!("{} addresses, {bound} of them pods'", on_it.len()),
    }
}

fn untagged(there: &CloudEni) -> Difference {
    let tags = there
        .tags
        .iter()
        .map(|(key, value)| format!("{key}={value}"));
    Difference {
        kind: Kind::Untagged,
        eni: there.id.to_string(),
        address: None,
        what: format!("has only these: {}", tags.collect::<Vec<_>>().join(", ")),
    }
}

fn differences(ledger: &Ledger, eni: &Eni, there: &CloudEni) -> Vec<Difference> {
    let mut found = Vec::new();
    let id = there.id.to_string();
    let on = there.attachment.as_ref().map(|on| on.instance.as_str());
    let node = ledger.node(eni.node).map(|node| node.identity.as_str());
    let is_here = on == node && there.status == EniStatus::InUse;
    if eni.state == EniState::InUse && !is_here {
        found.push(Difference {
            kind: Kind::Elsewhere,
            eni: id.clone(),
            address: None,
            what: format!(
                "is on {}, and not in use on {}",
                on.unwrap_or("nothing"),
                node.unwrap_or("its node")
            ),
        });
    }
    let here: BTreeSet<IpAddr> = ledger.addresses_on(eni).into_iter().collect();
    let cloud: BTreeSet<IpAddr> = addresses(there).collect();
    let one = |kind, address: &IpAddr, what| Difference {
        kind,
        eni: id.clone(),
        address: Some(*address),
        what,
    };
    let state = |at: &IpAddr| match ledger.address_state(*at) {
        Some(AddressState::Bound { .. }) => "held by a pod".to_owned(),
        Some(_) => "not held by a pod".to_owned(),
        None => "never given out".to_owned(),
    };
    found.extend(
        here.difference(&cloud)
            .map(|at| one(Kind::Missing, at, state(at))),
    );
    found.extend(
        cloud
            .difference(&here)
            .map(|at| one(Kind::Extra, at, state(at))),
    );
    found
}

fn addresses(eni: &CloudEni) -> impl Iterator<Item = IpAddr> {
    let ipv4 = std::iter::once(eni.primary).chain(eni.secondary.iter().copied());
    let ipv6 = eni.ipv6.iter().copied();
    ipv4.map(IpAddr::V4).chain(ipv6.map(IpAddr::V6))
}

#[cfg(test)]
mod tests;
