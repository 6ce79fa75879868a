//! How to reach Berth, and for how long to try.

use std::path::PathBuf;
use std::time::Duration;

/// What a client is made from. [`crate::Client::new`] checks it.
#[derive(Clone, Debug)]
pub struct Options {
    /// "http://host:port", "https://host:port" or "unix:///path", at least one. The first is tried first.
    pub endpoints: Vec<String>,
    /// Needed for https.
    pub tls: Option<TlsFiles>,
    /// For each call, in all, unless [`crate::Client::until`] says otherwise.
    pub deadline: Duration,
    /// Whether to go on trying until the deadline when nobody listens at any endpoint, as a shim must; a person who
    /// mistyped an endpoint wants to hear of it at once. A leader that is being elected is waited for in both cases.
    pub wait_for_server: bool,
    /// W3C `traceparent` to send along, as it came.
    pub traceparent: Option<String>,
}

/// PEM files, read when the client is made.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// Who signed the servers' certificates. None is not "anyone": then nothing is trusted.
    pub authority: PathBuf,
    /// Our certificate and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// The name that servers' certificates carry, if it is not the endpoint's host.
    pub server_name: Option<String>,
}

/// A call that takes longer is of no use to a person, and a runtime gives its own deadline.
const DEADLINE_DEFAULT: Duration = Duration::from_secs(10);

// === impl Options ===

impl Options {
    /// Servers, or one of them: the leader is found by itself.
    pub fn endpoints<I>(endpoints: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        Self {
            endpoints: endpoints.into_iter().map(Into::into).collect(),
            tls: None,
            deadline: DEADLINE_DEFAULT,
            wait_for_server: true,
            traceparent: None,
        }
    }

    /// A node agent's unix socket.
    pub fn socket(path: &str) -> Self {
        Self::endpoints([format!("unix://{path}")])
    }
}
