//! Certificates from files.

use super::{Error, Options, refuse};
use std::fs;
use std::path::{Path, PathBuf};

/// Where one listener's certificates are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// Signed whoever connects; who shows no certificate of it is turned away.
    pub ca: PathBuf,
    /// Shown.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    keys: [&'static str; 3],
}

/// Their contents, PEM.
#[derive(Clone)]
pub struct Certificates {
    /// See [`TlsFiles::ca`].
    pub ca: Vec<u8>,
    /// See [`TlsFiles::certificate`].
    pub certificate: Vec<u8>,
    /// See [`TlsFiles::key`].
    pub key: Vec<u8>,
}

const CLIENT_KEYS: [&str; 3] = ["tls_client_ca", "tls_client_cert", "tls_client_key"];
const PEER_KEYS: [&str; 3] = ["tls_peer_ca", "tls_peer_cert", "tls_peer_key"];

// === impl TlsFiles ===

impl TlsFiles {
    /// Reads all three; an error names the option.
    pub fn read(&self) -> Result<Certificates, Error> {
        Ok(Certificates {
            ca: read(self.keys[0], &self.ca, CERTIFICATE)?,
            certificate: read(self.keys[1], &self.certificate, CERTIFICATE)?,
            key: read(self.keys[2], &self.key, PRIVATE_KEY)?,
        })
    }
}

pub(super) fn client(options: &Options) -> Result<Option<TlsFiles>, Error> {
    files(
        CLIENT_KEYS,
        [
            &options.tls_client_ca,
            &options.tls_client_cert,
            &options.tls_client_key,
        ],
    )
}

pub(super) fn peer(options: &Options) -> Result<Option<TlsFiles>, Error> {
    files(
        PEER_KEYS,
        [
            &options.tls_peer_ca,
            &options.tls_peer_cert,
            &options.tls_peer_key,
        ],
    )
}

fn files(keys: [&'static str; 3], said: [&Option<PathBuf>; 3]) -> Result<Option<TlsFiles>, Error> {
    match said {
        [None, None, None] => Ok(None),
        [Some(ca), Some(certificate), Some(key)] => Ok(Some(TlsFiles {
            ca: ca.clone(),
            certificate: certificate.clone(),
            key: key.clone(),
            keys,
        })),
        some => {
            let missing = some.iter().position(|path| path.is_none()).unwrap_or(0);
            let all = keys.join(", ");
            Err(refuse(keys[missing], format!("missing: {all} go together")))
        }
    }
}

/// How PEM files of each kind say what they hold.
const CERTIFICATE: &str = "BEGIN CERTIFICATE";
/// "BEGIN EC PRIVATE KEY" and others.
const PRIVATE_KEY: &str = "PRIVATE KEY";

fn read(key: &'static str, path: &Path, what: &str) -> Result<Vec<u8>, Error> {
    let refused = |reason: String| refuse(key, format!("{} {reason}", path.display()));
    let bytes = fs::read(path).map_err(|error| refused(format!("cannot be read: {error}")))?;
    // The library takes a file without any as one with none.
    match String::from_utf8_lossy(&bytes).contains(what) {
        true => Ok(bytes),
        false => Err(refused(format!(
            "has no \"{what}\" in it: a PEM file is needed"
        ))),
    }
}
