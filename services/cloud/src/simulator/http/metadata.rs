//! The machine's metadata service, as far as its RAM role goes (ECS "Instance metadata"): a token first, then the role, then its key.

use super::arrived::Arrived;
use std::collections::BTreeMap;

const TOKEN_PATH: &str = "/latest/api/token";
const ROLES_PATH: &str = "/latest/meta-data/ram/security-credentials/";
const TOKEN: &str = "x-aliyun-ecs-metadata-token";
const TOKEN_TTL: &str = "x-aliyun-ecs-metadata-token-ttl-seconds";
/// A token's longest life, in s.
const TTL_MAX_S: u64 = 21_600;

/// Tokens that were given out, and until when they are good.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    given: BTreeMap<String, u64>,
    number: u64,
}

/// What is asked of the service.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked<'a> {
    /// A token, for so long in ms.
    Token(u64),
    /// Which role the machine has.
    Roles,
    /// The key of this one.
    Key(&'a str),
    /// Something else, or without a right to it: this HTTP status is the answer.
    Refused(u16),
}

/// Whether a call is for this service.
pub(super) fn is_meant(arrived: &Arrived) -> bool {
    arrived.path.starts_with("/latest/")
}

// === impl Tokens ===

impl Tokens {
    /// What a call asks for. Without a token it is answered only where the machine allows that.
    pub fn asked<'a>(&self, arrived: &'a Arrived, is_strict: bool, now_ms: u64) -> Asked<'a> {
        if arrived.path == TOKEN_PATH {
            let ttl = arrived.header(TOKEN_TTL);
            let ttl_s = ttl.and_then(|text| text.parse().ok());
            return match (arrived.method.as_str(), ttl_s) {
                ("PUT", Some(ttl_s @ 1..=TTL_MAX_S)) => Asked::Token(ttl_s * 1_000),
                ("PUT", _) => Asked::Refused(400),
                _ => Asked::Refused(405),
            };
        }
        let is_good = match arrived.header(TOKEN) {
            Some(token) => self.given.get(token).is_some_and(|until| now_ms < *until),
            None => !is_strict,
        };
        match arrived.path.strip_prefix(ROLES_PATH) {
            _ if !is_good => Asked::Refused(403),
            _ if arrived.method != "GET" => Asked::Refused(405),
            Some("") => Asked::Roles,
            Some(role) => Asked::Key(role),
            None => Asked::Refused(404),
        }
    }

    /// A new one.
    pub fn give(&mut self, ttl_ms: u64, now_ms: u64) -> String {
        self.given.retain(|_, until_ms| now_ms < *until_ms);
        self.number += 1;
        let token = format!("token-{}", self.number);
        self.given.insert(token.clone(), now_ms + ttl_ms);
        token
    }
}
