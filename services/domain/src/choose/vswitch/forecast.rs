//! When a vSwitch runs dry if takes go on as the last ones did. Time comes in from outside.

use std::collections::VecDeque;

/// Takes remembered: enough to smooth a burst, few enough to follow a change within seconds.
const TAKES_MAX: usize = 64;

/// The last takes: (when, how many).
#[derive(Clone, Debug, Default)]
pub(super) struct Forecast {
    takes: VecDeque<(u64, u64)>,
}

// === impl Forecast ===

impl Forecast {
    pub(super) fn took(&mut self, now_ms: u64, count: u64) {
        if count == 0 {
            return;
        }
        if self.takes.len() == TAKES_MAX {
            self.takes.pop_front();
        }
        self.takes.push_back((now_ms, count));
    }

    /// None before two takes at different times. The time since the last take counts, so a quiet vSwitch lasts longer.
    pub(super) fn exhausted_in_ms(&self, left: u128, now_ms: u64) -> Option<u64> {
        let (first_ms, first) = *self.takes.front()?;
        let elapsed_ms = now_ms.saturating_sub(first_ms);
        let all: u64 = self.takes.iter().map(|(_, count)| count).sum();
        // The first take only starts the clock.
        let counted = all - first;
        if elapsed_ms == 0 || counted == 0 {
            return None;
        }
        let ms = left.saturating_mul(u128::from(elapsed_ms)) / u128::from(counted);
        u64::try_from(ms).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: ten addresses a second and a hundred left are ten seconds; quiet makes it longer; nothing known is none.
    #[test]
    fn follows_the_rate() {
        let mut forecast = Forecast::default();
        assert_eq!(forecast.exhausted_in_ms(100, 0), None);
        for second in 0..=10 {
            forecast.took(second * 1_000, 10);
        }
        assert_eq!(forecast.exhausted_in_ms(100, 10_000), Some(10_000));
        assert_eq!(forecast.exhausted_in_ms(100, 20_000), Some(20_000));
        assert_eq!(forecast.exhausted_in_ms(0, 10_000), Some(0));
    }
}
