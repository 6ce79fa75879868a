use super::*;
use berth_telemetry::Registry;
use std::convert::Infallible;
use std::time::Duration;
use tower::ServiceExt;

/// What the inner service does.
#[derive(Clone, Copy)]
enum Inner {
    /// Answers with the caller's principal in a header.
    Answers,
    /// Never answers.
    Hangs,
    /// Answers after a day, as a stream that is kept does.
    AnswersLate,
}

async fn call(
    inner: Inner,
    without_certificate: Caller,
    path: &str,
    traceparent: &str,
) -> Response<Body> {
    let service = tower::service_fn(move |request: Request<Body>| async move {
        match inner {
            Inner::Answers => {}
            Inner::Hangs => std::future::pending::<()>().await,
            Inner::AnswersLate => tokio::time::sleep(DAY).await,
        }
        let caller = request
            .extensions()
            .get::<Caller>()
            .expect("the entry put it there");
        let trace = caller.trace_id.map_or(0, |id| id[0]);
        let mut response = Response::new(Body::empty());
        let text = format!("{} {trace}", caller.principal);
        response
            .headers_mut()
            .insert("who", text.parse().expect("graphic"));
        Ok::<_, Infallible>(response)
    });
    let calls = Calls::register(&Registry::new());
    let entry = Entry::new(without_certificate, calls).layer(service);
    let request = Request::builder()
        .uri(format!("http://berth{path}"))
        .header("traceparent", traceparent);
    let answer = entry
        .oneshot(request.body(Body::empty()).expect("a request"))
        .await;
    answer.expect("infallible")
}

fn status(response: &Response<Body>) -> Status {
    Status::from_header_map(response.headers()).expect("refused")
}

const DAY: Duration = Duration::from_secs(86_400);
const ALLOCATE: &str = "/berth.v1.Allocator/Allocate";
const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Promise: whoever may call is let through with principal and trace; a malformed trace is as good as none.
#[tokio::test]
async fn a_caller_is_let_through_with_its_name() {
    let response = call(Inner::Answers, Caller::local(), ALLOCATE, TRACE).await;
    assert_eq!(response.headers()["who"], "local 10");
    let response = call(Inner::Answers, Caller::local(), ALLOCATE, "nonsense").await;
    assert_eq!(response.headers()["who"], "local 0");
}

/// Promise: a method without a row, and a caller without the right, do not reach the service.
#[tokio::test]
async fn others_are_stopped_at_the_entry() {
    let response = call(
        Inner::Hangs,
        Caller::local(),
        "/berth.v1.Allocator/Other",
        "",
    )
    .await;
    assert_eq!(status(&response).code(), Code::Unimplemented);
    let response = call(Inner::Hangs, Caller::unnamed_member(), ALLOCATE, "").await;
    assert_eq!(status(&response).code(), Code::PermissionDenied);
    let response = call(
        Inner::Hangs,
        Caller::local(),
        "/berth.peer.v1.Peer/Exchange",
        "",
    )
    .await;
    assert_eq!(status(&response).code(), Code::PermissionDenied);
}

/// Promise: the server's own deadline ends a call, and says that its outcome is not known.
#[tokio::test(start_paused = true)]
async fn a_call_is_cut_off_at_its_deadline() {
    let begun = tokio::time::Instant::now();
    let response = call(
        Inner::Hangs,
        Caller::local(),
        "/berth.v1.Allocator/Release",
        "",
    )
    .await;
    assert_eq!(begun.elapsed().as_secs(), 10);
    let status = status(&response);
    assert_eq!(status.code(), Code::DeadlineExceeded);
    let refusal = super::status::read(&status).expect("details");
    assert_eq!(refusal.code(), RefusalCode::OutcomeUnknown);
    let response = call(Inner::Hangs, Caller::local(), ALLOCATE, "").await;
    assert_eq!(
        Status::from_header_map(response.headers())
            .expect("cut off")
            .code(),
        Code::DeadlineExceeded
    );
    assert!(
        begun.elapsed() > Duration::from_secs(130),
        "an ADD may wait as long as its caller"
    );
}

/// Promise: a stream between replicas, which is answered at its end, is not cut off; any other call that takes a day is.
#[tokio::test(start_paused = true)]
async fn a_kept_stream_outlives_the_deadline() {
    let exchange = "/berth.peer.v1.Peer/Exchange";
    let begun = tokio::time::Instant::now();
    let response = call(Inner::AnswersLate, Caller::unnamed_member(), exchange, "").await;
    assert_eq!(response.headers()["who"], "member 0");
    assert_eq!(begun.elapsed(), DAY);
    // The control: the same service behind a call with a deadline.
    let join = "/berth.peer.v1.Peer/Join";
    let response = call(Inner::AnswersLate, Caller::unnamed_member(), join, "").await;
    assert_eq!(status(&response).code(), Code::DeadlineExceeded);
}
