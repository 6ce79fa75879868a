//! `ipam.routes`: routes that the answer hands to the main plugin, as with other address plugins.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::section::Section;
use crate::error::Error;

/// More is a mistake: a pod wants its default route and a few others.
const ROUTES_MAX: usize = 64;

/// One route; the main plugin sets it in the pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// "0.0.0.0/0"
    destination: String,
    /// None = the address's own gateway.
    gateway: Option<IpAddr>,
}

// === impl Route ===

impl Route {
    /// `[{"dst": "0.0.0.0/0", "gw": "10.0.3.1"}]`; `gw` may be left out.
    pub fn read_all(ipam: &Section<'_>) -> Result<Vec<Self>, Error> {
        let path = ipam.path_of("routes");
        let items = match ipam.value("routes") {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) if items.len() <= ROUTES_MAX => items,
            Some(Value::Array(items)) => {
                let message = format!("{path} has {} items (at most {ROUTES_MAX})", items.len());
                return Err(Error::config(message));
            }
            Some(_) => return Err(Error::config(format!("{path} must be a list of objects"))),
        };
        let at_path = |(at, item)| Self::read(&Section::new(&format!("{path}[{at}]"), item)?);
        items.iter().enumerate().map(at_path).collect()
    }

    fn read(section: &Section<'_>) -> Result<Self, Error> {
        let key = section.path_of("dst");
        let destination = section
            .text("dst")?
            .ok_or_else(|| Error::config(format!("{key} is missing")))?;
        if !is_network(&destination) {
            let message = format!("{key} is {destination:?}; it must be like \"0.0.0.0/0\"");
            return Err(Error::config(message));
        }
        let gateway = match section.text("gw")? {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| {
                let key = section.path_of("gw");
                Error::config(format!("{key} is {text:?}; it must be an address"))
            })?),
        };
        Ok(Self {
            destination,
            gateway,
        })
    }

    /// The same in every version of the specification.
    pub fn to_json(&self) -> Value {
        match self.gateway {
            None => json!({ "dst": self.destination }),
            Some(gateway) => json!({ "dst": self.destination, "gw": gateway.to_string() }),
        }
    }
}

fn is_network(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else {
        return false;
    };
    match (address.parse::<IpAddr>(), length.parse::<u8>()) {
        (Ok(IpAddr::V4(_)), Ok(length)) => length <= 32,
        (Ok(IpAddr::V6(_)), Ok(length)) => length <= 128,
        _ => false,
    }
}
