//! Every call comes through here: who calls, may they, which trace, how long at most, how it went.
//!
//! One layer around all services of a listener, so that no method can be without it.

use super::authorisation::{self, Row};
use super::principal::Caller;
use super::{status, trace};
use crate::metrics::Calls;
use crate::spans;
use berth_proto::v1::RefusalCode;
use http::{Request, Response};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tonic::body::Body;
use tonic::transport::server::{TcpConnectInfo, TlsConnectInfo};
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::{Instrument, debug};

/// Makes the entry of one listener.
#[derive(Clone)]
pub struct Entry {
    without_certificate: Caller,
    calls: Calls,
}

/// See [`Entry`].
#[derive(Clone)]
pub struct EntryService<S> {
    inner: S,
    entry: Entry,
}

// === impl Entry ===

impl Entry {
    /// `without_certificate` is who calls on a clear-text listener; with TLS the certificate says it.
    pub fn new(without_certificate: Caller, calls: Calls) -> Self {
        Self {
            without_certificate,
            calls,
        }
    }

    /// Who calls, and the method's row, if they may.
    fn admit(&self, request: &Request<Body>) -> Result<(Caller, &'static Row), Status> {
        let caller = self.caller(request)?;
        let method = request.uri().path();
        let row = authorisation::find(method)
            .ok_or_else(|| Status::unimplemented(format!("there is no method {method}")))?;
        if row.allows(caller.role) {
            return Ok((caller, row));
        }
        let principal = &caller.principal;
        Err(status::refused(
            RefusalCode::Denied,
            format!(
                "{principal} may not call {method}: its certificate has the role {}",
                caller.role
            ),
        ))
    }

    fn caller(&self, request: &Request<Body>) -> Result<Caller, Status> {
        let Some(tls) = request.extensions().get::<TlsConnectInfo<TcpConnectInfo>>() else {
            return Ok(self.without_certificate.clone());
        };
        let certificates = tls.peer_certs();
        let first = certificates.as_ref().and_then(|chain| chain.first());
        let denied = |message: String| status::refused(RefusalCode::Denied, message);
        match first {
            None => Err(denied("there is no client certificate".into())),
            Some(der) => Caller::from_certificate(der).map_err(|error| denied(error.to_string())),
        }
    }
}

impl<S> Layer<S> for Entry {
    type Service = EntryService<S>;
    fn layer(&self, inner: S) -> Self::Service {
        let entry = self.clone();
        EntryService { inner, entry }
    }
}

// === impl EntryService ===

type Answer<E> = Pin<Box<dyn Future<Output = Result<Response<Body>, E>> + Send>>;

impl<S> Service<Request<Body>> for EntryService<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Answer<S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let begun = Instant::now();
        let calls = self.entry.calls.clone();
        let (mut caller, row) = match self.entry.admit(&request) {
            Ok(admitted) => admitted,
            Err(refused) => {
                debug!(
                    method = request.uri().path(),
                    reason = refused.message(),
                    "call refused"
                );
                let method = authorisation::find(request.uri().path()).map(|row| row.method);
                calls.ended(method, &refused, begun.elapsed());
                return Box::pin(async move { Ok(refused.into_http()) });
            }
        };
        let parent = trace::parent(request.headers());
        caller.trace_id = parent.as_ref().map(|parent| parent.trace_id);
        let span = trace::span(row.method, &caller, parent.as_ref());
        request.extensions_mut().insert(caller);
        // The service that is ready answers; the clone takes its place (tower's rule).
        let clone = self.inner.clone();
        let mut ready = std::mem::replace(&mut self.inner, clone);
        Box::pin(
            async move {
                let answer = ready.call(request);
                let response = match row.deadline {
                    None => answer.await?,
                    Some(deadline) => match tokio::time::timeout(deadline, answer).await {
                        Ok(response) => response?,
                        Err(_) => cut_off(deadline).into_http(),
                    },
                };
                let ended =
                    Status::from_header_map(response.headers()).unwrap_or_else(|| Status::ok(""));
                spans::ended(&ended);
                calls.ended(Some(row.method), &ended, begun.elapsed());
                Ok(response)
            }
            .instrument(span),
        )
    }
}

/// Nothing is known of a call that ran out of time but that it may have been done.
fn cut_off(deadline: Duration) -> Status {
    let seconds = deadline.as_secs();
    let refused = status::refused(
        RefusalCode::OutcomeUnknown,
        format!("not answered within {seconds} s; whether it was done is not known: repeat it"),
    );
    let details = refused.details().to_vec();
    Status::with_details(Code::DeadlineExceeded, refused.message(), details.into())
}

#[cfg(test)]
mod tests;
