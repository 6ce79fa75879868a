//! Promise: without an endpoint for traces, spans below the log lines' level are not made, and cost one comparison.

use berth_telemetry::{Options, init, traceparent_of_current_span};
use tracing::level_filters::LevelFilter;

#[test]
fn nothing_is_made() {
    let mut options = Options::new("berth-test");
    options.filter = Some("info".into());
    let _guard = init(options).expect("started");
    // What the macros compare with before they do anything else.
    assert_eq!(LevelFilter::current(), LevelFilter::INFO);
    let call = tracing::debug_span!(target: "berth_test", "call");
    assert!(call.is_disabled());
    // The control: one that log lines show is made, and sent to nobody.
    let shown = tracing::info_span!(target: "berth_test", "shown");
    assert!(!shown.is_disabled());
    assert_eq!(shown.in_scope(traceparent_of_current_span), None);
}
