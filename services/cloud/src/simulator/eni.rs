//! An ENI inside the simulated cloud, and how the wire shows it.

use crate::eni::{EniKind, EniStatus};
use crate::simulator::date;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An ENI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Eni {
    /// `eni-...`.
    pub id: String,
    /// Hardware address.
    pub mac: String,
    /// What it is.
    pub kind: EniKind,
    /// How far it is.
    pub status: EniStatus,
    /// When what is under way is done, ms; without meaning where nothing is.
    pub due_ms: u64,
    /// Of which VPC.
    pub vpc: String,
    /// In which vSwitch.
    pub vswitch: String,
    /// In which zone.
    pub zone: String,
    /// What it is on, from the start of attaching to the end of detaching.
    pub instance: Option<String>,
    /// The trunk that it is a member of.
    pub trunk: Option<String>,
    /// Of a member, its VLAN id.
    pub vlan: Option<u16>,
    /// Its primary address.
    pub primary: Ipv4Addr,
    /// The others.
    pub secondary: Vec<Ipv4Addr>,
    /// Its IPv6 addresses.
    pub ipv6: Vec<Ipv6Addr>,
    /// Its security groups.
    pub security_groups: Vec<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Its name; may be empty.
    pub name: String,
    /// For people; may be empty.
    pub description: String,
    /// Empty = the default one.
    pub resource_group: String,
    /// Whether it ends with its instance.
    pub delete_on_release: bool,
    /// When it was made, ms since 1970.
    pub created_ms: u64,
}

// === impl Eni ===

impl Eni {
    /// Every address on it.
    pub fn addresses(&self) -> Vec<IpAddr> {
        let v4 = std::iter::once(&self.primary).chain(&self.secondary);
        let v4 = v4.map(|&address| IpAddr::V4(address));
        v4.chain(self.ipv6.iter().map(|&address| IpAddr::V6(address)))
            .collect()
    }

    /// IPv4 addresses on it, the primary one included.
    pub fn ipv4_count(&self) -> usize {
        1 + self.secondary.len()
    }

    /// As creating and describing show it.
    pub(super) fn json(&self, owner: &str) -> Value {
        let mut shown = self.identity();
        shown.insert("OwnerId".into(), json!(owner));
        shown.insert("PrivateIpSets".into(), self.private_sets());
        let ipv6 = self
            .ipv6
            .iter()
            .map(|address| json!({ "Ipv6Address": address, "Primary": false }));
        shown.insert(
            "Ipv6Sets".into(),
            json!({ "Ipv6Set": ipv6.collect::<Vec<_>>() }),
        );
        shown.insert("Ipv4PrefixSets".into(), json!({ "Ipv4PrefixSet": [] }));
        shown.insert("Ipv6PrefixSets".into(), json!({ "Ipv6PrefixSet": [] }));
        shown.insert(
            "SecurityGroupIds".into(),
            json!({ "SecurityGroupId": self.security_groups }),
        );
        let tags = self
            .tags
            .iter()
            .map(|(key, value)| json!({ "TagKey": key, "TagValue": value }));
        shown.insert("Tags".into(), json!({ "Tag": tags.collect::<Vec<_>>() }));
        shown.insert("Attachment".into(), self.attachment());
        Value::Object(shown)
    }

    fn identity(&self) -> Map<String, Value> {
        let texts = [
            ("NetworkInterfaceId", self.id.as_str()),
            ("NetworkInterfaceName", &self.name),
            ("Description", &self.description),
            ("MacAddress", &self.mac),
            ("Status", self.status.name()),
            ("Type", self.kind.name()),
            ("VpcId", &self.vpc),
            ("VSwitchId", &self.vswitch),
            ("ZoneId", &self.zone),
            ("ResourceGroupId", &self.resource_group),
            ("InstanceId", self.instance.as_deref().unwrap_or("")),
            ("NetworkInterfaceTrafficMode", "Standard"),
        ];
        let mut shown: Map<String, Value> = texts
            .map(|(name, text)| (name.to_owned(), json!(text)))
            .into_iter()
            .collect();
        shown.insert("CreationTime".into(), json!(date::text(self.created_ms)));
        shown.insert("PrivateIpAddress".into(), json!(self.primary));
        shown.insert("DeleteOnRelease".into(), json!(self.delete_on_release));
        shown.insert("SourceDestCheck".into(), json!(false));
        shown.insert("ServiceManaged".into(), json!(false));
        shown.insert("ServiceID".into(), json!(0));
        shown.insert("QueueNumber".into(), json!(1));
        shown
    }

    fn private_sets(&self) -> Value {
        let mut sets = vec![json!({ "PrivateIpAddress": self.primary, "Primary": true })];
        let others = self.secondary.iter();
        sets.extend(others.map(|address| json!({ "PrivateIpAddress": address, "Primary": false })));
        json!({ "PrivateIpSet": sets })
    }

    fn attachment(&self) -> Value {
        let mut shown = Map::new();
        if let Some(instance) = &self.instance {
            shown.insert("InstanceId".into(), json!(instance));
            shown.insert("NetworkCardIndex".into(), json!(0));
        }
        if let Some(trunk) = &self.trunk {
            shown.insert("TrunkNetworkInterfaceId".into(), json!(trunk));
        }
        if let Some(vlan) = self.vlan {
            shown.insert("DeviceIndex".into(), json!(vlan));
        }
        Value::Object(shown)
    }
}
