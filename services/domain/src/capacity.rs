//! What a node has room for, by the limits of its instance type (design §7): pods, static ones, and whether it may join.
//!
//! Arithmetic alone: the limits are given, by the [`catalogue`] or by the cloud. Products are counted in 64 bits, so no
//! limit that the cloud could name overflows.

pub mod catalogue;
mod near;
mod obstacle;

pub use obstacle::Obstacle;

/// What an instance type provides, as ECS DescribeInstanceTypes names it. None = nobody has said; it is never guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InstanceLimits {
    /// ENIs with the primary one: EniQuantity.
    pub enis: u32,
    /// ENIs with the members of a trunk: EniTotalQuantity. Less than `enis`, also 0, means that there is no trunk.
    pub total_enis: Option<u32>,
    /// IPv4 addresses on each ENI with its primary one: EniPrivateIpAddressQuantity.
    pub addresses_per_eni: u32,
    /// IPv6 addresses on each ENI: EniIpv6AddressQuantity.
    pub ipv6_per_eni: Option<u32>,
    /// Whether an ENI can be a trunk: EniTrunkSupported.
    pub can_trunk: Option<bool>,
    /// ENIs that can be eRDMA: EriQuantity.
    pub rdma_enis: Option<u32>,
}

/// How the pods of a node get at ENIs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum NodeMode {
    /// Many pods on one ENI, each with a secondary address.
    #[default]
    Shared,
    /// The same, and one of these ENIs is also a trunk: its members are ENIs of single pods.
    SharedTrunk,
    /// Each pod has an ENI of its own.
    Exclusive,
}

/// Which families pods have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Stack {
    /// IPv4 alone.
    #[default]
    Ipv4,
    /// IPv4 and IPv6: both or none for each pod.
    Dual,
}

/// A node joins if it gives *more* pods than this. Pods on ENIs are compared, without those on the host's network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Thresholds {
    /// In both shared modes.
    pub shared: u64,
    /// In exclusive mode.
    pub exclusive: u64,
}

/// How a node is to be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct NodeSetup {
    /// How its pods get at ENIs.
    pub mode: NodeMode,
    /// Which families they have.
    pub stack: Stack,
    /// Whether some of its ENIs are kept for eRDMA.
    pub rdma: bool,
    /// The kubelet's maxPods; none = as the cloud sets it, see [`Capacity::max_pods`].
    pub max_pods: Option<u32>,
    /// What it has to give.
    pub thresholds: Thresholds,
}

/// What a node has room for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Pods with an address of an ENI. The type alone decides it; `max_pods` does not change it.
    pub pods: u64,
    /// Of these, pods that can keep their address: a claim never sits on the primary address of a shared ENI (design §6).
    pub static_pods: u64,
    /// Pods with an ENI, and so a vSwitch and security groups, of their own. In trunk mode they come on top of `pods`.
    /// None = the type's trunk is not known.
    pub own_eni_pods: Option<u64>,
    /// ENIs kept for eRDMA, which `pods` does without.
    pub rdma_enis: u32,
    /// Pods with an address of an eRDMA ENI.
    pub rdma_pods: u64,
    /// Pods of all kinds that the kubelet starts: as said, else the shared mode's pods and [`HOST_NETWORK_PODS`], which is what
    /// the cloud sets on nodes of every mode.
    pub max_pods: u64,
    /// What `max_pods` leaves for pods on the host's network, beside `pods` and `rdma_pods`. It changes nothing else. Members of a
    /// trunk take from it too; the cloud makes no room for them.
    pub host_network_pods: u64,
    /// Addresses for which `max_pods` leaves no pod.
    pub stranded_addresses: u64,
    /// Why the node may not join; none = it may.
    pub obstacles: Vec<Obstacle>,
}

/// Pods on the host's network for which the cloud makes room in maxPods: an ecs.g7.4xlarge has 210 + 3.
pub const HOST_NETWORK_PODS: u64 = 3;
/// With this many ENIs or fewer none is kept for eRDMA: ordinary pods would have no ENI left.
const ENIS_WITHOUT_RDMA: u32 = 2;
/// From this many ENIs on a type may have two network cards, and an eRDMA ENI on each.
const ENIS_WITH_TWO_CARDS: u32 = 8;

// === impl Thresholds ===

impl Default for Thresholds {
    /// The documented ones: more than 11 pods in shared mode, more than 6 in exclusive mode.
    fn default() -> Self {
        Self {
            shared: 11,
            exclusive: 6,
        }
    }
}

// === impl NodeMode ===

impl NodeMode {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Shared, Self::SharedTrunk, Self::Exclusive];

    /// As it is said to people: "shared", "shared+trunk", "exclusive".
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::SharedTrunk => "shared+trunk",
            Self::Exclusive => "exclusive",
        }
    }

    /// Whether many pods share an ENI.
    pub fn shares(self) -> bool {
        self != Self::Exclusive
    }
}

// === impl InstanceLimits ===

impl InstanceLimits {
    /// What a node of this type has room for, and what keeps it from joining.
    pub fn capacity(&self, setup: &NodeSetup) -> Capacity {
        let rdma_enis = if setup.rdma { self.kept_for_rdma() } else { 0 };
        let enis = self.pod_enis().saturating_sub(rdma_enis);
        let (pods, static_pods) = match setup.mode.shares() {
            true => (
                product(enis, self.addresses_per_eni),
                product(enis, self.addresses_per_eni.saturating_sub(1)),
            ),
            false => (u64::from(enis), u64::from(enis)),
        };
        let max_pods = setup
            .max_pods
            .map_or_else(|| self.usual_max_pods(), u64::from);
        let rdma_pods = product(rdma_enis, self.addresses_per_eni);
        let addressed = pods.saturating_add(rdma_pods);
        Capacity {
            pods,
            static_pods,
            own_eni_pods: self.own_eni_pods(setup.mode, enis),
            rdma_enis,
            rdma_pods,
            max_pods,
            host_network_pods: max_pods.saturating_sub(addressed),
            stranded_addresses: addressed.saturating_sub(max_pods),
            obstacles: obstacle::all(self, setup, pods),
        }
    }

    /// ENIs for pods: all but the primary one, which is the node's.
    pub fn pod_enis(&self) -> u32 {
        self.enis.saturating_sub(1)
    }

    /// Members of a trunk: EniTotalQuantity − EniQuantity, if the type can trunk. None = not known.
    pub fn trunk_members(&self) -> Option<u32> {
        match (self.can_trunk, self.total_enis) {
            (Some(false), _) => Some(0),
            // One sample of the API's page has a total of 0: there is no trunk, whatever the type can.
            (_, Some(total)) if total <= self.enis => Some(0),
            // The trunk itself needs an ENI beside the primary one.
            (Some(true), Some(_)) if self.pod_enis() == 0 => Some(0),
            (Some(true), Some(total)) => Some(total - self.enis),
            _ => None,
        }
    }

    /// ENIs that are kept for eRDMA where it is on: one, or two on a large type, and never more than the type can.
    pub fn kept_for_rdma(&self) -> u32 {
        let most = match self.enis {
            0..=ENIS_WITHOUT_RDMA => 0,
            ENIS_WITH_TWO_CARDS.. => 2,
            _ => 1,
        };
        self.rdma_enis.unwrap_or(0).min(most)
    }

    fn own_eni_pods(&self, mode: NodeMode, enis: u32) -> Option<u64> {
        match mode {
            NodeMode::Shared => Some(0),
            NodeMode::SharedTrunk => self.trunk_members().map(u64::from),
            NodeMode::Exclusive => Some(u64::from(enis)),
        }
    }

    fn usual_max_pods(&self) -> u64 {
        product(self.pod_enis(), self.addresses_per_eni).saturating_add(HOST_NETWORK_PODS)
    }
}

// === impl Capacity ===

impl Capacity {
    /// Whether a node with this capacity may join.
    pub fn may_join(&self) -> bool {
        self.obstacles.is_empty()
    }
}

/// Of two 32-bit numbers, in 64 bits: it cannot overflow.
fn product(one: u32, other: u32) -> u64 {
    u64::from(one) * u64::from(other)
}

#[cfg(test)]
mod tests;
