//! Who calls: from the certificate if there is one, else whoever reaches the loopback port.

use super::authorisation::Role;
use berth_domain::id::Principal;
use std::sync::Arc;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// A caller, as every handler sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// What it may do.
    pub role: Role,
    /// Its own name: "worker-1"; empty for a local one.
    pub name: Arc<str>,
    /// As the history keeps it: "node/worker-1", "local".
    pub principal: Principal,
    /// The trace that its request belongs to.
    pub trace_id: Option<[u8; 16]>,
}

/// A certificate that names nobody whom we know how to obey.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not a certificate, or damaged.
    #[error("the client certificate cannot be read")]
    Unreadable,
    /// More than one URI name: which one counts would be a guess.
    #[error("the client certificate has {0} URI names; it may have one")]
    Ambiguous(usize),
    /// No name of the form needed.
    #[error(
        "the client certificate names {0:?}; it must end in node/NAME, admin/NAME, operator/NAME, observer/NAME or member/NAME"
    )]
    Unknown(String),
}

// === impl Caller ===

impl Caller {
    /// Whoever reaches a listener without certificates: loopback, or --insecure-listen.
    pub fn local() -> Self {
        Self::new(Role::Local, "")
    }

    /// Of a clear-text peer listener.
    pub fn unnamed_member() -> Self {
        Self::new(Role::Member, "")
    }

    /// From the certificate that the handshake has verified. The URI name counts, else the common name.
    pub fn from_certificate(der: &[u8]) -> Result<Self, Error> {
        let (_, certificate) = X509Certificate::from_der(der).map_err(|_| Error::Unreadable)?;
        let names = certificate
            .subject_alternative_name()
            .map_err(|_| Error::Unreadable)?;
        let uris: Vec<&str> = names
            .iter()
            .flat_map(|extension| &extension.value.general_names)
            .filter_map(|name| match name {
                GeneralName::URI(uri) => Some(*uri),
                _ => None,
            })
            .collect();
        match uris[..] {
            [uri] => Self::from_name(uri),
            [] => Self::from_name(common_name(&certificate).unwrap_or_default()),
            _ => Err(Error::Ambiguous(uris.len())),
        }
    }

    /// From a name whose last two parts are a role and a name.
    fn from_name(text: &str) -> Result<Self, Error> {
        let unknown = || Error::Unknown(text.into());
        let (rest, name) = text.rsplit_once('/').ok_or_else(unknown)?;
        let role = match rest.rsplit('/').next() {
            Some("node") => Role::Node,
            Some("admin") => Role::Admin,
            Some("operator") => Role::Operator,
            Some("observer") => Role::Observer,
            Some("member") => Role::Member,
            _ => return Err(unknown()),
        };
        if name.is_empty() || Principal::new(&format!("{role}/{name}")).is_err() {
            return Err(unknown());
        }
        Ok(Self::new(role, name))
    }

    fn new(role: Role, name: &str) -> Self {
        let text = match name {
            "" => role.to_string(),
            name => format!("{role}/{name}"),
        };
        Self {
            role,
            name: name.into(),
            principal: Principal::new(&text).expect("checked"), // role words are graphic; a name was checked before
            trace_id: None,
        }
    }
}

fn common_name<'a>(certificate: &'a X509Certificate<'_>) -> Option<&'a str> {
    let mut names = certificate.subject().iter_common_name();
    match (names.next(), names.next()) {
        (Some(only), None) => only.as_str().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    fn certificate(common: &str, uris: &[&str]) -> Vec<u8> {
        let mut parameters = CertificateParams::default();
        parameters
            .distinguished_name
            .push(DnType::CommonName, common);
        for uri in uris {
            let uri = (*uri).try_into().expect("ascii");
            parameters.subject_alt_names.push(SanType::URI(uri));
        }
        let key = KeyPair::generate().expect("a key");
        parameters.self_signed(&key).expect("signed").der().to_vec()
    }

    /// Promise: the certificate says who calls; the URI name counts before the common name.
    #[test]
    fn the_certificate_names_the_caller() {
        let of = |common, uris: &[&str]| {
            Caller::from_certificate(&certificate(common, uris))
                .map(|caller| caller.principal.to_string())
        };
        let uri = "spiffe://example.org/berth/node/worker-1";
        assert_eq!(of("admin/eve", &[uri]).as_deref(), Ok("node/worker-1"));
        assert_eq!(of("admin/eve", &[]).as_deref(), Ok("admin/eve"));
    }

    /// Promise: a certificate that names nobody, or two, is nobody.
    #[test]
    fn a_certificate_without_a_role_is_nobody() {
        let of = |common, uris: &[&str]| Caller::from_certificate(&certificate(common, uris));
        for name in [
            "worker-1",
            "root/eve",
            "admin/",
            "",
            "adminx/eve",
            "admin/e e",
        ] {
            assert!(matches!(of(name, &[]), Err(Error::Unknown(_))), "{name}");
        }
        let two = ["spiffe://a/node/a", "spiffe://a/admin/b"];
        assert_eq!(of("admin/eve", &two), Err(Error::Ambiguous(2)));
        // A URI that names nobody does not fall back to the common name.
        assert!(of("admin/eve", &["https://example.org/x"]).is_err());
        assert_eq!(Caller::from_certificate(b"no"), Err(Error::Unreadable));
    }
}
