//! The token by which the cloud knows a call that it has seen already.

use std::fmt;

/// Says that two calls are one: the same token with the same parameters takes effect once (ECS, "How to ensure idempotence").
/// ASCII, at most 64 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientToken(String);

/// The cloud's limit, in characters.
pub const LIMIT: usize = 64;

// === impl ClientToken ===

impl ClientToken {
    /// The token of one step of one replicated job of one Berth cluster: whoever goes on with the job makes the same call. `attempt`
    /// grows only when the step is begun anew with other parameters, which the cloud would refuse under the old token.
    pub fn of_step(cluster: &str, job: u64, step: u32, attempt: u32) -> Self {
        // Twelve characters of the cluster's id tell clusters apart; jobs, steps and attempts are numbers.
        let cluster: String = cluster
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(12)
            .collect();
        Self(format!("berth-{cluster}-{job:x}-{step:x}-{attempt:x}"))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{ClientToken, LIMIT};

    /// Promise: a step's token is the same for everybody, another for another step, and within the cloud's limit.
    #[test]
    fn a_token_is_its_steps() {
        let token = ClientToken::of_step("5f0c-77aa", 17, 2, 0);
        assert_eq!(token.as_str(), "berth-5f0c77aa-11-2-0");
        assert_eq!(token, ClientToken::of_step("5f0c-77aa", 17, 2, 0));
        for other in [
            ClientToken::of_step("5f0c-77ab", 17, 2, 0),
            ClientToken::of_step("5f0c-77aa", 18, 2, 0),
            ClientToken::of_step("5f0c-77aa", 17, 3, 0),
            ClientToken::of_step("5f0c-77aa", 17, 2, 1),
        ] {
            assert_ne!(token, other);
        }
        let longest = ClientToken::of_step(&"f".repeat(64), u64::MAX, u32::MAX, u32::MAX);
        assert!(longest.as_str().len() <= LIMIT, "{longest}");
    }
}
