//! Every option once: its key in the file, its variable, its flag and its help text.

use super::{Error, MemberOption};
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Elections begin after half a second to a second without a leader: the next one serves well within 1.5 s.
pub(super) const TICK_MS: u64 = 50;
/// About 50 MB of log at full batches; a restart replays it in a second or two.
pub(super) const SNAPSHOT_EVERY_ENTRIES: u64 = 20_000;
/// A follower that was away for less is caught up from the log instead of by a snapshot.
pub(super) const SNAPSHOT_KEEP_ENTRIES: u64 = 5_000;
/// Long enough to see that an upgrade went well, or to go back by one restart.
pub(super) const CLUSTER_VERSION_HOLD_OFF_S: u64 = 60;
pub(super) const BALLAST_MIB: u64 = 64;
pub(super) const DISK_LOW_MIB: u64 = 256;
pub(super) const LOG_FILTER: &str = "info";

/// What was said, by whichever way. Unknown keys are refused by name.
#[derive(Args, Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// This replica's name; unique in the cluster [default: the host's name, or "dev" with --dev]
    #[arg(long, env = "BERTH_NAME")]
    pub name: Option<String>,
    /// Where log, history and identity are kept [default with --dev: ./berth-data]
    #[arg(long, env = "BERTH_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Where clients are served (gRPC) [default: 127.0.0.1:7400]
    #[arg(long, env = "BERTH_LISTEN_CLIENT")]
    pub listen_client: Option<SocketAddr>,
    /// Where other replicas are served (gRPC) [default: 127.0.0.1:7401]
    #[arg(long, env = "BERTH_LISTEN_PEER")]
    pub listen_peer: Option<SocketAddr>,
    /// Where /metrics is served (HTTP) [default: 127.0.0.1:7402]
    #[arg(long, env = "BERTH_LISTEN_METRICS")]
    pub listen_metrics: Option<SocketAddr>,
    /// What clients are told to call: "http://10.0.0.5:7400" [default: made from listen_client]
    #[arg(long, env = "BERTH_ADVERTISE_CLIENT")]
    pub advertise_client: Option<String>,
    /// What other replicas are told to call: "http://10.0.0.5:7401" [default: made from listen_peer]
    #[arg(long, env = "BERTH_ADVERTISE_PEER")]
    pub advertise_peer: Option<String>,
    /// Allows clear-text listeners on other than loopback addresses: anybody who reaches them is obeyed
    #[arg(long, env = "BERTH_INSECURE_LISTEN", num_args = 0..=1, default_missing_value = "true")]
    pub insecure_listen: Option<bool>,
    /// The name of the whole cluster's identity; the same on all replicas [default: a digest of the members]
    #[arg(long, env = "BERTH_CLUSTER_ID")]
    pub cluster_id: Option<String>,
    /// A replica of a new cluster, repeated: name=berth-1,client=http://…:7400,peer=http://…:7401[,id=1]
    #[arg(
        long = "member",
        env = "BERTH_MEMBERS",
        value_name = "MEMBER",
        value_delimiter = ';'
    )]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<MemberOption>,
    /// CA that signed the clients' certificates (PEM); with it every client must show one
    #[arg(long, env = "BERTH_TLS_CLIENT_CA")]
    pub tls_client_ca: Option<PathBuf>,
    /// Certificate shown to clients (PEM)
    #[arg(long, env = "BERTH_TLS_CLIENT_CERT")]
    pub tls_client_cert: Option<PathBuf>,
    /// Its key (PEM)
    #[arg(long, env = "BERTH_TLS_CLIENT_KEY")]
    pub tls_client_key: Option<PathBuf>,
    /// CA that signed the replicas' certificates (PEM); best another one than the clients'
    #[arg(long, env = "BERTH_TLS_PEER_CA")]
    pub tls_peer_ca: Option<PathBuf>,
    /// Certificate shown to other replicas, as server and as client (PEM)
    #[arg(long, env = "BERTH_TLS_PEER_CERT")]
    pub tls_peer_cert: Option<PathBuf>,
    /// Its key (PEM)
    #[arg(long, env = "BERTH_TLS_PEER_KEY")]
    pub tls_peer_key: Option<PathBuf>,
    /// A snapshot is taken after so many log entries [default: 20000]
    #[arg(long, env = "BERTH_SNAPSHOT_EVERY_ENTRIES")]
    pub snapshot_every_entries: Option<u64>,
    /// So many entries stay in the log behind a snapshot [default: 5000]
    #[arg(long, env = "BERTH_SNAPSHOT_KEEP_ENTRIES")]
    pub snapshot_keep_entries: Option<u64>,
    /// One raft tick in ms; heartbeats are two, elections ten to twenty [default: 50]
    #[arg(long, env = "BERTH_TICK_MS")]
    pub tick_ms: Option<u64>,
    /// The cluster version is never raised above this one; older programs can be gone back to [default: no limit]
    #[arg(long, env = "BERTH_HOLD_CLUSTER_VERSION")]
    pub hold_cluster_version: Option<u32>,
    /// It is raised once every member has been able to apply the next for so many seconds [default: 60]
    #[arg(long, env = "BERTH_CLUSTER_VERSION_HOLD_OFF_S")]
    pub cluster_version_hold_off_s: Option<u64>,
    /// Kept free on the disk for the last writes, MiB [default: 64]
    #[arg(long, env = "BERTH_BALLAST_MIB")]
    pub ballast_mib: Option<u64>,
    /// Below so many free MiB the leader refuses ADD and admin writes [default: 256]
    #[arg(long, env = "BERTH_DISK_LOW_MIB")]
    pub disk_low_mib: Option<u64>,
    /// The cloud that makes network interfaces for nodes in pools [default: none, a routed network]
    #[arg(long, env = "BERTH_CLOUD", requires = "region")]
    pub cloud: Option<CloudName>,
    /// Its region: "cn-hangzhou"; keys and endpoints come from the environment, as `berthctl cloud preflight` has them
    #[arg(long, env = "BERTH_REGION")]
    pub region: Option<String>,
    /// Where traces go, OTLP over gRPC: "http://127.0.0.1:4317" [default: nowhere]
    #[arg(long, env = "BERTH_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<String>,
    /// How log lines look [default: human]
    #[arg(long, env = "BERTH_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,
    /// Which log lines there are: "info", "berthd=debug,warn" [default: info]
    #[arg(long, env = "BERTH_LOG_FILTER")]
    pub log_filter: Option<String>,
}

/// Which cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum CloudName {
    /// Alibaba Cloud, or what speaks like it.
    Alibaba,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON object per line.
    Json,
}

// === impl Options ===

impl Options {
    /// What the file says; a key that there is not is refused by name and line.
    pub fn from_file(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(|source| Error::Read {
            path: path.into(),
            source,
        })?;
        toml::from_str(&text).map_err(|error| Error::File {
            path: path.into(),
            reason: error.to_string(),
        })
    }

    /// These options, with `below`'s where these say nothing.
    pub fn over(self, below: Self) -> Self {
        let mut merged = table(&below);
        merged.extend(table(&self));
        // Both halves came from this type, so their union is of it.
        merged.try_into().unwrap_or(self)
    }

    /// As a file would say it.
    pub fn to_toml(&self) -> String {
        table(self).to_string()
    }
}

fn table(options: &Options) -> toml::Table {
    // Every field is a string, a number, a truth value or a list of tables of such.
    toml::Table::try_from(options).unwrap_or_default()
}
