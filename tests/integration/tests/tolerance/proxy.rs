//! Stands between two programs and shows each the other as one of another release.

use crate::shape::{Reshape, Shape};
use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use bytes::{Buf, Bytes, BytesMut};
use http_body::{Body, Frame};
use std::net::TcpListener as StdListener;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tonic::transport::{Channel, Endpoint};
use tower::{Service, ServiceExt};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// See the module. Ends when it is dropped.
pub struct Proxy {
    /// Its port on loopback.
    pub port: u16,
    messages: Arc<AtomicU64>,
    _runtime: Runtime,
}

/// Length-prefixed messages (gRPC over HTTP/2) as they pass, each reshaped.
struct Passing<B> {
    inner: B,
    reshape: Reshape,
    messages: Arc<AtomicU64>,
    /// Of a message that is not whole yet.
    waiting: BytesMut,
}

/// One byte that says whether it is compressed, four of length.
const PREFIX: usize = 5;

// === impl Proxy ===

impl Proxy {
    /// In front of this port on loopback; whoever listens there may begin later.
    pub fn before(upstream: u16, shape: Shape) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = { runtime }.worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let listener = StdListener::bind(("127.0.0.1", 0)).expect("a port");
        listener.set_nonblocking(true).expect("set");
        let port = listener.local_addr().expect("bound").port();
        let messages = Arc::new(AtomicU64::new(0));
        let counted = messages.clone();
        runtime.spawn(async move {
            let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{upstream}"));
            let channel = endpoint.expect("an endpoint").connect_lazy();
            let shape = Arc::new(shape);
            let router = Router::new().fallback(move |request| {
                forward(channel.clone(), shape.clone(), counted.clone(), request)
            });
            let listener = TcpListener::from_std(listener).expect("a listener");
            axum::serve(listener, router).await.expect("it serves");
        });
        Self {
            port,
            messages,
            _runtime: runtime,
        }
    }

    /// "http://127.0.0.1:…"
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Messages that have passed, both ways.
    pub fn messages(&self) -> u64 {
        self.messages.load(Ordering::Relaxed)
    }
}

async fn forward(
    channel: Channel,
    shape: Arc<Shape>,
    messages: Arc<AtomicU64>,
    request: Request,
) -> Response {
    let method = request.uri().path().to_owned();
    let Some((there, back)) = shape.of(&method) else {
        return refused(12, "there is no such method in this release");
    };
    let passing = |reshape| (reshape, messages.clone());
    let request = request.map(|body| tonic::body::Body::new(Passing::new(body, passing(there))));
    let mut channel = channel;
    let answered = match channel.ready().await {
        Ok(channel) => channel.call(request).await,
        Err(error) => Err(error),
    };
    match answered {
        Ok(response) => {
            response.map(|body| axum::body::Body::new(Passing::new(body, passing(back))))
        }
        Err(error) => refused(14, &error.to_string()),
    }
}

/// An answer of gRPC without a message.
fn refused(code: u8, why: &str) -> Response {
    let response = Response::builder()
        .header("content-type", "application/grpc")
        .header("grpc-status", code.to_string())
        .header("grpc-message", why.replace(['\n', '\r', '%'], " "));
    let response = response.body(axum::body::Body::empty());
    response.expect("plain headers")
}

// === impl Passing ===

impl<B> Passing<B> {
    fn new(inner: B, (reshape, messages): (Reshape, Arc<AtomicU64>)) -> Self {
        Self {
            inner,
            reshape,
            messages,
            waiting: BytesMut::new(),
        }
    }

    /// The next whole message, reshaped, with its new length.
    fn whole(&mut self) -> Option<Bytes> {
        let length = self.waiting.get(1..PREFIX)?;
        let length = u32::from_be_bytes(length.try_into().ok()?) as usize;
        if self.waiting.len() < PREFIX + length {
            return None;
        }
        let mut message = self.waiting.split_to(PREFIX + length).freeze();
        let compressed = message[0];
        assert_eq!(compressed, 0, "nobody compresses here");
        message.advance(PREFIX);
        let message = (self.reshape)(message);
        self.messages.fetch_add(1, Ordering::Relaxed);
        let length = (message.len() as u32).to_be_bytes();
        Some([&[compressed], &length[..], &message].concat().into())
    }
}

impl<B> Body for Passing<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            if let Some(message) = self.whole() {
                return Poll::Ready(Some(Ok(Frame::data(message))));
            }
            match ready!(Pin::new(&mut self.inner).poll_frame(context)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.waiting.extend_from_slice(&data),
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
            }
        }
    }
}
