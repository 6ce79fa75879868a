//! A certificate authority of a test, and what it signs, as files.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};

/// Signs certificates for 127.0.0.1.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// PEM files of one party.
#[derive(Clone, Debug)]
pub struct Files {
    /// The authority's certificate.
    pub ca: PathBuf,
    /// The party's own.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

// === impl Authority ===

impl Authority {
    /// One that nobody trusts yet.
    #[allow(clippy::new_without_default)] // each is another one
    pub fn new() -> Self {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = parameters.self_signed(&key).expect("signed").pem();
        let issuer = Issuer::new(parameters, key);
        Self { issuer, pem }
    }

    /// A certificate for a role and a name, such as "node/worker-1", in files of this folder.
    pub fn issue(&self, name: &str, folder: &Path) -> Files {
        let mut parameters = CertificateParams::default();
        let address = "127.0.0.1".parse().expect("an address");
        let uri = format!("spiffe://example.org/berth/{name}");
        parameters.subject_alt_names = vec![
            SanType::IpAddress(address),
            SanType::URI(uri.as_str().try_into().expect("ascii")),
        ];
        let key = KeyPair::generate().expect("a key");
        let signed = parameters.signed_by(&key, &self.issuer).expect("signed");
        let write = |kind: &str, text: &str| {
            let path = folder.join(format!("{}-{kind}.pem", name.replace('/', "-")));
            fs::write(&path, text).expect("the file is written");
            path
        };
        Files {
            ca: write("ca", &self.pem),
            cert: write("cert", &signed.pem()),
            key: write("key", &key.serialize_pem()),
        }
    }
}
