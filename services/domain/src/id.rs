//! Every identifier, each its own type, so that one cannot be given where another is meant.

mod text;

use std::fmt;
use text::Text;

/// A name beyond its limit or with a character it may not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} {reason} (at most {limit} bytes)")]
pub struct Error {
    /// Which identifier: "container id".
    pub what: &'static str,
    /// What is wrong with it.
    pub reason: String,
    /// The limit in bytes.
    pub limit: usize,
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

number!(
    /// Counts the mutating commands that took effect; gap-free from 1. 0 = before the first.
    Revision
);
number!(
    /// One bind of one attachment: the revision of that bind, so it is never reused.
    Generation
);
number!(
    /// A node as the ledger knows it: the revision that registered it. A re-created node is another.
    NodeId
);
number!(
    /// A vSwitch: the revision that created it.
    VSwitchId
);
number!(
    /// A claim: the revision that created it.
    ClaimId
);
number!(
    /// A replica of the cluster; random, never reused.
    MemberId
);
number!(
    /// A pool of nodes: the revision that made it.
    NodePoolId
);
number!(
    /// An ENI of ours: the revision that planned it. The cloud's own name for it is its [`EniId`], known once it is made.
    EniNumber
);
number!(
    /// A job of cloud calls: see [`JobId::of`].
    JobId
);

/// Jobs that one command may begin: more than any instance type has ENIs.
const JOBS_PER_COMMAND: u64 = 64;

// === impl JobId ===

impl JobId {
    /// Of the revision that began it, and its place in that command. Revisions stay far below what would not fit: they jump by
    /// microseconds at most.
    pub fn of(revision: Revision, place: u8) -> Self {
        let place = u64::from(place) % JOBS_PER_COMMAND;
        Self(
            revision
                .0
                .saturating_mul(JOBS_PER_COMMAND)
                .saturating_add(place),
        )
    }
}

// After the limit: how many bytes stand in place. What is usual fits: a container id of 64 digits, a uuid of 36.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $limit:literal, $in_place:literal, $allowed:expr, $empty:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Text<$in_place>);
        impl $name {
            /// Its limit in bytes.
            pub const LIMIT: usize = $limit;
            /// Checks length and characters.
            pub fn new(text: &str) -> Result<Self, Error> {
                let refuse = |reason: String| Error { what: $what, reason, limit: $limit };
                if text.is_empty() && !$empty {
                    return Err(refuse("is empty".into()));
                }
                if text.len() > $limit {
                    return Err(refuse(format!("has {} bytes", text.len())));
                }
                let allowed: Characters = $allowed;
                match text.chars().find(|c| !(allowed.contain)(*c)) {
                    Some(c) => Err(refuse(format!("has the character {c:?}, allowed are {}", allowed.words))),
                    None => Ok(Self(Text::new(text))),
                }
            }
            /// The text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
            /// The text's bytes, without looking at its characters.
            pub fn as_bytes(&self) -> &[u8] {
                self.0.as_bytes()
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

/// What an identifier may consist of.
struct Characters {
    contain: fn(char) -> bool,
    /// For whoever used another.
    words: &'static str,
}

const PLAIN: Characters = Characters {
    contain: |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'),
    words: "a-z A-Z 0-9 - _ .",
};
const INTERFACE: Characters = Characters {
    contain: |c| c.is_ascii_graphic() && !matches!(c, '/' | ':'),
    words: "printable ASCII ones without space, slash and colon",
};
const GRAPHIC: Characters = Characters {
    contain: |c| c.is_ascii_graphic(),
    words: "printable ASCII ones without space",
};
const HARDWARE: Characters = Characters {
    contain: |c| c.is_ascii_hexdigit() || c == ':',
    words: "0-9 a-f A-F :",
};
const WORDS: Characters = Characters {
    contain: |c| !c.is_control(),
    words: "all but control characters",
};

name!(
    /// A Kubernetes cluster's name.
    ClusterName, "cluster", 63, 22, PLAIN, false
);
name!(
    /// A CNI network's name (CNI spec 1.1 §1: alphanumeric, then `_ . -`).
    NetworkName, "network", 63, 22, PLAIN, false
);
name!(
    /// CNI_CONTAINERID: the sandbox.
    ContainerId, "container id", 128, 70, PLAIN, false
);
name!(
    /// CNI_IFNAME: no slash, colon or white space.
    InterfaceName, "interface", 15, 22, INTERFACE, false
);
name!(
    /// A Kubernetes namespace; empty where the runtime names none.
    Namespace, "namespace", 63, 22, PLAIN, true
);
name!(
    /// A pod's name; empty where the runtime names none.
    PodName, "pod name", 253, 22, PLAIN, true
);
name!(
    /// A pod's uid; empty where the runtime names none.
    PodUid, "pod uid", 64, 38, PLAIN, true
);
name!(
    /// A node's name: an attribute, never its identity.
    NodeName, "node name", 253, 30, PLAIN, false
);
name!(
    /// An instance id, else a machine id: what makes a node this node.
    NodeIdentity, "node identity", 128, 30, GRAPHIC, false
);
name!(
    /// A zone; empty where there are none.
    Zone, "zone", 63, 22, PLAIN, true
);
name!(
    /// A vSwitch's name.
    VSwitchName, "vswitch name", 63, 30, PLAIN, false
);
name!(
    /// A vSwitch, as the cloud names it.
    CloudVSwitchId, "cloud vswitch", 64, 30, PLAIN, false
);
name!(
    /// A cloud's instance type; empty where there is none.
    InstanceType, "instance type", 63, 22, PLAIN, true
);
name!(
    /// A pool of nodes that are alike.
    NodePoolName, "node pool", 63, 22, PLAIN, false
);
name!(
    /// An elastic network interface's id, as the cloud names it.
    EniId, "eni", 64, 30, PLAIN, false
);
name!(
    /// A hardware address, as the cloud writes it.
    MacAddress, "mac address", 17, 22, HARDWARE, false
);
name!(
    /// A security group, as the cloud names it.
    SecurityGroup, "security group", 64, 30, PLAIN, false
);
name!(
    /// The key of a tag in the cloud.
    TagKey, "tag key", 64, 30, GRAPHIC, false
);
name!(
    /// The value of a tag in the cloud.
    TagValue, "tag value", 128, 30, GRAPHIC, false
);
name!(
    /// The kernel's boot id.
    BootId, "boot id", 64, 38, PLAIN, true
);
name!(
    /// A caller's own id of a request; empty = none.
    RequestId, "request id", 64, 38, GRAPHIC, true
);
name!(
    /// Who asks: "local", "node/worker-1", "member/3".
    Principal, "principal", 256, 30, GRAPHIC, false
);
name!(
    /// Why, in the caller's words; empty = not said.
    Reason, "reason", 256, 22, WORDS, true
);
name!(
    /// Where a server listens: "http://127.0.0.1:7400".
    Endpoint, "endpoint", 256, 38, GRAPHIC, true
);
name!(
    /// A Berth cluster: made once at bootstrap, registered in the ledger.
    ClusterId, "cluster id", 64, 38, PLAIN, false
);

/// One interface of one sandbox: the key of an allocation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttachmentKey {
    /// Which Kubernetes cluster.
    pub cluster: ClusterName,
    /// Which CNI network.
    pub network: NetworkName,
    /// Which sandbox.
    pub container: ContainerId,
    /// Which interface of it.
    pub interface: InterfaceName,
}

impl fmt::Display for AttachmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cluster,
            network,
            container,
            interface,
        } = self;
        write!(f, "{cluster}/{network}/{container}/{interface}")
    }
}

/// Who a sandbox is for, as the runtime told it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodIdentity {
    /// Its namespace.
    pub namespace: Namespace,
    /// Its name, which a later pod may have again.
    pub name: PodName,
    /// Its uid, which no later pod has.
    pub uid: PodUid,
}

/// What a claim is for: the pod that has this name, incarnation after incarnation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimName {
    /// Which Kubernetes cluster.
    pub cluster: ClusterName,
    /// The pod's namespace.
    pub namespace: Namespace,
    /// The pod's name.
    pub pod: PodName,
}

impl fmt::Display for ClaimName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.cluster, self.namespace, self.pod)
    }
}

#[cfg(test)]
mod tests {
    use super::{InterfaceName, VSwitchName};

    /// Promise: a refused name is told its limit, and for a character also what is allowed.
    #[test]
    fn a_refused_name_is_told_what_is_allowed() {
        let said = VSwitchName::new("zone ü").expect_err("a space").to_string();
        let words =
            "vswitch name has the character ' ', allowed are a-z A-Z 0-9 - _ . (at most 63 bytes)";
        assert_eq!(said, words);
        let said = InterfaceName::new("a/b").expect_err("a slash").to_string();
        assert!(
            said.contains("without space, slash and colon (at most 15 bytes)"),
            "{said}"
        );
    }
}
