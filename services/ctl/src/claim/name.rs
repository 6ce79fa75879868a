//! A claim as people name it: CLUSTER/NAMESPACE/POD, or NAMESPACE/POD as `claim create` takes it.

/// The cluster that `claim create` takes without --cluster.
pub const CLUSTER_DEFAULT: &str = "default";

/// Completes the name, for clap; what it may consist of the server checks.
pub fn parse(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split('/').collect();
    if parts.iter().any(|part| part.is_empty()) {
        return Err(no_claim(text));
    }
    match parts.len() {
        2 => Ok(format!("{CLUSTER_DEFAULT}/{text}")),
        3 => Ok(text.to_owned()),
        _ => Err(no_claim(text)),
    }
}

fn no_claim(text: &str) -> String {
    format!(
        "{text:?} is no claim; write NAMESPACE/POD or CLUSTER/NAMESPACE/POD, as `berthctl claim list` shows them"
    )
}

#[cfg(test)]
mod tests {
    use super::parse;

    /// Promise: a claim is found by the name it was made with and by the one that lists show; nothing else passes for one.
    #[test]
    fn both_names_of_a_claim_are_taken() {
        for text in ["shop/db-0", "default/shop/db-0"] {
            assert_eq!(parse(text).as_deref(), Ok("default/shop/db-0"));
        }
        for text in ["", "db-0", "shop/", "/shop/db-0", "a/b/c/d"] {
            assert!(
                parse(text).is_err_and(|said| said.contains("NAMESPACE/POD")),
                "{text}"
            );
        }
    }
}
