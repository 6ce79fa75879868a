//! A leader whose disk has become slow hands over to a member whose disk is not: every answer waits for the leader's own
//! durable write, however fast the others are.

use super::vitals::Book;
use crate::leader::Gate;
use crate::planted::{self, Planted};
use berth_domain::id::MemberId;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::{info, warn};

const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A write that takes so long is slow whatever the disk: a spinning one needs 10 to 20 ms, and a fifth of the shortest
/// election timeout has passed.
const SLOW_MICROS: u64 = 100_000;
/// For so long without a pause: a burst, or a snapshot beside it, passes.
const SLOW_FOR: Duration = Duration::from_secs(3);
/// Who takes over writes so many times faster, or nothing is won.
const FASTER: u64 = 4;
/// If it comes back here the lead must not go round in circles.
const HAND_OVER_EVERY: Duration = Duration::from_secs(60);

/// When to hand over, and to whom; without a clock or a cluster of its own.
#[derive(Debug, Default)]
struct Decision {
    slow_since: Option<Instant>,
    handed_over: Option<Instant>,
}

/// Until it is aborted.
pub async fn watch(gate: Gate, book: Book) {
    let mut look = interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut decision = Decision::default();
    loop {
        look.tick().await;
        if !gate.role().leads() || planted::has(Planted::BearSlowDisk) {
            decision.slow_since = None;
            continue;
        }
        let Ok(voters) = gate
            .read_stale(|_, status| status.membership.voters.clone())
            .await
        else {
            continue;
        };
        let own = book.own().sync_micros;
        let others = voters.into_iter().filter_map(|voter| {
            let member = MemberId(voter);
            Some((member, book.of(member)?.sync_micros))
        });
        let Some(to) = decision.made(Instant::now(), own, others) else {
            continue;
        };
        warn!(own_sync_micros = own, %to, "this leader's disk is slow: handing the leadership over");
        match gate.transfer_leadership(Some(to)).await {
            Ok(leader) => info!(%leader, "leadership handed over"),
            Err(failure) => warn!(reason = %failure, "nobody takes the leadership"),
        }
    }
}

// === impl Decision ===

impl Decision {
    /// To whom to hand over now, given how long a durable write takes here and there, us.
    fn made(
        &mut self,
        now: Instant,
        own: u64,
        others: impl Iterator<Item = (MemberId, u64)>,
    ) -> Option<MemberId> {
        if own < SLOW_MICROS {
            self.slow_since = None;
            return None;
        }
        let since = *self.slow_since.get_or_insert(now);
        let is_lasting = now - since >= SLOW_FOR;
        let is_time = self
            .handed_over
            .is_none_or(|at| now - at >= HAND_OVER_EVERY);
        let (to, micros) = others.min_by_key(|(member, micros)| (*micros, *member))?;
        let is_better = micros < SLOW_MICROS && micros.saturating_mul(FASTER) <= own;
        if !(is_lasting && is_time && is_better) {
            return None;
        }
        self.handed_over = Some(now);
        Some(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOW: u64 = 3 * SLOW_MICROS;

    /// Asks every half second; at which one, if any, it said to whom.
    fn asked(
        decision: &mut Decision,
        begun: Instant,
        own: impl Fn(u32) -> u64,
        others: &[(u64, u64)],
    ) -> Vec<(u32, u64)> {
        let others = || others.iter().map(|(id, micros)| (MemberId(*id), *micros));
        (0..400)
            .filter_map(|turn| {
                let to = decision.made(begun + turn * LOOK_EVERY, own(turn), others())?;
                Some((turn, to.0))
            })
            .collect()
    }

    /// Promise: a disk that is slow for three seconds makes the leader hand over to the member with the fastest one,
    /// once a minute at most.
    #[test]
    fn a_slow_leader_hands_over() {
        let said = asked(
            &mut Decision::default(),
            Instant::now(),
            |_| SLOW,
            &[(2, 900), (3, 400)],
        );
        assert_eq!(said, [(6, 3), (126, 3), (246, 3), (366, 3)]);
    }

    /// Promise: bursts do not count, and neither does a disk that is a little slow.
    #[test]
    fn a_burst_passes() {
        let bursts = |turn| if turn % 6 == 0 { 900 } else { SLOW };
        assert_eq!(
            asked(
                &mut Decision::default(),
                Instant::now(),
                bursts,
                &[(2, 400)]
            ),
            []
        );
        let a_little = |_| SLOW_MICROS - 1;
        assert_eq!(
            asked(
                &mut Decision::default(),
                Instant::now(),
                a_little,
                &[(2, 400)]
            ),
            []
        );
    }

    /// Promise: where all disks are slow, or nobody has said how its own is, the lead stays.
    #[test]
    fn nobody_is_better() {
        let all_slow = [(2, SLOW), (3, SLOW_MICROS)];
        assert_eq!(
            asked(
                &mut Decision::default(),
                Instant::now(),
                |_| SLOW,
                &all_slow
            ),
            []
        );
        assert_eq!(
            asked(&mut Decision::default(), Instant::now(), |_| SLOW, &[]),
            []
        );
        let hardly = [(2, SLOW / 2)];
        assert_eq!(
            asked(&mut Decision::default(), Instant::now(), |_| SLOW, &hardly),
            []
        );
    }
}
