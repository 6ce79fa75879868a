//! The signature ACS3-HMAC-SHA256 (Alibaba Cloud SDK, "V3 request body and signature mechanism").
//!
//! The parameters are in the URL's query and the body is empty. All headers `x-acs-*` and `host` are signed.

use crate::alibaba::product::Product;
use ring::{digest, hmac};
use std::collections::BTreeMap;

/// The HTTP method of every call (the official SDK's, for all actions here).
pub const METHOD: &str = "POST";
/// The path of every call.
pub const PATH: &str = "/";
const ALGORITHM: &str = "ACS3-HMAC-SHA256";

/// What is signed.
#[derive(Clone, Copy, Debug)]
pub struct Unsigned<'a> {
    /// As the header `host` has it: with the port, if that is not the scheme's own.
    pub host: &'a str,
    /// To which API.
    pub product: Product,
    /// Which action.
    pub action: &'a str,
    /// The query, encoded and in order ([`crate::alibaba::parameters::Parameters::query`]).
    pub query: &'a str,
    /// UTC, `2023-10-26T10:22:32Z`; at most 15 minutes from the cloud's own.
    pub date: &'a str,
    /// Never used before by this access key.
    pub nonce: &'a str,
}

/// Whose signature it is. No `Debug`: it holds the secret.
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    /// The public part.
    pub access_key: &'a str,
    /// The secret part.
    pub secret: &'a str,
    /// With credentials for a while only.
    pub security_token: Option<&'a str>,
}

/// The headers to send, by lower-case name: what was signed, and `authorization`.
pub fn sign(unsigned: &Unsigned<'_>, signer: &Signer<'_>) -> BTreeMap<&'static str, String> {
    let payload = hex(digest::digest(&digest::SHA256, b"").as_ref());
    let mut headers = BTreeMap::from([
        ("host", unsigned.host.to_owned()),
        ("x-acs-action", unsigned.action.to_owned()),
        ("x-acs-content-sha256", payload.clone()),
        ("x-acs-date", unsigned.date.to_owned()),
        ("x-acs-signature-nonce", unsigned.nonce.to_owned()),
        ("x-acs-version", unsigned.product.version().to_owned()),
    ]);
    if let Some(token) = signer.security_token {
        headers.insert("x-acs-security-token", token.to_owned());
    }
    let names: Vec<&str> = headers.keys().copied().collect();
    let names = names.join(";");
    let lines: Vec<String> = headers
        .iter()
        .map(|(name, value)| format!("{name}:{}\n", value.trim()))
        .collect();
    let query = unsigned.query;
    let canonical = format!(
        "{METHOD}\n{PATH}\n{query}\n{}\n{names}\n{payload}",
        lines.concat()
    );
    let signature = signature(&canonical, signer.secret);
    let authorization = format!(
        "{ALGORITHM} Credential={},SignedHeaders={names},Signature={signature}",
        signer.access_key
    );
    headers.insert("authorization", authorization);
    headers
}

fn signature(canonical: &str, secret: &str) -> String {
    let hashed = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hex(hmac::sign(&key, format!("{ALGORITHM}\n{hashed}").as_bytes()).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{Signer, Unsigned, sign};
    use crate::alibaba::product::Product;

    const EXAMPLE: Unsigned<'static> = Unsigned {
        host: "ecs.cn-shanghai.aliyuncs.com",
        product: Product::Ecs,
        action: "RunInstances",
        query: "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai",
        date: "2023-10-26T10:22:32Z",
        nonce: "3156853299f313e23d1673dc12e1703d",
    };
    const SIGNER: Signer<'static> = Signer {
        access_key: "YourAccessKeyId",
        secret: "YourAccessKeySecret",
        security_token: None,
    };

    /// Promise: the published worked example comes out to the last digit.
    #[test]
    fn the_published_example() {
        let headers = sign(&EXAMPLE, &SIGNER);
        assert_eq!(
            headers["authorization"],
            "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;\
             x-acs-signature-nonce;x-acs-version,Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
        );
        assert_eq!(
            headers["x-acs-content-sha256"],
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    /// Promise: with a security token and with parameters that must be encoded it is what the official SDK (tea-openapi 0.4.6) signs.
    #[test]
    fn the_sdks_with_a_security_token() {
        let query = format!(
            "{}&Tag.1.Key=k&Tag.1.Value=a%20b%2A~%2B%2F%C3%A9",
            EXAMPLE.query
        );
        let unsigned = Unsigned {
            query: &query,
            ..EXAMPLE
        };
        let signer = Signer {
            security_token: Some("CAIS+token/=="),
            ..SIGNER
        };
        let headers = sign(&unsigned, &signer);
        assert_eq!(headers["x-acs-security-token"], "CAIS+token/==");
        assert_eq!(
            headers["authorization"],
            "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;\
             x-acs-security-token;x-acs-signature-nonce;x-acs-version,Signature=3980d207675550014b6e286bdc583a9d707de03f3cb7097a0d8e5d447a66903c"
        );
    }

    /// Promise (negative control): everything that is sent changes the signature, the secret above all.
    #[test]
    fn nothing_is_left_unsigned() {
        let signature = |unsigned: &Unsigned<'_>, signer: &Signer<'_>| {
            sign(unsigned, signer)["authorization"]
                .split("Signature=")
                .nth(1)
                .map(str::to_owned)
        };
        let right = signature(&EXAMPLE, &SIGNER);
        let others = [
            Unsigned {
                host: "ecs.cn-beijing.aliyuncs.com",
                ..EXAMPLE
            },
            Unsigned {
                product: Product::Vpc,
                ..EXAMPLE
            },
            Unsigned {
                action: "StopInstances",
                ..EXAMPLE
            },
            Unsigned {
                query: "RegionId=cn-shanghai",
                ..EXAMPLE
            },
            Unsigned {
                date: "2023-10-26T10:22:33Z",
                ..EXAMPLE
            },
            Unsigned {
                nonce: "4156853299f313e23d1673dc12e1703d",
                ..EXAMPLE
            },
        ];
        for other in &others {
            assert_ne!(signature(other, &SIGNER), right, "{other:?}");
        }
        let stranger = Signer {
            secret: "YourAccessKeySecreT",
            ..SIGNER
        };
        assert_ne!(signature(&EXAMPLE, &stranger), right);
    }
}
