//! One action's tokens.

/// Of a minute's calls this part may go out at once; the rest comes evenly. Both together are the limit.
const BURST_PART: u32 = 6;
/// In these units one call a minute refills one a ms.
const CALL: u64 = 60_000;
/// The first stop after a throttling answer is at most this long, ms; doubled with each in a row.
const STOP_FIRST_MS: u64 = 1_000;
/// At most.
const STOP_MAX_MS: u64 = 60_000;
/// From nothing back to the whole rate.
const RECOVERY_MS: u64 = 120_000;

#[derive(Clone, Debug)]
pub(super) struct Bucket {
    /// Calls a minute, without the burst.
    whole: u64,
    /// The rate now, in thousandths of a call a minute.
    rate: u64,
    burst: u64,
    tokens: u64,
    filled_at_ms: Option<u64>,
    stopped_until_ms: u64,
    throttled_in_a_row: u32,
}

// === impl Bucket ===

impl Bucket {
    pub fn full(limit: u32) -> Self {
        let burst = (limit / BURST_PART).max(1);
        let whole = u64::from((limit - burst.min(limit)).max(1));
        Self {
            whole,
            rate: whole * 1_000,
            burst: u64::from(burst) * CALL,
            tokens: u64::from(burst) * CALL,
            filled_at_ms: None,
            stopped_until_ms: 0,
            throttled_in_a_row: 0,
        }
    }

    /// Takes one call's token; false = there is none now.
    pub fn take(&mut self, now_ms: u64) -> bool {
        self.fill(now_ms);
        let may = now_ms >= self.stopped_until_ms && self.tokens >= CALL;
        if may {
            self.tokens -= CALL;
        }
        may
    }

    fn fill(&mut self, now_ms: u64) {
        let since_ms = now_ms.saturating_sub(self.filled_at_ms.unwrap_or(now_ms));
        self.filled_at_ms = Some(now_ms.max(self.filled_at_ms.unwrap_or(now_ms)));
        let added = (self.rate * since_ms / 1_000).min(self.burst);
        self.tokens = (self.tokens + added).min(self.burst);
        let whole = self.whole * 1_000;
        let regained = whole.saturating_mul(since_ms) / RECOVERY_MS;
        self.rate = self.rate.saturating_add(regained).min(whole);
    }

    pub fn throttled(&mut self, now_ms: u64, spread: u64) {
        self.fill(now_ms);
        // Several answers of one storm halve once.
        if now_ms < self.stopped_until_ms {
            return;
        }
        self.rate = (self.rate / 2).max(1_000);
        self.tokens = 0;
        let most_ms = (STOP_FIRST_MS << self.throttled_in_a_row.min(6)).min(STOP_MAX_MS);
        self.throttled_in_a_row = self.throttled_in_a_row.saturating_add(1);
        // Never none: at once would be throttled again.
        self.stopped_until_ms = now_ms + most_ms / 4 + spread % (most_ms * 3 / 4);
    }

    pub fn answered(&mut self) {
        self.throttled_in_a_row = 0;
    }

    /// When the next token may be there.
    pub fn due_ms(&mut self, now_ms: u64) -> u64 {
        self.fill(now_ms);
        let missing = CALL.saturating_sub(self.tokens);
        let filled_ms = now_ms + (missing * 1_000).div_ceil(self.rate.max(1));
        filled_ms.max(self.stopped_until_ms)
    }

    pub fn per_minute(&self) -> u32 {
        u32::try_from(self.rate / 1_000).unwrap_or(u32::MAX)
    }
}
