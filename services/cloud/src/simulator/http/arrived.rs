//! A call as it came over the socket.

use crate::simulator::Request;
use hyper::http::request::Parts;
use percent_encoding::percent_decode_str;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub(super) struct Arrived {
    pub method: String,
    pub path: String,
    /// Lower-case names; a repeated one is joined with a comma.
    pub headers: BTreeMap<String, String>,
    /// The URL's.
    pub query: BTreeMap<String, String>,
    /// The form's.
    form: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

// === impl Arrived ===

impl Arrived {
    pub fn new(head: &Parts, body: &[u8]) -> Self {
        let mut headers: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in &head.headers {
            let text = String::from_utf8_lossy(value.as_bytes()).trim().to_owned();
            let known = headers.entry(name.as_str().to_owned());
            known
                .and_modify(|before| *before = format!("{before},{text}"))
                .or_insert(text);
        }
        let is_form = headers
            .get("content-type")
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        let form = if is_form {
            std::str::from_utf8(body).unwrap_or("")
        } else {
            ""
        };
        Self {
            method: head.method.as_str().to_owned(),
            path: head.uri.path().to_owned(),
            query: pairs(head.uri.query().unwrap_or("")),
            form: pairs(form),
            headers,
            body: body.to_vec(),
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// What it asks, of whom its signature is.
    pub fn request(&self, signer: String) -> Request {
        let named = |name: &str| self.header(name).unwrap_or_default().to_owned();
        let mut parameters = self.query.clone();
        parameters.extend(self.form.clone());
        Request {
            version: named("x-acs-version"),
            action: named("x-acs-action"),
            parameters,
            signer,
        }
    }
}

fn pairs(text: &str) -> BTreeMap<String, String> {
    let decoded = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    let split = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    split
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}
