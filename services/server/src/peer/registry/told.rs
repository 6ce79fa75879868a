//! What the leader says of the members to a replica that is behind: without it, a replica whose ledger does not know the
//! leader yet would turn it away, and so never hear of it.

use crate::peer::Address;
use berth_domain::id::{Endpoint, MemberId, Revision};
use berth_proto::peer::v1::PeerMember;
use std::collections::BTreeMap;

/// Good until this replica's ledger is as far itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The leader's ledger, after it had asked a quorum.
    pub revision: Revision,
    /// Who was registered there, with which store.
    pub members: BTreeMap<MemberId, (Address, [u8; 16])>,
}

// === impl Told ===

impl Told {
    /// Whoever is not named in full is left out: an answer of no revision says nothing of stores.
    pub fn read(revision: u64, members: &[PeerMember]) -> Self {
        let one = |member: &PeerMember| {
            let id = MemberId(member.id);
            let address = Address {
                member: id,
                name: member.name.clone(),
                endpoint: Endpoint::new(&member.peer_endpoint).ok()?,
            };
            Some((id, (address, member.store.as_ref().try_into().ok()?)))
        };
        Self {
            revision: Revision(revision),
            members: members.iter().filter_map(one).collect(),
        }
    }

    /// Whether there is nothing in it that a ledger at `own` does not know.
    pub fn is_old(&self, own: Revision) -> bool {
        self.revision <= own
    }
}
