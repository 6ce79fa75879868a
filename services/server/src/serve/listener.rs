//! A listener's sockets: bound early, so that a port in use is found out before anything is opened; counted;
//! with certificates if there are some.

use crate::config::Certificates;
use crate::grpc::limits;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_stream::Stream;
use tonic::transport::server::{Connected, TcpConnectInfo};
use tonic::transport::{Certificate, Identity, ServerTlsConfig};
use tracing::warn;

/// Connections at once on one listener, below the usual limit of descriptors of a service.
const CONNECTIONS_MAX: usize = 8 * 1024;

/// Out of descriptors, say: trying at once again would only burn a core.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// An address that is bound and not served yet.
pub struct Listener {
    listener: TcpListener,
    /// Where it is bound; the port if 0 was asked for.
    pub address: SocketAddr,
}

/// A connection that counts while it lives.
pub struct Connection {
    stream: TcpStream,
    _permit: OwnedSemaphorePermit,
}

// === impl Listener ===

impl Listener {
    /// Binds it now.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// The plain listener.
    pub fn into_inner(self) -> TcpListener {
        self.listener
    }

    /// Connections as they come; one too many waits in the kernel's queue until another ends.
    pub fn connections(self) -> impl Stream<Item = io::Result<Connection>> {
        let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        futures::stream::unfold((self.listener, permits), |(listener, permits)| async {
            let permit = Arc::clone(&permits).acquire_owned().await.ok()?;
            let accepted = match listener.accept().await {
                Ok((stream, _)) => stream.set_nodelay(true).map(|()| Connection {
                    stream,
                    _permit: permit,
                }),
                Err(error) => {
                    warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    Err(error)
                }
            };
            Some((accepted, (listener, permits)))
        })
    }
}

/// A server's side of TLS: whoever connects shows a certificate of our CA.
pub fn server_tls(files: &Certificates) -> ServerTlsConfig {
    ServerTlsConfig::new()
        .identity(Identity::from_pem(&files.certificate, &files.key))
        .client_ca_root(Certificate::from_pem(&files.ca))
        .timeout(limits::HANDSHAKE_TIMEOUT)
}

// === impl Connection ===

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;
    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
