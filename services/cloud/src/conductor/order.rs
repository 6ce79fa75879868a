//! The call of a step.

use super::Conductor;
use crate::call::{Attachment, Call, CreateNetworkInterface};
use crate::eni::EniKind;
use crate::id::{EniId, SecurityGroupId};
use berth_domain::row::{self, Step};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

// === impl Conductor ===

impl Conductor {
    /// The call of this step. The same for the same step and attempt, whoever makes it.
    pub(super) fn order(&self) -> Call {
        let eni = self.cloud_eni();
        match self.job.step {
            Step::Create => self.create(),
            Step::Attach => {
                Call::AttachNetworkInterface(self.attachment(self.setting.instance.clone()))
            }
            Step::AssignIpv4 => Call::AssignPrivateIpAddresses {
                eni,
                addresses: self.ipv4(),
                token: self.token(),
            },
            Step::AssignIpv6 => Call::AssignIpv6Addresses {
                eni,
                addresses: self.ipv6(),
                token: self.token(),
            },
            // The cloud refuses the whole call for one that is not there any more.
            Step::UnassignIpv4 => Call::UnassignPrivateIpAddresses {
                eni,
                addresses: self.still_there(self.ipv4()),
            },
            Step::UnassignIpv6 => Call::UnassignIpv6Addresses {
                eni,
                addresses: self.still_there(self.ipv6()),
            },
            Step::Detach => {
                let on = self.on.as_ref().unwrap_or(&self.setting.instance);
                Call::DetachNetworkInterface(self.attachment(on.clone()))
            }
            Step::Delete => Call::DeleteNetworkInterface { eni },
            Step::AwaitAttached
            | Step::AwaitUnassigned
            | Step::AwaitDetached
            | Step::AwaitDeleted => Call::DescribeNetworkInterfaceAttribute { eni },
        }
    }

    fn create(&self) -> Call {
        let group = |group: &berth_domain::id::SecurityGroup| SecurityGroupId::new(group.as_str());
        let primary = match self.eni.primary {
            IpAddr::V4(primary) => primary,
            // The ledger takes an IPv4 only.
            IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
        };
        let secondary = self.ipv4().into_iter().filter(|at| *at != primary);
        Call::CreateNetworkInterface(CreateNetworkInterface {
            vswitch: self.setting.vswitch.clone(),
            kind: match self.eni.kind {
                row::EniKind::Secondary => EniKind::Secondary,
                row::EniKind::Trunk => EniKind::Trunk,
            },
            security_groups: self.eni.security_groups.iter().filter_map(group).collect(),
            resource_group: self.setting.resource_group.clone(),
            primary,
            secondary: secondary.collect(),
            ipv6: self.ipv6(),
            delete_on_release: true,
            description: format!("made by Berth, ENI {}", self.eni.number),
            tags: self.tags(),
            token: self.token(),
        })
    }

    fn attachment(&self, instance: crate::id::InstanceId) -> Attachment {
        Attachment {
            eni: self.cloud_eni(),
            instance,
            trunk: None,
        }
    }

    /// Every step but the first has one; the ledger keeps it with the ENI.
    pub(super) fn cloud_eni(&self) -> EniId {
        let id = self.eni.id.as_ref().and_then(|id| EniId::new(id.as_str()));
        id.unwrap_or_else(|| EniId::new("eni-none").expect("a name")) // fixed text
    }

    pub(super) fn ipv4(&self) -> Vec<Ipv4Addr> {
        let addresses = self.job.addresses.iter();
        let found = addresses.filter_map(|address| match address {
            IpAddr::V4(address) => Some(*address),
            IpAddr::V6(_) => None,
        });
        found.collect()
    }

    pub(super) fn ipv6(&self) -> Vec<Ipv6Addr> {
        let addresses = self.job.addresses.iter();
        let found = addresses.filter_map(|address| match address {
            IpAddr::V6(address) => Some(*address),
            IpAddr::V4(_) => None,
        });
        found.collect()
    }

    fn still_there<A: Copy + Into<IpAddr>>(&self, mut addresses: Vec<A>) -> Vec<A> {
        if let Some(left) = &self.left {
            addresses.retain(|at| left.contains(&(*at).into()));
        }
        addresses
    }

    /// Those that this step is about.
    pub(super) fn of_step(&self) -> Vec<IpAddr> {
        let addresses = self.job.addresses.iter().copied();
        match self.job.step {
            Step::AssignIpv4 | Step::UnassignIpv4 => addresses.filter(IpAddr::is_ipv4).collect(),
            Step::AssignIpv6 | Step::UnassignIpv6 => addresses.filter(IpAddr::is_ipv6).collect(),
            _ => addresses.collect(),
        }
    }
}
