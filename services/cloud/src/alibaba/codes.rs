//! What the cloud's error codes mean.
//!
//! From the API reference of the fourteen actions, of STS and of the gateway before them ("common error codes"), and those that
//! Terway has met. Some codes come in two spellings; the table has both. Where the reference leaves open whether something was
//! done, the cause is one that leaves it open too ([`Cause::is_certain`]).

mod table;
#[cfg(test)]
mod tests;

use crate::error::Cause;

/// What a refusal with this HTTP status and this code means; an empty code = the cloud said none.
pub fn cause(status: u16, code: &str) -> Cause {
    known(code).unwrap_or(match status {
        429 | 503 => Cause::Throttled,
        500.. => Cause::Internal,
        _ => Cause::Other,
    })
}

/// The cause of a code that the table or a family has.
fn known(code: &str) -> Option<Cause> {
    let exact = table::CODES.iter().find(|(known, _)| *known == code);
    let family = || {
        let mut families = table::FAMILIES.iter();
        families.find(|(start, _)| code.starts_with(start))
    };
    exact.or_else(family).map(|(_, cause)| *cause)
}
