//! One endpoint with its one connection, made when first needed and shared by all calls.

use std::fmt::Write;
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
        })
    }

    /// As it was given.
    pub(crate) fn name(&self) -> &str {
        &self.name
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

/// Reads the files.
pub(crate) fn tls(files: &TlsFiles) -> Result<ClientTlsConfig, Error> {
    let read = |option, path: &std::path::Path| {
        std::fs::read(path).map_err(|error| Error::Option {
            option,
            reason: format!("{}: {error}", path.display()),
        })
    };
    let authority = Certificate::from_pem(read("tls.ca", &files.authority)?);
    let mut tls = ClientTlsConfig::new().ca_certificate(authority);
    if let Some((certificate, key)) = &files.identity {
        let (certificate, key) = (read("tls.cert", certificate)?, read("tls.key", key)?);
        tls = tls.identity(Identity::from_pem(certificate, key));
    }
    if let Some(name) = &files.server_name {
        tls = tls.domain_name(name.clone());
    }
    Ok(tls)
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
