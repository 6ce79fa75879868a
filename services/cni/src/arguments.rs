//! `CNI_ARGS`: who the sandbox is for, in whatever order the runtime writes it.

use berth_proto::v1::PodIdentity;

use crate::error::{Code, Error};

/// (key, limit in bytes): what Berth keeps of a pod, as Kubernetes limits it.
const LIMITS: [(&str, usize); 3] = [
    ("K8S_POD_NAMESPACE", 63),
    ("K8S_POD_NAME", 253),
    ("K8S_POD_UID", 64),
];

/// What the runtime says beside the environment. Keys that mean nothing here are left alone, `IgnoreUnknown` or not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arguments {
    /// All of it may be empty: podman knows no namespace, old runtimes no uid.
    pub pod: PodIdentity,
    /// `IP=`, deprecated; several are separated by commas.
    pub addresses: Vec<String>,
}

// === impl Arguments ===

impl Arguments {
    /// "K8S_POD_NAME=web-0;IP=10.0.3.7"; code 4 for a pair without `=` and for what is too long.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut arguments = Self::default();
        for pair in text.split(';').filter(|pair| !pair.is_empty()) {
            let Some((key, value)) = pair.split_once('=') else {
                let message = format!("CNI_ARGS has {pair:?}; it must be KEY=VALUE;KEY=VALUE");
                return Err(Error::new(Code::BadEnvironment, message));
            };
            check_length(key, value)?;
            match key {
                "K8S_POD_NAMESPACE" => arguments.pod.namespace = value.to_owned(),
                "K8S_POD_NAME" => arguments.pod.name = value.to_owned(),
                "K8S_POD_UID" => arguments.pod.uid = value.to_owned(),
                "IP" => arguments.addresses = value.split(',').map(str::to_owned).collect(),
                _ => {}
            }
        }
        Ok(arguments)
    }
}

fn check_length(key: &str, value: &str) -> Result<(), Error> {
    let limit = LIMITS.iter().find(|(name, _)| *name == key);
    match limit {
        Some((_, limit)) if value.len() > *limit => {
            let bytes = value.len();
            let message = format!("{key} in CNI_ARGS has {bytes} bytes (at most {limit})");
            Err(Error::new(Code::BadEnvironment, message))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use crate::error::Code;

    /// Promise: the order does not matter, and what other plugins are told is left alone.
    #[test]
    fn any_order_is_read() {
        let one = "IgnoreUnknown=1;K8S_POD_UID=u;K8S_POD_NAME=web-0;K8S_POD_NAMESPACE=shop;X=a=b";
        let two =
            "K8S_POD_NAMESPACE=shop;K8S_POD_INFRA_CONTAINER_ID=c;K8S_POD_NAME=web-0;K8S_POD_UID=u";
        let read = Arguments::parse(one).expect("it is read");
        assert_eq!(read, Arguments::parse(two).expect("it is read"));
        assert_eq!(
            (read.pod.namespace.as_str(), read.pod.name.as_str()),
            ("shop", "web-0")
        );
        assert_eq!(Arguments::parse(""), Ok(Arguments::default()));
    }

    /// Promise: what is malformed or too long is code 4 and named, with the limit.
    #[test]
    fn bad_arguments_are_named() {
        let error = Arguments::parse("K8S_POD_NAME").expect_err("it is refused");
        assert_eq!(error.code, Code::BadEnvironment);
        let long = format!("K8S_POD_NAME={}", "a".repeat(254));
        let error = Arguments::parse(&long).expect_err("it is refused");
        assert!(error.message.contains("254 bytes (at most 253)"), "{error}");
        assert!(Arguments::parse(&long.replacen('a', "", 1)).is_ok());
    }
}
