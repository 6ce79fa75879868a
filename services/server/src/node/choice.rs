//! What to propose for an ADD: which vSwitch, which claim, which addresses. Pure; looks, and changes nothing.

use super::request::Add;
use super::room;
use super::state::World;
use crate::facts::{Lookup, PodFact};
use crate::failure::Failure;
use crate::out_of_range;
use crate::policy;
use crate::router::View;
use berth_domain::command::{BindClaim, FactsVersion};
use berth_domain::id::*;
use berth_domain::outcome::Refusal;
use berth_domain::row::{Allocation, Claim, ClaimState, Node, NodePool, Policy, VSwitch};
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

/// Makes a claim at the pod's first ADD: "never", "delete" or "ttl=10m".
pub const STATIC_ANNOTATION: &str = "berth.io/static-address";
/// Names the vSwitch.
pub const VSWITCH_ANNOTATION: &str = "berth.io/vswitch";
/// How long an ADD waits for its pod to show up in synced facts: the source may be a little behind the kubelet.
pub const FACTS_LAG_MS: u64 = 250;
/// How often it looks meanwhile.
const FACTS_LOOK_EVERY_MS: u64 = 25;
/// An ADD's field, as its caller knows it.
const REQUESTED: &str = "requested_addresses";

/// A node's allocations.
pub type Allocations = HashMap<Arc<AttachmentKey>, Arc<Allocation>>;

/// What one ADD is to get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// From which vSwitch.
    pub vswitch: VSwitchId,
    /// On which ENI.
    pub eni: Option<EniId>,
    /// IPv4 first, one per family.
    pub addresses: Vec<IpAddr>,
    /// Static, or not.
    pub claim: BindClaim,
    /// The facts it was decided on.
    pub facts: Option<FactsVersion>,
    /// Those of `addresses` that were found for this ADD and are free for others if it does not take them.
    pub found: Found,
}

/// Where a choice's addresses come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// They were this attachment's or its claim's before, or were asked for.
    Given,
    /// The VSwitchActor has promised these.
    Promised(Vec<IpAddr>),
    /// These were this node's warm ones.
    Warm(Vec<IpAddr>),
}

// === impl Found ===

impl Found {
    /// For traces.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Promised(_) => "promised",
            Self::Warm(_) => "warm",
        }
    }
}

/// What an ADD may get, before it has addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// In the order in which they are tried; at least one.
    pub candidates: Vec<Arc<VSwitch>>,
    /// Asked for; at most one per family.
    pub requested: Vec<IpAddr>,
    /// Static, or not.
    pub claim: BindClaim,
    /// The facts it was decided on.
    pub facts: Option<FactsVersion>,
}

/// What comes next for an ADD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Everything is known: propose.
    Bind(Choice),
    /// Addresses are needed.
    Find(Plan),
    /// Nothing can be done before that monotonic time, or before it is said that something changed;
    /// the failure is what the caller hears if its deadline comes first.
    Park {
        /// When to look again; none = only when told.
        until_ms: Option<u64>,
        /// Whose change is waited for.
        claim: Option<ClaimName>,
        /// Why.
        failure: Failure,
    },
    /// It cannot be.
    Refuse(Failure),
}

/// Decides. `allocations` are the node's, as far as it knows.
pub(super) fn decide(
    add: &Add,
    node: &Node,
    allocations: &Allocations,
    world: &World<'_>,
) -> Decision {
    if let Some(allocation) = allocations
        .get(&add.key)
        .filter(|allocation| allocation.boot == add.request.boot)
    {
        return Decision::Bind(repeat(allocation));
    }
    let name = claim_name(add);
    if let Some(claim) = name.as_ref().and_then(|name| world.view.claim(name)) {
        return bind_claim(add, node, claim, allocations, world);
    }
    if let Some(refusal) = world.view.recovering() {
        return Decision::Refuse(Failure::Refused(refusal));
    }
    let look = |name: &ClaimName| {
        let facts = world.facts;
        facts.pod(&name.cluster, &name.namespace, &name.pod)
    };
    let known = match name.as_ref().map(look) {
        None | Some(Lookup::NoSource) => Known::default(),
        Some(Lookup::Known(fact, version)) => Known {
            fact: Some(fact),
            version: Some(version),
        },
        Some(Lookup::Gone(version)) if world.now_ms >= add.came_at_ms + FACTS_LAG_MS => Known {
            fact: None,
            version: Some(version),
        },
        Some(Lookup::Gone(_)) => return await_pod(add, world),
        Some(Lookup::Missing(reason)) => return await_facts(add, reason),
    };
    let plan = match plan(add, node, name, &known, world) {
        Ok(plan) => plan,
        Err(failure) => return Decision::Refuse(failure),
    };
    match room::check(add, node, allocations, &plan) {
        Ok(()) => Decision::Find(plan),
        Err(refusal) => Decision::Refuse(Failure::Refused(refusal)),
    }
}

/// A pod without a name has no claim and no facts.
fn claim_name(add: &Add) -> Option<ClaimName> {
    let pod = &add.request.pod;
    (!pod.name.as_str().is_empty()).then(|| ClaimName {
        cluster: add.key.cluster.clone(),
        namespace: pod.namespace.clone(),
        pod: pod.name.clone(),
    })
}

/// Proposed like any other: apply answers with what the first made, or says that the parameters differ.
fn repeat(allocation: &Allocation) -> Choice {
    Choice {
        vswitch: allocation.vswitch,
        eni: allocation.eni.clone(),
        addresses: allocation.addresses.clone(),
        claim: allocation
            .claim
            .map_or(BindClaim::None, BindClaim::Existing),
        facts: None,
        found: Found::Given,
    }
}

fn await_pod(add: &Add, world: &World<'_>) -> Decision {
    Decision::Park {
        until_ms: Some(world.now_ms + FACTS_LOOK_EVERY_MS),
        claim: None,
        failure: Failure::FactsMissing {
            cluster: add.key.cluster.clone(),
            reason: "do not name the pod yet".into(),
        },
    }
}

fn await_facts(add: &Add, reason: String) -> Decision {
    Decision::Park {
        until_ms: None,
        claim: None,
        failure: Failure::FactsMissing {
            cluster: add.key.cluster.clone(),
            reason,
        },
    }
}

// === a claim that there is ===

fn bind_claim(
    add: &Add,
    node: &Node,
    claim: &Claim,
    allocations: &Allocations,
    world: &World<'_>,
) -> Decision {
    if let Err(refusal) = fits(add, claim, world) {
        return Decision::Refuse(Failure::Refused(refusal));
    }
    let (settled_at_ms, holder) = match &claim.state {
        ClaimState::Held { settled_at_ms, .. } if world.ledger_ms() >= *settled_at_ms => {
            return Decision::Bind(existing_claim(claim));
        }
        ClaimState::Held { settled_at_ms, .. } => (
            Some(*settled_at_ms),
            "the sandbox that was deleted just now".into(),
        ),
        ClaimState::Bound { key, .. }
            if supersedes(add, node, claim, allocations) || **key == *add.key =>
        {
            return Decision::Bind(existing_claim(claim));
        }
        ClaimState::Bound { key, node, .. } => (None, holder(key, *node, world)),
    };
    Decision::Park {
        until_ms: settled_at_ms.map(|ledger_ms| world.clock.monotonic_ms(ledger_ms)),
        claim: Some(claim.name.clone()),
        failure: held(
            Refusal::HeldByLiveHolder {
                claim: claim.name.clone(),
                holder,
                settled_at_ms,
            },
            world,
        ),
    }
}

/// A hand-over that settles by itself says when, from now on; everything else is said as it is.
pub(super) fn held(refusal: Refusal, world: &World<'_>) -> Failure {
    match refusal {
        Refusal::HeldByLiveHolder {
            claim,
            holder,
            settled_at_ms: Some(settled_at_ms),
        } => {
            let due_ms = world.clock.monotonic_ms(settled_at_ms);
            Failure::HandOverPending {
                claim,
                holder,
                retry_after_ms: due_ms.saturating_sub(world.now_ms).max(1),
            }
        }
        refusal => Failure::Refused(refusal),
    }
}

fn existing_claim(claim: &Claim) -> Choice {
    Choice {
        vswitch: claim.vswitch,
        eni: None,
        addresses: claim.addresses.clone(),
        claim: BindClaim::Existing(claim.id),
        facts: None,
        found: Found::Given,
    }
}

/// A newer sandbox of the same pod on the same node shows that the older one is gone (design §6, proof g), and so does a
/// new boot of its node (proof f).
fn supersedes(add: &Add, node: &Node, claim: &Claim, allocations: &Allocations) -> bool {
    let ClaimState::Bound { key, node: at, .. } = &claim.state else {
        return false;
    };
    let same_interface = key.network == add.key.network && key.interface == add.key.interface;
    let uid = &add.request.pod.uid;
    let held = allocations.get(key).filter(|_| *at == node.id);
    held.is_some_and(|held| {
        let same_pod = !uid.as_str().is_empty() && held.pod.uid == *uid;
        same_interface && same_pod || held.boot != add.request.boot
    })
}

fn holder(key: &AttachmentKey, node: NodeId, world: &World<'_>) -> String {
    let node = world
        .view
        .node_by_id(node)
        .map(|node| node.name.to_string());
    format!(
        "sandbox {} on node {}",
        key.container,
        node.as_deref().unwrap_or("unknown")
    )
}

/// What the caller asked for must be what its claim has.
fn fits(add: &Add, claim: &Claim, world: &World<'_>) -> Result<(), Refusal> {
    if let Some(other) = add
        .request
        .requested
        .iter()
        .find(|asked| !claim.addresses.contains(asked))
    {
        let has: Vec<String> = claim.addresses.iter().map(ToString::to_string).collect();
        return Err(Refusal::Invalid {
            field: REQUESTED,
            reason: format!(
                "{other} is not what claim {} has: {}",
                claim.name,
                has.join(", ")
            ),
        });
    }
    let from = world
        .view
        .vswitch_by_id(claim.vswitch)
        .map(|vswitch| &vswitch.name);
    match (&add.request.vswitch, from) {
        (Some(asked), Some(from)) if asked != from => Err(Refusal::Invalid {
            field: "vswitch",
            reason: format!("is {asked}, but claim {} is in {from}", claim.name),
        }),
        _ => Ok(()),
    }
}

// === no claim ===

/// What the facts say of a pod, if anybody says something.
#[derive(Debug, Default)]
struct Known {
    fact: Option<Arc<PodFact>>,
    version: Option<FactsVersion>,
}

fn plan(
    add: &Add,
    node: &Node,
    name: Option<ClaimName>,
    known: &Known,
    world: &World<'_>,
) -> Result<Plan, Failure> {
    let fact = known.fact.as_deref();
    let policy = fact.map(static_policy).transpose()?.flatten();
    let requested = requested(add)?;
    let candidates = candidates(add, node, fact, world)?;
    if node.pool.is_some() && (policy.is_some() || !requested.is_empty()) {
        let field = if policy.is_some() {
            STATIC_ANNOTATION
        } else {
            REQUESTED
        };
        return Err(Failure::Refused(not_on_enis(field, node)));
    }
    let candidates = match world.view.pool_of(node) {
        Some(pool) => of_pool(candidates, node, pool).map_err(Failure::Refused)?,
        None => candidates,
    };
    if !requested.is_empty() {
        out_of_range::check(REQUESTED, &requested, candidates.iter())?;
    }
    Ok(Plan {
        candidates,
        requested,
        claim: match (policy, name) {
            (Some(policy), Some(name)) => BindClaim::New { name, policy },
            _ => BindClaim::None,
        },
        facts: known.version,
    })
}

fn static_policy(fact: &PodFact) -> Result<Option<Policy>, Failure> {
    let said = fact.annotations.get(STATIC_ANNOTATION);
    said.map(|text| policy::parse(text))
        .transpose()
        .map_err(|reason| {
            let field = STATIC_ANNOTATION;
            Failure::Refused(Refusal::Invalid { field, reason })
        })
}

/// IPv4 first, at most one per family.
fn requested(add: &Add) -> Result<Vec<IpAddr>, Failure> {
    let mut families: BTreeMap<bool, IpAddr> = BTreeMap::new();
    for address in &add.request.requested {
        if let Some(other) = families.insert(address.is_ipv6(), *address) {
            return Err(Failure::Refused(Refusal::Invalid {
                field: REQUESTED,
                reason: format!(
                    "{other} and {address} are of one family: ask for at most one of each"
                ),
            }));
        }
    }
    Ok(families.into_values().collect())
}

fn candidates(
    add: &Add,
    node: &Node,
    fact: Option<&PodFact>,
    world: &World<'_>,
) -> Result<Vec<Arc<VSwitch>>, Failure> {
    if let Some(name) = &add.request.vswitch {
        return named(name.as_str(), world).map_err(Failure::Refused);
    }
    if let Some(name) = fact.and_then(|fact| fact.annotations.get(VSWITCH_ANNOTATION)) {
        return named(name, world).map_err(Failure::Refused);
    }
    if let Some(address) = add.request.requested.first() {
        out_of_range::check(REQUESTED, &[*address], world.view.vswitches())?;
        return Ok(world
            .view
            .vswitch_of(*address)
            .cloned()
            .into_iter()
            .collect());
    }
    of_zone(node, world.view).map_err(Failure::Refused)
}

/// A claim's address would have to move with its pod from ENI to ENI, and no command does that yet.
fn not_on_enis(field: &'static str, node: &Node) -> Refusal {
    let reason = format!(
        "node {} gives addresses of ENIs, and those cannot be asked for by name or kept yet",
        node.name
    );
    Refusal::Invalid { field, reason }
}

/// Of these, what the node's pool takes addresses from, in the pool's order; of all if none was named.
fn of_pool(
    candidates: Vec<Arc<VSwitch>>,
    node: &Node,
    pool: &NodePool,
) -> Result<Vec<Arc<VSwitch>>, Refusal> {
    let place = |row: &Arc<VSwitch>| pool.vswitches.iter().position(|id| *id == row.id);
    let fits = |row: &Arc<VSwitch>| pool.takes_from(row.id) && row.zone == node.zone;
    let asked: Vec<String> = candidates.iter().map(|row| row.name.to_string()).collect();
    let mut fit: Vec<Arc<VSwitch>> = candidates.into_iter().filter(fits).collect();
    fit.sort_by_key(place);
    match fit.is_empty() {
        false => Ok(fit),
        true => Err(Refusal::Invalid {
            field: "vswitch",
            reason: format!(
                "{}: pool {} of node {} takes nothing from there in zone {}",
                asked.join(", "),
                pool.name,
                node.name,
                node.zone
            ),
        }),
    }
}

fn named(name: &str, world: &World<'_>) -> Result<Vec<Arc<VSwitch>>, Refusal> {
    let known = VSwitchName::new(name).ok();
    let vswitch = known.and_then(|name| world.view.vswitch(&name).cloned());
    vswitch
        .map(|vswitch| vec![vswitch])
        .ok_or_else(|| Refusal::NotFound {
            what: "vSwitch",
            name: name.into(),
        })
}

/// All of the node's zone, each node beginning with another one, so that they fill evenly.
pub(super) fn of_zone(node: &Node, view: &View) -> Result<Vec<Arc<VSwitch>>, Refusal> {
    let anywhere = node.zone.as_str().is_empty();
    let fit = |vswitch: &&Arc<VSwitch>| anywhere || vswitch.zone == node.zone;
    let mut found: Vec<Arc<VSwitch>> = view.vswitches().filter(fit).cloned().collect();
    if found.is_empty() {
        return Err(Refusal::NotFound {
            what: "vSwitch",
            name: match anywhere {
                true => "(any)".into(),
                false => format!("of zone {} (the zone of node {})", node.zone, node.name),
            },
        });
    }
    let count = found.len() as u64;
    // Below `count`, which is a length.
    found.rotate_left((node.id.0 % count) as usize);
    Ok(found)
}
