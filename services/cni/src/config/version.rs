//! The versions of the CNI specification, and what changed between them that matters here.

use serde_json::Value;

use crate::error::{Code, Error};

/// Oldest first.
pub const SUPPORTED: [&str; 5] = ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"];
/// Spoken when the input names none that can be read.
pub const NEWEST: &str = "1.1.0";

/// A version that is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SpecVersion {
    /// 0.3.0
    V0_3_0,
    /// 0.3.1
    V0_3_1,
    /// 0.4.0: CHECK
    V0_4_0,
    /// 1.0.0: `ips[].version` is gone
    V1_0_0,
    /// 1.1.0: GC and STATUS
    V1_1_0,
}

const ALL: [SpecVersion; 5] = [
    SpecVersion::V0_3_0,
    SpecVersion::V0_3_1,
    SpecVersion::V0_4_0,
    SpecVersion::V1_0_0,
    SpecVersion::V1_1_0,
];

// === impl SpecVersion ===

impl SpecVersion {
    /// Of the configuration. One without `cniVersion` is of a version too old to have it (0.1.0).
    pub fn read(input: &Value) -> Result<Self, Error> {
        let stated = match input.get("cniVersion") {
            None => "0.1.0",
            Some(Value::String(text)) => text,
            Some(other) => {
                let message = format!("cniVersion is {other}; it must be text such as {NEWEST:?}");
                return Err(Error::config(message));
            }
        };
        let known = SUPPORTED.iter().position(|known| *known == stated);
        known.map(|at| ALL[at]).ok_or_else(|| {
            let message = format!(
                "cniVersion is {stated:?}; this plugin speaks {}",
                SUPPORTED.join(", ")
            );
            Error::new(Code::IncompatibleVersion, message)
        })
    }

    /// "1.0.0"
    pub fn as_str(self) -> &'static str {
        SUPPORTED[self as usize]
    }

    /// Refuses a verb that this version does not have.
    pub fn must_have(self, verb: &str, since: Self) -> Result<(), Error> {
        if self >= since {
            return Ok(());
        }
        let message = format!(
            "cniVersion is {:?}, which has no {verb}; it came with {:?}",
            self.as_str(),
            since.as_str()
        );
        Err(Error::new(Code::IncompatibleVersion, message))
    }
}
