//! HTTP/1.1 over kept connections, which always knows whether a request went out.
//!
//! Of our own and not a library's pool, because the caller is asked whether it still wants the call after the connection stands, and
//! because what was never sent must be told apart from what was sent and not answered. Nothing that was sent is sent again.

use super::endpoints::Endpoint;
use crate::alibaba::decode::Answer;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::Request;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

/// Name, TCP and TLS together.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// From the request to the last byte of its answer. The official SDK waits ten seconds for a first byte; a create may take longer.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);
/// A connection that rested longer may be one that the other side has closed.
const REST_LIMIT: Duration = Duration::from_secs(10);
/// Connections kept to one server; the budget lets few calls run at once.
const KEPT: usize = 16;
/// No answer of these APIs is longer, bytes: 500 ENIs with 50 addresses of each family are about 8 MB.
const BODY_MAX: usize = 16 << 20;

/// A request; its body is empty, as with all calls here.
pub(super) type Outgoing = Request<Empty<Bytes>>;

/// Connections to servers.
pub(super) struct Transport {
    tls: TlsConnector,
    resting: Mutex<BTreeMap<Endpoint, Vec<Resting>>>,
}

struct Resting {
    connection: SendRequest<Empty<Bytes>>,
    since: Instant,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// No byte of it went out.
    NotSent(String),
    /// It may have arrived.
    Unknown(String),
}

// === impl Transport ===

impl Transport {
    /// One that trusts servers with certificates of these authorities.
    ///
    /// # Errors
    /// The TLS library's, in words.
    pub fn new(roots: RootCertStore) -> Result<Self, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider);
        let config = config.with_safe_default_protocol_versions();
        let config = config.map_err(|error| error.to_string())?;
        let config = config.with_root_certificates(roots).with_no_client_auth();
        Ok(Self {
            tls: TlsConnector::from(Arc::new(config)),
            resting: Mutex::default(),
        })
    }

    /// Sends a request, if `still_wanted` says so when all is ready, and waits for the whole answer.
    pub async fn send(
        &self,
        endpoint: &Endpoint,
        mut request: Outgoing,
        still_wanted: &(dyn Fn() -> bool + Send + Sync),
    ) -> Result<Answer, Failure> {
        loop {
            let (mut connection, is_new) = self.connection(endpoint).await?;
            if connection.ready().await.is_err() {
                if is_new {
                    return Err(Failure::NotSent(format!(
                        "{endpoint} closed the connection"
                    )));
                }
                continue;
            }
            if !still_wanted() {
                self.rest(endpoint, connection);
                return Err(Failure::NotSent("nobody wants it any more".to_owned()));
            }
            let exchange = exchange(&mut connection, request);
            match timeout(ANSWER_LIMIT, exchange).await {
                Err(_) => {
                    let seconds = ANSWER_LIMIT.as_secs();
                    return Err(Failure::Unknown(format!("no answer within {seconds} s")));
                }
                Ok(Ok(answer)) => {
                    self.rest(endpoint, connection);
                    return Ok(answer);
                }
                Ok(Err((Some(unsent), _))) if !is_new => request = *unsent,
                Ok(Err((Some(_), why))) => return Err(Failure::NotSent(why)),
                Ok(Err((None, why))) => return Err(Failure::Unknown(why)),
            }
        }
    }

    /// A connection, and whether it was made just now.
    async fn connection(
        &self,
        endpoint: &Endpoint,
    ) -> Result<(SendRequest<Empty<Bytes>>, bool), Failure> {
        if let Some(connection) = self.rested(endpoint) {
            return Ok((connection, false));
        }
        let not_sent = |why: String| Failure::NotSent(format!("cannot reach {endpoint}: {why}"));
        let connected = timeout(CONNECT_LIMIT, self.connect(endpoint)).await;
        let connected = connected.unwrap_or_else(|_| {
            let seconds = CONNECT_LIMIT.as_secs();
            Err(format!("no connection within {seconds} s"))
        });
        Ok((connected.map_err(not_sent)?, true))
    }

    fn rested(&self, endpoint: &Endpoint) -> Option<SendRequest<Empty<Bytes>>> {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = resting.get_mut(endpoint)?;
        kept.retain(|kept| !kept.connection.is_closed() && kept.since.elapsed() < REST_LIMIT);
        kept.pop().map(|kept| kept.connection)
    }

    fn rest(&self, endpoint: &Endpoint, connection: SendRequest<Empty<Bytes>>) {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = resting.entry(endpoint.clone()).or_default();
        if kept.len() < KEPT && !connection.is_closed() {
            let since = Instant::now();
            kept.push(Resting { connection, since });
        }
    }

    async fn connect(&self, endpoint: &Endpoint) -> Result<SendRequest<Empty<Bytes>>, String> {
        let said = |error: std::io::Error| error.to_string();
        let stream = TcpStream::connect((endpoint.host(), endpoint.port())).await;
        let stream = stream.map_err(said)?;
        stream.set_nodelay(true).map_err(said)?;
        if !endpoint.is_tls() {
            return handshake(stream).await;
        }
        let name = ServerName::try_from(endpoint.host().to_owned());
        let name = name.map_err(|error| error.to_string())?;
        handshake(self.tls.connect(name, stream).await.map_err(said)?).await
    }
}

async fn handshake<S>(stream: S) -> Result<SendRequest<Empty<Bytes>>, String>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let shaken = http1::handshake(TokioIo::new(stream)).await;
    let (sender, connection) = shaken.map_err(|error| error.to_string())?;
    tokio::spawn(async move {
        // Whoever waits for an answer on it hears of its end.
        let _ = connection.await;
    });
    Ok(sender)
}

/// The error has the request again if no byte of it went out.
async fn exchange(
    connection: &mut SendRequest<Empty<Bytes>>,
    request: Outgoing,
) -> Result<Answer, (Option<Box<Outgoing>>, String)> {
    let sent = connection.try_send_request(request).await;
    let response = sent.map_err(|mut error| {
        let unsent = error.take_message().map(Box::new);
        (unsent, chain(&error.into_error()))
    })?;
    let status = response.status().as_u16();
    match whole(response.into_body()).await {
        Ok(body) => Ok(Answer { status, body }),
        Err(why) => Err((None, why)),
    }
}

async fn whole(body: Incoming) -> Result<Vec<u8>, String> {
    let body = Limited::new(body, BODY_MAX).collect().await;
    let body = body.map_err(|error| chain(error.as_ref()))?;
    Ok(body.to_bytes().to_vec())
}

/// An error with its causes.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let words: Vec<String> = causes.map(ToString::to_string).collect();
    words.join(": ")
}
