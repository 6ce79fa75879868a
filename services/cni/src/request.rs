//! One call's own words, put together from the environment, the arguments and the configuration.

use std::fs;
use std::net::IpAddr;
use std::time::Instant;

use berth_proto::v1::{AllocateRequest, AttachmentKey, PodIdentity};

use crate::arguments::Arguments;
use crate::config::{Config, Requested};
use crate::environment::{Environment, Started};
use crate::error::{Code, Error};

/// A new value at each boot of the kernel.
const BOOT_ID_FILE: &str = "/proc/sys/kernel/random/boot_id";

/// Everything that one verb needs, checked.
#[derive(Clone, Debug)]
pub struct Request {
    /// What the runtime's environment says.
    pub environment: Environment,
    /// What the network's configuration says.
    pub config: Config,
    /// Whom the sandbox is for.
    pub pod: PodIdentity,
    /// Addresses asked for, IPv4 first, at most one per family.
    pub addresses: Vec<IpAddr>,
    /// When this program started, boot-time clock, ms.
    pub invoked_at_ms: u64,
    /// The same moment, from which the deadline counts.
    pub started: Instant,
}

/// The kernel's boot id. Together with `invoked_at_ms` it says which of two calls came later.
pub fn boot_id() -> Result<String, Error> {
    let read = fs::read_to_string(BOOT_ID_FILE);
    let text = read.map_err(|error| Error::new(Code::Io, format!("{BOOT_ID_FILE}: {error}")))?;
    Ok(text.trim().to_owned())
}

// === impl Request ===

impl Request {
    /// Takes the arguments apart; everything else is checked already.
    pub fn new(environment: Environment, config: Config, started: Started) -> Result<Self, Error> {
        let arguments = Arguments::parse(&environment.arguments)?;
        // Conventions: IP= is ignored if the same is given through args.
        let deprecated = (!arguments.addresses.is_empty()).then_some(Requested {
            key: "IP in CNI_ARGS",
            texts: arguments.addresses,
        });
        let requested = config.requested.clone().or(deprecated);
        let addresses = requested.map_or(Ok(Vec::new()), |requested| addresses(&requested))?;
        Ok(Self {
            environment,
            config,
            pod: arguments.pod,
            addresses,
            invoked_at_ms: started.boot_time_ms,
            started: started.at,
        })
    }

    /// The key of the allocation.
    pub fn attachment(&self) -> AttachmentKey {
        AttachmentKey {
            cluster: self.config.ipam.cluster.clone(),
            network: self.config.network.clone(),
            container_id: self.environment.container_id.clone(),
            interface: self.environment.interface.clone(),
        }
    }

    /// Why Berth cannot hold anything under this key; None = it can.
    pub fn beyond_limits(&self) -> Option<Error> {
        let of_environment = self.environment.beyond_limits.as_ref();
        let of_config = self.config.beyond_limits.as_ref();
        of_environment
            .map(|reason| Error::new(Code::BadEnvironment, reason))
            .or_else(|| of_config.map(Error::config))
    }

    /// The words of an ADD; how long it may take is the client's to say.
    pub fn allocate(&self) -> Result<AllocateRequest, Error> {
        Ok(AllocateRequest {
            attachment: Some(self.attachment()),
            pod: Some(self.pod.clone()),
            node: self.config.ipam.node.clone(),
            boot_id: boot_id()?,
            invoked_at_ms: self.invoked_at_ms,
            vswitch: self.config.ipam.vswitch.clone(),
            requested_addresses: self.addresses.iter().map(IpAddr::to_string).collect(),
            deadline_ms: 0,
        })
    }
}

/// "10.0.3.7" or "10.0.3.7/24": the prefix is the vSwitch's affair and is not looked at.
fn addresses(requested: &Requested) -> Result<Vec<IpAddr>, Error> {
    let key = requested.key;
    let mut addresses: Vec<IpAddr> = Vec::new();
    for text in &requested.texts {
        let bare = text.split('/').next().unwrap_or(text);
        let address = bare.trim().parse::<IpAddr>().map_err(|_| {
            Error::config(format!("{key} has {text:?}; it must be like \"10.0.3.7\""))
        })?;
        let same_family = |other: &IpAddr| other.is_ipv4() == address.is_ipv4();
        if let Some(other) = addresses.iter().copied().find(same_family) {
            if other != address {
                return Err(Error::config(format!(
                    "{key} has {other} and {address}; at most one address per family can be asked for"
                )));
            }
            continue;
        }
        addresses.push(address);
    }
    addresses.sort_by_key(IpAddr::is_ipv6);
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{addresses, boot_id};
    use crate::config::Requested;

    fn read(texts: &[&str]) -> Result<Vec<IpAddr>, String> {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        let requested = Requested {
            key: "runtimeConfig.ips",
            texts,
        };
        addresses(&requested).map_err(|error| error.message)
    }

    /// Promise: with or without prefix, IPv4 first, one per family, and never two of one.
    #[test]
    fn requested_addresses_are_one_per_family() {
        let both = read(&["fd00::7/64", "10.0.3.7/24"]).expect("both families");
        let both: Vec<String> = both.iter().map(IpAddr::to_string).collect();
        assert_eq!(both, ["10.0.3.7", "fd00::7"]);
        let two = read(&["10.0.3.7", "10.0.3.8"]).expect_err("two of one family");
        assert!(two.contains("10.0.3.7 and 10.0.3.8"), "{two}");
        assert!(
            read(&["10.0.3"])
                .expect_err("half")
                .contains("runtimeConfig.ips")
        );
    }

    /// Promise: the boot id is one line of text, as the kernel has it.
    #[test]
    fn the_boot_id_is_a_uuid() {
        assert_eq!(boot_id().expect("a kernel with /proc").len(), 36);
    }
}
