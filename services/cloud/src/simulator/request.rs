//! A call as it arrives, after its signature was found good.

use crate::simulator::refusal::Refusal;
use std::collections::BTreeMap;

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The product's API version: `2014-05-26` is ECS, `2016-04-28` is VPC.
    pub version: String,
    /// The action's name.
    pub action: String,
    /// Query and form, with lists as `Name.1`, `Name.2`, ...
    pub parameters: BTreeMap<String, String>,
    /// Whose key signed it.
    pub signer: String,
}

// === impl Request ===

impl Request {
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let text = self.parameters.get(name)?;
        (!text.is_empty()).then_some(text)
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name).ok_or_else(|| Refusal::missing(name))
    }

    pub(super) fn count(&self, name: &str) -> Result<Option<usize>, Refusal> {
        let parse = |text: &str| text.parse().map_err(|_| Refusal::invalid(name));
        self.text(name).map(parse).transpose()
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.text(name)
            .is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    /// `Name.1`, `Name.2`, ... in the order of their numbers; gaps are allowed.
    pub(super) fn list(&self, name: &str) -> Vec<&str> {
        let mut found: Vec<(u32, &str)> = Vec::new();
        for (key, value) in &self.parameters {
            let number = key
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix('.'));
            if let Some(number) = number.and_then(|text| text.parse().ok()) {
                found.push((number, value));
            }
        }
        found.sort_unstable();
        found.into_iter().map(|(_, value)| value).collect()
    }

    /// `Tag.N.Key` and `Tag.N.Value`; a tag without a value has the empty one.
    pub(super) fn tags(&self) -> BTreeMap<String, String> {
        let mut tags = BTreeMap::new();
        for (key, value) in &self.parameters {
            let number = key
                .strip_prefix("Tag.")
                .and_then(|rest| rest.strip_suffix(".Key"));
            if let Some(number) = number {
                let text = self.parameters.get(&format!("Tag.{number}.Value"));
                tags.insert(value.clone(), text.cloned().unwrap_or_default());
            }
        }
        tags
    }
}
