//! Single values: those that must be there, and those that may be.

use super::Unreadable;
use std::str::FromStr;

/// A name that must be there.
pub fn must<T>(
    what: &str,
    text: Option<String>,
    name: fn(String) -> Option<T>,
) -> Result<T, Unreadable> {
    let text = text.unwrap_or_default();
    name(text.clone()).ok_or_else(|| format!("{what} is {text:?}"))
}

/// A name that may be left out or empty; one that is there must be readable.
pub fn may<T>(
    what: &str,
    text: Option<String>,
    name: fn(String) -> Option<T>,
) -> Result<Option<T>, Unreadable> {
    match text {
        None => Ok(None),
        Some(text) if text.is_empty() => Ok(None),
        Some(text) => must(what, Some(text), name).map(Some),
    }
}

/// An address that must be there.
pub fn address<A: FromStr>(text: Option<String>) -> Result<A, Unreadable> {
    let text = text.unwrap_or_default();
    text.parse()
        .map_err(|_| format!("{text:?} is not an address"))
}

/// A number that must be there.
pub fn number<N>(what: &str, number: Option<N>) -> Result<N, Unreadable> {
    number.ok_or_else(|| format!("{what} is missing"))
}

/// A list that must be there, if it is empty too: an answer without it is not that answer.
pub fn list<T>(what: &str, list: Option<T>) -> Result<T, Unreadable> {
    list.ok_or_else(|| format!("{what} is missing"))
}

/// Text that is not empty.
pub fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}
