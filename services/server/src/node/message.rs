//! What a NodeActor is asked, and what it answers.

use berth_actors::Reply;
use berth_domain::command::{Command, FactsVersion, Proposal};
use berth_domain::id::*;
use berth_domain::row::{Allocation, VSwitch};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

/// The ADD: addresses for an attachment.
#[derive(Clone, Debug)]
pub struct Allocate {
    /// Who asks.
    pub principal: Principal,
    /// The trace it belongs to.
    pub trace_id: Option<[u8; 16]>,
    /// Whose.
    pub key: AttachmentKey,
    /// For whom.
    pub pod: PodIdentity,
    /// Where, by the node's registered name.
    pub node: NodeName,
    /// In which boot.
    pub boot: BootId,
    /// When the shim started, boot-time clock, ms.
    pub invoked_at_ms: u64,
    /// From which vSwitch; none = one of the node's zone.
    pub vswitch: Option<VSwitchName>,
    /// Specific addresses, at most one per family; empty = any.
    pub requested: Vec<IpAddr>,
    /// How long the caller still waits, ms from now.
    pub deadline_ms: u64,
}

/// What the attachment holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocated {
    /// The allocation as the ledger has it.
    pub allocation: Arc<Allocation>,
    /// Its vSwitch: prefix lengths and gateways.
    pub vswitch: Arc<VSwitch>,
    /// The claim's name if the addresses are static.
    pub claim: Option<ClaimName>,
    /// False if a repeat found what an earlier call made.
    pub created: bool,
    /// The revision at which it became true.
    pub revision: Revision,
}

/// The DEL of one sandbox's interface.
#[derive(Clone, Debug)]
pub struct Release {
    /// Who asks.
    pub principal: Principal,
    /// The trace it belongs to.
    pub trace_id: Option<[u8; 16]>,
    /// Whose.
    pub key: AttachmentKey,
    /// Where it was said; none or an unknown one is no obstacle.
    pub node: Option<NodeName>,
    /// In which boot.
    pub boot: BootId,
    /// When the shim started, boot-time clock, ms.
    pub invoked_at_ms: u64,
    /// Only this bind; none = key and `invoked_at_ms` decide.
    pub generation: Option<Generation>,
    /// How long the caller still waits, ms from now.
    pub deadline_ms: u64,
}

/// What a DEL did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Released {
    /// The revision at which it became true.
    pub revision: Revision,
    /// False if there was nothing to release.
    pub released: bool,
}

/// The GC: this node's attachments of one network that are not listed end.
#[derive(Clone, Debug)]
pub struct Collect {
    /// Who asks.
    pub principal: Principal,
    /// The trace it belongs to.
    pub trace_id: Option<[u8; 16]>,
    /// Of which cluster.
    pub cluster: ClusterName,
    /// Of which network.
    pub network: NetworkName,
    /// On which node.
    pub node: NodeName,
    /// In which boot.
    pub boot: BootId,
    /// When the shim started; what was bound by a later ADD of the same boot stays.
    pub invoked_at_ms: u64,
    /// These stay.
    pub valid: BTreeSet<(ContainerId, InterfaceName)>,
    /// How long the caller still waits, ms from now.
    pub deadline_ms: u64,
}

/// What a GC did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collected {
    /// The revision at which it became true.
    pub revision: Revision,
    /// How many attachments ended.
    pub released: u32,
}

/// A vSwitch has nothing free and pods elsewhere wait: some of this node's warm addresses are to go back.
#[derive(Debug)]
pub struct Yield {
    /// Whose addresses.
    pub vswitch: VSwitchId,
    /// How many sets would do.
    pub sets: u32,
    /// Told whether some will.
    pub reply: Reply<bool>,
}

/// A command as this caller gives it.
pub(crate) fn proposal(
    principal: &Principal,
    trace_id: Option<[u8; 16]>,
    facts: Option<FactsVersion>,
    command: Command,
) -> Proposal {
    Proposal {
        principal: principal.clone(),
        request_id: RequestId::new("").expect("allowed"), // the empty text is one of those allowed
        trace_id,
        reason: Reason::new("").expect("allowed"), // the empty text is one of those allowed
        facts,
        command,
    }
}

impl Allocate {
    /// Digest of what is asked for: a repeat with another digest is refused. Its layout is fixed for ever,
    /// because it is kept with the allocation.
    pub fn parameters(&self) -> [u8; 16] {
        let mut digest = blake3::Hasher::new();
        let vswitch = self.vswitch.as_ref().map_or("", VSwitchName::as_str);
        let pod = &self.pod;
        for text in [
            self.node.as_str(),
            pod.namespace.as_str(),
            pod.name.as_str(),
            pod.uid.as_str(),
            vswitch,
        ] {
            // No name holds a line end, so two lists of names never give one text.
            digest.update(text.as_bytes()).update(b"\n");
        }
        for address in &self.requested {
            digest.update(address.to_string().as_bytes()).update(b"\n");
        }
        let mut first = [0; 16];
        first.copy_from_slice(&digest.finalize().as_bytes()[..16]);
        first
    }
}
