//! The client itself: routes shared by its clones, and how long and under which trace each clone calls.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::ClientTlsConfig;

use crate::route::{self, Route};
use crate::{Error, Options};

/// Leaders that hints named beyond the given endpoints. A cluster has five members at most.
const HINTED_ROUTES_MAX: usize = 8;

/// Calls Berth. Cheap to clone; clones share connections and the knowledge of who leads.
///
/// The methods are those of `berth.v1`. Each may try several endpoints and the same one again, within its deadline.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    pub(crate) patience: Patience,
    pub(crate) traceparent: Option<AsciiMetadataValue>,
    /// Asks this endpoint alone, leader or not.
    pinned: Option<Arc<Route>>,
}

#[derive(Clone, Copy)]
pub(crate) enum Patience {
    Each(Duration),
    Until(Instant),
}

struct Shared {
    tls: Option<ClientTlsConfig>,
    /// The file of our own, for saying what to look at.
    certificate: Option<PathBuf>,
    wait_for_server: bool,
    known: Mutex<Known>,
}

struct Known {
    given: Vec<Arc<Route>>,
    hinted: Vec<Arc<Route>>,
    /// Who answered last; usually the leader.
    preferred: Arc<Route>,
}

// === impl Client ===

impl Client {
    /// Checks the options and reads the TLS files. Connects to nobody yet.
    pub fn new(options: Options) -> Result<Self, Error> {
        let tls = options.tls.as_ref().map(route::tls).transpose()?;
        let route = |name: &String| Route::new(name, tls.as_ref()).map(Arc::new);
        let given: Vec<_> = options
            .endpoints
            .iter()
            .map(route)
            .collect::<Result<_, _>>()?;
        let Some(first) = given.first() else {
            let reason = "name at least one, like \"http://127.0.0.1:7400\"".to_owned();
            return Err(Error::Option {
                option: "endpoint",
                reason,
            });
        };
        let known = Known {
            preferred: Arc::clone(first),
            given,
            hinted: Vec::new(),
        };
        // What is not ASCII is not a traceparent; the recommendation says to ignore such.
        let traceparent = options.traceparent.and_then(|text| text.parse().ok());
        Ok(Self {
            shared: Arc::new(Shared {
                tls,
                certificate: options
                    .tls
                    .and_then(|files| files.identity)
                    .map(|(certificate, _)| certificate),
                wait_for_server: options.wait_for_server,
                known: Mutex::new(known),
            }),
            patience: Patience::Each(options.deadline),
            traceparent,
            pinned: None,
        })
    }

    /// The same client, whose calls all end by `deadline`: for a program whose whole life has one.
    pub fn until(&self, deadline: Instant) -> Self {
        let patience = Patience::Until(deadline);
        Self {
            patience,
            ..self.clone()
        }
    }

    /// The same client, with `deadline` for each call.
    pub fn within(&self, deadline: Duration) -> Self {
        let patience = Patience::Each(deadline);
        Self {
            patience,
            ..self.clone()
        }
    }

    /// The same client, whose calls belong to this trace (W3C `traceparent`).
    pub fn traced(&self, traceparent: &str) -> Self {
        let traceparent = traceparent.parse().ok();
        Self {
            traceparent,
            ..self.clone()
        }
    }

    /// One client per given endpoint, with its name, which asks that one alone and follows no hint: for what each replica
    /// says of itself.
    pub fn each(&self) -> Vec<(String, Self)> {
        let given = self.shared.known().given.clone();
        let pinned = |route: Arc<Route>| {
            let name = route.name().to_owned();
            (
                name,
                Self {
                    pinned: Some(route),
                    ..self.clone()
                },
            )
        };
        given.into_iter().map(pinned).collect()
    }

    /// A client for this endpoint alone, which follows no hint.
    pub fn only(&self, endpoint: &str) -> Result<Self, Error> {
        let route = Route::new(endpoint, self.shared.tls.as_ref())?;
        let pinned = Some(Arc::new(route));
        Ok(Self {
            pinned,
            ..self.clone()
        })
    }

    /// The file of our own certificate.
    pub(crate) fn certificate(&self) -> Option<&Path> {
        self.shared.certificate.as_deref()
    }

    pub(crate) fn is_pinned(&self) -> bool {
        self.pinned.is_some()
    }

    pub(crate) fn wait_for_server(&self) -> bool {
        self.shared.wait_for_server
    }

    /// Whom to ask, in this order.
    pub(crate) fn routes(&self) -> Vec<Arc<Route>> {
        if let Some(route) = &self.pinned {
            return vec![Arc::clone(route)];
        }
        let known = self.shared.known();
        let others = known.given.iter().chain(&known.hinted);
        let others = others.filter(|route| !Arc::ptr_eq(route, &known.preferred));
        std::iter::once(&known.preferred)
            .chain(others)
            .cloned()
            .collect()
    }

    /// The route to a hinted leader. None if the hint must not be followed.
    pub(crate) fn hinted(&self, from: &Route, endpoint: &str) -> Option<Arc<Route>> {
        if self.pinned.is_some() || !from.may_lead_to(endpoint) {
            return None;
        }
        let mut known = self.shared.known();
        let mut all = known.given.iter().chain(&known.hinted);
        if let Some(route) = all.find(|route| route.name() == endpoint) {
            return Some(Arc::clone(route));
        }
        let route = Arc::new(Route::new(endpoint, self.shared.tls.as_ref()).ok()?);
        if known.hinted.len() == HINTED_ROUTES_MAX {
            known.hinted.remove(0);
        }
        known.hinted.push(Arc::clone(&route));
        Some(route)
    }

    /// It answered: ask it first from now on.
    pub(crate) fn prefer(&self, route: &Arc<Route>) {
        if self.pinned.is_some() {
            return;
        }
        let mut known = self.shared.known();
        if !Arc::ptr_eq(&known.preferred, route) {
            known.preferred = Arc::clone(route);
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self
            .routes()
            .iter()
            .map(|route| route.name().to_owned())
            .collect();
        formatter.debug_tuple("Client").field(&names).finish()
    }
}

// === impl Shared ===

impl Shared {
    fn known(&self) -> MutexGuard<'_, Known> {
        // Nothing that runs under the lock can leave it half changed.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Patience ===

impl Patience {
    pub(crate) fn deadline(self, now: Instant) -> Instant {
        match self {
            Self::Each(duration) => now + duration,
            Self::Until(deadline) => deadline,
        }
    }
}
