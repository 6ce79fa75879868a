//! A version of Kubernetes, as far as a plan depends on it.

use std::fmt;
use std::str::FromStr;

/// Major and minor version, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KubernetesVersion {
    /// 1.
    pub major: u32,
    /// 31 in 1.31.
    pub minor: u32,
}

/// A text that is no version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a version of Kubernetes such as 1.31")]
pub struct Error {
    text: String,
}

// === impl KubernetesVersion ===

impl FromStr for KubernetesVersion {
    type Err = Error;

    /// "1.31", "v1.31.2", "1.31.2-aliyun.1", "1.31+": what follows the minor version does not matter.
    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).ok_or_else(|| Error {
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for KubernetesVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

fn parse(text: &str) -> Option<KubernetesVersion> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let (major, rest) = text.split_once('.')?;
    let end = rest.find(|c: char| !c.is_ascii_digit());
    let (minor, tail) = rest.split_at(end.unwrap_or(rest.len()));
    let known_tail = tail.is_empty() || tail.starts_with(['.', '-', '+']);
    if !known_tail || !major.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(KubernetesVersion {
        major: major.parse().ok()?,
        minor: minor.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: versions as Kubernetes and the cloud write them are read, by number and not by letter; others are refused.
    #[test]
    fn versions() {
        for text in ["1.31", "v1.31", "1.31.2", "v1.31.2-aliyun.1", "1.31+"] {
            let version: KubernetesVersion = text.parse().expect(text);
            assert_eq!(version.to_string(), "1.31");
        }
        for text in [
            "",
            "1",
            "1.",
            "1.x",
            ".31",
            "+1.31",
            "1.31x",
            "one.two",
            "1.99999999999",
        ] {
            assert!(text.parse::<KubernetesVersion>().is_err(), "{text}");
        }
        let version = |text: &str| text.parse::<KubernetesVersion>().expect("a version");
        assert!(version("1.9") < version("1.22") && version("1.99") < version("2.0"));
    }
}
