//! What a cluster's replicas are started with beside names, folders and ports.

use berth_client::TlsFiles;
use std::path::{Path, PathBuf};

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
