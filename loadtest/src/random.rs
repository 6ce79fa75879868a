//! Random numbers that a seed repeats: SplitMix64 (Steele, Lea, Flood 2014).

use std::time::Duration;

#[derive(Clone, Debug)]
pub(crate) struct Random {
    state: u64,
}

// === impl Random ===

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// 0 to `below` - 1; `below` is at least 1.
    pub(crate) fn below(&mut self, below: usize) -> usize {
        (self.number() % below as u64) as usize
    }

    /// Above 0, up to 1.
    fn share(&mut self) -> f64 {
        ((self.number() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// Exponentially distributed: between arrivals of a Poisson process, and how long a pod lives.
    pub(crate) fn exponential(&mut self, mean: Duration) -> Duration {
        mean.mul_f64(-self.share().ln())
    }
}

/// One to one, and looks random: numbers become ids of a fixed length that do not collide.
pub(crate) fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Random;

    /// Promise: a seed repeats itself, another one does not, and the mean is the mean.
    #[test]
    fn a_seed_is_a_story() {
        let story = |seed| {
            let mut random = Random::new(seed);
            (0..1_000).map(move |_| random.exponential(Duration::from_secs(1)))
        };
        assert!(story(7).eq(story(7)));
        assert!(!story(7).eq(story(8)));
        let sum: Duration = story(7).sum();
        assert!(
            sum > Duration::from_secs(900) && sum < Duration::from_secs(1_100),
            "{sum:?}"
        );
    }
}
