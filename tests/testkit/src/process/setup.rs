//! What a cluster's replicas are started with beside names, folders and ports.

use berth_client::TlsFiles;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::certificates::Files;

/// Nothing = clear text, all options at their defaults.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Flags of every replica.
    pub flags: Vec<String>,
    /// With which certificates an administrator calls; with some, the client listeners speak TLS.
    pub administrator: Option<TlsFiles>,
    /// The replica alone begins with a copy of this data directory.
    pub data: Option<PathBuf>,
    /// The replica alone goes on in this data directory, which something else has made.
    pub made: Option<PathBuf>,
    /// Another program than `berthd`.
    pub program: Option<String>,
    /// Of its environment.
    pub variables: Vec<(String, String)>,
    /// Replicas reach each other through something else.
    pub peers: Option<PeersThrough>,
    /// The replica at this place runs `berthd-planted` without this safeguard.
    pub planted: Option<(usize, String)>,
}

/// Given the port on which a replica listens for the others, the port that these are told.
#[derive(Clone)]
pub struct PeersThrough(Arc<dyn Fn(u16) -> u16 + Send + Sync>);

// === impl PeersThrough ===

impl PeersThrough {
    pub(super) fn told(&self, port: u16) -> u16 {
        (self.0)(port)
    }
}

impl fmt::Debug for PeersThrough {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PeersThrough")
    }
}

// === impl Setup ===

impl Setup {
    /// One flag more, with its value.
    pub fn flag(mut self, name: &str, value: &str) -> Self {
        self.flags.extend([name.to_owned(), value.to_owned()]);
        self
    }

    /// One replica that goes on with a copy of a data directory.
    pub fn on(self, data: &Path) -> Self {
        Self {
            data: Some(data.to_owned()),
            ..self
        }
    }

    /// One replica that goes on in a data directory that `berthd` has made otherwise.
    pub fn made(self, data: &Path) -> Self {
        Self {
            made: Some(data.to_owned()),
            ..self
        }
    }

    /// Replicas that run this program.
    pub fn program(self, program: &str) -> Self {
        Self {
            program: Some(program.to_owned()),
            ..self
        }
    }

    /// With one replica, by its place, in which a safeguard is taken out.
    pub fn planted(self, at: usize, switch: &str) -> Self {
        Self {
            planted: Some((at, switch.to_owned())),
            ..self
        }
    }

    /// Replicas that reach each other through something that is made for each port on which one listens.
    pub fn peers_through(self, through: impl Fn(u16) -> u16 + Send + Sync + 'static) -> Self {
        Self {
            peers: Some(PeersThrough(Arc::new(through))),
            ..self
        }
    }

    /// What the replica at this place runs, instead of `berthd`.
    pub(super) fn of(&self, at: usize) -> Self {
        match &self.planted {
            Some((place, switch)) if *place == at => self
                .clone()
                .program("berthd-planted")
                .variable("BERTH_PLANTED", switch),
            _ => self.clone(),
        }
    }

    /// One variable more.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Client listeners that speak TLS with the server's files; the administrator's are for readiness.
    pub fn client_tls(self, server: &Files, administrator: &Files) -> Self {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let secure = self
            .flag("--tls-client-ca", &text(&server.ca))
            .flag("--tls-client-cert", &text(&server.cert))
            .flag("--tls-client-key", &text(&server.key));
        Self {
            administrator: Some(administrator.client()),
            ..secure
        }
    }
}

// === impl Files ===

impl Files {
    /// For a client.
    pub fn client(&self) -> TlsFiles {
        TlsFiles {
            authority: self.ca.clone(),
            identity: Some((self.cert.clone(), self.key.clone())),
            server_name: None,
        }
    }
}
