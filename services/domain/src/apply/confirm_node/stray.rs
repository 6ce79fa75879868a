//! A living sandbox that does not fit is remembered as a stray, and its addresses are kept from everybody.

use super::Work;
use crate::command::Live;
use crate::id::AttachmentKey;
use crate::row::{AddressState, Change, Stray, StrayCause};
use std::net::IpAddr;
use std::sync::Arc;

// === impl Work ===

impl Work<'_, '_> {
    pub(super) fn keep_from_everybody(&mut self, live: &Live, cause: StrayCause) {
        let key: Arc<AttachmentKey> = Arc::new(live.key.clone());
        let row = Stray {
            key: key.clone(),
            node: self.command.node,
            boot: live.boot.clone(),
            invoked_at_ms: live.invoked_at_ms,
            pod: live.pod.clone(),
            addresses: live.addresses.clone(),
            cause,
            since: self.context.revision,
        };
        self.change(vec![Change::Stray {
            node: self.command.node,
            key,
            before: None,
            after: Some(Arc::new(row)),
        }]);
        for address in &live.addresses {
            self.contest(*address);
        }
        self.strays += 1;
    }

    /// Whoever has it keeps it; nobody gets it.
    fn contest(&mut self, address: IpAddr) {
        let excluded = |vswitch: &Arc<crate::row::VSwitch>| vswitch.excludes(address);
        let vswitch = self.context.ledger.vswitch_containing(address);
        if vswitch.is_none_or(excluded) {
            return;
        }
        let since = self.context.revision;
        match self.state(address) {
            None
            | Some(
                AddressState::Free { .. }
                | AddressState::Idle { .. }
                | AddressState::Cooling { .. },
            ) => {
                self.pass(address, AddressState::Quarantined { since });
            }
            Some(AddressState::Held { claim }) => {
                self.pass(address, AddressState::Disputed { claim })
            }
            Some(_) => {}
        }
    }
}
