//! What the simulated world starts with. Read from JSON, or built in.

mod text;

use crate::simulator::catalogue::{InstanceType, catalogue};
use crate::simulator::fault::FaultPlan;
use ipnet::{Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The world before the first call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Setup {
    /// The only region: every request must be for it.
    pub region: String,
    /// Who may call.
    pub keys: Vec<AccessKey>,
    /// Roles that keys can assume.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// The role, by its ARN, that the machine has which asks the metadata service; none = it has none.
    #[serde(default)]
    pub machine_role: Option<String>,
    /// Whether the metadata service answers nobody without a token ("security-hardened mode").
    #[serde(default)]
    pub metadata_needs_token: bool,
    /// vSwitches, each with its VPC and zone.
    pub vswitches: Vec<VSwitch>,
    /// Security groups.
    pub security_groups: Vec<SecurityGroup>,
    /// Virtual machines; each gets a primary ENI.
    pub instances: Vec<Instance>,
    /// What types have room for.
    #[serde(default = "catalogue")]
    pub instance_types: Vec<InstanceType>,
    /// Quotas.
    #[serde(default)]
    pub limits: Limits,
    /// How long things take.
    #[serde(default)]
    pub times: Times,
    /// How far the cloud's clock is ahead of this machine's, as its door has it, in ms.
    #[serde(default)]
    pub clock_ahead_ms: u64,
    /// What goes wrong.
    #[serde(default)]
    pub faults: FaultPlan,
}

/// A key of an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessKey {
    /// AccessKey ID.
    pub id: String,
    /// AccessKey secret.
    pub secret: String,
    /// Actions that it may call; none = all.
    #[serde(default)]
    pub rights: Option<BTreeSet<String>>,
    /// The token that must come with it; none = it is no temporary key.
    #[serde(default)]
    pub security_token: Option<String>,
    /// From when on it is no longer valid, ms since 1970; none = never.
    #[serde(default)]
    pub ends_ms: Option<u64>,
}

/// A RAM role.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Role {
    /// `acs:ram::<account>:role/<name>`.
    pub arn: String,
    /// Ids of the keys that may assume it.
    pub trusts: BTreeSet<String>,
    /// Actions that its keys may call; none = all.
    #[serde(default)]
    pub rights: Option<BTreeSet<String>>,
}

/// A vSwitch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VSwitch {
    /// `vsw-...`.
    pub id: String,
    /// Of which VPC.
    pub vpc: String,
    /// In which zone.
    pub zone: String,
    /// IPv4; the first address and the last three are the cloud's.
    #[serde(with = "text")]
    pub cidr: Ipv4Net,
    /// IPv6; the first address and the last nine are the cloud's.
    #[serde(default, with = "text::optional")]
    pub ipv6_cidr: Option<Ipv6Net>,
}

/// A security group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SecurityGroup {
    /// `sg-...`.
    pub id: String,
    /// Of which VPC.
    pub vpc: String,
}

/// A virtual machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Instance {
    /// `i-...`.
    pub id: String,
    /// Its type's name.
    pub instance_type: String,
    /// Where its primary ENI is.
    pub vswitch: String,
    /// The primary ENI's.
    pub security_group: String,
    /// `Running`, `Stopped`, ...
    #[serde(default = "running")]
    pub status: String,
}

/// Quotas of account and region (ECS "Limits"); the type's own stand in the catalogue.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// ENIs of the account in the region, primary ones not counted.
    pub enis: usize,
    /// IPv4 addresses, and IPv6 ones, of an ENI that is on nothing. The documentation has said 10, later 50.
    pub addresses_while_available: usize,
    /// IPv4 addresses of one vSwitch, as an account's quota of private addresses has it.
    pub addresses_per_vswitch: usize,
    /// IPv4 addresses of one security group.
    pub addresses_per_security_group: usize,
    /// Calls a minute; those not named have [`CALLS_PER_MINUTE`].
    pub calls_per_minute: BTreeMap<String, u32>,
}

/// How long things take, in ms.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Times {
    /// `Creating`; 0 = the ENI is `Available` in the answer, as the documentation says.
    pub create_ms: u64,
    /// `Attaching`.
    pub attach_ms: u64,
    /// `Detaching`.
    pub detach_ms: u64,
    /// `Deleting`.
    pub delete_ms: u64,
    /// How old a state may be that a look shows; 0 = none.
    pub stale_ms: u64,
}

/// Calls of one action a minute, where no other number is said (terway's table of limits, its default).
pub const CALLS_PER_MINUTE: u32 = 500;

// === impl Setup ===

impl Setup {
    /// A region with two zones, a small vSwitch, and machines of types whose numbers were seen in the cloud's own answers.
    pub fn built_in() -> Self {
        let vswitch = |id: &str, zone: &str, cidr: [u8; 4], bits: u8, v6: u16| VSwitch {
            id: id.into(),
            vpc: "vpc-built-in".into(),
            zone: format!("cn-hangzhou-{zone}"),
            cidr: Ipv4Net::new_assert(cidr.into(), bits),
            ipv6_cidr: Some(Ipv6Net::new_assert(
                [0x2408, 0x4005, 0x300, v6, 0, 0, 0, 0].into(),
                64,
            )),
        };
        let group = |id: &str, vpc: &str| SecurityGroup {
            id: id.into(),
            vpc: vpc.into(),
        };
        let machine = |id: &str, kind: &str, vswitch: &str| Instance {
            id: id.into(),
            instance_type: kind.into(),
            vswitch: vswitch.into(),
            security_group: "sg-built-in".into(),
            status: running(),
        };
        Self {
            region: "cn-hangzhou".into(),
            keys: vec![AccessKey::plain("sim-key", "sim-secret")],
            roles: vec![Role {
                arn: "acs:ram::1:role/sim-role".into(),
                trusts: BTreeSet::from(["sim-key".into()]),
                rights: None,
            }],
            machine_role: Some("acs:ram::1:role/sim-role".into()),
            metadata_needs_token: false,
            vswitches: vec![
                vswitch("vsw-i", "i", [10, 1, 0, 0], 20, 1),
                vswitch("vsw-j", "j", [10, 2, 0, 0], 20, 2),
                vswitch("vsw-small", "i", [10, 3, 0, 0], 28, 3),
            ],
            security_groups: vec![
                group("sg-built-in", "vpc-built-in"),
                group("sg-elsewhere", "vpc-other"),
            ],
            instances: vec![
                machine("i-g7", "ecs.g7.xlarge", "vsw-i"),
                machine("i-u1", "ecs.u1-c1m4.xlarge", "vsw-i"),
                machine("i-g6", "ecs.g6.large", "vsw-j"),
            ],
            instance_types: catalogue(),
            limits: Limits::default(),
            times: Times::default(),
            clock_ahead_ms: 0,
            faults: FaultPlan::default(),
        }
    }
}

// === impl Role ===

impl Role {
    /// The last part of its ARN.
    pub fn name(&self) -> &str {
        self.arn.rsplit('/').next().unwrap_or_default()
    }
}

// === impl AccessKey ===

impl AccessKey {
    /// A key that may do everything and does not end.
    pub fn plain(id: &str, secret: &str) -> Self {
        Self {
            id: id.into(),
            secret: secret.into(),
            rights: None,
            security_token: None,
            ends_ms: None,
        }
    }
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        let table = [
            ("DescribeNetworkInterfaces", 800),
            ("DescribeNetworkInterfaceAttribute", 2000),
            ("DetachNetworkInterface", 400),
            ("AssignPrivateIpAddresses", 400),
            ("UnassignPrivateIpAddresses", 400),
            ("AssignIpv6Addresses", 400),
            ("UnassignIpv6Addresses", 400),
            ("DescribeInstanceTypes", 400),
            ("DescribeVSwitches", 300),
        ];
        Self {
            enis: 1000,
            addresses_while_available: 10,
            addresses_per_vswitch: 65_536,
            addresses_per_security_group: 2000,
            calls_per_minute: table.map(|(name, calls)| (name.to_owned(), calls)).into(),
        }
    }
}

// === impl Times ===

impl Default for Times {
    fn default() -> Self {
        Self {
            create_ms: 0,
            attach_ms: 3000,
            detach_ms: 3000,
            delete_ms: 1000,
            stale_ms: 0,
        }
    }
}

fn running() -> String {
    "Running".into()
}

#[cfg(test)]
mod tests {
    use super::Setup;

    /// Promise: a setup can be written down and read again.
    #[test]
    fn a_setup_goes_there_and_back() {
        let text = serde_json::to_string(&Setup::built_in()).unwrap();
        let again: Setup = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&again).unwrap(), text);
        assert!(text.contains("\"10.1.0.0/20\""), "{text}");
        let broken = text.replace("10.1.0.0/20", "10.1.0.0/99");
        assert!(serde_json::from_str::<Setup>(&broken).is_err());
    }
}
