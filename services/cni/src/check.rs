//! CHECK: the attachment still holds what the ADD gave it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use berth_client::Client;
use berth_proto::v1::{CheckRequest, RefusalCode};
use serde_json::Value;

use crate::config::SpecVersion;
use crate::error::{Code, Error};
use crate::request::Request;

/// Silent on success; code 112 if the attachment does not hold exactly these.
pub async fn run(request: &Request, client: &Client) -> Result<(), Error> {
    request
        .config
        .version
        .must_have("CHECK", SpecVersion::V0_4_0)?;
    let Some(previous) = &request.config.previous_result else {
        return Err(Error::config(
            "prevResult is missing; CHECK needs the result of the ADD",
        ));
    };
    if let Some(error) = request.beyond_limits() {
        return Err(error);
    }
    let expected = addresses_of(previous, &request.environment.interface)?;
    let check = CheckRequest {
        attachment: Some(request.attachment()),
        addresses: expected.iter().map(IpAddr::to_string).collect(),
    };
    match client.check(check).await {
        Ok(_) => Ok(()),
        Err(error) => Err(not_held(request, &expected, error)),
    }
}

/// The server's word that the attachment is not there, or has others, in CHECK's own terms.
fn not_held(request: &Request, expected: &BTreeSet<IpAddr>, error: berth_client::Error) -> Error {
    let held = match error.code() {
        RefusalCode::NotFound => "nothing",
        RefusalCode::ParametersChanged => "other addresses",
        _ => return error.into(),
    };
    let expected: Vec<String> = expected.iter().map(IpAddr::to_string).collect();
    let message = format!(
        "prevResult has {} for {}, but Berth has {held}",
        expected.join(", "),
        request.environment.interface,
    );
    Error::new(Code::NotHeld, message)
}

/// The addresses of our interface. Those of an interface with another name are another plugin's; an address that names
/// no interface is ours.
fn addresses_of(previous: &Value, interface: &str) -> Result<BTreeSet<IpAddr>, Error> {
    let wrong = |what: &str| Error::config(format!("prevResult.{what}"));
    let ips = match previous.get("ips") {
        Some(Value::Array(ips)) => ips,
        _ => return Err(wrong("ips is missing; it must be a list")),
    };
    let mut addresses = BTreeSet::new();
    for (at, ip) in ips.iter().enumerate() {
        if !is_of(previous, ip, interface) {
            continue;
        }
        let text = ip
            .get("address")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let bare = text.split('/').next().unwrap_or_default();
        let address = bare.parse().map_err(|_| {
            wrong(&format!(
                "ips[{at}].address is {text:?}; it must be like \"10.0.3.7/24\""
            ))
        })?;
        addresses.insert(address);
    }
    if addresses.is_empty() {
        return Err(wrong(&format!("ips has no address of {interface}")));
    }
    Ok(addresses)
}

fn is_of(previous: &Value, ip: &Value, interface: &str) -> bool {
    let Some(at) = ip.get("interface").and_then(Value::as_u64) else {
        return true;
    };
    let at = usize::try_from(at).unwrap_or(usize::MAX); // beyond every list, so nobody's
    let named = previous
        .get("interfaces")
        .and_then(|interfaces| interfaces.get(at))
        .and_then(|found| found.get("name"))
        .and_then(Value::as_str);
    named == Some(interface)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::addresses_of;

    /// Promise: only the addresses of our own interface count, in the shape of each version.
    #[test]
    fn other_plugins_addresses_are_left_out() {
        let previous = json!({
            "interfaces": [{ "name": "br0" }, { "name": "eth0", "sandbox": "/run/netns/a" }],
            "ips": [
                { "interface": 0, "address": "10.9.9.9/24" },
                { "interface": 1, "version": "4", "address": "10.0.3.7/24" },
                { "address": "fd00::7/64" },
            ],
        });
        let found = addresses_of(&previous, "eth0").expect("addresses");
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, ["10.0.3.7", "fd00::7"]);
    }

    /// Promise: a result that cannot be compared is an error, never a CHECK that holds.
    #[test]
    fn nothing_to_compare_is_an_error() {
        for previous in [
            json!({}),
            json!({ "ips": [] }),
            json!({ "ips": [{ "address": "ten" }] }),
            json!({ "ips": [{ "interface": 0, "address": "10.0.3.7/24" }] }),
        ] {
            assert!(addresses_of(&previous, "eth0").is_err(), "{previous}");
        }
    }
}
