//! A pod as people name it: NAMESPACE/NAME.

use std::fmt;
use std::str::FromStr;

/// A pod's namespace and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodName {
    /// Never empty.
    pub namespace: String,
    /// Never empty.
    pub name: String,
}

// === impl PodName ===

impl FromStr for PodName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            Some((namespace, name))
                if !namespace.is_empty() && !name.is_empty() && !name.contains('/') =>
            {
                Ok(Self {
                    namespace: namespace.to_owned(),
                    name: name.to_owned(),
                })
            }
            _ => Err(format!(
                "{text:?} is no pod; write NAMESPACE/NAME, for example shop/db-0"
            )),
        }
    }
}

impl fmt::Display for PodName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.namespace, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::PodName;

    /// Promise: a pod is always two words; anything else is refused with the form that is taken.
    #[test]
    fn a_pod_is_two_words() {
        let pod: PodName = "shop/db-0".parse().expect("two words");
        assert_eq!(
            (pod.namespace.as_str(), pod.name.as_str()),
            ("shop", "db-0")
        );
        for text in ["", "db-0", "/db-0", "shop/", "a/b/c"] {
            let error = text.parse::<PodName>().expect_err("not two words");
            assert!(error.contains("NAMESPACE/NAME"), "{text}");
        }
    }
}
