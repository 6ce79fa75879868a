//! Who held an address at a moment: by the last change of the address at or before it.

use berth_domain::event::EventGroup;
use berth_domain::id::{Revision, VSwitchId};
use berth_domain::row::{AddressState, Allocation, Change};
use std::net::IpAddr;
use std::sync::Arc;

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WhoHas {
    /// In which vSwitch; none = the address had never changed by then.
    pub vswitch: Option<VSwitchId>,
    /// Its state then; none = never used by then.
    pub state: Option<AddressState>,
    /// Set if it was bound.
    pub allocation: Option<Arc<Allocation>>,
    /// When the state began: wall clock, ms since 1970; 0 = never.
    pub since_wall_ms: u64,
    /// The revision that made it so; 0 = none.
    pub since_revision: Revision,
    /// The history is complete up to here.
    pub revision: Revision,
}

// === impl WhoHas ===

impl WhoHas {
    /// From the group that changed the address last.
    pub(super) fn after(group: &EventGroup, address: IpAddr, revision: Revision) -> Self {
        let mut answer = Self {
            since_wall_ms: group.wall_time_ms,
            since_revision: group.revision,
            revision,
            ..Self::default()
        };
        // A later change of one group is what holds after it.
        for change in &group.changes {
            match change {
                Change::Address {
                    vswitch,
                    address: at,
                    after,
                    ..
                } if *at == address => {
                    answer.vswitch = Some(*vswitch);
                    answer.state.clone_from(after);
                }
                Change::Allocation {
                    after: Some(row), ..
                } if row.addresses.contains(&address) => {
                    answer.allocation = Some(Arc::clone(row));
                }
                _ => {}
            }
        }
        if !matches!(answer.state, Some(AddressState::Bound { .. })) {
            answer.allocation = None;
        }
        answer
    }
}
