//! What `init` refuses. A process has one subscriber, so the order matters and one test walks through it.

use berth_telemetry::{Error, Options, init};

/// Promise: a bad filter and a bad endpoint are refused with what was given; a second start is refused.
#[test]
fn bad_options_are_named() {
    let mut options = Options::new("berth-test");
    options.filter = Some("berthd=loud".into());
    let error = init(options.clone()).unwrap_err();
    assert!(matches!(error, Error::Filter { .. }) && error.to_string().contains("berthd=loud"));

    options.filter = Some("off".into());
    options.otlp_endpoint = Some("not an endpoint".into());
    let error = init(options.clone()).unwrap_err();
    let named = error.to_string().contains("not an endpoint");
    assert!(matches!(error, Error::Endpoint { .. }) && named);

    options.otlp_endpoint = None;
    let _guard = init(options.clone()).unwrap();
    assert!(matches!(init(options).unwrap_err(), Error::Twice(_)));
}
