//! Whether a call is signed right: signature V3 ("Request syntax and signature method V3"), written from the page and not from the client.

use super::arrived::Arrived;
use crate::simulator::refusal::Refusal;
use crate::simulator::setup::AccessKey;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ring::{digest, hmac};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, UNIX_EPOCH};

const METHOD: &str = "ACS3-HMAC-SHA256";
/// A signature is good for this long, and a clock may be off by as much.
const GOOD_FOR_MS: u64 = 15 * 60_000;
/// RFC 3986: what needs no encoding.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Nonces that were seen, and when.
#[derive(Debug, Default)]
pub(super) struct Nonces(BTreeMap<String, u64>);

/// Whose key signed it.
pub(super) fn check(
    arrived: &Arrived,
    keys: &[AccessKey],
    nonces: &mut Nonces,
    now_ms: u64,
) -> Result<String, Refusal> {
    let (id, names, signature) = authorization(arrived)?;
    let unknown = || {
        Refusal::new(
            404,
            "InvalidAccessKeyId.NotFound",
            "Specified access key is not found.",
        )
    };
    let key = keys.iter().find(|key| key.id == id).ok_or_else(unknown)?;
    check_date(arrived, now_ms)?;
    check_token(arrived, key, now_ms)?;
    let wrong = |message: &str| Refusal::new(400, "SignatureDoesNotMatch", message);
    if arrived.header("x-acs-content-sha256") != Some(&*hash(&arrived.body)) {
        return Err(wrong("The body is not the one that was signed."));
    }
    let canonical = canonical(arrived, &names);
    let text = format!("{METHOD}\n{}", hash(canonical.as_bytes()));
    let secret = hmac::Key::new(hmac::HMAC_SHA256, key.secret.as_bytes());
    if hex(hmac::sign(&secret, text.as_bytes()).as_ref()) != signature {
        return Err(wrong(&format!(
            "Specified signature does not match our calculation. server string to sign is: {canonical}"
        )));
    }
    nonces.check(
        arrived.header("x-acs-signature-nonce").unwrap_or_default(),
        now_ms,
    )?;
    Ok(id)
}

/// Key id, signed headers, signature.
fn authorization(arrived: &Arrived) -> Result<(String, Vec<String>, String), Refusal> {
    let missing = || {
        Refusal::new(
            400,
            "IncompleteSignature",
            "The request signature does not conform to Aliyun standards.",
        )
    };
    let text = arrived
        .header("authorization")
        .and_then(|text| text.strip_prefix(METHOD));
    let text = text.ok_or_else(missing)?;
    let part = |name: &str| {
        let mut parts = text.split(',').map(str::trim);
        parts
            .find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
            .map(str::to_owned)
    };
    let names = part("SignedHeaders").ok_or_else(missing)?;
    let names: Vec<String> = names.split(';').map(str::to_owned).collect();
    let needed = [
        "host",
        "x-acs-action",
        "x-acs-content-sha256",
        "x-acs-date",
        "x-acs-signature-nonce",
        "x-acs-version",
    ];
    if needed
        .iter()
        .any(|name| !names.iter().any(|signed| signed == name))
    {
        return Err(missing());
    }
    let id = part("Credential").ok_or_else(missing)?;
    Ok((id, names, part("Signature").ok_or_else(missing)?))
}

fn check_date(arrived: &Arrived, now_ms: u64) -> Result<(), Refusal> {
    let date = humantime::parse_rfc3339(arrived.header("x-acs-date").unwrap_or_default());
    let now = UNIX_EPOCH + Duration::from_millis(now_ms);
    let off = date.ok().map(|date| {
        now.duration_since(date)
            .or_else(|_| date.duration_since(now))
            .unwrap_or_default()
    });
    match off {
        None => Err(Refusal::new(
            400,
            "InvalidTimeStamp.Format",
            "Specified time stamp or date value is not well formatted.",
        )),
        Some(off) if off > Duration::from_millis(GOOD_FOR_MS) => Err(Refusal::new(
            400,
            "InvalidTimeStamp.Expired",
            "Specified time stamp or date value is expired.",
        )),
        Some(_) => Ok(()),
    }
}

fn check_token(arrived: &Arrived, key: &AccessKey, now_ms: u64) -> Result<(), Refusal> {
    if arrived.header("x-acs-security-token") != key.security_token.as_deref() {
        return Err(Refusal::new(
            400,
            "InvalidSecurityToken.MismatchWithAccessKey",
            "The security token does not belong to the access key.",
        ));
    }
    match key.ends_ms.is_some_and(|ends_ms| now_ms >= ends_ms) {
        true => Err(Refusal::new(
            400,
            "InvalidSecurityToken.Expired",
            "Specified SecurityToken is expired.",
        )),
        false => Ok(()),
    }
}

fn canonical(arrived: &Arrived, names: &[String]) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
    let query = arrived
        .query
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    let query: Vec<String> = query.collect();
    let headers: String = names.iter().fold(String::new(), |mut lines, name| {
        // Writing to a String does not fail.
        let _ = writeln!(lines, "{name}:{}", arrived.header(name).unwrap_or_default());
        lines
    });
    let (method, path) = (&arrived.method, &arrived.path);
    format!(
        "{method}\n{path}\n{}\n{headers}\n{}\n{}",
        query.join("&"),
        names.join(";"),
        hash(&arrived.body)
    )
}

fn hash(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

// === impl Nonces ===

impl Nonces {
    fn check(&mut self, nonce: &str, now_ms: u64) -> Result<(), Refusal> {
        let since_ms = now_ms.saturating_sub(2 * GOOD_FOR_MS);
        self.0.retain(|_, seen_ms| *seen_ms >= since_ms);
        match self.0.insert(nonce.to_owned(), now_ms) {
            None => Ok(()),
            Some(_) => Err(Refusal::new(
                400,
                "SignatureNonceUsed",
                "Specified signature nonce was used already.",
            )),
        }
    }
}
