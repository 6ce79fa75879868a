//! The success result of an ADD in the shape of each version (CNI spec 1.1 §5, the abbreviated one of an address plugin).

use std::net::IpAddr;

use berth_proto::v1::AssignedAddress;
use serde_json::{Value, json};

use crate::config::{Route, SpecVersion};
use crate::error::{Code, Error};

/// No `interfaces`, and no `interface` inside `ips`: those are the main plugin's. IPv4 stands first.
pub fn success(
    version: SpecVersion,
    addresses: &[AssignedAddress],
    routes: &[Route],
) -> Result<Value, Error> {
    if addresses.is_empty() {
        return Err(Error::new(
            Code::Internal,
            "the server answered with no address",
        ));
    }
    let ips: Result<Vec<Value>, Error> = addresses.iter().map(|one| ip(version, one)).collect();
    let mut object = json!({ "cniVersion": version.as_str(), "ips": ips? });
    if !routes.is_empty() {
        object["routes"] = routes.iter().map(Route::to_json).collect();
    }
    Ok(object)
}

fn ip(version: SpecVersion, assigned: &AssignedAddress) -> Result<Value, Error> {
    let address: IpAddr = assigned.address.parse().map_err(|_| {
        let message = format!(
            "the server answered with the address {:?}",
            assigned.address
        );
        Error::new(Code::Internal, message)
    })?;
    let mut object = json!({ "address": format!("{address}/{}", assigned.prefix_length) });
    if !assigned.gateway.is_empty() {
        object["gateway"] = Value::String(assigned.gateway.clone());
    }
    if version < SpecVersion::V1_0_0 {
        let family = if address.is_ipv4() { "4" } else { "6" };
        object["version"] = Value::String(family.to_owned());
    }
    Ok(object)
}

#[cfg(test)]
mod tests {
    use berth_proto::v1::AssignedAddress;
    use serde_json::json;

    use super::success;
    use crate::config::SpecVersion;

    fn pair() -> Vec<AssignedAddress> {
        let address = |address: &str, prefix_length, gateway: &str| AssignedAddress {
            address: address.into(),
            prefix_length,
            gateway: gateway.into(),
            ..AssignedAddress::default()
        };
        vec![
            address("10.0.3.7", 24, "10.0.3.1"),
            address("fd00::7", 64, ""),
        ]
    }

    /// Promise: `version` inside `ips` is there before 1.0.0 and gone from then on; an absent gateway is left out.
    #[test]
    fn each_version_has_its_shape() {
        let old = success(SpecVersion::V0_3_1, &pair(), &[]).expect("a result");
        let expected = json!({ "cniVersion": "0.3.1", "ips": [
            { "version": "4", "address": "10.0.3.7/24", "gateway": "10.0.3.1" },
            { "version": "6", "address": "fd00::7/64" },
        ] });
        assert_eq!(old, expected);
        let new = success(SpecVersion::V1_1_0, &pair(), &[]).expect("a result");
        let expected = json!({ "cniVersion": "1.1.0", "ips": [
            { "address": "10.0.3.7/24", "gateway": "10.0.3.1" },
            { "address": "fd00::7/64" },
        ] });
        assert_eq!(new, expected);
    }

    /// Promise: an answer without an address is an error, never a success without one.
    #[test]
    fn no_address_is_no_success() {
        assert!(success(SpecVersion::V1_0_0, &[], &[]).is_err());
    }
}
