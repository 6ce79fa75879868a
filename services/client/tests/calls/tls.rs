//! TLS from files, both ways.

use std::path::{Path, PathBuf};
use std::time::Duration;

use berth_client::{Client, Error, Options, TlsFiles};
use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair};
use tonic::transport::{Identity, ServerTlsConfig};

use super::fake::{Behaviour, Fake};
use super::{add, story};

struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("signed");
        let issuer = Issuer::new(params, key);
        Self {
            certificate,
            issuer,
        }
    }

    /// (certificate, key) as PEM.
    fn sign(&self, name: &str) -> (String, String) {
        let params = CertificateParams::new([name.to_owned()]).expect("a name");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        (certificate.pem(), key.serialize_pem())
    }
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("written");
    path
}

fn options(server: &Fake, authority: PathBuf, identity: Option<(PathBuf, PathBuf)>) -> Options {
    let mut options = Options::endpoints([server.endpoint()]);
    options.wait_for_server = false;
    options.deadline = Duration::from_secs(5);
    options.tls = Some(TlsFiles {
        authority,
        identity,
        server_name: None,
    });
    options
}

/// Promise: with the right files a call goes through; without our certificate, or trusting another authority, it does not.
#[test]
fn both_sides_are_known() {
    story(async {
        let (ours, strangers) = (Authority::new(), Authority::new());
        let (certificate, key) = ours.sign("127.0.0.1");
        let tls = ServerTlsConfig::new()
            .identity(Identity::from_pem(certificate, key))
            .client_ca_root(tonic::transport::Certificate::from_pem(
                ours.certificate.pem(),
            ));
        let server = Fake::start_tls(tls, Behaviour::Answer).await;

        let folder = tempfile::tempdir().expect("a folder");
        let trusted = write(folder.path(), "ca.pem", &ours.certificate.pem());
        let other = write(folder.path(), "other.pem", &strangers.certificate.pem());
        let (certificate, key) = ours.sign("worker-1");
        let certificate = write(folder.path(), "cert.pem", &certificate);
        let key = write(folder.path(), "key.pem", &key);
        let identity = Some((certificate, key));

        let good =
            Client::new(options(&server, trusted.clone(), identity.clone())).expect("options");
        good.allocate(add()).await.expect("an answer");
        let stranger = Client::new(options(&server, other, identity)).expect("options");
        let error = stranger.allocate(add()).await.expect_err("not trusted");
        assert!(matches!(&error, Error::Unreachable { .. }), "{error:?}");
        assert!(error.to_string().contains("certificate"), "{error}");
        let nameless = Client::new(options(&server, trusted, None)).expect("options");
        let short = nameless.within(Duration::from_secs(1));
        short.allocate(add()).await.expect_err("not known");
        assert_eq!(server.calls(), 1);
    });
}

/// Promise: a hint never leads from an encrypted connection to a plain one.
#[test]
fn a_hint_cannot_strip_the_encryption() {
    story(async {
        let ours = Authority::new();
        let (certificate, key) = ours.sign("127.0.0.1");
        let tls = ServerTlsConfig::new().identity(Identity::from_pem(certificate, key));
        let plain = Fake::start(Behaviour::Answer).await;
        let server = Fake::start_tls(tls, Behaviour::Hint(plain.endpoint().into())).await;
        let folder = tempfile::tempdir().expect("a folder");
        let trusted = write(folder.path(), "ca.pem", &ours.certificate.pem());
        let client = Client::new(options(&server, trusted, None)).expect("options");
        let short = client.within(Duration::from_millis(500));
        short.allocate(add()).await.expect_err("nobody to ask");
        assert!(server.calls() > 0);
        assert_eq!(plain.calls(), 0);
    });
}
