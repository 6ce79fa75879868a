//! What is known of a call's end.

use crate::server::{Answer, serve};
use crate::{called, client, look, variables};
use berth_cloud::error::Cause;
use berth_cloud::{Cloud, Order};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const NOTHING: &str = r#"{"RequestId":"r","Instances":{"Instance":[]}}"#;

fn says(status: u16, body: &str) -> Answer {
    Answer::Says(status, body.to_owned())
}

async fn cause(answer: impl Fn() -> Answer + Send + Sync + 'static) -> Option<Cause> {
    let (endpoint, heard) = serve(move |_| answer());
    let ended = called(&client(&variables(&endpoint))).await;
    assert_eq!(heard.heads().len(), 1, "nothing is sent twice");
    ended.err().map(|error| error.cause)
}

/// Promise: every end of a call that was sent has its cause, and none of them is "not sent".
#[tokio::test]
async fn what_was_sent_has_a_cause() {
    assert_eq!(cause(|| says(200, NOTHING)).await, None, "the control");
    assert_eq!(cause(|| Answer::Closes).await, Some(Cause::Unknown));
    let page = "<html>please log in</html>";
    assert_eq!(
        cause(move || says(200, page)).await,
        Some(Cause::NotTheCloud)
    );
    assert_eq!(
        cause(move || says(502, page)).await,
        Some(Cause::NotTheCloud)
    );
    assert_eq!(cause(|| says(503, "{}")).await, Some(Cause::Throttled));
    assert_eq!(cause(|| says(500, "{}")).await, Some(Cause::Internal));
    assert_eq!(
        cause(|| says(200, "{\"Instances\":3}")).await,
        Some(Cause::Unknown)
    );
}

/// Promise: where nobody listens nothing was sent, and that is said.
#[tokio::test]
async fn nobody_there_is_not_sent() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = listener.local_addr().unwrap().to_string();
    drop(listener);
    let error = called(&client(&variables(&endpoint))).await.unwrap_err();
    assert_eq!(error.cause, Cause::NotSent);
    assert!(error.message.contains(&endpoint), "{error}");
}

/// Promise: a call that nobody wants any more does not go out, though the connection stands (design §8: a deposed leader sends nothing).
#[tokio::test]
async fn what_is_not_wanted_does_not_go_out() {
    let (endpoint, heard) = serve(|_| says(200, NOTHING));
    let client = client(&variables(&endpoint));
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let order = Order {
        call: look(),
        still_wanted: Arc::new(move || counted.fetch_add(1, Ordering::SeqCst) > 0),
    };
    let error = client.call(order.clone()).await.unwrap_err();
    assert_eq!(error.cause, Cause::NotSent);
    assert!(heard.heads().is_empty());
    assert!(
        client.call(order).await.is_ok(),
        "the control: wanted again"
    );
    assert_eq!((heard.heads().len(), heard.connections()), (1, 1));
}

/// Promise: connections are kept, and one that the other side ends costs no call.
#[tokio::test]
async fn connections_are_kept() {
    let (endpoint, heard) = serve(|_| says(200, NOTHING));
    let kept = client(&variables(&endpoint));
    for _ in 0..5 {
        assert!(called(&kept).await.is_ok());
    }
    assert_eq!((heard.heads().len(), heard.connections()), (5, 1));

    let (endpoint, heard) = serve(|_| Answer::SaysAndCloses(200, NOTHING.to_owned()));
    let closed = client(&variables(&endpoint));
    for _ in 0..5 {
        assert!(called(&closed).await.is_ok());
    }
    assert_eq!((heard.heads().len(), heard.connections()), (5, 5));
}
