//! This replica's state at the moment of a scrape: address states, raft's numbers, broken rules that are cheap to see.

use crate::failure::Failure;
use crate::leader::Gate;
use crate::peer::Links;
use berth_domain::Ledger;
use berth_domain::ledger::{FamilyCounts, Sizes};
use berth_raft::status::Status;
use berth_telemetry::{Gauge, GaugeFamily, Registry, Unit};

/// One set per process; clones share it.
#[derive(Clone)]
pub struct Gauges {
    addresses: GaugeFamily,
    sizes: GaugeFamily,
    rows: GaugeFamily,
    violations: GaugeFamily,
    raft: GaugeFamily,
    matched: GaugeFamily,
    snapshot: Gauge,
    sync: Gauge,
    leader: Gauge,
    ready: Gauge,
    revision: Gauge,
    history: Gauge,
    dropped: Gauge,
    stale: Gauge,
    links: Links,
}

/// What one turn on the replica's thread brings along.
struct Seen {
    vswitches: Vec<(String, &'static str, FamilyCounts)>,
    rows: Sizes,
    revision: u64,
    status: Status,
}

// === impl Gauges ===

impl Gauges {
    /// Registers its metrics.
    pub fn register(registry: &Registry, links: Links) -> Self {
        let plain = |name, help| registry.gauge(name, Unit::None, help);
        let family = |name, help, labels| registry.gauge_family(name, Unit::None, help, labels);
        let one = registry.gauge_family("build", Unit::None, "The version that runs", &["version"]);
        one.with(&[env!("CARGO_PKG_VERSION")]).set(1.0);
        Self {
            addresses: family(
                "addresses",
                "Addresses of a vSwitch by state; all states together are its size",
                &["vswitch", "family", "state"],
            ),
            sizes: family(
                "vswitch_size",
                "Addresses of a vSwitch",
                &["vswitch", "family"],
            ),
            rows: family("ledger_rows", "Rows of the ledger by kind", &["kind"]),
            violations: family(
                "invariant_violations",
                "vSwitches that break a rule now, by the rule's id; anything but 0 is a defect",
                &["id"],
            ),
            raft: family("raft", "The replica's own numbers", &["number"]),
            matched: family(
                "raft_member_matched_index",
                "On the leader: how far each member's log is",
                &["member"],
            ),
            snapshot: registry.gauge(
                "raft_snapshot",
                Unit::Seconds,
                "This replica's newest snapshot, from freezing to staged; 0 = none since its start",
            ),
            sync: registry.gauge(
                "raft_sync",
                Unit::Seconds,
                "One durable write of the log, moving average",
            ),
            leader: plain("raft_is_leader", "1 on the leader"),
            ready: plain("raft_is_ready", "1 on a leader that serves"),
            revision: plain("revision", "The ledger's revision on this replica"),
            history: plain(
                "history_through_revision",
                "The history is durable up to here",
            ),
            dropped: plain(
                "peer_messages_dropped",
                "Raft messages dropped for want of a link or room since the start",
            ),
            stale: plain(
                "scrape_is_stale",
                "1 if the replica's thread did not answer this scrape in time",
            ),
            links,
        }
    }

    /// Reads everything anew from this replica, leader or not.
    pub async fn refresh(&self, gate: &Gate) -> Result<(), Failure> {
        let seen = gate.read_stale(look).await?;
        self.show_addresses(&seen);
        self.show_raft(&seen.status);
        let Sizes {
            nodes,
            allocations,
            claims,
            tombstones,
            requests,
            members,
            vswitches,
            ..
        } = seen.rows;
        for (kind, count) in [
            ("node", nodes),
            ("allocation", allocations),
            ("claim", claims),
            ("tombstone", tombstones),
            ("request", requests),
            ("member", members),
            ("vswitch", vswitches),
        ] {
            self.rows.with(&[kind]).set(count as f64);
        }
        self.revision.set(seen.revision as f64);
        self.history.set(gate.history().through().0 as f64);
        self.dropped.set(self.links.dropped() as f64);
        Ok(())
    }

    /// Whether the gauges could not be read anew.
    pub fn stale(&self, stale: bool) {
        self.stale.set(f64::from(u8::from(stale)));
    }

    fn show_addresses(&self, seen: &Seen) {
        // A vSwitch that was deleted must not go on being shown.
        self.addresses.clear();
        self.sizes.clear();
        let mut broken = 0;
        for (vswitch, family, counts) in &seen.vswitches {
            self.sizes.with(&[vswitch, family]).set(counts.size as f64);
            for (state, count) in counts.states() {
                self.addresses
                    .with(&[vswitch, family, state])
                    .set(count as f64);
            }
            broken += u32::from(!counts.conserved());
        }
        self.violations.with(&["A9"]).set(f64::from(broken));
    }

    fn show_raft(&self, status: &Status) {
        for (number, value) in [
            ("term", status.role.term),
            ("commit_index", status.commit),
            ("applied_index", status.applied),
            ("first_index", status.first_index),
            ("last_index", status.last_index),
            ("persisted_index", status.persisted_index),
            (
                "snapshot_index",
                status
                    .snapshot
                    .as_ref()
                    .map_or(0, |snapshot| snapshot.index),
            ),
            ("proposals_dropped", status.proposals_dropped),
            ("messages_refused", status.messages_refused),
        ] {
            self.raft.with(&[number]).set(value as f64);
        }
        self.matched.clear();
        for member in &status.members {
            self.matched
                .with(&[&member.member.to_string()])
                .set(member.matched as f64);
        }
        self.snapshot.set(status.snapshot_micros as f64 / 1e6);
        self.sync.set(status.sync_micros as f64 / 1e6);
        self.leader.set(f64::from(u8::from(status.role.leads())));
        self.ready.set(f64::from(u8::from(
            status.role.leads() && status.role.ready,
        )));
    }
}

fn look(ledger: &Ledger, status: &Status) -> Seen {
    let mut vswitches = Vec::new();
    for vswitch in ledger.vswitches() {
        let counts = ledger.counts(vswitch.id);
        for (family, counts) in counts.iter().flat_map(|counts| counts.families()) {
            let family = match family {
                berth_domain::address::Family::V4 => "ipv4",
                berth_domain::address::Family::V6 => "ipv6",
            };
            vswitches.push((vswitch.name.to_string(), family, *counts));
        }
    }
    Seen {
        vswitches,
        rows: ledger.sizes(),
        revision: ledger.revision().0,
        status: status.clone(),
    }
}
