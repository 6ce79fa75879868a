//! The client: calls go out signed over HTTPS, and what comes back is a reply or a cause.
//!
//! Nothing is retried here: the budget says when a call may go out again, and the conductor whether it should. What this promises is
//! to know: [`Cause::NotSent`] is said only where no byte went out, and everything after that without a readable answer is
//! [`Cause::Unknown`].

mod credentials;
mod endpoints;
mod transport;

pub use credentials::{Base, Key, NoCredentials, Role, Source};
pub use endpoints::{Endpoint, Endpoints, NotAnEndpoint};

use crate::alibaba::decode::{Answer, decode};
use crate::alibaba::encode::{Request, encode};
use crate::alibaba::signature::{METHOD, PATH, Signer, Unsigned, sign};
use crate::error::{Cause, Error};
use crate::id::RegionId;
use crate::provider::{Cloud, Order};
use crate::reply::Reply;
use credentials::Credentials;
use futures::FutureExt;
use futures::future::BoxFuture;
use http_body_util::Empty;
use rustls::RootCertStore;
use std::sync::Arc;
use std::time::SystemTime;
use transport::{Failure, Outgoing, Transport};

/// What the time is, for dates and for keys that end.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// What a client is made of.
pub struct Settings {
    /// Of which region's things it speaks.
    pub region: RegionId,
    /// Where the APIs are.
    pub endpoints: Endpoints,
    /// With whose key.
    pub source: Source,
    /// Whose certificates are trusted.
    pub roots: RootCertStore,
    /// The wall clock.
    pub clock: Clock,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A variable is no endpoint.
    #[error(transparent)]
    Endpoint(#[from] NotAnEndpoint),
    /// There is no key.
    #[error(transparent)]
    Credentials(#[from] NoCredentials),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// Alibaba Cloud, or what speaks like it. Clones share connections and keys.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    region: RegionId,
    endpoints: Endpoints,
    credentials: Credentials,
    transport: Transport,
    clock: Clock,
}

/// A request and the key that signs it.
struct Signed<'a> {
    request: &'a Request,
    key: &'a Key,
}

// === impl Settings ===

impl Settings {
    /// What environment and machine say: see [`Endpoints::new`] and [`Source::from_environment`]; certificates are the system's
    /// (`SSL_CERT_FILE` and `SSL_CERT_DIR` say others).
    ///
    /// # Errors
    /// A variable that cannot be.
    pub fn from_environment(region: RegionId) -> Result<Self, SetupError> {
        let variable = |name: &str| std::env::var(name).ok();
        let mut roots = RootCertStore::empty();
        // None at all is an error of the first HTTPS call: a simulated cloud needs none.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Ok(Self {
            endpoints: Endpoints::new(&region, &variable)?,
            source: Source::from_environment(&variable)?,
            region,
            roots,
            clock: Arc::new(SystemTime::now),
        })
    }
}

// === impl Client ===

impl Client {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// [`SetupError::Tls`].
    pub fn new(settings: Settings) -> Result<Self, SetupError> {
        let inner = Inner {
            region: settings.region,
            endpoints: settings.endpoints,
            credentials: Credentials::new(settings.source),
            transport: Transport::new(settings.roots).map_err(SetupError::Tls)?,
            clock: settings.clock,
        };
        let inner = Arc::new(inner);
        Ok(Self { inner })
    }

    async fn carried_out(&self, order: &Order) -> Result<Reply, Error> {
        let request = encode(&order.call, &self.inner.region)?;
        let key = self.inner.credentials.key(self).await?;
        let signed = Signed {
            request: &request,
            key: &key,
        };
        let answer = self.send(&signed, &*order.still_wanted).await?;
        let reply = decode(order.call.action(), &answer);
        if matches!(&reply, Err(error) if error.cause == Cause::Credentials) {
            self.inner.credentials.refused(&key.id).await;
        }
        reply
    }

    async fn send(
        &self,
        signed: &Signed<'_>,
        still_wanted: &(dyn Fn() -> bool + Send + Sync),
    ) -> Result<Answer, Error> {
        let action = signed.request.action;
        let endpoint = self.inner.endpoints.of(signed.request.product);
        let request = self.written(signed, endpoint)?;
        let answer = self.exchange(endpoint, request, still_wanted).await;
        answer.map_err(|failure| match failure {
            Failure::NotSent(why) => Error::of(action, Cause::NotSent, why),
            Failure::Unknown(why) => Error::of(action, Cause::Unknown, why),
        })
    }

    fn written(&self, signed: &Signed<'_>, endpoint: &Endpoint) -> Result<Outgoing, Error> {
        let Signed { request, key } = signed;
        let query = request.parameters.query();
        let date = humantime::format_rfc3339_seconds(self.now()).to_string();
        let nonce = uuid::Uuid::new_v4().simple().to_string();
        let headers = sign(
            &Unsigned {
                host: &endpoint.host_header(),
                product: request.product,
                action: request.action,
                query: &query,
                date: &date,
                nonce: &nonce,
            },
            &Signer {
                access_key: &key.id,
                secret: &key.secret,
                security_token: key.security_token.as_deref(),
            },
        );
        let mut written = hyper::Request::builder().method(METHOD);
        for (name, value) in headers {
            written = written.header(name, value);
        }
        // A key with characters that no header may have: nothing was sent, and nothing of it is said.
        let unfit = |_| {
            let message = "the credentials cannot stand in a header";
            Error::of(request.action, Cause::Credentials, message)
        };
        let written = written.header("accept", "application/json");
        let written = written.uri(format!("{PATH}?{query}"));
        written.body(Empty::new()).map_err(unfit)
    }

    async fn exchange(
        &self,
        endpoint: &Endpoint,
        request: Outgoing,
        still_wanted: &(dyn Fn() -> bool + Send + Sync),
    ) -> Result<Answer, Failure> {
        let transport = &self.inner.transport;
        transport.send(endpoint, request, still_wanted).await
    }

    fn metadata(&self) -> &Endpoint {
        self.inner.endpoints.metadata()
    }

    fn now(&self) -> SystemTime {
        (self.inner.clock)()
    }
}

impl Cloud for Client {
    fn call(&self, order: Order) -> BoxFuture<'static, Result<Reply, Error>> {
        let client = self.clone();
        async move { client.carried_out(&order).await }.boxed()
    }
}
