//! How many addresses of a vSwitch are in each state, per family. They always add up to its size (A9).

use crate::address::Family;
use crate::row::Phase;
use std::fmt;

/// One family of one vSwitch, every state counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FamilyCounts {
    /// All addresses of the subnet.
    pub size: u128,
    /// Available at once: used before and free again, or never used.
    pub free: u128,
    /// Those of `free` that were never used.
    pub never_used: u128,
    /// A cloud call assigns them.
    pub reserved: u128,
    /// Warm, each on some node.
    pub idle: u128,
    /// Held by live sandboxes.
    pub bound: u128,
    /// Resting.
    pub cooling: u128,
    /// A cloud call takes them away.
    pub releasing: u128,
    /// Kept for claims without a sandbox.
    pub held: u128,
    /// Kept for claims whose old holder is not proven gone.
    pub disputed: u128,
    /// Perhaps in use.
    pub quarantined: u128,
    /// Somebody else's.
    pub foreign: u128,
    /// Never given out.
    pub excluded: u128,
}

/// Both families of one vSwitch; a family that it has not is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// IPv4.
    pub ipv4: Option<FamilyCounts>,
    /// IPv6.
    pub ipv6: Option<FamilyCounts>,
}

// === impl Counts ===

impl Counts {
    /// Of one family.
    pub fn family(&self, family: Family) -> Option<&FamilyCounts> {
        match family {
            Family::V4 => self.ipv4.as_ref(),
            Family::V6 => self.ipv6.as_ref(),
        }
    }

    pub(crate) fn family_mut(&mut self, family: Family) -> Option<&mut FamilyCounts> {
        match family {
            Family::V4 => self.ipv4.as_mut(),
            Family::V6 => self.ipv6.as_mut(),
        }
    }

    /// While a recovery is open: what is free, warm or resting may be in use.
    pub(crate) fn quarantined(mut self) -> Self {
        for family in [&mut self.ipv4, &mut self.ipv6].into_iter().flatten() {
            let unsure = [&mut family.free, &mut family.idle, &mut family.cooling];
            family.quarantined += unsure.into_iter().map(std::mem::take).sum::<u128>();
            family.never_used = 0;
        }
        self
    }

    /// The families that are there, IPv4 first.
    pub fn families(&self) -> impl Iterator<Item = (Family, &FamilyCounts)> {
        Family::ALL
            .into_iter()
            .filter_map(|family| Some((family, self.family(family)?)))
    }
}

/// Every state by name, as a refusal shows it: "ipv4 size 256: free 3, bound 250, ..."; states with none are left out.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (family, counts)) in self.families().enumerate() {
            let separator = if place == 0 { "" } else { "; " };
            write!(f, "{separator}{family} {counts}")?;
        }
        Ok(())
    }
}

// === impl FamilyCounts ===

impl FamilyCounts {
    /// A new subnet: all free and never used but the excluded.
    pub(crate) fn new(size: u128, excluded: u128) -> Self {
        let never_used = size.saturating_sub(excluded);
        Self {
            size,
            excluded,
            never_used,
            free: never_used,
            ..Self::default()
        }
    }

    /// Every state with its name, in the order of the life of an address. `never used` is a part of `free`, not one of them.
    pub fn states(&self) -> [(&'static str, u128); 11] {
        [
            ("free", self.free),
            ("reserved", self.reserved),
            ("idle", self.idle),
            ("bound", self.bound),
            ("cooling", self.cooling),
            ("releasing", self.releasing),
            ("held", self.held),
            ("disputed", self.disputed),
            ("quarantined", self.quarantined),
            ("foreign", self.foreign),
            ("excluded", self.excluded),
        ]
    }

    /// Design §4: the sum of all states is the size.
    pub fn conserved(&self) -> bool {
        let sum: u128 = self.states().iter().map(|(_, count)| count).sum();
        sum == self.size && self.never_used <= self.free
    }

    fn of(&mut self, phase: Phase) -> &mut u128 {
        match phase {
            Phase::NeverUsed | Phase::Free => &mut self.free,
            Phase::Reserved => &mut self.reserved,
            Phase::Idle => &mut self.idle,
            Phase::Bound => &mut self.bound,
            Phase::Cooling => &mut self.cooling,
            Phase::Releasing => &mut self.releasing,
            Phase::Held => &mut self.held,
            Phase::Disputed => &mut self.disputed,
            Phase::Quarantined => &mut self.quarantined,
            Phase::Foreign => &mut self.foreign,
            Phase::Excluded => &mut self.excluded,
        }
    }

    /// One address goes from one state to another.
    pub(crate) fn pass(&mut self, before: Phase, after: Phase) {
        *self.of(before) -= 1;
        *self.of(after) += 1;
        match (before, after) {
            (Phase::NeverUsed, Phase::NeverUsed) => {}
            (Phase::NeverUsed, _) => self.never_used -= 1,
            (_, Phase::NeverUsed) => self.never_used += 1,
            _ => {}
        }
    }
}

impl fmt::Display for FamilyCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "size {}: ", self.size)?;
        let states = self.states().into_iter().filter(|(_, count)| *count > 0);
        for (place, (name, count)) in states.enumerate() {
            let separator = if place == 0 { "" } else { ", " };
            write!(f, "{separator}{name} {count}")?;
        }
        Ok(())
    }
}
