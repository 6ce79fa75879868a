//! Which trace a request belongs to: `traceparent` of W3C Trace Context.

use super::principal::Caller;
use crate::spans;
use berth_telemetry::{SpanParent, remote_parent};
use http::HeaderMap;
use tracing::Span;

/// The header in which CNI shims and agents pass on their own `TRACEPARENT`.
const HEADER: &str = "traceparent";

/// The caller's span, if it named one that is well-formed; a malformed one is as good as none.
pub fn parent(headers: &HeaderMap) -> Option<SpanParent> {
    remote_parent(headers.get(HEADER)?.to_str().ok()?)
}

/// One request's span; its children go down to the raft commit.
pub fn span(method: &'static str, caller: &Caller, parent: Option<&SpanParent>) -> Span {
    let span = spans::call(method, &caller.principal);
    if let Some(parent) = parent
        && !span.is_disabled()
    {
        parent.adopt(&span);
    }
    span
}
