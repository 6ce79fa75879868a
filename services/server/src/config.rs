//! What berthd is told: one TOML file, then the environment (`BERTH_*`), then flags; the later wins.
//!
//! [`Options`] is what was said, every key optional; [`Config`] is what holds, checked once.
//! Nothing behind this module looks at the environment or at a flag.

mod flags;
mod listeners;
mod member;
mod options;
mod start;
mod tls;

pub use flags::Flags;
pub use listeners::Listeners;
pub use member::MemberOption;
pub use options::{CloudName, LogFormat, Options};
pub use start::{Member, Start};
pub use tls::{Certificates, TlsFiles};

use crate::versions::Hold;
use berth_cloud::id::RegionId;
use berth_domain::id::NodeName;
use berth_domain::version::ClusterVersion;
use std::path::PathBuf;
use std::time::Duration;

/// Everything berthd needs to know, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// This replica's name; unique in the cluster.
    pub name: NodeName,
    /// Where log, history and identity are kept.
    pub data_directory: PathBuf,
    /// How the directory is to be taken: begun, joined or gone on with.
    pub start: Start,
    /// Where it listens, and what it says of that to others.
    pub listeners: Listeners,
    /// Certificates for the client listener; none = clear text.
    pub client_tls: Option<TlsFiles>,
    /// Certificates between replicas; none = clear text.
    pub peer_tls: Option<TlsFiles>,
    /// A snapshot is taken after so many log entries.
    pub snapshot_every_entries: u64,
    /// So many entries stay in the log behind a snapshot, for slow followers.
    pub snapshot_keep_entries: u64,
    /// One raft tick, ms.
    pub tick_ms: u64,
    /// When the cluster version rises, and how far.
    pub hold: Hold,
    /// Kept free on the disk for the last writes, MiB.
    pub ballast_mib: u64,
    /// Below so many free MiB the leader refuses ADD and admin writes.
    pub disk_low_mib: u64,
    /// In which region of which cloud ENIs are made; none = in none.
    pub cloud: Option<(CloudName, RegionId)>,
    /// Where traces go (OTLP over gRPC); none = nowhere.
    pub otlp_endpoint: Option<String>,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Which log lines there are, as `RUST_LOG` says it.
    pub log_filter: String,
}

/// What was said cannot hold. Names the key and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("config file {path} cannot be read")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not TOML, has a key that there is not, or a value of another type.
    #[error("config file {path}: {reason}")]
    File {
        /// Which.
        path: PathBuf,
        /// The line, the key and what was expected.
        reason: String,
    },
    /// One option has a value that it cannot have.
    #[error("option {key}: {reason}")]
    Option {
        /// The option, as in the file; a flag has `-` for `_`.
        key: &'static str,
        /// What is wrong, the limit, and what to do.
        reason: String,
    },
}

/// Bounds of the raft tick: under 10 ms an election would follow each disk stall, over 10 s nobody waits.
const TICK_MS: std::ops::RangeInclusive<u64> = 10..=10_000;

// === impl Config ===

impl Config {
    /// Checks what was said and fills in the rest.
    pub fn new(options: Options, flags: &Flags) -> Result<Self, Error> {
        let client_tls = tls::client(&options)?;
        let peer_tls = tls::peer(&options)?;
        let tick_ms = options.tick_ms.unwrap_or(options::TICK_MS);
        if !TICK_MS.contains(&tick_ms) {
            return Err(refuse(
                "tick_ms",
                format!(
                    "{tick_ms} is not from {} to {}",
                    TICK_MS.start(),
                    TICK_MS.end()
                ),
            ));
        }
        let snapshot_every_entries = positive(
            "snapshot_every_entries",
            options.snapshot_every_entries,
            options::SNAPSHOT_EVERY_ENTRIES,
        )?;
        Ok(Self {
            name: start::name(&options, flags)?,
            data_directory: start::data_directory(&options, flags)?,
            start: start::start(&options, flags)?,
            listeners: listeners::listeners(&options, client_tls.is_some(), peer_tls.is_some())?,
            client_tls,
            peer_tls,
            snapshot_every_entries,
            snapshot_keep_entries: options
                .snapshot_keep_entries
                .unwrap_or(options::SNAPSHOT_KEEP_ENTRIES),
            tick_ms,
            hold: hold(&options)?,
            ballast_mib: options.ballast_mib.unwrap_or(options::BALLAST_MIB),
            disk_low_mib: options.disk_low_mib.unwrap_or(options::DISK_LOW_MIB),
            cloud: cloud(&options)?,
            otlp_endpoint: options.otlp_endpoint.filter(|text| !text.is_empty()),
            log_format: options.log_format.unwrap_or_default(),
            log_filter: options
                .log_filter
                .unwrap_or_else(|| options::LOG_FILTER.into()),
        })
    }
}

impl Config {
    /// What was said, with what holds where nothing was.
    fn fill(self, said: Options) -> Options {
        let listeners = &self.listeners;
        let holding = Options {
            name: Some(self.name.to_string()),
            data_dir: Some(self.data_directory),
            listen_client: Some(listeners.client),
            listen_peer: Some(listeners.peer),
            listen_metrics: Some(listeners.metrics),
            insecure_listen: Some(false),
            snapshot_every_entries: Some(self.snapshot_every_entries),
            snapshot_keep_entries: Some(self.snapshot_keep_entries),
            tick_ms: Some(self.tick_ms),
            ballast_mib: Some(self.ballast_mib),
            disk_low_mib: Some(self.disk_low_mib),
            hold_cluster_version: self.hold.at.map(|at| at.0),
            cluster_version_hold_off_s: Some(self.hold.off.as_secs()),
            log_format: Some(self.log_format),
            log_filter: Some(self.log_filter),
            ..Options::default()
        };
        said.over(holding)
    }
}

/// A cloud has regions; a region alone is of none.
fn cloud(options: &Options) -> Result<Option<(CloudName, RegionId)>, Error> {
    let said = options.region.as_deref().filter(|text| !text.is_empty());
    match (options.cloud, said) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(refuse("region", "is of no cloud: say cloud too")),
        (Some(_), None) => Err(refuse(
            "region",
            "is missing: the cloud's, as in cn-hangzhou",
        )),
        (Some(cloud), Some(region)) => {
            let region = RegionId::new(region);
            let region = region.ok_or_else(|| refuse("region", "is not the name of a region"))?;
            Ok(Some((cloud, region)))
        }
    }
}

fn hold(options: &Options) -> Result<Hold, Error> {
    let key = "hold_cluster_version";
    let at = options.hold_cluster_version;
    let at = at.map(|at| positive(key, Some(at.into()), 1).map(|_| ClusterVersion(at)));
    let off_s = options.cluster_version_hold_off_s;
    let off_s = off_s.unwrap_or(options::CLUSTER_VERSION_HOLD_OFF_S);
    Ok(Hold {
        off: Duration::from_secs(off_s),
        at: at.transpose()?,
    })
}

fn refuse(key: &'static str, reason: impl Into<String>) -> Error {
    let reason = reason.into();
    Error::Option { key, reason }
}

fn positive(key: &'static str, said: Option<u64>, default: u64) -> Result<u64, Error> {
    match said.unwrap_or(default) {
        0 => Err(refuse(key, "0 is not allowed: the least is 1")),
        number => Ok(number),
    }
}

#[cfg(test)]
mod tests;
