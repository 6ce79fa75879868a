//! The security groups of an ENI, or of all that a pool's nodes get.

use super::invalid;
use crate::id::SecurityGroup;
use crate::outcome::Refusal;

/// ECS: an ENI has at most ten security groups.
const SECURITY_GROUPS_MAX: usize = 10;

/// In order; 1 to 10, each once.
pub(super) fn sorted(groups: &[SecurityGroup]) -> Result<Vec<SecurityGroup>, Refusal> {
    let count = groups.len();
    if count == 0 || count > SECURITY_GROUPS_MAX {
        let reason = format!("has {count} entries, 1 to {SECURITY_GROUPS_MAX} are allowed");
        return Err(invalid("security_groups", reason));
    }
    let mut sorted = groups.to_vec();
    sorted.sort();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(invalid(
            "security_groups",
            format!("{} is there twice", pair[0]),
        )),
        None => Ok(sorted),
    }
}
