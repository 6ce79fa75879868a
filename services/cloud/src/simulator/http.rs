//! The simulator on a socket: what speaks to Alibaba Cloud's RPC APIs with signature V3 speaks to this, if it is told the address.

mod arrived;
mod metadata;
mod signed;

use crate::simulator::answer::Answer;
use crate::simulator::refusal::Refusal;
use crate::simulator::{Simulator, host};
use arrived::Arrived;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use metadata::Asked;
use signed::Nonces;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;

/// No call of these APIs is longer, bytes.
const BODY_MAX: usize = 1 << 20;

/// The simulator, and what its door remembers.
#[derive(Clone, Debug)]
pub struct Server {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    simulator: Simulator,
    nonces: Nonces,
    tokens: metadata::Tokens,
}

// === impl Server ===

impl Server {
    /// Serves this one.
    pub fn new(simulator: Simulator) -> Self {
        let inner = Inner {
            simulator,
            nonces: Nonces::default(),
            tokens: metadata::Tokens::default(),
        };
        Self {
            inner: Arc::new(Mutex::new(inner)),
        }
    }

    /// Looks at the simulator, or changes it.
    pub fn with<R>(&self, work: impl FnOnce(&mut Simulator) -> R) -> R {
        work(&mut self.lock().simulator)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers whoever connects, until it is dropped.
    ///
    /// # Errors
    /// The listener's.
    pub async fn serve(&self, listener: TcpListener) -> io::Result<()> {
        loop {
            let (stream, _) = listener.accept().await?;
            let server = self.clone();
            let service = service_fn(move |request| {
                let server = server.clone();
                async move { server.answer(request).await }
            });
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::spawn(async move {
                // A lost answer ends its connection with an error: that is what it is for.
                let _ = connection.await;
            });
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
        let (head, body) = request.into_parts();
        let body = Limited::new(body, BODY_MAX).collect().await;
        let body = body.map_err(io::Error::other)?.to_bytes();
        let arrived = Arrived::new(&head, &body);
        if metadata::is_meant(&arrived) {
            let (status, text) = self.metadata(&arrived, now_ms());
            let response = Response::builder().status(status);
            let response = response.header("content-type", "text/plain");
            return response
                .body(Full::new(text.into()))
                .map_err(io::Error::other);
        }
        let answer = self.handled(&arrived, now_ms());
        if answer.lost {
            return Err(io::Error::other(
                "the answer is lost, as the fault plan wants it",
            ));
        }
        let response = Response::builder()
            .status(answer.status)
            .header("content-type", "application/json;charset=utf-8");
        let text = answer.body.to_string();
        response
            .body(Full::new(text.into()))
            .map_err(io::Error::other)
    }

    /// What the metadata service answers: status and text.
    fn metadata(&self, arrived: &Arrived, now_ms: u64) -> (u16, String) {
        let mut inner = self.lock();
        let Inner {
            simulator, tokens, ..
        } = &mut *inner;
        let is_strict = simulator.setup().metadata_needs_token;
        let found = match tokens.asked(arrived, is_strict, now_ms) {
            Asked::Token(ttl_ms) => Some(tokens.give(ttl_ms, now_ms)),
            Asked::Roles => simulator.machine_role(),
            Asked::Key(role) => {
                let key = simulator.machine_key(now_ms, role);
                key.map(|key| key.to_string())
            }
            Asked::Refused(status) => return (status, String::new()),
        };
        found.map_or((404, String::new()), |text| (200, text))
    }

    /// One call as it arrived: its signature is looked at first.
    fn handled(&self, arrived: &Arrived, now_ms: u64) -> Answer {
        let mut inner = self.lock();
        let Inner {
            simulator, nonces, ..
        } = &mut *inner;
        let keys = simulator.setup().keys.clone();
        let signed_by_ms = now_ms + simulator.setup().clock_ahead_ms;
        match signed::check(arrived, &keys, nonces, signed_by_ms) {
            Ok(signer) => simulator.handle(now_ms, &arrived.request(signer)),
            Err(refusal) => refused(&refusal, arrived),
        }
    }
}

fn refused(refusal: &Refusal, arrived: &Arrived) -> Answer {
    let version = arrived.header("x-acs-version").unwrap_or_default();
    Answer::refused(
        refusal,
        "00000000-0000-0000-0000-000000000000",
        host(version),
    )
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

#[cfg(test)]
mod tests;
