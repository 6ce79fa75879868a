//! The trace that a call belongs to, as it crosses the wire: W3C Trace Context, "traceparent".

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// A span of another process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanParent {
    /// Never all zeros.
    pub trace_id: [u8; 16],
    /// Never all zeros.
    pub span_id: [u8; 8],
    /// Whether the caller records the trace.
    pub sampled: bool,
}

/// Reads a `traceparent` ("00-<32 hex>-<16 hex>-<2 hex>"). None for what the W3C recommendation (§3.2) tells us to ignore:
/// wrong lengths, upper case, zero ids, version ff. Of a newer version the known part is read.
pub fn remote_parent(traceparent: &str) -> Option<SpanParent> {
    let mut parts = traceparent.trim().split('-');
    let version = hex::<1>(parts.next()?)?[0];
    let trace_id = hex::<16>(parts.next()?)?;
    let span_id = hex::<8>(parts.next()?)?;
    let flags = hex::<1>(parts.next()?)?[0];
    let known = version != 0xff && (version != 0 || parts.next().is_none());
    let valid = trace_id != [0; 16] && span_id != [0; 8];
    (known && valid).then_some(SpanParent {
        trace_id,
        span_id,
        sampled: flags & 1 == 1,
    })
}

/// What to send along with a call made inside the current span. None outside any recorded span.
pub fn traceparent_of_current_span() -> Option<String> {
    let span = current()?;
    Some(format!(
        "00-{}-{}-{:02x}",
        span.trace_id(),
        span.span_id(),
        span.trace_flags().to_u8() & 1
    ))
}

/// The trace of the current span. None outside any recorded span.
pub fn trace_id_of_current_span() -> Option<[u8; 16]> {
    Some(current()?.trace_id().to_bytes())
}

fn current() -> Option<SpanContext> {
    let context = Span::current().context();
    let span = context.span().span_context().clone();
    span.is_valid().then_some(span)
}

/// Lower-case hex of exactly `N` bytes.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    let lower = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    if digits.len() != 2 * N || !digits.iter().all(lower) {
        return None;
    }
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

// === impl SpanParent ===

impl SpanParent {
    /// Makes `span` a child of this one. Before the span is entered; without the sending of spans it does nothing.
    pub fn adopt(&self, span: &Span) {
        let flags = TraceFlags::default().with_sampled(self.sampled);
        let (trace_id, span_id) = (
            TraceId::from_bytes(self.trace_id),
            SpanId::from_bytes(self.span_id),
        );
        let remote = SpanContext::new(trace_id, span_id, flags, true, TraceState::NONE);
        let context = Context::new().with_remote_span_context(remote);
        if let Err(reason) = span.set_parent(context) {
            tracing::trace!(%reason, "the span keeps its own trace");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::remote_parent;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    /// Promise: the W3C example is read; a newer version's known part too.
    #[test]
    fn a_traceparent_is_read() {
        let parent = remote_parent(GOOD).unwrap();
        assert_eq!((parent.trace_id[0], parent.trace_id[15]), (0x0a, 0x9c));
        assert_eq!((parent.span_id[0], parent.span_id[7]), (0xb7, 0x31));
        assert!(parent.sampled);
        assert!(!remote_parent(&GOOD.replace("-01", "-00")).unwrap().sampled);
        let newer = format!("{}-more", GOOD.replace("00-0af", "01-0af"));
        assert_eq!(remote_parent(&newer), Some(parent));
    }

    /// Promise: what the recommendation tells us to ignore is ignored, and nothing panics.
    #[test]
    fn a_bad_traceparent_is_ignored() {
        let zeros = "0".repeat(32);
        let bad = [
            String::new(),
            "00".into(),
            GOOD.to_uppercase(),
            GOOD.replace("00-0af", "ff-0af"),
            GOOD.replace("0af7651916cd43dd8448eb211c80319c", &zeros),
            GOOD.replace("b7ad6b7169203331", &zeros[..16]),
            GOOD.replace("b7ad", "b7a"),
            format!("{GOOD}-more"),
            GOOD.replace("0af7", "é7"),
        ];
        for text in bad {
            assert_eq!(remote_parent(&text), None, "{text}");
        }
    }
}
