//! HTTPS, as the service speaks it.

use crate::server::{Answer, Heard, serve_wrapped};
use crate::{called, settings, variables};
use berth_cloud::alibaba::client::Client;
use berth_cloud::error::Cause;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use std::sync::Arc;

/// A server with a certificate of its own for that name.
fn server(name: &str) -> (String, Heard, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider);
    let config = config
        .with_safe_default_protocol_versions()
        .expect("versions");
    let config = config.with_no_client_auth();
    let config = config.with_single_cert(vec![certificate.clone()], key);
    let config = Arc::new(config.expect("the key is the certificate's"));
    let wrap = move |stream| {
        let connection = ServerConnection::new(Arc::clone(&config)).ok()?;
        Some(StreamOwned::new(connection, stream))
    };
    let nothing = r#"{"RequestId":"r","Instances":{"Instance":[]}}"#;
    let (endpoint, heard) = serve_wrapped(wrap, |_| Answer::Says(200, nothing.to_owned()));
    let port = endpoint.rsplit(':').next().expect("a port").to_owned();
    (format!("https://localhost:{port}"), heard, certificate)
}

/// A call to it by one who trusts that certificate; the cause, if it failed.
async fn cause(endpoint: &str, trusted: Option<CertificateDer<'static>>) -> Option<Cause> {
    let mut settings = settings(&variables(endpoint));
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(trusted);
    settings.roots = roots;
    let client = Client::new(settings).expect("a client");
    called(&client).await.err().map(|error| error.cause)
}

/// Promise: calls go only to a server that can prove its name; to another not a byte of them goes out.
#[tokio::test]
async fn servers_prove_their_names() {
    let (endpoint, heard, certificate) = server("localhost");
    assert_eq!(cause(&endpoint, Some(certificate)).await, None);
    assert_eq!(heard.heads().len(), 1);
    assert_eq!(cause(&endpoint, None).await, Some(Cause::NotSent));
    assert_eq!(heard.heads().len(), 1);
    let (endpoint, heard, certificate) = server("another");
    let refused = cause(&endpoint, Some(certificate)).await;
    assert_eq!((refused, heard.heads().len()), (Some(Cause::NotSent), 0));
}
