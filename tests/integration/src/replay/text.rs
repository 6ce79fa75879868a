//! What the words of a history row mean.

use super::{Allocation, Claim};

/// "10.0.3.7 of shop/web-0 on worker-1, generation 12"
pub(super) fn allocation(text: &str) -> Option<Allocation> {
    let (rest, generation) = text.rsplit_once(", generation ")?;
    let (rest, node) = rest.rsplit_once(" on ")?;
    let (addresses, pod) = rest.split_once(" of ").unwrap_or((rest, ""));
    Some(Allocation {
        addresses: addresses.split(' ').map(str::to_owned).collect(),
        pod: pod.to_owned(),
        node: node.to_owned(),
        generation: generation.parse().ok()?,
    })
}

/// "10.0.3.7, never, held", "10.0.3.7, never, bound on worker-1"
pub(super) fn claim(text: &str) -> Option<Claim> {
    let mut parts = text.split(", ");
    let addresses = parts.next()?.split(' ').map(str::to_owned).collect();
    let policy = parts.next()?.to_owned();
    let bound = match parts.next()? {
        "held" => false,
        state if state.starts_with("bound") => true,
        _ => return None,
    };
    Some(Claim {
        addresses,
        policy,
        bound,
    })
}

/// The state's name: "bound shop/web-0 on worker-1" is "bound".
pub(super) fn state(text: &str) -> &str {
    match text {
        "never used" => text,
        _ => text.split(' ').next().unwrap_or_default(),
    }
}

/// "cooling until ledger time 5000 ms" is 5000.
pub(super) fn cooling_until(text: &str) -> Option<u64> {
    let number = text.strip_prefix("cooling until ledger time ")?;
    number.strip_suffix(" ms")?.parse().ok()
}
