//! How much there may be of what.

use crate::eni::{EniKind, EniStatus};
use crate::simulator::eni::Eni;
use crate::simulator::refusal::Refusal;
use crate::simulator::setup::{Instance, VSwitch};
use crate::simulator::world::World;

/// Security groups of one ENI (ECS "Limits").
pub(super) const SECURITY_GROUPS_PER_ENI: usize = 10;

// === impl World ===

impl World {
    /// ENIs that count against the instance: its own ones, from the start of attaching to the end of detaching.
    pub(super) fn enis_on(&self, instance: &str) -> usize {
        let own = |eni: &&Eni| eni.instance.as_deref() == Some(instance) && eni.trunk.is_none();
        self.enis.values().filter(own).count()
    }

    /// Members of all trunks of the instance.
    pub(super) fn members_on(&self, instance: &str) -> usize {
        let member = |eni: &&Eni| eni.instance.as_deref() == Some(instance) && eni.trunk.is_some();
        self.enis.values().filter(member).count()
    }

    /// IPv4 and IPv6 addresses that an ENI can have: by its instance's type, or few while it is on nothing.
    pub(super) fn room(&self, eni: &Eni) -> Result<(usize, usize), Refusal> {
        let few = self.setup.limits.addresses_while_available;
        let Some(instance) = &eni.instance else {
            return Ok((few, few));
        };
        let kind = self.type_of(self.instance(instance)?)?;
        Ok((kind.addresses, kind.ipv6))
    }

    /// Refuses an ENI more on the instance.
    pub(super) fn check_instance(
        &self,
        instance: &Instance,
        as_member: bool,
    ) -> Result<(), Refusal> {
        let kind = self.type_of(instance)?;
        let (used, limit) = if as_member {
            (self.members_on(&instance.id), kind.members())
        } else {
            (self.enis_on(&instance.id), kind.enis)
        };
        if used < limit {
            return Ok(());
        }
        let message = format!(
            "The instance {} has reached its limit of {limit} ENIs.",
            instance.id
        );
        Err(Refusal::new(403, "EniPerInstanceLimitExceeded", message))
    }

    /// Refuses one more ENI of the account.
    pub(super) fn check_account(&self) -> Result<(), Refusal> {
        let used = self
            .enis
            .values()
            .filter(|eni| eni.kind != EniKind::Primary)
            .count();
        if used < self.setup.limits.enis {
            return Ok(());
        }
        Err(Refusal::new(
            403,
            "MaxEniCountExceeded",
            "The maximum number of ENIs of the account in the region is exceeded.",
        ))
    }

    /// Refuses that many IPv4 addresses more: of the vSwitch, of the account's quota, of each security group.
    pub(super) fn check_ipv4(
        &self,
        vswitch: &VSwitch,
        groups: &[String],
        more: usize,
    ) -> Result<(), Refusal> {
        if self.left4(vswitch) < more {
            let message = format!(
                "The specified VSwitch {} has not enough IpAddress.",
                vswitch.id
            );
            return Err(Refusal::new(403, "InvalidVSwitchId.IpNotEnough", message));
        }
        if self.used4(&vswitch.id) + more > self.setup.limits.addresses_per_vswitch {
            let message = "The quota of private IP addresses is exceeded.";
            return Err(Refusal::new(400, "QuotaExceeded.PrivateIpAddress", message));
        }
        for group in groups {
            if self.addresses_of(group) + more > self.setup.limits.addresses_per_security_group {
                let message = format!(
                    "The maximum number of private IPs in the security group {group} is exceeded."
                );
                return Err(Refusal::new(
                    403,
                    "SecurityGroupInstanceLimitExceed",
                    message,
                ));
            }
        }
        Ok(())
    }

    /// IPv4 addresses in a security group.
    pub(super) fn addresses_of(&self, group: &str) -> usize {
        let inside = |eni: &&Eni| eni.security_groups.iter().any(|of| of == group);
        self.enis.values().filter(inside).map(Eni::ipv4_count).sum()
    }

    /// Refuses an ENI on which addresses cannot change at the moment.
    pub(super) fn check_steady(&self, eni: &Eni) -> Result<(), Refusal> {
        match eni.status {
            EniStatus::Available | EniStatus::InUse => Ok(()),
            other => Err(Refusal::eni_state(&eni.id, other.name())),
        }
    }
}
