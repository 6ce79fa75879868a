//! What is in a backup, for people and for programs.

use super::Backup;
use crate::grpc::hex;
use berth_domain::Ledger;
use berth_domain::row::{ClaimState, Node};
use serde::Serialize;
use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

/// A field, once shown, keeps its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Contents {
    /// Which cluster's.
    pub cluster_id: String,
    /// Of the ledger, and the last of the history.
    pub revision: u64,
    /// The history's hash up to it, hex.
    pub chain: String,
    /// ms.
    pub ledger_time_ms: u64,
    /// The ledger's, ms since 1970.
    pub wall_time_ms: u64,
    /// When it was made, ms since 1970.
    pub saved_wall_ms: u64,
    /// Of the program that made it.
    pub program_version: String,
    /// The oldest revision of its history.
    pub history_first_revision: u64,
    /// Event groups in it.
    pub history_groups: u64,
    /// The history goes back to the beginning, and its replay gave the ledger.
    pub replayed: bool,
    /// Of the file.
    pub bytes: u64,
    /// Sandboxes with addresses.
    pub allocations: u64,
    /// Static addresses' owners.
    pub claims: u64,
    /// Of them, those with a sandbox.
    pub claims_bound: u64,
    /// By id.
    pub nodes: Vec<NodeSummary>,
    /// By id.
    pub vswitches: Vec<VSwitchSummary>,
    /// A recovery is open in it: which nodes it waits for.
    pub recovery_waits_for: Option<Vec<String>>,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeSummary {
    /// Its name.
    pub name: String,
    /// What makes it this node.
    pub identity: String,
    /// Sandboxes with addresses.
    pub allocations: u32,
    /// Warm addresses of both families.
    pub idle: u32,
}

/// One vSwitch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VSwitchSummary {
    /// Its name.
    pub name: String,
    /// IPv4 first.
    pub families: Vec<FamilySummary>,
}

/// One family of one vSwitch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FamilySummary {
    /// "10.0.3.0/24"
    pub cidr: String,
    /// As decimal text: an IPv6 count needs 128 bits.
    pub size: String,
    /// Every state that has some, with its count.
    pub states: Vec<(&'static str, String)>,
}

// === impl Contents ===

impl Contents {
    pub(super) fn of(backup: &Backup) -> Self {
        let (header, ledger) = (&backup.header, &backup.ledger);
        let bound = |state: &ClaimState| matches!(state, ClaimState::Bound { .. });
        Self {
            cluster_id: header.cluster_id.clone(),
            revision: header.revision,
            chain: hex(&header.chain),
            ledger_time_ms: header.ledger_time_ms,
            wall_time_ms: header.wall_time_ms,
            saved_wall_ms: header.saved_wall_ms,
            program_version: header.program_version.clone(),
            history_first_revision: header.history_first_revision,
            history_groups: backup.groups,
            replayed: backup.replayed,
            bytes: backup.bytes,
            allocations: ledger.allocations_len() as u64,
            claims: ledger.claims_len() as u64,
            claims_bound: ledger.claims().filter(|claim| bound(&claim.state)).count() as u64,
            nodes: ledger.nodes().map(|node| of_node(ledger, node)).collect(),
            vswitches: vswitches(ledger),
            recovery_waits_for: waits_for(ledger),
        }
    }
}

fn of_node(ledger: &Ledger, node: &Node) -> NodeSummary {
    let usage = ledger.usage(node.id).copied().unwrap_or_default();
    NodeSummary {
        name: node.name.to_string(),
        identity: node.identity.to_string(),
        allocations: usage.allocations,
        idle: usage.families.iter().map(|family| family.idle).sum(),
    }
}

/// RFC 3339, UTC.
pub fn moment(wall_ms: u64) -> String {
    let moment = UNIX_EPOCH.checked_add(Duration::from_millis(wall_ms));
    moment.map_or_else(
        || format!("{wall_ms} ms since 1970"),
        |moment| humantime::format_rfc3339_seconds(moment).to_string(),
    )
}

/// Addresses by state, by vSwitch.
pub fn vswitches(ledger: &Ledger) -> Vec<VSwitchSummary> {
    let one = |row: &std::sync::Arc<berth_domain::row::VSwitch>| {
        let counts = ledger.counts(row.id).unwrap_or_default();
        let families = counts.families().map(|(family, counts)| {
            let there = counts.states().into_iter().filter(|(_, count)| *count > 0);
            FamilySummary {
                cidr: row
                    .subnet(family)
                    .map_or_else(String::new, |subnet| subnet.cidr.to_string()),
                size: counts.size.to_string(),
                states: there
                    .map(|(state, count)| (state, count.to_string()))
                    .collect(),
            }
        });
        VSwitchSummary {
            name: row.name.to_string(),
            families: families.collect(),
        }
    };
    ledger.vswitches().map(one).collect()
}

fn waits_for(ledger: &Ledger) -> Option<Vec<String>> {
    let recovery = ledger.recovery().filter(|recovery| recovery.is_open())?;
    let name = |node: &berth_domain::id::NodeId| match ledger.node(*node) {
        Some(node) => node.name.to_string(),
        None => "nodes that the ledger does not know".into(),
    };
    Some(recovery.waiting.iter().map(name).collect())
}

impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "cluster      {}", self.cluster_id)?;
        writeln!(
            f,
            "revision     {}, hash {}",
            self.revision,
            &self.chain[..16.min(self.chain.len())]
        )?;
        let (saved, changed) = (moment(self.saved_wall_ms), moment(self.wall_time_ms));
        writeln!(
            f,
            "made         {saved}, by berthd {}",
            self.program_version
        )?;
        writeln!(
            f,
            "last change  {changed}, ledger time {} ms",
            self.ledger_time_ms
        )?;
        let checked = match self.replayed {
            true => "replayed: it gives the ledger",
            false => "its hashes join; too old ones are dropped, so it was not replayed",
        };
        let (groups, first) = (self.history_groups, self.history_first_revision);
        writeln!(
            f,
            "history      {groups} event groups from revision {first} on, {checked}"
        )?;
        writeln!(f, "allocations  {}", self.allocations)?;
        writeln!(
            f,
            "claims       {}, {} of them bound",
            self.claims, self.claims_bound
        )?;
        for node in &self.nodes {
            let NodeSummary {
                name,
                identity,
                allocations,
                idle,
            } = node;
            writeln!(
                f,
                "node         {name} ({identity}): {allocations} allocations, {idle} warm addresses"
            )?;
        }
        for vswitch in &self.vswitches {
            write!(f, "{vswitch}")?;
        }
        if let Some(nodes) = &self.recovery_waits_for {
            writeln!(f, "recovery     open, waits for {}", nodes.join(", "))?;
        }
        write!(
            f,
            "file         {} bytes, every checksum fits, every rule holds",
            self.bytes
        )
    }
}

impl fmt::Display for VSwitchSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for family in &self.families {
            let states = family.states.iter();
            let states: Vec<String> = states
                .map(|(state, count)| format!("{state} {count}"))
                .collect();
            let (name, cidr, size) = (&self.name, &family.cidr, &family.size);
            writeln!(
                f,
                "vSwitch      {name} {cidr}: size {size}, {}",
                states.join(", ")
            )?;
        }
        Ok(())
    }
}
