//! VERSION: what is spoken here. Asks nobody.

use serde_json::{Value, json};

use crate::config::SUPPORTED;

/// Echoes the version of the input, whatever it is.
pub fn run(cni_version: &str) -> Value {
    json!({ "cniVersion": cni_version, "supportedVersions": SUPPORTED })
}
