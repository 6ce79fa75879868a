//! Where berthd listens. Without certificates only on loopback, unless that is spelled out (design §10).

use super::{Error, Options, refuse};
use berth_domain::id::Endpoint;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Where it listens, and what it says of that to others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listeners {
    /// For clients.
    pub client: SocketAddr,
    /// For replicas.
    pub peer: SocketAddr,
    /// For /metrics.
    pub metrics: SocketAddr,
    /// Told to clients; none = made from the bound address.
    pub advertise_client: Option<Endpoint>,
    /// Told to replicas; none = made from the bound address.
    pub advertise_peer: Option<Endpoint>,
}

const CLIENT_PORT: u16 = 7400;
const PEER_PORT: u16 = 7401;
const METRICS_PORT: u16 = 7402;

/// One listener as it is checked.
struct Said<'a> {
    key: &'static str,
    address: SocketAddr,
    secure: bool,
    advertise_key: &'static str,
    advertise: &'a Option<String>,
}

pub(super) fn listeners(
    options: &Options,
    client_secure: bool,
    peer_secure: bool,
) -> Result<Listeners, Error> {
    let client = Said {
        key: "listen_client",
        address: or_loopback(options.listen_client, CLIENT_PORT),
        secure: client_secure,
        advertise_key: "advertise_client",
        advertise: &options.advertise_client,
    };
    let peer = Said {
        key: "listen_peer",
        address: or_loopback(options.listen_peer, PEER_PORT),
        secure: peer_secure,
        advertise_key: "advertise_peer",
        advertise: &options.advertise_peer,
    };
    let metrics = or_loopback(options.listen_metrics, METRICS_PORT);
    let insecure_allowed = options.insecure_listen.unwrap_or(false);
    check_clear_text("listen_metrics", metrics, insecure_allowed)?;
    Ok(Listeners {
        client: client.address,
        peer: peer.address,
        metrics,
        advertise_client: client.check(insecure_allowed)?,
        advertise_peer: peer.check(insecure_allowed)?,
    })
}

/// Refuses clear text on an address that others can reach.
fn check_clear_text(key: &'static str, address: SocketAddr, allowed: bool) -> Result<(), Error> {
    if allowed || address.ip().is_loopback() {
        return Ok(());
    }
    let ip = address.ip();
    Err(refuse(
        key,
        format!(
            "{ip} is not a loopback address and there are no certificates for it: \
             set the tls_* options, or say --insecure-listen if everybody who reaches it may be obeyed"
        ),
    ))
}

// === impl Said ===

impl Said<'_> {
    fn check(&self, insecure_allowed: bool) -> Result<Option<Endpoint>, Error> {
        check_clear_text(self.key, self.address, insecure_allowed || self.secure)?;
        let scheme = if self.secure { "https" } else { "http" };
        match self.advertise {
            Some(text) => endpoint(self.advertise_key, text, scheme).map(Some),
            None if self.address.ip().is_unspecified() => {
                let (key, ip) = (self.key, self.address.ip());
                let reason = format!(
                    "missing: {key} is {ip}, which nobody can call; say e.g. {scheme}://HOST:{}",
                    self.address.port()
                );
                Err(refuse(self.advertise_key, reason))
            }
            None => Ok(None),
        }
    }
}

/// An endpoint's text, with the scheme that its listener speaks.
pub(super) fn endpoint(key: &'static str, text: &str, scheme: &str) -> Result<Endpoint, Error> {
    let rest = text
        .strip_prefix(scheme)
        .and_then(|rest| rest.strip_prefix("://"));
    let port = rest.and_then(|rest| rest.trim_end_matches('/').rsplit_once(':'));
    match port {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
            Endpoint::new(text.trim_end_matches('/'))
                .map_err(|error| refuse(key, error.to_string()))
        }
        _ => Err(refuse(
            key,
            format!("{text:?} is not of the form {scheme}://HOST:PORT"),
        )),
    }
}

fn or_loopback(said: Option<SocketAddr>, port: u16) -> SocketAddr {
    said.unwrap_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
}
