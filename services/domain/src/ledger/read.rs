//! What the ledger can be asked. Every answer is of this revision; lists come in an order that is the same on every replica.

use super::addresses::Place;
use super::nodes::NodeUsage;
use super::{Counts, Ledger};
use crate::address::{address, number};
use crate::event::Chain;
use crate::id::*;
use crate::outcome::Refusal;
use crate::row::{
    AddressState, Allocation, Claim, Cluster, Eni, Job, Member, Node, Phase, Recovery,
    RequestResult, Stray, Tombstone, VSwitch,
};
use crate::version::ClusterVersion;
use std::net::IpAddr;
use std::sync::Arc;

/// Where an address is and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// Whose it is.
    pub vswitch: Arc<VSwitch>,
    /// None = never used. An address that the vSwitch excludes is `Excluded`, without a row.
    pub state: Option<AddressState>,
}

// === impl Ledger ===

impl Ledger {
    /// Which cluster's ledger this is.
    pub fn cluster(&self) -> &ClusterId {
        &self.cluster
    }

    /// The last revision that took effect; 0 before the first.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// The hash of the whole history up to the revision.
    pub fn chain(&self) -> Chain {
        self.chain
    }

    /// ms; drives every expiry. The largest that any entry carried.
    pub fn ledger_time_ms(&self) -> u64 {
        self.ledger_time_ms
    }

    /// ms since 1970; only shown. The largest that any entry carried.
    pub fn wall_time_ms(&self) -> u64 {
        self.wall_time_ms
    }

    /// The allocation of a key, if it is bound.
    pub fn allocation(&self, key: &AttachmentKey) -> Option<&Arc<Allocation>> {
        self.attachments.get(key)?.allocation()
    }

    /// The DEL that was seen last of a key, if it is still remembered.
    pub fn tombstone(&self, key: &AttachmentKey) -> Option<&Tombstone> {
        self.attachments.get(key)?.tombstone()
    }

    /// How many allocations there are.
    pub fn allocations_len(&self) -> usize {
        self.attachments.live()
    }

    /// Where an address is; none if no vSwitch has it.
    pub fn locate(&self, address: IpAddr) -> Option<Located> {
        let id = self.vswitches.containing(number(address))?;
        let vswitch = self.vswitches.get(id)?.row.clone();
        let state = match vswitch.excludes(address) {
            true => Some(AddressState::Excluded),
            false => self.as_counted(self.address_state(address)),
        };
        Some(Located { vswitch, state })
    }

    /// What an open recovery makes of a state: see [`Self::counts`].
    fn as_counted(&self, state: Option<AddressState>) -> Option<AddressState> {
        match (self.recoveries.open(), state) {
            (
                Some(recovery),
                None
                | Some(
                    AddressState::Free { .. }
                    | AddressState::Idle { .. }
                    | AddressState::Cooling { .. },
                ),
            ) => Some(AddressState::Quarantined {
                since: recovery.began,
            }),
            (_, state) => state,
        }
    }

    /// The state of an address that has a row; none = never used, excluded, or in no vSwitch.
    pub fn address_state(&self, address: IpAddr) -> Option<AddressState> {
        self.state_of(self.addresses.get(number(address))?)
    }

    pub(crate) fn state_of(&self, place: &Place) -> Option<AddressState> {
        Some(match place {
            Place::Free { since } => AddressState::Free { since: *since },
            Place::Idle { node } => AddressState::Idle {
                node: *node,
                eni: None,
            },
            Place::Bound { node, slot } => {
                let allocation = self.attachments.at(*slot)?.allocation()?;
                AddressState::Bound {
                    node: *node,
                    key: allocation.key.clone(),
                    generation: allocation.generation,
                }
            }
            Place::Cooling { until_ms } => AddressState::Cooling {
                until_ms: *until_ms,
                node: None,
                eni: None,
            },
            Place::Held { claim } => AddressState::Held { claim: *claim },
            Place::Other(state) => (**state).clone(),
        })
    }

    /// Only its phase, without the cost of its details.
    pub(crate) fn phase(&self, address: IpAddr) -> Phase {
        let place = self.addresses.get(number(address));
        place.map_or(Phase::NeverUsed, Place::phase)
    }

    /// The allocation that holds an address now.
    pub fn holder(&self, address: IpAddr) -> Option<&Arc<Allocation>> {
        match self.addresses.get(number(address))? {
            Place::Bound { slot, .. } => self.attachments.at(*slot)?.allocation(),
            _ => None,
        }
    }

    /// The refusal that names who has an address; none if it is free, or in no vSwitch. For whoever asks for a specific one.
    pub fn in_use(&self, address: IpAddr) -> Option<Refusal> {
        crate::apply::in_use(self, address)
    }

    /// A vSwitch.
    pub fn vswitch(&self, id: VSwitchId) -> Option<&Arc<VSwitch>> {
        self.vswitches.get(id).map(|entry| &entry.row)
    }

    /// A vSwitch by its name.
    pub fn vswitch_named(&self, name: &VSwitchName) -> Option<&Arc<VSwitch>> {
        self.vswitch(self.vswitches.named(name)?)
    }

    /// The vSwitch in one of whose subnets the address lies.
    pub fn vswitch_containing(&self, address: IpAddr) -> Option<&Arc<VSwitch>> {
        self.vswitch(self.vswitches.containing(number(address))?)
    }

    /// All vSwitches, in the order of their making.
    pub fn vswitches(&self) -> impl Iterator<Item = &Arc<VSwitch>> {
        self.vswitches.iter().map(|entry| &entry.row)
    }

    /// How many addresses of a vSwitch are in each state. While a recovery is open, whatever is not bound, held or
    /// somebody else's counts as quarantined, whether it has a row or not.
    pub fn counts(&self, id: VSwitchId) -> Option<Counts> {
        let counts = self.vswitches.get(id)?.counts;
        Some(match self.is_recovering() {
            true => counts.quarantined(),
            false => counts,
        })
    }

    /// The last recovery; none = there was none.
    pub fn recovery(&self) -> Option<&Arc<Recovery>> {
        self.recoveries.last.as_ref()
    }

    /// Whether a recovery is open: some node has not said yet what lives there, so nothing is given out.
    pub fn is_recovering(&self) -> bool {
        self.recoveries.open().is_some()
    }

    /// Sandboxes that live, by their nodes' word, with addresses that are not their own: by key and node.
    pub fn strays(&self) -> impl Iterator<Item = &Arc<Stray>> {
        self.recoveries.strays()
    }

    /// Those that use an address.
    pub fn strays_at(&self, address: IpAddr) -> impl Iterator<Item = &Arc<Stray>> {
        self.recoveries.at(address)
    }

    /// Whether a stray uses an address: nobody else gets it.
    pub fn is_contested(&self, address: IpAddr) -> bool {
        self.recoveries.is_contested(address)
    }

    /// Claims that end by time, the first due first. While a recovery is open none does: its pod may live with it.
    pub(crate) fn claims_due(&self) -> impl Iterator<Item = (u64, ClaimId)> {
        let fires = !self.is_recovering();
        self.claims.due().take_while(move |_| fires)
    }

    /// The addresses of a vSwitch that have a row, in order, IPv4 first. For the choosers.
    pub fn addresses(&self, id: VSwitchId) -> impl Iterator<Item = (IpAddr, AddressState)> {
        let subnets = self
            .vswitches
            .get(id)
            .into_iter()
            .flat_map(|entry| entry.row.subnets());
        subnets
            .flat_map(|subnet| self.addresses.span(subnet.span()))
            .filter_map(|(number, place)| Some((address(number), self.state_of(place)?)))
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> Option<&Arc<Node>> {
        self.nodes.get(id).map(|entry| &entry.row)
    }

    /// A node by its name.
    pub fn node_named(&self, name: &NodeName) -> Option<&Arc<Node>> {
        self.node(self.nodes.named(name)?)
    }

    /// A node by what makes it this node.
    pub fn node_identified(&self, identity: &NodeIdentity) -> Option<&Arc<Node>> {
        self.node(self.nodes.identified(identity)?)
    }

    /// All nodes, in the order of their registration.
    pub fn nodes(&self) -> impl Iterator<Item = &Arc<Node>> {
        self.nodes.from(NodeId(0)).map(|entry| &entry.row)
    }

    /// What stands on a node.
    pub fn usage(&self, id: NodeId) -> Option<&NodeUsage> {
        self.nodes.get(id).map(|entry| &entry.usage)
    }

    /// The allocations of a node, oldest bind first.
    pub fn node_allocations(&self, id: NodeId) -> impl Iterator<Item = &Arc<Allocation>> {
        let entry = self.nodes.get(id).into_iter();
        entry
            .flat_map(|entry| entry.allocations.iter())
            .filter_map(|(_, slot)| self.attachments.at(*slot)?.allocation())
    }

    /// The addresses that stand on a node without a sandbox, in order: warm, resting, in transit.
    pub fn node_standing(&self, id: NodeId) -> impl Iterator<Item = (IpAddr, AddressState)> {
        let entry = self.nodes.get(id).into_iter();
        entry
            .flat_map(|entry| entry.standing.iter())
            .filter_map(|(number, ())| {
                Some((address(number), self.state_of(self.addresses.get(number)?)?))
            })
    }

    /// An ENI of ours.
    pub fn eni(&self, number: EniNumber) -> Option<&Arc<Eni>> {
        self.enis.get(number)
    }

    /// All ENIs of ours, in the order of their planning.
    pub fn enis(&self) -> impl Iterator<Item = &Arc<Eni>> {
        self.enis.iter()
    }

    /// The ENIs that were made for a node, in the order of their planning; also of a node that was removed.
    pub fn enis_of(&self, node: NodeId) -> impl Iterator<Item = &Arc<Eni>> {
        self.enis.of_node(node)
    }

    /// The node's ENI that the cloud calls so.
    pub fn eni_named(&self, node: NodeId, id: &EniId) -> Option<&Arc<Eni>> {
        self.enis.named(node, id)
    }

    /// A job that is under way.
    pub fn job(&self, id: JobId) -> Option<&Arc<Job>> {
        self.enis.job(id)
    }

    /// All jobs that are under way, in the order of their begin.
    pub fn jobs(&self) -> impl Iterator<Item = &Arc<Job>> {
        self.enis.jobs()
    }

    /// The jobs for a node, in the order of their begin; also of a node that was removed.
    pub fn jobs_of(&self, node: NodeId) -> impl Iterator<Item = &Arc<Job>> {
        self.enis.jobs_of_node(node)
    }

    /// The addresses that are on an ENI, or on their way onto or off it, in order. It walks over what its node has.
    pub fn addresses_on(&self, eni: &Eni) -> Vec<IpAddr> {
        let on_it = |id: &Option<EniId>| id.is_some() && *id == eni.id;
        let standing = self
            .node_standing(eni.node)
            .filter(|(_, state)| match state {
                AddressState::Idle { eni: on, .. } | AddressState::Cooling { eni: on, .. } => {
                    on_it(on)
                }
                _ => false,
            });
        let bound = self
            .node_allocations(eni.node)
            .filter(|row| on_it(&row.eni));
        let jobs = self.jobs_of(eni.node).filter(|job| job.eni == eni.number);
        let mut addresses: Vec<IpAddr> = standing.map(|(address, _)| address).collect();
        addresses.extend(bound.flat_map(|row| row.addresses.iter().copied()));
        addresses.extend(jobs.flat_map(|job| job.addresses.iter().copied()));
        addresses.sort();
        addresses
    }

    /// A claim.
    pub fn claim(&self, id: ClaimId) -> Option<&Arc<Claim>> {
        self.claims.get(id)
    }

    /// A claim by whose it is.
    pub fn claim_named(&self, name: &ClaimName) -> Option<&Arc<Claim>> {
        self.claims.named(name)
    }

    /// All claims from an id on, in the order of their making.
    pub fn claims_from(&self, id: ClaimId) -> impl Iterator<Item = &Arc<Claim>> {
        self.claims.from(id)
    }

    /// All claims, in the order of their making.
    pub fn claims(&self) -> impl Iterator<Item = &Arc<Claim>> {
        self.claims.from(ClaimId(0))
    }

    /// How many claims there are.
    pub fn claims_len(&self) -> usize {
        self.claims.len()
    }

    /// The allocations of a pod by its name, oldest bind first. Sandboxes without a name are found by key and by node only.
    pub fn pod_allocations(
        &self,
        cluster: &ClusterName,
        namespace: &Namespace,
        pod: &PodName,
    ) -> Vec<Arc<Allocation>> {
        in_order(self.attachments.of_pod(cluster, namespace, pod))
    }

    /// The allocations of a pod by its uid, oldest bind first. The empty uid is nobody's.
    pub fn uid_allocations(&self, cluster: &ClusterName, uid: &PodUid) -> Vec<Arc<Allocation>> {
        in_order(self.attachments.of_uid(cluster, uid))
    }

    /// What is true of the whole cluster.
    pub fn cluster_row(&self) -> Cluster {
        self.cluster_row
    }

    /// The version that the log is written at.
    pub fn version(&self) -> ClusterVersion {
        self.cluster_row.version
    }

    /// A replica.
    pub fn member(&self, id: MemberId) -> Option<&Arc<Member>> {
        self.members.get(&id)
    }

    /// All replicas, by id.
    pub fn members(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.members.values()
    }

    /// What a request with an id answered, if it is still remembered.
    pub fn request(&self, principal: &Principal, id: &RequestId) -> Option<&Arc<RequestResult>> {
        self.requests.get(principal, id)
    }

    /// The ledger time at which `Expire` first has something to do; none = nothing waits.
    pub fn next_due_ms(&self) -> Option<u64> {
        let cooling = self.addresses.cooling().next().map(|due| due.0);
        let claim = self.claims_due().next().map(|due| due.0);
        let tombstone = self.attachments.tombstones().next().map(|due| due.0);
        let request = self.requests.due().next().map(|due| due.0);
        [cooling, claim, tombstone, request]
            .into_iter()
            .flatten()
            .min()
    }

    /// When the first cooling address is due.
    pub fn next_cooling_due_ms(&self) -> Option<u64> {
        self.addresses.cooling().next().map(|due| due.0)
    }

    /// How many rows of each kind there are, for metrics.
    pub fn sizes(&self) -> Sizes {
        Sizes {
            vswitches: self.vswitches.len(),
            nodes: self.nodes.len(),
            addresses: self.addresses.len(),
            cooling: self.addresses.cooling_len(),
            allocations: self.attachments.live(),
            claims: self.claims.len(),
            tombstones: self.attachments.tombstones_len(),
            requests: self.requests.len(),
            members: self.members.len(),
            strays: self.recoveries.strays_len(),
            enis: self.enis.len(),
            jobs: self.enis.jobs_len(),
            node_pools: self.node_pools.len(),
        }
    }
}

/// How many rows of each kind there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// vSwitches.
    pub vswitches: usize,
    /// Nodes.
    pub nodes: usize,
    /// Addresses that were ever used.
    pub addresses: usize,
    /// Those of them that cool.
    pub cooling: usize,
    /// Live allocations.
    pub allocations: usize,
    /// Claims.
    pub claims: usize,
    /// DELs that are remembered.
    pub tombstones: usize,
    /// Request results that are remembered.
    pub requests: usize,
    /// Replicas.
    pub members: usize,
    /// Sandboxes that live with addresses not their own.
    pub strays: usize,
    /// ENIs of ours.
    pub enis: usize,
    /// Jobs under way.
    pub jobs: usize,
    /// Node pools.
    pub node_pools: usize,
}

fn in_order<'a>(rows: impl Iterator<Item = &'a Arc<Allocation>>) -> Vec<Arc<Allocation>> {
    let mut rows: Vec<_> = rows.cloned().collect();
    rows.sort_by_key(|row| row.generation);
    rows
}
