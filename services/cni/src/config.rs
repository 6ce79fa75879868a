//! The network configuration on stdin: what CNI says of it, and what stands in our own `ipam` object.
//!
//! Unknown keys are tolerated, as the conventions ask: other plugins and newer runtimes put theirs here. Inside `ipam`
//! and `ipam.tls` a key that looks like one of ours misspelt is refused, because to ignore it would hide a mistake.

mod ipam;
mod routes;
mod section;
mod spelling;
mod version;

pub use ipam::{Ipam, Server, Tls};
pub use routes::Route;
pub use version::{NEWEST, SUPPORTED, SpecVersion};

use std::io::{self, Read};

use serde_json::Value;

use crate::environment::is_plain_name;
use crate::error::{Code, Error};
use section::Section;

/// A configuration with the result of a long chain of plugins has some kilobytes.
const INPUT_BYTES_MAX: u64 = 1024 * 1024;
/// What Berth keeps of a network's name.
const NETWORK_BYTES_MAX: usize = 63;
/// This program's name in a configuration.
const PLUGIN_TYPE: &str = "berth-cni";

/// One call's configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// `cniVersion`: the answer has it too.
    pub version: SpecVersion,
    /// `name`: part of the attachment's key.
    pub network: String,
    /// Our own object.
    pub ipam: Ipam,
    /// `runtimeConfig.ips`, else `args.cni.ips`; none if neither is there.
    pub requested: Option<Requested>,
    /// `prevResult`, as it came.
    pub previous_result: Option<Value>,
    /// `cni.dev/valid-attachments`, else `cni.dev/attachments`, as it came.
    pub valid_attachments: Option<Value>,
    /// The network's name is longer than what Berth takes, so no ADD can have named it: why, if so.
    pub beyond_limits: Option<String>,
}

/// Addresses asked for, and the key that asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requested {
    /// "runtimeConfig.ips"
    pub key: &'static str,
    /// "10.0.3.7" or "10.0.3.7/24", not yet looked at.
    pub texts: Vec<String>,
}

/// All of the input, at most 1 MiB.
pub fn read_input(input: impl Read) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read: io::Result<usize> = input.take(INPUT_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| Error::new(Code::Io, format!("stdin: {error}")))?;
    if bytes.len() as u64 > INPUT_BYTES_MAX {
        let message = format!("the configuration on stdin has over {INPUT_BYTES_MAX} bytes");
        return Err(Error::new(Code::Decode, message));
    }
    Ok(bytes)
}

/// The JSON object of the input.
pub fn decode(input: &[u8]) -> Result<Value, Error> {
    if input.is_empty() {
        return Err(Error::new(
            Code::Decode,
            "the configuration on stdin is empty",
        ));
    }
    let value: Value = serde_json::from_slice(input).map_err(|error| {
        let message = format!("the configuration on stdin is not JSON: {error}");
        Error::new(Code::Decode, message)
    })?;
    match value.is_object() {
        true => Ok(value),
        false => Err(Error::new(
            Code::Decode,
            "the configuration on stdin is JSON, but not an object",
        )),
    }
}

/// The `cniVersion` that an answer echoes, whatever else is wrong with the input.
pub fn version_to_echo(input: &Value) -> &str {
    let stated = input.get("cniVersion").and_then(Value::as_str);
    stated.unwrap_or(NEWEST)
}

// === impl Config ===

impl Config {
    /// Refuses with the code and the name of the first key at fault. The version is looked at first.
    pub fn read(input: &Value) -> Result<Self, Error> {
        let version = SpecVersion::read(input)?;
        let top = Section::new("", input)?;
        let network = network_name(&top)?;
        if top.text("type")?.as_deref() == Some(PLUGIN_TYPE) {
            return Err(main_plugin());
        }
        let Some(ipam) = top.section("ipam")? else {
            let message = format!("ipam is missing; it should be like {}", ipam::EXAMPLE);
            return Err(Error::config(message));
        };
        let bytes = network.len();
        let beyond_limits = (bytes > NETWORK_BYTES_MAX)
            .then(|| format!("name has {bytes} bytes (at most {NETWORK_BYTES_MAX})"));
        Ok(Self {
            version,
            network,
            ipam: Ipam::read(&ipam)?,
            requested: requested(&top)?,
            previous_result: top.value("prevResult").cloned(),
            valid_attachments: valid_attachments(&top),
            beyond_limits,
        })
    }

    /// Whether this program is called as the main plugin, which has not made anything, ever.
    pub fn is_main_plugin(input: &Value) -> bool {
        input.get("type").and_then(Value::as_str) == Some(PLUGIN_TYPE)
    }
}

fn network_name(top: &Section<'_>) -> Result<String, Error> {
    match top.text("name")? {
        None => Err(Error::config("name is missing: the network's name")),
        Some(name) if is_plain_name(&name) => Ok(name),
        Some(name) => Err(Error::config(format!(
            "name is {name:?}; it must start with a letter or digit and go on with these and _ . -"
        ))),
    }
}

fn main_plugin() -> Error {
    Error::config(format!(
        "type is {PLUGIN_TYPE:?}, but Berth does not make interfaces yet: \
         take bridge, ptp or macvlan as type, and {PLUGIN_TYPE:?} as ipam.type"
    ))
}

/// `runtimeConfig` is what a runtime delivers for a declared capability; `args` are hints.
fn requested(top: &Section<'_>) -> Result<Option<Requested>, Error> {
    let runtime = top.section("runtimeConfig")?;
    if let Some(runtime) = &runtime {
        if let Some(ranges) = runtime.value("ipRanges") {
            let message = format!(
                "runtimeConfig.ipRanges is {ranges}; ranges are vSwitches: berthctl vswitch create"
            );
            return Err(Error::new(Code::UnsupportedField, message));
        }
        if let Some(texts) = runtime.texts("ips")? {
            let key = "runtimeConfig.ips";
            return Ok(Some(Requested { key, texts }));
        }
    }
    let arguments = top.section("args")?;
    let cni = match &arguments {
        Some(arguments) => arguments.section("cni")?,
        None => None,
    };
    let texts = match &cni {
        Some(cni) => cni.texts("ips")?,
        None => None,
    };
    let key = "args.cni.ips";
    Ok(texts.map(|texts| Requested { key, texts }))
}

/// Two names: libcni also gives the one that an earlier text of the specification had.
fn valid_attachments(top: &Section<'_>) -> Option<Value> {
    let keys = ["cni.dev/valid-attachments", "cni.dev/attachments"];
    keys.iter().find_map(|key| top.value(key)).cloned()
}

#[cfg(test)]
mod tests;
