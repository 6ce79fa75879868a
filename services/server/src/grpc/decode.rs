//! From the wire to the domain's words: every field checked, every refusal names its field and the limit.

use super::limits;
use berth_domain::address::{AddressRange, NetworkKind, Subnet};
use berth_domain::capacity::NodeMode;
use berth_domain::id::{self, *};
use berth_domain::outcome::Refusal;
use berth_domain::row::Policy;
use berth_proto::v1;
use ipnet::IpNet;
use std::fmt::Display;
use std::net::IpAddr;
use std::ops::RangeInclusive;

/// Either the value, or a refusal that names the field.
pub type Decoded<T> = Result<T, Refusal>;

/// The refusal of a field.
pub fn invalid(field: &'static str, reason: impl Display) -> Refusal {
    let reason = reason.to_string();
    Refusal::Invalid { field, reason }
}

/// An identifier; its type knows length and characters.
pub fn name<T>(
    field: &'static str,
    text: &str,
    new: fn(&str) -> Result<T, id::Error>,
) -> Decoded<T> {
    new(text).map_err(|error| invalid(field, error))
}

/// An identifier that may be left out.
pub fn optional_name<T>(
    field: &'static str,
    text: &str,
    new: fn(&str) -> Result<T, id::Error>,
) -> Decoded<Option<T>> {
    match text {
        "" => Ok(None),
        text => name(field, text, new).map(Some),
    }
}

/// The key of an allocation.
pub fn attachment(key: Option<v1::AttachmentKey>) -> Decoded<AttachmentKey> {
    let key = key.ok_or_else(|| invalid("attachment", "is missing"))?;
    Ok(AttachmentKey {
        cluster: name("attachment.cluster", &key.cluster, ClusterName::new)?,
        network: name("attachment.network", &key.network, NetworkName::new)?,
        container: name(
            "attachment.container_id",
            &key.container_id,
            ContainerId::new,
        )?,
        interface: name("attachment.interface", &key.interface, InterfaceName::new)?,
    })
}

/// Whom a sandbox is for; all of it may be empty.
pub fn pod(pod: Option<v1::PodIdentity>) -> Decoded<PodIdentity> {
    let pod = pod.unwrap_or_default();
    Ok(PodIdentity {
        namespace: name("pod.namespace", &pod.namespace, Namespace::new)?,
        name: name("pod.name", &pod.name, PodName::new)?,
        uid: name("pod.uid", &pod.uid, PodUid::new)?,
    })
}

/// One address, without prefix length.
pub fn address(field: &'static str, text: &str) -> Decoded<IpAddr> {
    text.parse().map_err(|_| {
        invalid(
            field,
            format_args!("{text:?} is not an IP address such as 10.0.3.7"),
        )
    })
}

/// At most one address per family, IPv4 first.
pub fn addresses(field: &'static str, texts: &[String]) -> Decoded<Vec<IpAddr>> {
    if texts.len() > limits::ADDRESSES_MAX {
        let (count, limit) = (texts.len(), limits::ADDRESSES_MAX);
        return Err(invalid(
            field,
            format_args!("has {count} addresses (at most {limit}, one per family)"),
        ));
    }
    let mut addresses = Vec::new();
    for text in texts {
        addresses.push(address(field, text)?);
    }
    if addresses.len() == 2 && addresses[0].is_ipv4() == addresses[1].is_ipv4() {
        return Err(invalid(
            field,
            "has two addresses of one family (at most one each)",
        ));
    }
    addresses.sort_by_key(IpAddr::is_ipv6);
    Ok(addresses)
}

/// "10.0.3.9", or "10.0.3.9-10.0.3.20".
pub fn range(field: &'static str, text: &str) -> Decoded<AddressRange> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let first = address(field, first.trim())?;
    let last = address(field, last.trim())?;
    if first.is_ipv4() != last.is_ipv4() || first > last {
        return Err(invalid(
            field,
            format_args!("{text:?} does not run upwards within one family"),
        ));
    }
    Ok(AddressRange { first, last })
}

/// What a vSwitch leaves out.
pub fn exclusions(texts: &[String]) -> Decoded<Vec<AddressRange>> {
    if texts.len() > limits::EXCLUSIONS_MAX {
        let (count, limit) = (texts.len(), limits::EXCLUSIONS_MAX);
        return Err(invalid(
            "exclusions",
            format_args!("has {count} ranges (at most {limit})"),
        ));
    }
    texts.iter().map(|text| range("exclusions", text)).collect()
}

/// One family of a vSwitch, if it has it.
pub struct SubnetFields<'a> {
    /// Is it IPv4?
    pub ipv4: bool,
    /// "ipv4_cidr"
    pub cidr_field: &'static str,
    /// "10.0.3.0/24", or empty.
    pub cidr: &'a str,
    /// "ipv4_gateway"
    pub gateway_field: &'static str,
    /// "10.0.3.1", or empty.
    pub gateway: &'a str,
}

/// Host bits, the wrong family and a gateway without a CIDR are refused here; the ledger checks the rest.
pub fn subnet(fields: &SubnetFields<'_>) -> Decoded<Option<Subnet>> {
    let SubnetFields {
        cidr_field,
        cidr,
        gateway_field,
        gateway,
        ipv4,
    } = *fields;
    if cidr.is_empty() {
        return match gateway {
            "" => Ok(None),
            _ => Err(invalid(
                gateway_field,
                format_args!("is set, but {cidr_field} is not"),
            )),
        };
    }
    let example = if ipv4 { "10.0.3.0/24" } else { "fd00:3::/64" };
    let network: IpNet = cidr.parse().map_err(|_| {
        invalid(
            cidr_field,
            format_args!("{cidr:?} is not a CIDR such as {example}"),
        )
    })?;
    if network.addr().is_ipv4() != ipv4 {
        return Err(invalid(
            cidr_field,
            format_args!("{cidr} is of the other family; it should be like {example}"),
        ));
    }
    let trunc = network.trunc();
    if trunc != network {
        return Err(invalid(
            cidr_field,
            format_args!("{cidr} has host bits set; did you mean {trunc}?"),
        ));
    }
    if let Some((never, what)) = never_of_a_pod(network) {
        return Err(invalid(
            cidr_field,
            format_args!("{cidr} overlaps {never}, {what}; choose a subnet like {example}"),
        ));
    }
    let gateway = match gateway {
        "" => None,
        text => Some(address(gateway_field, text)?),
    };
    if let Some(gateway) = gateway.filter(|gateway| !network.contains(gateway)) {
        return Err(invalid(
            gateway_field,
            format_args!("{gateway} does not lie in {network}"),
        ));
    }
    Ok(Some(Subnet {
        cidr: network,
        gateway,
    }))
}

/// What no interface can have as its own address (RFC 6890, RFC 4291).
const NEVER_OF_A_POD: [(&str, &str); 7] = [
    ("0.0.0.0/8", "\"this network\""),
    ("127.0.0.0/8", "loopback addresses"),
    ("169.254.0.0/16", "link-local addresses"),
    ("224.0.0.0/4", "multicast addresses"),
    ("255.255.255.255/32", "the limited broadcast address"),
    ("fe80::/10", "link-local addresses"),
    ("ff00::/8", "multicast addresses"),
];

fn never_of_a_pod(network: IpNet) -> Option<(&'static str, &'static str)> {
    let overlaps = |(range, _): &(&'static str, _)| {
        let range: Option<IpNet> = range.parse().ok();
        range.is_some_and(|range| range.contains(&network) || network.contains(&range))
    };
    NEVER_OF_A_POD.into_iter().find(overlaps)
}

/// "routed" (default) or "vpc".
pub fn network_kind(text: &str) -> Decoded<NetworkKind> {
    match text {
        "" | "routed" => Ok(NetworkKind::Routed),
        "vpc" => Ok(NetworkKind::Vpc),
        other => Err(invalid(
            "network_kind",
            format_args!("{other:?} is neither \"routed\" nor \"vpc\""),
        )),
    }
}

/// "shared", "shared+trunk" or "exclusive".
pub fn node_mode(field: &'static str, text: &str) -> Decoded<NodeMode> {
    let known = NodeMode::ALL.into_iter().find(|mode| mode.as_str() == text);
    known.ok_or_else(|| {
        let modes = NodeMode::ALL.map(NodeMode::as_str).join(", ");
        invalid(field, format_args!("{text:?} is none of {modes}"))
    })
}

/// "never", "delete", "ttl=10m".
pub fn policy(text: &str) -> Decoded<Policy> {
    crate::policy::parse(text).map_err(|reason| invalid("policy", reason))
}

/// A number within its bounds.
pub fn number<N: PartialOrd + Display>(
    field: &'static str,
    number: N,
    bounds: RangeInclusive<N>,
) -> Decoded<N> {
    if bounds.contains(&number) {
        return Ok(number);
    }
    let (least, most) = (bounds.start(), bounds.end());
    Err(invalid(
        field,
        format_args!("{number} is not from {least} to {most}"),
    ))
}

/// Who asked for a change, and why.
pub struct Change {
    /// The caller's id of this request; empty = none.
    pub request_id: RequestId,
    /// In the caller's words.
    pub reason: Reason,
}

/// See [`Change`]; it may be left out.
pub fn change(change: Option<v1::Change>) -> Decoded<Change> {
    let change = change.unwrap_or_default();
    Ok(Change {
        request_id: name("change.request_id", &change.request_id, RequestId::new)?,
        reason: name("change.reason", &change.reason, Reason::new)?,
    })
}

/// "cluster/namespace/pod"
pub fn claim_name(field: &'static str, text: &str) -> Decoded<ClaimName> {
    let parts: Vec<&str> = text.split('/').collect();
    let [cluster, namespace, pod] = parts[..] else {
        return Err(invalid(
            field,
            format_args!("{text:?} is not of the form cluster/namespace/pod"),
        ));
    };
    claim_name_of(field, [cluster, namespace, pod])
}

/// Its three parts; none may be empty.
pub fn claim_name_of(field: &'static str, parts: [&str; 3]) -> Decoded<ClaimName> {
    let [cluster, namespace, pod] = parts;
    if pod.is_empty() || namespace.is_empty() {
        return Err(invalid(field, "a claim needs a namespace and a pod name"));
    }
    Ok(ClaimName {
        cluster: name(field, cluster, ClusterName::new)?,
        namespace: name(field, namespace, Namespace::new)?,
        pod: name(field, pod, PodName::new)?,
    })
}

/// How many rows a page has.
pub fn page_size(said: u32) -> Decoded<usize> {
    match said {
        0 => Ok(limits::PAGE_SIZE),
        said => number("page_size", said as usize, 1..=limits::PAGE_SIZE_MAX),
    }
}

/// Where a page of numbered rows goes on: after the last number of the one before; empty = from the first.
pub fn page_number(token: &str) -> Decoded<u64> {
    match token {
        "" => Ok(0),
        _ => token.parse().map_err(|_| {
            invalid(
                "page_token",
                "is not one that a page gave: begin without one",
            )
        }),
    }
}

/// ms since 1970; 0 = none.
pub fn moment(field: &'static str, wall_ms: u64) -> Decoded<Option<u64>> {
    match wall_ms {
        0 => Ok(None),
        _ if wall_ms > limits::WALL_MS_MAX => Err(invalid(
            field,
            format_args!("{wall_ms} is beyond the year 2100: it counts ms since 1970"),
        )),
        _ => Ok(Some(wall_ms)),
    }
}

#[cfg(test)]
mod tests;
