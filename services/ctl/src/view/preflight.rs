//! What was seen of an account, as it is shown.

use berth_cloud::instance_type::InstanceTypeFacts;
use berth_cloud::preflight::{Finding as Found, Question, Seen};
use berth_cloud::vswitch::{CloudVSwitch, Instance};
use serde::Serialize;

use crate::output::Document;
use crate::table;

/// The whole of it.
#[derive(Debug, Serialize)]
pub struct Preflight {
    /// Whether nothing is missing.
    pub holds: bool,
    /// One for each action that Berth needs.
    pub rights: Vec<Right>,
    /// Those that were named and are there.
    pub instances: Vec<Machine>,
    /// Those that were named, or are in the instances' VPCs.
    pub vswitches: Vec<VSwitch>,
    /// ENIs in those VPCs, whoever's, primary ones not counted.
    pub enis: usize,
    /// How many of those the account may have in the region; nothing = it could not be seen.
    pub eni_quota: Option<u64>,
    /// What is missing, then advice.
    pub findings: Vec<Finding>,
}

/// Whether an action is allowed.
#[derive(Debug, Serialize)]
pub struct Right {
    /// As RAM policies have it.
    pub action: String,
    /// "allowed", "failed", or "not tried" for what would change something.
    pub state: String,
    /// Why it failed.
    pub reason: String,
}

/// A machine with what its type has room for.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// Its id.
    pub id: String,
    /// Its type.
    pub instance_type: String,
    /// Where it is.
    pub zone: String,
    /// ENIs, the primary one included; nothing = the cloud did not say.
    pub enis: Option<u32>,
    /// IPv4 addresses on each.
    pub addresses_per_eni: Option<u32>,
    /// Whether pods can have ENIs of their own through a trunk.
    pub can_trunk: Option<bool>,
}

/// A vSwitch.
#[derive(Debug, Serialize)]
pub struct VSwitch {
    /// Its id.
    pub id: String,
    /// Where it is.
    pub zone: String,
    /// Its IPv4 CIDR.
    pub cidr: String,
    /// Its IPv6 CIDR; empty = none.
    pub ipv6_cidr: String,
    /// Addresses left.
    pub available: u64,
}

/// Something that stands in the way, or will.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// "missing" or "advice".
    pub severity: String,
    /// With what to look at.
    pub message: String,
}

// === impl Preflight ===

impl Preflight {
    /// What is shown of what was seen.
    pub fn new(seen: &Seen, question: &Question) -> Self {
        let tried = seen.rights.iter().map(|(action, ended)| Right {
            action: action.name().to_owned(),
            state: if ended.is_ok() { "allowed" } else { "failed" }.to_owned(),
            reason: ended
                .as_ref()
                .err()
                .map(ToString::to_string)
                .unwrap_or_default(),
        });
        let untried = Seen::untried().map(|action| Right {
            action: action.name().to_owned(),
            state: "not tried".to_owned(),
            reason: String::new(),
        });
        let found = seen.findings(question);
        Self {
            holds: !found.iter().any(|one| one.is_missing),
            rights: tried.chain(untried).collect(),
            instances: seen
                .instances
                .iter()
                .map(|one| Machine::new(one, &seen.types))
                .collect(),
            vswitches: seen.vswitches.iter().map(VSwitch::from).collect(),
            enis: seen.enis,
            eni_quota: seen.eni_quota,
            findings: found.into_iter().map(Finding::from).collect(),
        }
    }
}

impl Document for Preflight {
    fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn text(&self) -> String {
        let rights = self
            .rights
            .iter()
            .map(|one| vec![one.action.clone(), one.state.clone()]);
        let mut parts = vec![table::columns(&["ACTION", "RIGHT"], rights)];
        if !self.instances.is_empty() {
            let header = [
                "INSTANCE",
                "TYPE",
                "ZONE",
                "ENIS",
                "ADDRESSES EACH",
                "TRUNK",
            ];
            parts.push(table::columns(
                &header,
                self.instances.iter().map(Machine::row),
            ));
        }
        if !self.vswitches.is_empty() {
            let header = ["VSWITCH", "ZONE", "CIDR", "IPV6", "LEFT"];
            parts.push(table::columns(
                &header,
                self.vswitches.iter().map(VSwitch::row),
            ));
            let quota = self.eni_quota.map(|quota| quota.to_string());
            parts.push(format!(
                "{} ENIs beside primary ones are in these VPCs; the account may have {} in the region.",
                self.enis,
                quota.as_deref().unwrap_or("an unknown number")
            ));
        }
        let findings = self.findings.iter();
        let findings = findings.map(|one| vec![one.severity.clone(), one.message.clone()]);
        parts.push(match self.findings.is_empty() {
            true => "Nothing that was looked at is missing.".to_owned(),
            false => table::columns(&["SEVERITY", "FINDING"], findings),
        });
        parts.join("\n\n")
    }

    fn holds(&self) -> bool {
        self.holds
    }
}

// === impl Machine ===

impl Machine {
    fn new(instance: &Instance, types: &[InstanceTypeFacts]) -> Self {
        let mut types = types.iter();
        let facts = types.find(|facts| facts.name == instance.instance_type);
        Self {
            id: instance.id.to_string(),
            instance_type: instance.instance_type.to_string(),
            zone: instance.zone.to_string(),
            enis: facts.map(|facts| facts.enis),
            addresses_per_eni: facts.map(|facts| facts.addresses_per_eni),
            can_trunk: facts.map(|facts| facts.can_trunk),
        }
    }

    fn row(&self) -> Vec<String> {
        let number = |count: Option<u32>| count.map(|count| count.to_string()).unwrap_or_default();
        let trunk = self.can_trunk.map(|can| if can { "yes" } else { "no" });
        vec![
            self.id.clone(),
            self.instance_type.clone(),
            self.zone.clone(),
            number(self.enis),
            number(self.addresses_per_eni),
            trunk.unwrap_or_default().to_owned(),
        ]
    }
}

// === impl VSwitch ===

impl VSwitch {
    fn row(&self) -> Vec<String> {
        let (id, zone, cidr) = (self.id.clone(), self.zone.clone(), self.cidr.clone());
        vec![
            id,
            zone,
            cidr,
            self.ipv6_cidr.clone(),
            self.available.to_string(),
        ]
    }
}

impl From<&CloudVSwitch> for VSwitch {
    fn from(vswitch: &CloudVSwitch) -> Self {
        Self {
            id: vswitch.id.to_string(),
            zone: vswitch.zone.to_string(),
            cidr: vswitch.cidr.clone(),
            ipv6_cidr: vswitch.ipv6_cidr.clone().unwrap_or_default(),
            available: vswitch.available,
        }
    }
}

// === impl Finding ===

impl From<Found> for Finding {
    fn from(found: Found) -> Self {
        let severity = if found.is_missing {
            "missing"
        } else {
            "advice"
        };
        Self {
            severity: severity.to_owned(),
            message: found.message,
        }
    }
}
