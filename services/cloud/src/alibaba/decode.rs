//! An answer becomes a reply or an error.
//!
//! Ids and addresses are read strictly: one that cannot be read makes the whole answer unreadable, for a list with a hole would say
//! that an address is free. After a call that changes something an unreadable answer means that nobody knows what was done.

mod eni;
mod inventory;
mod read;
#[cfg(test)]
mod tests;

use crate::alibaba::codes;
use crate::alibaba::documents::{ErrorDocument, Taken};
use crate::call::Action;
use crate::error::{Cause, Error};
use crate::id::CallId;
use crate::reply::{Body, Reply};
use serde::de::DeserializeOwned;

/// Bytes of the cloud's words that are kept: people read them, nothing depends on them.
const MESSAGE_LIMIT: usize = 512;

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The whole body.
    pub body: Vec<u8>,
}

/// Why an answer cannot be read.
type Unreadable = String;

/// What the answer to that action says.
///
/// # Errors
/// The cloud's refusal by its code; [`Cause::NotTheCloud`] for a body that is not JSON, as captive portals and proxies send;
/// [`Cause::Unknown`] for a success whose document lacks what it must have.
pub fn decode(action: Action, answer: &Answer) -> Result<Reply, Error> {
    let name = action.name();
    let looks_like_json = answer.body.trim_ascii_start().starts_with(b"{");
    if !looks_like_json || !matches!(answer.status, 200..=299 | 400..) {
        return Err(Error::of(name, Cause::NotTheCloud, stranger(answer)));
    }
    if answer.status >= 400 {
        return Err(refusal(name, answer));
    }
    succeeded(action, &answer.body).map_err(|why| Error::of(name, Cause::Unknown, why))?
}

fn stranger(answer: &Answer) -> String {
    format!(
        "HTTP status {} with {} bytes that are not the cloud's JSON",
        answer.status,
        answer.body.len()
    )
}

/// An error from its document; one that cannot be read still has its status.
pub(crate) fn refusal(action: &'static str, answer: &Answer) -> Error {
    let document: ErrorDocument = serde_json::from_slice(&answer.body).unwrap_or_default();
    let code = document.code.unwrap_or_default();
    let message = match code.as_str() {
        // The cloud quotes the whole request there, with the security token.
        "SignatureDoesNotMatch" | "IncompleteSignature" => {
            "the signature does not fit the access key's secret".to_owned()
        }
        _ => shortened(document.message.unwrap_or_default()),
    };
    Error {
        action,
        cause: codes::cause(answer.status, &code),
        message: match (message.is_empty(), code.is_empty()) {
            (true, true) => format!("HTTP status {}", answer.status),
            _ => message,
        },
        code,
        call: document.request_id.and_then(CallId::new),
    }
}

fn shortened(mut text: String) -> String {
    let end = (0..=MESSAGE_LIMIT.min(text.len())).rev();
    let end = end.into_iter().find(|at| text.is_char_boundary(*at));
    text.truncate(end.unwrap_or(0));
    text
}

/// The inner result is the cloud's, of a document that could be read.
fn succeeded(action: Action, body: &[u8]) -> Result<Result<Reply, Error>, Unreadable> {
    let (call, body) = match action {
        Action::AttachNetworkInterface
        | Action::DetachNetworkInterface
        | Action::DeleteNetworkInterface
        | Action::UnassignPrivateIpAddresses
        | Action::UnassignIpv6Addresses => {
            let taken: Taken = document(body)?;
            (taken.request_id, Body::Accepted)
        }
        Action::CreateNetworkInterface => match eni::created(document(body)?)? {
            Some(created) => created,
            None => return Ok(Err(nothing_created(action.name()))),
        },
        Action::DescribeNetworkInterfaceAttribute => eni::one(document(body)?)?,
        Action::DescribeNetworkInterfaces => eni::page(document(body)?)?,
        Action::AssignPrivateIpAddresses => eni::assigned4(document(body)?)?,
        Action::AssignIpv6Addresses => eni::assigned6(document(body)?)?,
        Action::DescribeInstanceTypes => inventory::instance_types(document(body)?)?,
        Action::DescribeInstances => inventory::instances(document(body)?)?,
        Action::DescribeSecurityGroups => inventory::security_groups(document(body)?)?,
        Action::DescribeAccountAttributes => inventory::eni_quota(document(body)?)?,
        Action::DescribeVSwitches => inventory::vswitches(document(body)?)?,
    };
    let call = call.and_then(CallId::new);
    Ok(Ok(Reply { call, body }))
}

/// "If NetworkInterfaceId is empty in the response, no ENI is created. Call the operation again" (CreateNetworkInterface). With the
/// same token that does no harm, so it is left open.
fn nothing_created(action: &'static str) -> Error {
    Error::of(action, Cause::Internal, "a success without an ENI")
}

fn document<D: DeserializeOwned>(body: &[u8]) -> Result<D, Unreadable> {
    serde_json::from_slice(body).map_err(|error| format!("a success that cannot be read: {error}"))
}
