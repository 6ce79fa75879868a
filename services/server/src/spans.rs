//! The spans of a request's trace: call → node.add → vswitch.grant, journal.commit.
//!
//! All at debug level: the sender of traces takes every level, while with log lines at info and nobody to send traces to
//! none of them is made, and a call pays for none of it. Below a span that is not made nothing is made either, so that
//! what the server does unasked begins no traces of its own.

use crate::failure::Failure;
use berth_domain::id::{NodeName, Principal, VSwitchName};
use tonic::Status;
use tracing::Span;
use tracing::field::Empty;

/// One request at the door, from its arrival to its answer.
pub fn call(method: &'static str, principal: &Principal) -> Span {
    tracing::debug_span!(
        "call",
        otel.kind = "server",
        method,
        %principal,
        rpc.grpc.status_code = Empty
    )
}

/// How the call whose span is entered ended, by gRPC's number.
pub fn ended(status: &Status) {
    let span = Span::current();
    if !span.is_disabled() {
        span.record("rpc.grpc.status_code", i64::from(i32::from(status.code())));
    }
}

/// An ADD in its node's hands, waiting included.
pub fn add(parent: &Span, node: &NodeName) -> Span {
    below(
        parent,
        || tracing::debug_span!(parent: parent, "node.add", %node, found = Empty, failure = Empty),
    )
}

/// Where an ADD's addresses were found: "given", "promised", "warm".
pub fn found(add: &Span, word: &'static str) {
    add.record("found", word);
}

/// Why an ADD got none.
pub fn failed(add: &Span, failure: &Failure) {
    if !add.is_disabled() {
        add.record("failure", failure.to_string());
    }
}

/// From the wish for addresses to a vSwitch's answer.
pub fn grant(parent: &Span, vswitch: &VSwitchName) -> Span {
    below(
        parent,
        || tracing::debug_span!(parent: parent, "vswitch.grant", %vswitch),
    )
}

/// From the journal's queue until the command was durable on a quorum and applied here.
pub fn commit(parent: &Span) -> Span {
    below(parent, || {
        tracing::debug_span!(
            parent: parent,
            "journal.commit",
            batch = Empty,
            commands = Empty,
            index = Empty
        )
    })
}

/// In which entry a command went, beside how many others.
pub fn packed(commit: &Span, batch: u64, commands: usize) {
    if !commit.is_disabled() {
        commit.record("batch", signed(batch));
        commit.record("commands", signed(commands as u64)); // a length
    }
}

/// At which place of the log that entry was committed.
pub fn applied(commit: &Span, index: u64) {
    if !commit.is_disabled() {
        commit.record("index", signed(index));
    }
}

fn below(parent: &Span, make: impl FnOnce() -> Span) -> Span {
    match parent.is_disabled() {
        true => Span::none(),
        false => make(),
    }
}

/// OpenTelemetry's numbers have a sign; none of ours comes near it.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
