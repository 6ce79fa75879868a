//! Calls and answers, as plain as they can be written down.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One sandbox's interface and whom it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// "cluster/network/container/interface"
    pub key: String,
    /// "namespace/name"
    pub pod: String,
    /// The pod object's; a newer sandbox of the same takes the place of the older on its node.
    pub uid: String,
    /// The node's name.
    pub node: String,
    /// The node's boot.
    pub boot: String,
    /// Which invocation of the shim.
    pub invoked_at_ms: u64,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Call {
    /// ADD.
    Add {
        /// For whom.
        attachment: Attachment,
        /// Addresses asked for by name.
        requested: Vec<String>,
    },
    /// DEL.
    Delete {
        /// Whose.
        attachment: Attachment,
    },
    /// GC of one node: what is not valid ends.
    Collect {
        /// Whose attachments.
        node: String,
        /// Keys that stay.
        valid: BTreeSet<String>,
    },
    /// A change by an administrator.
    Change {
        /// Unique: a repeat carries the same.
        request_id: String,
        /// Which.
        write: Write,
    },
    /// Something that changes nothing.
    Read(Read),
}

/// Changes by administrators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Write {
    /// A vSwitch of one IPv4 range.
    CreateVSwitch {
        /// Its name.
        name: String,
        /// "10.9.0.0/26"
        cidr: String,
        /// How long its addresses rest.
        cooling_ms: u64,
    },
    /// A node.
    RegisterNode {
        /// Its name.
        name: String,
    },
    /// A claim, with these addresses or any.
    CreateClaim {
        /// "cluster/namespace/pod"
        name: String,
        /// Asked for by name.
        addresses: Vec<String>,
    },
    /// Ends a claim.
    DeleteClaim {
        /// "cluster/namespace/pod"
        name: String,
    },
}

/// Questions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Read {
    /// CHECK: whether the attachment has these addresses.
    Check {
        /// Whose.
        key: String,
        /// Which.
        addresses: Vec<String>,
    },
    /// One claim.
    Claim {
        /// "cluster/namespace/pod"
        name: String,
    },
    /// A vSwitch, every state counted.
    VSwitch {
        /// Its name.
        name: String,
    },
    /// All allocations of one node, in one page.
    Allocations {
        /// Its name.
        node: String,
    },
    /// Who has an address now.
    WhoHas {
        /// Which.
        address: String,
    },
    /// A member's own view, which may be old.
    Stale,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// An ADD's.
    Bound {
        /// IPv4 first.
        addresses: Vec<String>,
        /// The revision of the bind.
        generation: u64,
        /// When it was true.
        revision: u64,
        /// False = an earlier call made it.
        created: bool,
        /// The claim's name; empty = dynamic.
        claim: String,
    },
    /// A DEL's.
    Released {
        /// When it was true.
        revision: u64,
        /// False = there was nothing.
        released: bool,
    },
    /// A GC's, or that of a change.
    Done {
        /// Not before this was it done.
        revision: u64,
    },
    /// CHECK held.
    Held {
        /// When.
        revision: u64,
        /// What it has.
        addresses: Vec<String>,
    },
    /// A claim.
    Claim {
        /// When.
        revision: u64,
        /// Its addresses.
        addresses: Vec<String>,
        /// Whether somebody lives there.
        bound: bool,
    },
    /// A vSwitch's.
    Counted {
        /// When.
        revision: u64,
        /// Of its IPv4 addresses.
        counts: Counts,
    },
    /// Allocations.
    Listed {
        /// When.
        revision: u64,
        /// All of them.
        allocations: Vec<Listed>,
    },
    /// Who has an address.
    Has {
        /// When.
        revision: u64,
        /// The state's name: "bound".
        state: String,
        /// The attachment's key; empty = nobody's.
        key: String,
    },
    /// A member's own revision, and what its chain ends in.
    Stale {
        /// Of the member.
        revision: u64,
        /// Hexadecimal.
        chain: String,
    },
    /// No, and nothing was done.
    Refused {
        /// "TOMBSTONE"
        code: String,
        /// In words.
        message: String,
    },
    /// Nobody knows whether it was done.
    Unknown {
        /// What broke.
        why: String,
    },
}

/// How many addresses are in each state that a routed network has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All of them.
    pub size: u64,
    /// See the design, §4.
    pub free: u64,
    /// See the design, §4.
    pub idle: u64,
    /// See the design, §4.
    pub bound: u64,
    /// See the design, §4.
    pub cooling: u64,
    /// See the design, §4.
    pub held: u64,
    /// See the design, §4.
    pub excluded: u64,
}

/// One row of a list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Listed {
    /// The attachment's.
    pub key: String,
    /// IPv4 first.
    pub addresses: Vec<String>,
    /// The revision of the bind.
    pub generation: u64,
}

// === impl Answer ===

impl Answer {
    /// The revision it carries.
    pub fn revision(&self) -> Option<u64> {
        match self {
            Self::Bound { revision, .. }
            | Self::Released { revision, .. }
            | Self::Done { revision }
            | Self::Held { revision, .. }
            | Self::Claim { revision, .. }
            | Self::Counted { revision, .. }
            | Self::Listed { revision, .. }
            | Self::Has { revision, .. }
            | Self::Stale { revision, .. } => Some(*revision),
            Self::Refused { .. } | Self::Unknown { .. } => None,
        }
    }
}
