//! One object of the configuration, read key by key, so that an error can name the key by its whole path.

use serde_json::{Map, Value};

use crate::error::Error;

/// An object, and where it stands: "ipam.tls".
pub struct Section<'a> {
    path: String,
    object: &'a Map<String, Value>,
}

// === impl Section ===

impl<'a> Section<'a> {
    /// The object at a path; "" is the whole configuration.
    pub fn new(path: &str, value: &'a Value) -> Result<Self, Error> {
        let name = if path.is_empty() {
            "the configuration"
        } else {
            path
        };
        match value {
            Value::Object(object) => Ok(Self {
                path: path.to_owned(),
                object,
            }),
            other => Err(Error::config(format!(
                "{name} is {}; it must be an object",
                kind(other)
            ))),
        }
    }

    /// The whole path of a key: "ipam.node".
    pub fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// All keys, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &'a str> {
        self.object.keys().map(String::as_str)
    }

    /// What stands there; `null` is as good as nothing.
    pub fn value(&self, key: &str) -> Option<&'a Value> {
        self.object.get(key).filter(|value| !value.is_null())
    }

    /// An object.
    pub fn section(&self, key: &str) -> Result<Option<Section<'a>>, Error> {
        let value = self.value(key);
        value
            .map(|value| Section::new(&self.path_of(key), value))
            .transpose()
    }

    /// Text.
    pub fn text(&self, key: &str) -> Result<Option<String>, Error> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(other) => Err(self.wrong(key, other, "text")),
        }
    }

    /// A list of texts.
    pub fn texts(&self, key: &str) -> Result<Option<Vec<String>>, Error> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        let Value::Array(items) = value else {
            return Err(self.wrong(key, value, "a list of texts"));
        };
        let mut texts = Vec::new();
        for (at, item) in items.iter().enumerate() {
            let Value::String(text) = item else {
                return Err(self.wrong(&format!("{key}[{at}]"), item, "text"));
            };
            texts.push(text.clone());
        }
        Ok(Some(texts))
    }

    /// A whole number that is not negative.
    pub fn number(&self, key: &str) -> Result<Option<u64>, Error> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        let number = value.as_u64();
        number
            .map(Some)
            .ok_or_else(|| self.wrong(key, value, "a whole number"))
    }

    /// `true` or `false`.
    pub fn truth(&self, key: &str) -> Result<Option<bool>, Error> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        let truth = value.as_bool();
        truth
            .map(Some)
            .ok_or_else(|| self.wrong(key, value, "true or false"))
    }

    fn wrong(&self, key: &str, value: &Value, wanted: &str) -> Error {
        Error::config(format!(
            "{} is {}; it must be {wanted}",
            self.path_of(key),
            kind(value)
        ))
    }
}

fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(_) => "text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
