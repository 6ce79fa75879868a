//! One endpoint with its one connection, made when first needed and shared by all calls.

use std::fmt::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use crate::{Error, TlsFiles};

/// A host that does not answer a SYN at all; others are tried long before.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A peer that vanished without a word is found out after both of these.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// See [`KEEPALIVE_INTERVAL`].
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(3);

pub(crate) struct Route {
    name: String,
    endpoint: Endpoint,
    /// How many were made. Locked while connecting, so that a thousand calls at once make one connection.
    connecting: Mutex<u64>,
    connection: std::sync::Mutex<Option<Connection>>,
    /// Whether the other side has ever answered: until then it may be the certificate that it does not like.
    has_answered: AtomicBool,
}

/// A channel, and which of its route's it is.
#[derive(Clone)]
pub(crate) struct Connection {
    pub(crate) channel: Channel,
    number: u64,
}

// === impl Route ===

impl Route {
    pub(crate) fn new(name: &str, tls: Option<&ClientTlsConfig>) -> Result<Self, Error> {
        let endpoint = endpoint(name, tls).map_err(|reason| Error::Option {
            option: "endpoint",
            reason,
        })?;
        Ok(Self {
            name: name.to_owned(),
            endpoint,
            connecting: Mutex::new(0),
            connection: std::sync::Mutex::new(None),
            has_answered: AtomicBool::new(false),
        })
    }

    /// As it was given.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The other side answered, whatever it said.
    pub(crate) fn answered(&self) {
        self.has_answered.store(true, Ordering::Relaxed);
    }

    /// Why a connection broke, with what to look at if it was one over TLS on which nothing was ever answered: a server
    /// that refuses our certificate says so only then (TLS 1.3), and often the connection is gone before it is heard.
    pub(crate) fn broken(&self, reason: String, certificate: Option<&Path>) -> String {
        let never_answered = !self.has_answered.load(Ordering::Relaxed);
        match certificate {
            Some(path) if never_answered && self.name.starts_with("https:") => {
                let path = path.display();
                format!("{reason} (does it trust who signed the certificate {path}?)")
            }
            _ => reason,
        }
    }

    /// Whether a hint from here may lead there: never from an encrypted connection to a plain one.
    pub(crate) fn may_lead_to(&self, other: &str) -> bool {
        let scheme = |name: &str| name.split(':').next().map(str::to_ascii_lowercase);
        scheme(&self.name) == scheme(other)
    }

    /// The connection, if there is one.
    pub(crate) fn ready(&self) -> Option<Connection> {
        self.connection().clone()
    }

    /// The connection, made now if there is none.
    pub(crate) async fn connect(&self) -> Result<Connection, String> {
        let mut made = self.connecting.lock().await;
        if let Some(ready) = self.ready() {
            return Ok(ready);
        }
        let connected = self.endpoint.connect().await;
        let channel = connected.map_err(|error| chain(&error))?;
        *made += 1;
        let number = *made;
        let fresh = Connection { channel, number };
        *self.connection() = Some(fresh.clone());
        Ok(fresh)
    }

    /// The connection broke: the next call makes another, unless somebody has.
    pub(crate) fn forget(&self, broken: &Connection) {
        let mut connection = self.connection();
        if connection
            .as_ref()
            .is_some_and(|ready| ready.number == broken.number)
        {
            *connection = None;
        }
    }

    fn connection(&self) -> std::sync::MutexGuard<'_, Option<Connection>> {
        let connection = self.connection.lock();
        connection.unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A URI's port may be any number of digits; one that is none of TCP's would quietly be the scheme's own.
fn check_port(name: &str) -> Result<(), String> {
    let rest = match name.split_once("://") {
        Some(("http" | "https", rest)) => rest,
        _ => return Ok(()),
    };
    let authority = rest.split('/').next().unwrap_or_default();
    // Behind the bracket of an IPv6 address, which has colons itself.
    let behind = authority.rsplit(']').next().unwrap_or_default();
    match behind.rsplit_once(':') {
        Some((_, port)) if port.parse::<u16>().is_err() || port == "0" => Err(format!(
            "{name:?} has the port {port:?}; it must be 1 to 65535"
        )),
        _ => Ok(()),
    }
}

fn endpoint(name: &str, tls: Option<&ClientTlsConfig>) -> Result<Endpoint, String> {
    let encrypted = match name.split_once("://") {
        Some(("http" | "unix", _)) => false,
        Some(("https", _)) => true,
        _ => {
            return Err(format!(
                "{name:?} is not an endpoint; write \"http://host:port\", \"https://host:port\" or \"unix:///path\""
            ));
        }
    };
    check_port(name)?;
    let named = |error: tonic::transport::Error| format!("{name:?}: {}", chain(&error));
    let endpoint = Endpoint::from_shared(name.to_owned())
        .and_then(|endpoint| endpoint.user_agent(concat!("berth/", env!("CARGO_PKG_VERSION"))))
        .map_err(named)?
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true);
    match (encrypted, tls) {
        (false, _) => Ok(endpoint),
        (true, Some(tls)) => endpoint.tls_config(tls.clone()).map_err(named),
        (true, None) => Err(format!(
            "{name:?} needs TLS: name the file of the authority that signed its certificate"
        )),
    }
}

/// Reads the files. What is wrong with one of them is said here, with its name: later it would only be an unknown issuer.
pub(crate) fn tls(files: &TlsFiles) -> Result<ClientTlsConfig, Error> {
    let authority = Certificate::from_pem(pem("tls.ca", &files.authority, CERTIFICATE)?);
    let mut tls = ClientTlsConfig::new().ca_certificate(authority);
    try_out(&tls, "tls.ca", &files.authority)?;
    if let Some((certificate, key)) = &files.identity {
        let identity = Identity::from_pem(
            pem("tls.cert", certificate, CERTIFICATE)?,
            pem("tls.key", key, PRIVATE_KEY)?,
        );
        tls = tls.identity(identity);
        try_out(&tls, "tls.cert", certificate)?;
    }
    if let Some(name) = &files.server_name {
        tls = tls.domain_name(name.clone());
    }
    Ok(tls)
}

/// How PEM files of each kind say what they hold.
const CERTIFICATE: &str = "BEGIN CERTIFICATE";
/// "BEGIN EC PRIVATE KEY" and others.
const PRIVATE_KEY: &str = "PRIVATE KEY";

fn pem(option: &'static str, path: &Path, what: &str) -> Result<Vec<u8>, Error> {
    let refused = |reason: String| Error::Option {
        option,
        reason: format!("{}: {reason}", path.display()),
    };
    let bytes = std::fs::read(path).map_err(|error| refused(error.to_string()))?;
    // The library takes a file without any as one with none.
    match String::from_utf8_lossy(&bytes).contains(what) {
        true => Ok(bytes),
        false => Err(refused(format!(
            "there is no \"{what}\" in it: a PEM file is needed"
        ))),
    }
}

/// Whether the library takes what was read so far.
fn try_out(tls: &ClientTlsConfig, option: &'static str, path: &Path) -> Result<(), Error> {
    let endpoint = Endpoint::from_static("https://127.0.0.1");
    match endpoint.tls_config(tls.clone()) {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::Option {
            option,
            reason: format!("{}: {}", path.display(), chain(&error)),
        }),
    }
}

/// All causes in one line; tonic's own text is only "transport error".
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.ends_with(&next) {
            // Writing to a String cannot fail.
            write!(text, ": {next}").unwrap_or_default();
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::check_port;

    /// Promise: a port that there is not is refused, instead of another one being called.
    #[test]
    fn a_port_that_there_is_not_is_refused() {
        for bad in [
            "http://h:99999",
            "http://h:0",
            "https://h:x/y",
            "http://[::1]:70000",
        ] {
            assert!(
                check_port(bad).is_err_and(|said| said.contains("1 to 65535")),
                "{bad}"
            );
        }
        for good in [
            "http://h:7400",
            "http://h",
            "http://[::1]",
            "https://[::1]:7400/",
            "unix:///a:b",
        ] {
            assert_eq!(check_port(good), Ok(()), "{good}");
        }
    }
}
