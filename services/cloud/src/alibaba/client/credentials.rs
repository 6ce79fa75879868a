//! With whose key calls are signed: one that was given, the machine's RAM role, or a role that either of them assumes.
//!
//! Variables are those of the official SDKs. Keys that end are fetched anew some minutes before, once for all who wait.

mod environment;
mod metadata;
mod role;

pub use environment::NoCredentials;

use super::Client;
use crate::error::{Cause, Error};
use std::fmt;
use std::time::{Duration, SystemTime};
use tokio::sync::Mutex;

/// So long before its end a key is replaced. Calls that it signed may still be under way for a while.
const RENEW_BEFORE: Duration = Duration::from_secs(5 * 60);

/// An access key. `Debug` does not show its secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// The public part.
    pub id: String,
    /// The secret part.
    pub secret: String,
    /// With keys for a while only.
    pub security_token: Option<String>,
    /// Since when it is not accepted any more; none = until somebody takes it away.
    pub ends: Option<SystemTime>,
}

/// Where keys come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Whose key it is at first.
    pub base: Base,
    /// The role that it assumes, if it does.
    pub role: Option<Role>,
}

/// The key at first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// This one.
    Given(Key),
    /// The RAM role of the machine, from its metadata service.
    Machine {
        /// The role's name; none = the metadata service is asked for it.
        role: Option<String>,
        /// Whether the way without a token (IMDSv1) is tried where the one with it does not work.
        old_way: bool,
    },
}

/// A role to assume (STS `AssumeRole`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// `acs:ram::<account>:role/<name>`.
    pub arn: String,
    /// What the audit trail calls us.
    pub session: String,
}

/// The key of the moment.
pub(super) struct Credentials {
    source: Source,
    kept: Mutex<Option<Key>>,
}

// === impl Key ===

impl Key {
    fn is_good(&self, until: SystemTime) -> bool {
        self.ends.is_none_or(|ends| until < ends)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Key");
        shown.field("id", &self.id).field("ends", &self.ends);
        shown.finish_non_exhaustive()
    }
}

// === impl Credentials ===

impl Credentials {
    pub fn new(source: Source) -> Self {
        let kept = Mutex::new(None);
        Self { source, kept }
    }

    /// The key to sign with. Whoever comes while it is fetched waits for the same one.
    pub async fn key(&self, client: &Client) -> Result<Key, Error> {
        let mut kept = self.kept.lock().await;
        let now = client.now();
        if let Some(key) = kept.as_ref().filter(|key| key.is_good(now + RENEW_BEFORE)) {
            return Ok(key.clone());
        }
        match self.fetched(client).await {
            Ok(key) => Ok(kept.insert(key).clone()),
            // It is renewed early so that a service that is away for a minute is no outage.
            Err(error) => match kept.as_ref().filter(|key| key.is_good(now)) {
                Some(key) => Ok(key.clone()),
                None => Err(error),
            },
        }
    }

    /// The cloud did not accept that key: the next call fetches another, if it is not the given one.
    pub async fn refused(&self, id: &str) {
        let mut kept = self.kept.lock().await;
        kept.take_if(|key| key.id == id);
    }

    async fn fetched(&self, client: &Client) -> Result<Key, Error> {
        let base = match &self.source.base {
            Base::Given(key) => key.clone(),
            Base::Machine { role, old_way } => {
                metadata::key(client, role.as_deref(), *old_way).await?
            }
        };
        match &self.source.role {
            Some(role) => role::assumed(client, &base, role).await,
            None => Ok(base),
        }
    }
}

/// A key from the words of a service, all of them texts.
#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    access_key_id: String,
    access_key_secret: String,
    security_token: String,
    expiration: String,
}

// === impl Document ===

impl Document {
    fn key(self, action: &'static str) -> Result<Key, Error> {
        let ends = humantime::parse_rfc3339(&self.expiration).map_err(|_| {
            let message = "credentials without a readable end";
            Error::of(action, Cause::Credentials, message)
        })?;
        Ok(Key {
            id: self.access_key_id,
            secret: self.access_key_secret,
            security_token: Some(self.security_token),
            ends: Some(ends),
        })
    }
}
