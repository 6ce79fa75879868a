//! How many warm sets of addresses there are to be, and which of those that are there go back.

use berth_domain::row::IdleSettings;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What is above the maximum for so long goes back.
pub(super) const SURPLUS_MS: u64 = 60_000;

/// Since when addresses are warm, and what went back.
#[derive(Debug, Default)]
pub(in crate::node) struct Idle {
    since_ms: BTreeMap<IpAddr, u64>,
    /// Since when there is more than may be.
    too_much_since_ms: Option<u64>,
    reclaimed_at_ms: Option<u64>,
    /// When more of it is old enough to go.
    old_at_ms: Option<u64>,
    is_warmed_up: bool,
}

/// What there is, in sets.
#[derive(Clone, Copy, Debug)]
pub(in crate::node) struct Counts {
    /// Warm and not promised.
    pub idle: u32,
    /// Pods', or on their way to or from the cloud.
    pub others: u32,
    /// Of pods that will come.
    pub expected: u32,
}

// === impl Idle ===

impl Idle {
    /// Of a node that was warmed up, or begun to be, before.
    pub fn of_node(is_warmed_up: bool) -> Self {
        Self {
            is_warmed_up,
            ..Self::default()
        }
    }

    /// How many sets are to be warm or on their way there.
    pub fn wanted(&mut self, settings: &IdleSettings, counts: Counts) -> u32 {
        let usual = settings.min.saturating_add(counts.expected);
        self.is_warmed_up |= counts.idle + counts.others >= settings.warm_up;
        match self.is_warmed_up {
            true => usual,
            false => usual.max(settings.warm_up.saturating_sub(counts.others)),
        }
    }

    /// How many sets go back now. `warm`: one address of each set that is warm.
    pub fn surplus(
        &mut self,
        settings: &IdleSettings,
        counts: Counts,
        warm: impl Iterator<Item = IpAddr>,
        now_ms: u64,
    ) -> u32 {
        let least = settings.min.saturating_add(counts.expected);
        let most = settings.max.max(least);
        let above = match self.is_warmed_up {
            true => counts.idle.saturating_sub(most),
            false => 0,
        };
        let above = self.for_long_enough(above, now_ms);
        let old = self.old(settings, counts.idle.saturating_sub(least), warm, now_ms);
        above.max(old)
    }

    fn for_long_enough(&mut self, above: u32, now_ms: u64) -> u32 {
        if above == 0 {
            self.too_much_since_ms = None;
            return 0;
        }
        let since_ms = *self.too_much_since_ms.get_or_insert(now_ms);
        match now_ms >= since_ms + SURPLUS_MS {
            true => above,
            false => 0,
        }
    }

    /// Of `spare` sets those that nobody has wanted for long, in batches.
    fn old(
        &mut self,
        settings: &IdleSettings,
        spare: u32,
        warm: impl Iterator<Item = IpAddr>,
        now_ms: u64,
    ) -> u32 {
        if settings.reclaim_after_ms == 0 {
            self.since_ms.clear();
            self.old_at_ms = None;
            return 0;
        }
        let before = std::mem::take(&mut self.since_ms);
        let since = |at: IpAddr| (at, before.get(&at).copied().unwrap_or(now_ms));
        self.since_ms = warm.map(since).collect();
        let old_at = |since_ms: &u64| since_ms + settings.reclaim_after_ms;
        let next_ms = self
            .reclaimed_at_ms
            .map_or(0, |at_ms| at_ms + settings.reclaim_every_ms);
        let is_old = |since_ms: &&u64| now_ms >= old_at(since_ms);
        let old = self.since_ms.values().filter(is_old).count();
        let batch = match settings.reclaim_batch {
            0 => u32::MAX,
            batch => batch,
        };
        let goes = u32::try_from(old).unwrap_or(u32::MAX).min(spare).min(batch);
        let due_ms = self.since_ms.values().map(old_at).min();
        self.old_at_ms = due_ms
            .filter(|_| spare > 0)
            .map(|due_ms| due_ms.max(next_ms));
        match now_ms >= next_ms {
            true => goes,
            false => 0,
        }
    }

    /// A batch has gone.
    pub fn reclaimed(&mut self, now_ms: u64) {
        self.reclaimed_at_ms = Some(now_ms);
    }

    /// When something may go back.
    pub fn due_ms(&self) -> Option<u64> {
        let above = self.too_much_since_ms.map(|since_ms| since_ms + SURPLUS_MS);
        above.into_iter().chain(self.old_at_ms).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warm(count: u8) -> Vec<IpAddr> {
        (0..count).map(|n| IpAddr::from([10, 0, 0, n])).collect()
    }

    /// A node with so many warm sets and nothing else.
    fn go(idle: &mut Idle, settings: &IdleSettings, count: u8, now_ms: u64) -> (u32, u32) {
        let counts = Counts {
            idle: u32::from(count),
            others: 0,
            expected: 0,
        };
        let wanted = idle.wanted(settings, counts);
        let goes = idle.surplus(settings, counts, warm(count).into_iter(), now_ms);
        (wanted, goes)
    }

    /// Promise: what is above the maximum goes back only after a minute in which it was above it all the time.
    #[test]
    fn a_surplus_has_a_minute() {
        let settings = IdleSettings {
            max: 3,
            ..IdleSettings::default()
        };
        let mut idle = Idle::default();
        assert_eq!(go(&mut idle, &settings, 5, 1_000), (0, 0));
        assert_eq!(go(&mut idle, &settings, 5, 60_999), (0, 0));
        assert_eq!(idle.due_ms(), Some(61_000));
        assert_eq!(go(&mut idle, &settings, 3, 60_999), (0, 0));
        assert_eq!(go(&mut idle, &settings, 5, 61_000), (0, 0));
        assert_eq!(go(&mut idle, &settings, 5, 121_000), (0, 2));
    }

    /// Promise: a new node is warmed up once, also above the maximum; afterwards the usual bounds count.
    #[test]
    fn a_new_node_is_warmed_up_once() {
        let settings = IdleSettings {
            min: 1,
            max: 3,
            warm_up: 10,
            ..IdleSettings::default()
        };
        let mut idle = Idle::default();
        assert_eq!(go(&mut idle, &settings, 0, 0), (10, 0));
        assert_eq!(go(&mut idle, &settings, 9, 100_000), (10, 0));
        assert_eq!(go(&mut idle, &settings, 10, 100_001), (1, 0));
        assert_eq!(go(&mut idle, &settings, 10, 160_001), (1, 7));
        assert_eq!(go(&mut idle, &settings, 0, 160_002), (1, 0));
        assert_eq!(go(&mut Idle::of_node(true), &settings, 0, 0), (1, 0));
    }

    /// Promise: an address that nobody wanted for long goes back, in batches, and never below the minimum.
    #[test]
    fn what_nobody_wants_goes_in_batches() {
        let settings = IdleSettings {
            min: 3,
            max: 20,
            reclaim_after_ms: 120_000,
            reclaim_batch: 3,
            reclaim_every_ms: 30_000,
            ..IdleSettings::default()
        };
        let mut idle = Idle::default();
        assert_eq!(go(&mut idle, &settings, 10, 0), (3, 0));
        assert_eq!(idle.due_ms(), Some(120_000));
        let mut left = 10;
        for at_ms in [120_000, 150_000, 180_000, 210_000] {
            assert_eq!(go(&mut idle, &settings, left, at_ms - 1).1, 0);
            let (_, goes) = go(&mut idle, &settings, left, at_ms);
            idle.reclaimed(at_ms);
            left -= goes as u8;
        }
        assert_eq!(left, 3, "3, 3 and 1");
        // One that has just come back is young again.
        assert_eq!(go(&mut idle, &settings, 4, 240_000).1, 1);
        assert_eq!(
            idle.since_ms.get(&IpAddr::from([10, 0, 0, 3])),
            Some(&240_000)
        );
    }
}
