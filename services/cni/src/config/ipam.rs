//! Our own object: where the servers are, which node this is, how long to wait.

use std::path::PathBuf;
use std::time::Duration;

use super::routes::Route;
use super::section::Section;
use super::spelling;
use crate::error::Error;

/// Every key that means something here.
pub const KEYS: [&str; 10] = [
    "type",
    "endpoints",
    "socket",
    "node",
    "vswitch",
    "deadline_ms",
    "cluster",
    "tls",
    "routes",
    "status_fails_when_full",
];
const TLS_KEYS: [&str; 3] = ["ca", "cert", "key"];

/// Shown when the object is missing.
pub const EXAMPLE: &str = r#"{"type": "berth-cni", "endpoints": ["http://127.0.0.1:7400"]}"#;

/// Below it nothing could be finished; no runtime waits longer than two minutes.
const DEADLINE_MS: std::ops::RangeInclusive<u64> = 1_000..=120_000;
/// Long enough for an election, short enough that the kubelet's retry comes soon.
const DEADLINE_DEFAULT_MS: u64 = 30_000;
/// A cluster has three or five replicas.
const ENDPOINTS_MAX: usize = 16;
/// Berth's limit of a node's name: that of a DNS name.
const NODE_BYTES_MAX: usize = 253;
/// Berth's limit of a cluster's or a vSwitch's name.
const NAME_BYTES_MAX: usize = 63;
/// One Kubernetes cluster needs no name.
const CLUSTER_DEFAULT: &str = "default";

/// `ipam`, checked.
#[derive(Clone, Debug)]
pub struct Ipam {
    /// `endpoints` or `socket`.
    pub server: Server,
    /// `node`; the host's name in lower case, as the kubelet has it, if it is left out.
    pub node: String,
    /// `vswitch`; empty = the server picks one.
    pub vswitch: String,
    /// `deadline_ms`, counted from the start of this program.
    pub deadline: Duration,
    /// `cluster`
    pub cluster: String,
    /// `routes`, handed to the main plugin.
    pub routes: Vec<Route>,
    /// `status_fails_when_full`: whether STATUS fails for nothing but that no address is left. By default it does not: a
    /// kubelet would call the whole node not ready, with all the pods that run well on it.
    pub status_fails_when_full: bool,
}

/// Who is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Server {
    /// The replicas: "http://host:port", or "https://…" with certificates.
    Endpoints {
        /// At least one.
        endpoints: Vec<String>,
        /// For https.
        tls: Option<Tls>,
    },
    /// The node's agent.
    Socket(String),
}

/// PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Who signs the servers' certificates.
    pub ca: PathBuf,
    /// This node's certificate.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

// === impl Ipam ===

impl Ipam {
    /// Refuses with the key at fault.
    pub fn read(section: &Section<'_>) -> Result<Self, Error> {
        spelling::check(section, &KEYS)?;
        Ok(Self {
            server: Server::read(section)?,
            node: node(section)?,
            vswitch: name(section, "vswitch", "", NAME_BYTES_MAX)?,
            deadline: deadline(section)?,
            cluster: name(section, "cluster", CLUSTER_DEFAULT, NAME_BYTES_MAX)?,
            routes: Route::read_all(section)?,
            status_fails_when_full: section.truth("status_fails_when_full")?.unwrap_or(false),
        })
    }
}

// === impl Server ===

impl Server {
    fn read(section: &Section<'_>) -> Result<Self, Error> {
        let endpoints = section.texts("endpoints")?;
        let socket = section.text("socket")?;
        match (endpoints, socket) {
            (Some(_), Some(_)) => Err(Error::config(
                "ipam.endpoints and ipam.socket are both set; leave one out",
            )),
            (None, None) => Err(Error::config(format!(
                "ipam.endpoints is missing; it should be like {EXAMPLE}"
            ))),
            (None, Some(socket)) if socket.starts_with('/') => Ok(Self::Socket(socket)),
            (None, Some(socket)) => Err(Error::config(format!(
                "ipam.socket is {socket:?}; it must be a whole path such as \"/run/berth/agent.sock\""
            ))),
            (Some(endpoints), None) => Self::of_endpoints(section, endpoints),
        }
    }

    fn of_endpoints(section: &Section<'_>, endpoints: Vec<String>) -> Result<Self, Error> {
        let count = endpoints.len();
        if count == 0 || count > ENDPOINTS_MAX {
            let message = format!("ipam.endpoints has {count} items (1 to {ENDPOINTS_MAX})");
            return Err(Error::config(message));
        }
        let tls = section.section("tls")?;
        let tls = tls.map(|tls| Tls::read(&tls)).transpose()?;
        for (at, endpoint) in endpoints.iter().enumerate() {
            let secure = endpoint.starts_with("https://");
            if !secure && !endpoint.starts_with("http://") {
                return Err(Error::config(format!(
                    "ipam.endpoints[{at}] is {endpoint:?}; it must be like \"http://127.0.0.1:7400\""
                )));
            }
            if secure && tls.is_none() {
                return Err(Error::config(format!(
                    "ipam.endpoints[{at}] is {endpoint:?}, but ipam.tls is missing: ca, cert and key"
                )));
            }
        }
        Ok(Self::Endpoints { endpoints, tls })
    }
}

// === impl Tls ===

impl Tls {
    fn read(section: &Section<'_>) -> Result<Self, Error> {
        spelling::check(section, &TLS_KEYS)?;
        let file = |key: &str| match section.text(key)? {
            Some(path) => Ok(PathBuf::from(path)),
            None => Err(Error::config(format!(
                "{} is missing: a PEM file",
                section.path_of(key)
            ))),
        };
        Ok(Self {
            ca: file("ca")?,
            cert: file("cert")?,
            key: file("key")?,
        })
    }
}

fn name(section: &Section<'_>, key: &str, default: &str, limit: usize) -> Result<String, Error> {
    let text = section.text(key)?.unwrap_or_default();
    if text.is_empty() {
        return Ok(default.to_owned());
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let path = section.path_of(key);
    if text.len() > limit {
        let message = format!("{path} has {} bytes (at most {limit})", text.len());
        return Err(Error::config(message));
    }
    match text.chars().find(|c| !plain(*c)) {
        None => Ok(text),
        Some(bad) => Err(Error::config(format!(
            "{path} is {text:?}, with the character {bad:?}; letters, digits and _ . - are allowed"
        ))),
    }
}

fn node(section: &Section<'_>) -> Result<String, Error> {
    let host = rustix::system::uname();
    let host = host.nodename().to_string_lossy().trim().to_lowercase();
    name(section, "node", &host, NODE_BYTES_MAX)
}

fn deadline(section: &Section<'_>) -> Result<Duration, Error> {
    let milliseconds = section
        .number("deadline_ms")?
        .unwrap_or(DEADLINE_DEFAULT_MS);
    if DEADLINE_MS.contains(&milliseconds) {
        return Ok(Duration::from_millis(milliseconds));
    }
    Err(Error::config(format!(
        "ipam.deadline_ms is {milliseconds}; it must be {} to {}",
        DEADLINE_MS.start(),
        DEADLINE_MS.end()
    )))
}
