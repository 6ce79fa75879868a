//! The states of an address, in the design's order and words.

use berth_proto::v1;
use serde::Serialize;

/// How many addresses of one family are in each state; decimal strings, because IPv6 counts need 128 bits.
#[derive(Debug, Serialize)]
pub struct Counts {
    /// "ipv4" or "ipv6".
    pub family: &'static str,
    /// The sum of all below.
    pub size: String,
    /// Never used, or rested.
    pub free: String,
    /// Promised to a node, cloud call under way.
    pub reserved: String,
    /// On a node, no pod has it.
    pub idle: String,
    /// A sandbox has it.
    pub bound: String,
    /// Released, resting.
    pub cooling: String,
    /// On its way back from a node.
    pub releasing: String,
    /// A claim has it, no sandbox.
    pub held: String,
    /// A claim has it, the old holder is not proven gone.
    pub disputed: String,
    /// Perhaps in use, nobody has said.
    pub quarantined: String,
    /// Somebody else's in the network.
    pub foreign: String,
    /// Never given out.
    pub excluded: String,
}

// === impl Counts ===

impl From<v1::StateCounts> for Counts {
    fn from(counts: v1::StateCounts) -> Self {
        let family = match counts.family() {
            v1::AddressFamily::Ipv6 => "ipv6",
            _ => "ipv4",
        };
        Self {
            family,
            size: counts.size,
            free: counts.free,
            reserved: counts.reserved,
            idle: counts.idle,
            bound: counts.bound,
            cooling: counts.cooling,
            releasing: counts.releasing,
            held: counts.held,
            disputed: counts.disputed,
            quarantined: counts.quarantined,
            foreign: counts.foreign,
            excluded: counts.excluded,
        }
    }
}

impl Counts {
    /// Name and count of every state; no state is ever left out.
    pub fn states(&self) -> [(&'static str, &str); 11] {
        [
            ("free", &self.free),
            ("reserved", &self.reserved),
            ("idle", &self.idle),
            ("bound", &self.bound),
            ("cooling", &self.cooling),
            ("releasing", &self.releasing),
            ("held", &self.held),
            ("disputed", &self.disputed),
            ("quarantined", &self.quarantined),
            ("foreign", &self.foreign),
            ("excluded", &self.excluded),
        ]
    }
}

/// The design's word for a state.
pub fn name(state: v1::AddressState) -> &'static str {
    match state {
        v1::AddressState::Unspecified => "unknown",
        v1::AddressState::Free => "free",
        v1::AddressState::Reserved => "reserved",
        v1::AddressState::Idle => "idle",
        v1::AddressState::Bound => "bound",
        v1::AddressState::Cooling => "cooling",
        v1::AddressState::Releasing => "releasing",
        v1::AddressState::Held => "held",
        v1::AddressState::Disputed => "disputed",
        v1::AddressState::Quarantined => "quarantined",
        v1::AddressState::Foreign => "foreign",
        v1::AddressState::Excluded => "excluded",
    }
}
