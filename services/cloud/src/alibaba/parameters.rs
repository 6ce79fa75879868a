//! The flat parameters of an RPC-style call: lists are `Name.1`, `Name.2`, objects in them `Tag.1.Key`.

use crate::eni::Tags;
use std::collections::BTreeMap;
use std::fmt::Display;

/// Parameters by name, in the order of the names' bytes: that in which they are signed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters(BTreeMap<String, String>);

// === impl Parameters ===

impl Parameters {
    /// One value; said twice, the later one counts.
    pub fn set(&mut self, name: &str, value: impl Display) {
        self.0.insert(name.to_owned(), value.to_string());
    }

    /// One value, if there is one.
    pub fn set_if_some(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }

    /// A list, counted from 1. An empty one is not there at all.
    pub fn list(&mut self, name: &str, values: impl IntoIterator<Item = impl Display>) {
        for (at, value) in values.into_iter().enumerate() {
            self.set(&format!("{name}.{}", at + 1), value);
        }
    }

    /// A list that the API takes as the text of a JSON array. An empty one is not there at all.
    pub fn json_list(&mut self, name: &str, values: impl IntoIterator<Item = impl Display>) {
        let values: Vec<serde_json::Value> = values
            .into_iter()
            .map(|value| serde_json::Value::String(value.to_string()))
            .collect();
        if !values.is_empty() {
            self.set(name, serde_json::Value::Array(values));
        }
    }

    /// Tags, in the order of their keys.
    pub fn tags(&mut self, tags: &Tags) {
        for (at, (key, value)) in tags.iter().enumerate() {
            self.set(&format!("Tag.{}.Key", at + 1), key);
            self.set(&format!("Tag.{}.Value", at + 1), value);
        }
    }

    /// By name, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.0.iter();
        pairs.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// As the URL's query, and what is signed of it ("canonicalized query string"). No parameters are the empty text.
    pub fn query(&self) -> String {
        let pairs: Vec<String> = self
            .iter()
            .map(|(name, value)| format!("{}={}", percent_encoded(name), percent_encoded(value)))
            .collect();
        pairs.join("&")
    }
}

/// RFC 3986: letters, digits and `-_.~` stand for themselves, every other byte of the UTF-8 text as `%XX`.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::Parameters;

    /// Promise: the query is in the order of the names' bytes, and encoded as the official SDK encodes it (its own words of the same).
    #[test]
    fn the_query_is_the_sdks() {
        let mut parameters = Parameters::default();
        parameters.set("RegionId", "cn-shanghai");
        parameters.set("Tag.1.Value", "a b*~+/é");
        parameters.set("Tag.1.Key", "k");
        parameters.set(
            "ImageId",
            "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd",
        );
        assert_eq!(
            parameters.query(),
            "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai&Tag.1.Key=k\
             &Tag.1.Value=a%20b%2A~%2B%2F%C3%A9"
        );
    }

    /// Promise: an empty list is not there, and not an empty parameter that the cloud might read as "none" or as "all".
    #[test]
    fn an_empty_list_is_nothing() {
        let none: [&str; 0] = [];
        let mut parameters = Parameters::default();
        parameters.list("NetworkInterfaceId", none);
        parameters.json_list("InstanceIds", none);
        parameters.tags(&Default::default());
        assert_eq!(parameters.query(), "");
        parameters.json_list("InstanceIds", ["i-1", "i-\"2"]);
        let pairs: Vec<_> = parameters.iter().collect();
        assert_eq!(pairs, [("InstanceIds", r#"["i-1","i-\"2"]"#)]);
    }
}
