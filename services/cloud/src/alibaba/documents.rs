//! What the answers look like. Every field may be left out or null, and fields that are not named here are passed over: an answer
//! of a newer API is read like one of today. What must be there, `decode` says.

mod eni;
mod inventory;

pub use eni::*;
pub use inventory::*;

use serde::{Deserialize, Deserializer};

/// A list inside an object of its own: `{"PrivateIpSet": [...]}`, under whatever name; none, null and `{}` are the empty one.
#[derive(Debug)]
pub struct Nested<T>(pub Vec<T>);

/// An error's document.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ErrorDocument {
    pub request_id: Option<String>,
    pub code: Option<String>,
    pub message: Option<String>,
}

/// The answer to a call that says nothing but that it was taken.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Taken {
    pub request_id: Option<String>,
}

// === impl Nested ===

impl<T> Default for Nested<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Nested<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The name inside says nothing that the name outside has not said, and there is one list inside, or none.
        let inside: Option<std::collections::BTreeMap<String, Option<Vec<T>>>> =
            Option::deserialize(deserializer)?;
        let lists = inside.unwrap_or_default().into_values().flatten();
        Ok(Self(lists.flatten().collect()))
    }
}
