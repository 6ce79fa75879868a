//! Brings everything up in order, keeps it up until a signal or a fault, takes it down in order.
//!
//! Up: listeners bound → directory taken → replica running → replicas served → clients served.
//! Down: leadership handed over → clients answered → replicas left → threads ended.

mod begin;
mod doors;
mod health;
mod listener;
mod running;
mod signals;

use crate::config::{self, Certificates, Config, Flags, LogFormat};
use begin::{Advertised, begin};
use berth_domain::id::Endpoint;
use berth_telemetry as telemetry;
use listener::Listener;
use running::Running;
use signals::Signals;
use std::io;
use std::net::SocketAddr;
use tokio::task::LocalSet;
use tracing::info;

/// Why the server did not come up, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An option.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// Log lines or traces.
    #[error(transparent)]
    Telemetry(#[from] telemetry::Error),
    /// A thread or a signal handler could not be had from the system.
    #[error("the system gives no {what}")]
    System {
        /// What was wanted.
        what: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// An address cannot be listened on.
    #[error("option {key}: {address} cannot be listened on")]
    Listen {
        /// The option.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The data directory.
    #[error(transparent)]
    Store(#[from] berth_store::Error),
    /// The log in it.
    #[error(transparent)]
    Log(#[from] berth_raft::log_store::Error),
    /// The cluster did not take this replica in.
    #[error("joining the cluster")]
    Join(#[from] crate::peer::join::Error),
    /// The cluster does not have this replica any more.
    #[error(transparent)]
    Refused(#[from] crate::peer::Refused),
    /// The cloud's client.
    #[error("the cloud cannot be asked")]
    Cloud(#[from] berth_cloud::alibaba::client::SetupError),
    /// The replica did not start.
    #[error("the replica did not start")]
    Engine(#[from] crate::engine::Error),
    /// A listener broke.
    #[error("a listener broke")]
    Door(#[from] doors::Error),
    /// The listener of /metrics broke.
    #[error("the listener of /metrics broke")]
    Metrics(#[from] io::Error),
    /// The replica stopped by itself.
    #[error("the replica stopped: {0}")]
    Stopped(String),
}

/// Runs until a signal or a fault. Everything but the replica's own threads shares this one.
pub fn run(flags: &Flags) -> Result<(), Error> {
    let config = flags.load()?;
    // First of all: what sled's own threads only log must stop this replica.
    berth_store::background::install()?;
    let _telemetry = telemetry::init(telemetry_options(&config))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| system("runtime", source))?;
    // What is still spawned when this ends is dropped inside the runtime, as its timers need it.
    let _inside = runtime.enter();
    let local = LocalSet::new();
    local.block_on(&runtime, serve(&config))
}

fn telemetry_options(config: &Config) -> telemetry::Options {
    telemetry::Options {
        instance: config.name.to_string(),
        filter: Some(config.log_filter.clone()),
        format: match config.log_format {
            LogFormat::Human => telemetry::Format::Human,
            LogFormat::Json => telemetry::Format::Json,
        },
        otlp_endpoint: config.otlp_endpoint.clone(),
        ..telemetry::Options::new("berthd")
    }
}

fn system(what: &'static str, source: io::Error) -> Error {
    Error::System { what, source }
}

/// The three listeners, bound.
pub(crate) struct Bound {
    client: Listener,
    peer: Listener,
    metrics: Listener,
}

async fn serve(config: &Config) -> Result<(), Error> {
    let mut signals = Signals::catch().map_err(|source| system("signal handler", source))?;
    let bound = Bound::new(config).await?;
    let client_certificates = read(config.client_tls.as_ref())?;
    let peer_certificates = read(config.peer_tls.as_ref())?;
    let advertised = bound.advertised(config);
    let (client, peer, metrics) = (
        bound.client.address,
        bound.peer.address,
        bound.metrics.address,
    );
    // A replica that joins may wait here for minutes.
    let begun = tokio::select! {
        begun = begin(config, &advertised, peer_certificates.as_ref()) => begun?,
        () = signals.first() => return Ok(()),
    };
    let member = begun.myself.member;
    let (cluster, tls) = (
        begun.myself.cluster_id.clone(),
        client_certificates.is_some(),
    );
    let mut running = Running::start(config, begun, advertised, peer_certificates)?;
    running.open(bound, client_certificates);
    info!(%client, %peer, %metrics, %member, cluster, tls, version = env!("CARGO_PKG_VERSION"), "listening");
    let ended = match running.until_known(&mut signals).await {
        Err(error) => Err(error),
        Ok(false) => Ok(()),
        Ok(true) => {
            // Tools wait for this line and read its fields.
            info!(%client, %peer, %metrics, %member, cluster, tls, "ready");
            tokio::select! {
                () = signals.first() => Ok(()),
                error = running.broken() => Err(error),
            }
        }
    };
    tokio::select! {
        () = running.down() => {}
        () = signals.second() => {}
    }
    ended
}

fn read(files: Option<&config::TlsFiles>) -> Result<Option<Certificates>, Error> {
    Ok(files.map(config::TlsFiles::read).transpose()?)
}

// === impl Bound ===

impl Bound {
    async fn new(config: &Config) -> Result<Self, Error> {
        let listeners = &config.listeners;
        Ok(Self {
            client: bind("listen_client", listeners.client).await?,
            peer: bind("listen_peer", listeners.peer).await?,
            metrics: bind("listen_metrics", listeners.metrics).await?,
        })
    }

    fn advertised(&self, config: &Config) -> Advertised {
        let made = |address: SocketAddr, secure: bool| {
            let scheme = if secure { "https" } else { "http" };
            Endpoint::new(&format!("{scheme}://{address}")).expect("short") // a socket address is short and graphic
        };
        let listeners = &config.listeners;
        let client = || made(self.client.address, config.client_tls.is_some());
        let peer = || made(self.peer.address, config.peer_tls.is_some());
        Advertised {
            client: listeners.advertise_client.clone().unwrap_or_else(client),
            peer: listeners.advertise_peer.clone().unwrap_or_else(peer),
        }
    }
}

async fn bind(key: &'static str, address: SocketAddr) -> Result<Listener, Error> {
    let bound = Listener::bind(address).await;
    bound.map_err(|source| Error::Listen {
        key,
        address,
        source,
    })
}
