//! A vSwitch as it is shown.

use berth_proto::v1;
use serde::Serialize;

use super::state::Counts;
use super::{Item, present, shown};
use crate::output::Document;
use crate::table;

/// A vSwitch and its addresses counted in every state.
#[derive(Debug, Serialize)]
pub struct VSwitch {
    /// The ledger's id.
    pub id: u64,
    /// Unique.
    pub name: String,
    /// The zone it lies in.
    pub zone: String,
    /// "routed" or "vpc".
    pub network: String,
    /// Null if it has no IPv4.
    pub ipv4_cidr: Option<String>,
    /// Null if it has no IPv6.
    pub ipv6_cidr: Option<String>,
    /// Null if there is none.
    pub ipv4_gateway: Option<String>,
    /// Null if there is none.
    pub ipv6_gateway: Option<String>,
    /// Addresses and ranges never given out, beside those excluded by rule.
    pub exclusions: Vec<String>,
    /// Null if it is in no cloud.
    pub cloud_id: Option<String>,
    /// How long a released address rests.
    pub cooling_ms: u64,
    /// One entry per family.
    pub counts: Vec<Counts>,
    /// The revision at which this was true.
    pub revision: u64,
}

// === impl VSwitch ===

impl From<v1::VSwitch> for VSwitch {
    fn from(vswitch: v1::VSwitch) -> Self {
        Self {
            id: vswitch.id,
            name: vswitch.name,
            zone: vswitch.zone,
            network: vswitch.network_kind,
            ipv4_cidr: present(vswitch.ipv4_cidr),
            ipv6_cidr: present(vswitch.ipv6_cidr),
            ipv4_gateway: present(vswitch.ipv4_gateway),
            ipv6_gateway: present(vswitch.ipv6_gateway),
            exclusions: vswitch.exclusions,
            cloud_id: present(vswitch.cloud_id),
            cooling_ms: vswitch.cooling_ms,
            counts: vswitch.counts.into_iter().map(Counts::from).collect(),
            revision: vswitch.revision,
        }
    }
}

impl VSwitch {
    fn cidr(&self, family: &str) -> String {
        let cidr = if family == "ipv6" {
            &self.ipv6_cidr
        } else {
            &self.ipv4_cidr
        };
        shown(cidr)
    }

    fn counted(&self) -> String {
        let header: Vec<&str> = ["STATE"]
            .into_iter()
            .chain(self.counts.iter().map(|counts| counts.family))
            .collect();
        let names = self.counts.first().map(Counts::states).unwrap_or_default();
        let mut rows: Vec<Vec<String>> = Vec::new();
        for (position, (state, _)) in names.iter().enumerate() {
            let mut row = vec![(*state).to_owned()];
            row.extend(
                self.counts
                    .iter()
                    .map(|counts| counts.states()[position].1.to_owned()),
            );
            rows.push(row);
        }
        let mut sum = vec!["= size".to_owned()];
        sum.extend(self.counts.iter().map(|counts| counts.size.clone()));
        rows.push(sum);
        table::columns(&header, rows)
    }
}

impl Item for VSwitch {
    const HEADER: &'static [&'static str] = &[
        "NAME", "ZONE", "CIDR", "GATEWAY", "SIZE", "FREE", "IDLE", "BOUND", "COOLING", "HELD",
        "EXCLUDED", "OTHER",
    ];
    const NONE: &'static str =
        "no vSwitch yet; make one with `berthctl vswitch create NAME --zone ZONE --cidr CIDR`";

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |counts: &Counts| {
            let gateway = if counts.family == "ipv6" {
                &self.ipv6_gateway
            } else {
                &self.ipv4_gateway
            };
            let other = [
                &counts.reserved,
                &counts.releasing,
                &counts.disputed,
                &counts.quarantined,
                &counts.foreign,
            ];
            let other: u128 = other
                .iter()
                .filter_map(|count| count.parse::<u128>().ok())
                .sum();
            vec![
                self.name.clone(),
                self.zone.clone(),
                self.cidr(counts.family),
                shown(gateway),
                counts.size.clone(),
                counts.free.clone(),
                counts.idle.clone(),
                counts.bound.clone(),
                counts.cooling.clone(),
                counts.held.clone(),
                counts.excluded.clone(),
                other.to_string(),
            ]
        };
        self.counts.iter().map(row).collect()
    }

    fn in_full(&self) -> String {
        let fields = table::fields(&[
            ("name", self.name.clone()),
            ("zone", self.zone.clone()),
            ("network", self.network.clone()),
            ("in the cloud", shown(&self.cloud_id)),
            ("IPv4", shown(&self.ipv4_cidr)),
            ("IPv4 gateway", shown(&self.ipv4_gateway)),
            ("IPv6", shown(&self.ipv6_cidr)),
            ("IPv6 gateway", shown(&self.ipv6_gateway)),
            ("excluded", self.exclusions.join(", ")),
            ("cooling", format!("{}s", self.cooling_ms as f64 / 1000.0)),
            ("revision", self.revision.to_string()),
        ]);
        if self.counts.is_empty() {
            fields
        } else {
            format!("{fields}\n\n{}", self.counted())
        }
    }
}

impl Document for VSwitch {
    fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn text(&self) -> String {
        self.in_full()
    }
}
