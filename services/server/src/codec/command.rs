//! One command, one message.

use super::address::{kind, kind_number};
use super::pool::{cloud, cloud_text, pool, pool_number};
use super::{Error, Wire, eni, eni_text, fixed, list, optional, required, wires};
use berth_domain::command::*;
use berth_domain::id::*;
use berth_domain::row::Policy;
use berth_domain::version::ClusterVersion;
use berth_proto::log::v1;
use berth_proto::log::v1::proposal::Command as Message;
use berth_proto::log::v1::repair::Repair as Mending;
use bytes::Bytes;

// === impl Command ===

impl Wire<Message> for Command {
    fn to_wire(&self) -> Message {
        match self {
            Self::CreateVSwitch(command) => Message::CreateVswitch(command.to_wire()),
            Self::DeleteVSwitch(command) => Message::DeleteVswitch(command.to_wire()),
            Self::RegisterNode(command) => Message::RegisterNode(command.to_wire()),
            Self::RemoveNode(command) => Message::RemoveNode(command.to_wire()),
            Self::CreateClaim(command) => Message::CreateClaim(command.to_wire()),
            Self::DeleteClaim(command) => Message::DeleteClaim(command.to_wire()),
            Self::Stock(command) => Message::Stock(command.to_wire()),
            Self::Reclaim(command) => Message::Reclaim(command.to_wire()),
            Self::Bind(command) => Message::Bind(command.to_wire()),
            Self::Release(command) => Message::Release(command.to_wire()),
            Self::Expire(command) => Message::Expire(v1::Expire {
                limit: command.limit,
            }),
            Self::RegisterMember(command) => Message::RegisterMember(command.to_wire()),
            Self::RemoveMember(command) => {
                Message::RemoveMember(v1::RemoveMember { id: command.id.0 })
            }
            Self::SetClusterVersion(command) => {
                Message::SetClusterVersion(v1::SetClusterVersion { to: command.to.0 })
            }
            Self::Repair(command) => Message::Repair(command.to_wire()),
            Self::Rehearse(Rehearse) => Message::Rehearse(v1::Rehearse {}),
            Self::Recover(command) => Message::Recover(command.to_wire()),
            Self::ConfirmNode(command) => Message::ConfirmNode(command.to_wire()),
            Self::BeginJob(command) => Message::BeginJob(command.to_wire()),
            Self::AdvanceJob(command) => Message::AdvanceJob(command.to_wire()),
            Self::NoteForeign(command) => Message::NoteForeign(command.to_wire()),
            Self::SetNodePool(command) => Message::SetNodePool(command.to_wire()),
            Self::DeleteNodePool(command) => Message::DeleteNodePool(command.to_wire()),
            Self::SetVSwitch(command) => Message::SetVswitch(command.to_wire()),
        }
    }

    fn from_wire(message: Message) -> Result<Self, Error> {
        Ok(match message {
            Message::CreateVswitch(command) => Self::CreateVSwitch(Wire::from_wire(command)?),
            Message::SetVswitch(command) => Self::SetVSwitch(Wire::from_wire(command)?),
            Message::DeleteVswitch(command) => Self::DeleteVSwitch(Wire::from_wire(command)?),
            Message::RegisterNode(command) => Self::RegisterNode(Wire::from_wire(command)?),
            Message::RemoveNode(command) => Self::RemoveNode(Wire::from_wire(command)?),
            Message::CreateClaim(command) => Self::CreateClaim(Wire::from_wire(command)?),
            Message::DeleteClaim(command) => Self::DeleteClaim(Wire::from_wire(command)?),
            Message::Stock(command) => Self::Stock(Wire::from_wire(command)?),
            Message::Reclaim(command) => Self::Reclaim(Wire::from_wire(command)?),
            Message::Bind(command) => Self::Bind(Wire::from_wire(command)?),
            Message::Release(command) => Self::Release(Wire::from_wire(command)?),
            Message::Expire(command) => Self::Expire(Expire {
                limit: command.limit,
            }),
            Message::RegisterMember(command) => Self::RegisterMember(Wire::from_wire(command)?),
            Message::RemoveMember(command) => Self::RemoveMember(RemoveMember {
                id: MemberId(command.id),
            }),
            Message::SetClusterVersion(command) => Self::SetClusterVersion(SetClusterVersion {
                to: ClusterVersion(command.to),
            }),
            Message::Repair(command) => Self::Repair(Wire::from_wire(command)?),
            Message::Rehearse(v1::Rehearse {}) => Self::Rehearse(Rehearse),
            Message::Recover(command) => Self::Recover(Wire::from_wire(command)?),
            Message::ConfirmNode(command) => Self::ConfirmNode(Wire::from_wire(command)?),
            Message::BeginJob(command) => Self::BeginJob(Wire::from_wire(command)?),
            Message::AdvanceJob(command) => Self::AdvanceJob(Wire::from_wire(command)?),
            Message::NoteForeign(command) => Self::NoteForeign(Wire::from_wire(command)?),
            Message::SetNodePool(command) => Self::SetNodePool(Wire::from_wire(command)?),
            Message::DeleteNodePool(command) => Self::DeleteNodePool(Wire::from_wire(command)?),
        })
    }
}

impl Wire<v1::CreateVSwitch> for CreateVSwitch {
    fn to_wire(&self) -> v1::CreateVSwitch {
        v1::CreateVSwitch {
            name: self.name.as_str().to_owned(),
            zone: self.zone.as_str().to_owned(),
            ipv4: self.ipv4.as_ref().map(Wire::to_wire),
            ipv6: self.ipv6.as_ref().map(Wire::to_wire),
            exclusions: wires(&self.exclusions),
            cooling_ms: self.cooling_ms,
            network_kind: kind_number(self.kind),
            cloud: cloud_text(&self.cloud),
        }
    }

    fn from_wire(message: v1::CreateVSwitch) -> Result<Self, Error> {
        Ok(Self {
            name: VSwitchName::new(&message.name)?,
            zone: Zone::new(&message.zone)?,
            ipv4: optional(message.ipv4)?,
            ipv6: optional(message.ipv6)?,
            exclusions: list(message.exclusions)?,
            cooling_ms: message.cooling_ms,
            kind: kind(message.network_kind)?,
            cloud: cloud(&message.cloud)?,
        })
    }
}

impl Wire<v1::SetVSwitch> for SetVSwitch {
    fn to_wire(&self) -> v1::SetVSwitch {
        v1::SetVSwitch {
            name: self.name.as_str().to_owned(),
            ipv4: self.ipv4.as_ref().map(Wire::to_wire),
            ipv6: self.ipv6.as_ref().map(Wire::to_wire),
            exclusions: wires(&self.exclusions),
            cooling_ms: self.cooling_ms,
        }
    }

    fn from_wire(message: v1::SetVSwitch) -> Result<Self, Error> {
        Ok(Self {
            name: VSwitchName::new(&message.name)?,
            ipv4: optional(message.ipv4)?,
            ipv6: optional(message.ipv6)?,
            exclusions: list(message.exclusions)?,
            cooling_ms: message.cooling_ms,
        })
    }
}

impl Wire<v1::DeleteVSwitch> for DeleteVSwitch {
    fn to_wire(&self) -> v1::DeleteVSwitch {
        v1::DeleteVSwitch {
            name: self.name.as_str().to_owned(),
        }
    }

    fn from_wire(message: v1::DeleteVSwitch) -> Result<Self, Error> {
        Ok(Self {
            name: VSwitchName::new(&message.name)?,
        })
    }
}

impl Wire<v1::RegisterNode> for RegisterNode {
    fn to_wire(&self) -> v1::RegisterNode {
        v1::RegisterNode {
            name: self.name.as_str().to_owned(),
            zone: self.zone.as_str().to_owned(),
            identity: self.identity.as_str().to_owned(),
            instance_type: self.instance_type.as_str().to_owned(),
            warm_target: self.warm_target,
            eni_slots: self.eni_slots,
            addresses_per_eni: self.addresses_per_eni,
            pool: pool_number(self.pool),
        }
    }

    fn from_wire(message: v1::RegisterNode) -> Result<Self, Error> {
        Ok(Self {
            name: NodeName::new(&message.name)?,
            identity: NodeIdentity::new(&message.identity)?,
            zone: Zone::new(&message.zone)?,
            instance_type: InstanceType::new(&message.instance_type)?,
            eni_slots: message.eni_slots,
            addresses_per_eni: message.addresses_per_eni,
            warm_target: message.warm_target,
            pool: pool(message.pool),
        })
    }
}

impl Wire<v1::RemoveNode> for RemoveNode {
    fn to_wire(&self) -> v1::RemoveNode {
        v1::RemoveNode {
            node: self.node.0,
            confirmed_dead: self.confirmed_dead,
        }
    }

    fn from_wire(message: v1::RemoveNode) -> Result<Self, Error> {
        Ok(Self {
            node: NodeId(message.node),
            confirmed_dead: message.confirmed_dead,
        })
    }
}

impl Wire<v1::CreateClaim> for CreateClaim {
    fn to_wire(&self) -> v1::CreateClaim {
        v1::CreateClaim {
            name: Some(self.name.to_wire()),
            vswitch: self.vswitch.0,
            addresses: wires(&self.addresses),
            policy: Some(self.policy.to_wire()),
        }
    }

    fn from_wire(message: v1::CreateClaim) -> Result<Self, Error> {
        Ok(Self {
            name: required(message.name, "claim name")?,
            vswitch: VSwitchId(message.vswitch),
            addresses: list(message.addresses)?,
            policy: required(message.policy, "policy")?,
        })
    }
}

impl Wire<v1::DeleteClaim> for DeleteClaim {
    fn to_wire(&self) -> v1::DeleteClaim {
        v1::DeleteClaim {
            claim: self.claim.0,
            override_holder: self.override_holder,
            policy_fired: self.policy_fired,
        }
    }

    fn from_wire(message: v1::DeleteClaim) -> Result<Self, Error> {
        Ok(Self {
            claim: ClaimId(message.claim),
            override_holder: message.override_holder,
            policy_fired: message.policy_fired,
        })
    }
}

impl Wire<v1::Stock> for Stock {
    fn to_wire(&self) -> v1::Stock {
        v1::Stock {
            vswitch: self.vswitch.0,
            node: self.node.0,
            eni: eni_text(&self.eni),
            addresses: wires(&self.addresses),
        }
    }

    fn from_wire(message: v1::Stock) -> Result<Self, Error> {
        Ok(Self {
            vswitch: VSwitchId(message.vswitch),
            node: NodeId(message.node),
            eni: eni(&message.eni)?,
            addresses: list(message.addresses)?,
        })
    }
}

impl Wire<v1::Reclaim> for Reclaim {
    fn to_wire(&self) -> v1::Reclaim {
        v1::Reclaim {
            vswitch: self.vswitch.0,
            node: self.node.0,
            addresses: wires(&self.addresses),
        }
    }

    fn from_wire(message: v1::Reclaim) -> Result<Self, Error> {
        Ok(Self {
            vswitch: VSwitchId(message.vswitch),
            node: NodeId(message.node),
            addresses: list(message.addresses)?,
        })
    }
}

impl Wire<v1::Bind> for Bind {
    fn to_wire(&self) -> v1::Bind {
        let (claim, new_claim) = match &self.claim {
            BindClaim::None => (0, None),
            BindClaim::Existing(id) => (id.0, None),
            BindClaim::New { name, policy } => (0, Some(new_claim(name, policy))),
        };
        v1::Bind {
            key: Some(self.key.to_wire()),
            node: self.node.0,
            boot_id: self.boot.as_str().to_owned(),
            invoked_at_ms: self.invoked_at_ms,
            pod: Some(self.pod.to_wire()),
            vswitch: self.vswitch.0,
            eni: eni_text(&self.eni),
            addresses: wires(&self.addresses),
            claim,
            new_claim,
            parameters: Bytes::copy_from_slice(&self.parameters),
        }
    }

    fn from_wire(message: v1::Bind) -> Result<Self, Error> {
        let claim = match (message.claim, message.new_claim) {
            (0, None) => BindClaim::None,
            (id, None) => BindClaim::Existing(ClaimId(id)),
            (0, Some(new)) => BindClaim::New {
                name: required(new.name, "claim name")?,
                policy: required(new.policy, "policy")?,
            },
            _ => {
                return Err(Error::Malformed {
                    what: "claim of a bind",
                });
            }
        };
        Ok(Self {
            key: required(message.key, "attachment key")?,
            node: NodeId(message.node),
            boot: BootId::new(&message.boot_id)?,
            invoked_at_ms: message.invoked_at_ms,
            pod: required(message.pod, "pod")?,
            vswitch: VSwitchId(message.vswitch),
            eni: eni(&message.eni)?,
            addresses: list(message.addresses)?,
            claim,
            parameters: fixed(&message.parameters, "parameters")?,
        })
    }
}

fn new_claim(name: &ClaimName, policy: &Policy) -> v1::NewClaim {
    v1::NewClaim {
        name: Some(name.to_wire()),
        policy: Some(policy.to_wire()),
    }
}

impl Wire<v1::Release> for Release {
    fn to_wire(&self) -> v1::Release {
        v1::Release {
            key: Some(self.key.to_wire()),
            node: self.node.0,
            boot_id: self.boot.as_str().to_owned(),
            invoked_at_ms: self.invoked_at_ms,
            generation: self.generation.map_or(0, |generation| generation.0),
            proof: proof_number(self.proof),
            pod_gone: self.pod_gone,
        }
    }

    fn from_wire(message: v1::Release) -> Result<Self, Error> {
        Ok(Self {
            key: required(message.key, "attachment key")?,
            node: NodeId(message.node),
            boot: BootId::new(&message.boot_id)?,
            invoked_at_ms: message.invoked_at_ms,
            generation: (message.generation > 0).then_some(Generation(message.generation)),
            proof: proof(message.proof)?,
            pod_gone: message.pod_gone,
        })
    }
}

impl Wire<v1::RegisterMember> for RegisterMember {
    fn to_wire(&self) -> v1::RegisterMember {
        v1::RegisterMember {
            id: self.id.0,
            name: self.name.as_str().to_owned(),
            client_endpoint: self.client_endpoint.as_str().to_owned(),
            peer_endpoint: self.peer_endpoint.as_str().to_owned(),
            store: Bytes::copy_from_slice(&self.store),
            cluster_id: self.cluster.as_str().to_owned(),
            vote: vote_number(self.vote),
        }
    }

    fn from_wire(message: v1::RegisterMember) -> Result<Self, Error> {
        Ok(Self {
            cluster: ClusterId::new(&message.cluster_id)?,
            id: MemberId(message.id),
            name: NodeName::new(&message.name)?,
            client_endpoint: Endpoint::new(&message.client_endpoint)?,
            peer_endpoint: Endpoint::new(&message.peer_endpoint)?,
            store: fixed(&message.store, "store")?,
            vote: vote(message.vote)?,
        })
    }
}

impl Wire<v1::Repair> for Repair {
    fn to_wire(&self) -> v1::Repair {
        let part = match self {
            Self::EndAllocation { key, generation } => Mending::EndAllocation(v1::EndAllocation {
                key: Some(key.to_wire()),
                generation: generation.0,
            }),
            Self::FreeAddress { address } => Mending::FreeAddress(address.to_wire()),
            Self::EndClaim { claim, generation } => Mending::EndClaim(v1::EndClaim {
                claim: claim.0,
                generation: generation.0,
            }),
        };
        v1::Repair { repair: Some(part) }
    }

    fn from_wire(message: v1::Repair) -> Result<Self, Error> {
        Ok(match message.repair.ok_or(Error::Missing("repair"))? {
            Mending::EndAllocation(end) => Self::EndAllocation {
                key: required(end.key, "attachment key")?,
                generation: Generation(end.generation),
            },
            Mending::FreeAddress(address) => Self::FreeAddress {
                address: Wire::from_wire(address)?,
            },
            Mending::EndClaim(end) => Self::EndClaim {
                claim: ClaimId(end.claim),
                generation: Generation(end.generation),
            },
        })
    }
}

// === numbers ===

fn vote_number(vote: Vote) -> u32 {
    match vote {
        Vote::AsKnown => 0,
        Vote::Withheld => 1,
        Vote::Given => 2,
    }
}

fn vote(number: u32) -> Result<Vote, Error> {
    match number {
        0 => Ok(Vote::AsKnown),
        1 => Ok(Vote::Withheld),
        2 => Ok(Vote::Given),
        other => Err(Error::Unknown {
            what: "vote",
            number: other.into(),
        }),
    }
}

fn proof_number(proof: Proof) -> u32 {
    match proof {
        Proof::Del => 0,
        Proof::Collect => 1,
        Proof::Admin => 2,
        Proof::NodeDead => 3,
    }
}

fn proof(number: u32) -> Result<Proof, Error> {
    match number {
        0 => Ok(Proof::Del),
        1 => Ok(Proof::Collect),
        2 => Ok(Proof::Admin),
        3 => Ok(Proof::NodeDead),
        other => Err(Error::Unknown {
            what: "proof",
            number: other.into(),
        }),
    }
}

impl Wire<v1::Policy> for Policy {
    fn to_wire(&self) -> v1::Policy {
        let (kind, ttl_ms) = match self {
            Self::Delete => (0, 0),
            Self::Ttl { ttl_ms } => (1, *ttl_ms),
            Self::Never => (2, 0),
        };
        v1::Policy { kind, ttl_ms }
    }

    fn from_wire(message: v1::Policy) -> Result<Self, Error> {
        match message.kind {
            0 => Ok(Self::Delete),
            1 => Ok(Self::Ttl {
                ttl_ms: message.ttl_ms,
            }),
            2 => Ok(Self::Never),
            other => Err(Error::Unknown {
                what: "policy",
                number: other.into(),
            }),
        }
    }
}

// === names ===

impl Wire<v1::AttachmentKey> for AttachmentKey {
    fn to_wire(&self) -> v1::AttachmentKey {
        v1::AttachmentKey {
            cluster: self.cluster.as_str().to_owned(),
            network: self.network.as_str().to_owned(),
            container_id: self.container.as_str().to_owned(),
            interface: self.interface.as_str().to_owned(),
        }
    }

    fn from_wire(message: v1::AttachmentKey) -> Result<Self, Error> {
        Ok(Self {
            cluster: ClusterName::new(&message.cluster)?,
            network: NetworkName::new(&message.network)?,
            container: ContainerId::new(&message.container_id)?,
            interface: InterfaceName::new(&message.interface)?,
        })
    }
}

impl Wire<v1::Pod> for PodIdentity {
    fn to_wire(&self) -> v1::Pod {
        v1::Pod {
            namespace: self.namespace.as_str().to_owned(),
            name: self.name.as_str().to_owned(),
            uid: self.uid.as_str().to_owned(),
        }
    }

    fn from_wire(message: v1::Pod) -> Result<Self, Error> {
        Ok(Self {
            namespace: Namespace::new(&message.namespace)?,
            name: PodName::new(&message.name)?,
            uid: PodUid::new(&message.uid)?,
        })
    }
}

impl Wire<v1::ClaimName> for ClaimName {
    fn to_wire(&self) -> v1::ClaimName {
        v1::ClaimName {
            cluster: self.cluster.as_str().to_owned(),
            namespace: self.namespace.as_str().to_owned(),
            pod: self.pod.as_str().to_owned(),
        }
    }

    fn from_wire(message: v1::ClaimName) -> Result<Self, Error> {
        Ok(Self {
            cluster: ClusterName::new(&message.cluster)?,
            namespace: Namespace::new(&message.namespace)?,
            pod: PodName::new(&message.pod)?,
        })
    }
}
