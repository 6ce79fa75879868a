//! What goes wrong in a run, and how often.

use super::random::Random;
use crate::options::Options;

/// Time in the world; the replicas' ticks are this many moments apart, more or less.
pub const TICK_MOMENTS: u64 = 10;

/// One run's troubles. Drawn from the seed, or set by hand.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Voters at the start, ids 1 to this.
    pub members: u64,
    /// Messages lost.
    pub loss_per_mille: u64,
    /// Messages delivered twice.
    pub duplicate_per_mille: u64,
    /// A message takes 1 to this many moments; later ones may overtake it.
    pub delay_moments_max: u64,
    /// A write takes 0 to this many moments.
    pub write_moments_max: u64,
    /// In each moment: a random member crashes.
    pub crash_per_mille: u64,
    /// In each moment: a crashed member starts again.
    pub restart_per_mille: u64,
    /// In each moment: the links change; half of the time all are whole again.
    pub partition_per_mille: u64,
    /// In each moment: a transfer of the leadership is asked for.
    pub transfer_per_mille: u64,
    /// In each moment: the membership is changed.
    pub change_per_mille: u64,
    /// In each moment and on each ready leader: an entry is proposed.
    pub propose_per_mille: u64,
    /// In each moment and on each replica that thinks it leads: a read.
    pub read_per_mille: u64,
    /// A fetched snapshot is lost on the way.
    pub fetch_loss_per_mille: u64,
    /// In each moment: a member stands still, as by SIGSTOP.
    pub freeze_per_mille: u64,
    /// For 1 to this many moments.
    pub freeze_moments_max: u64,
    /// In each moment: a member's disk becomes slow for a while.
    pub slow_per_mille: u64,
    /// A write then takes 0 to this many moments.
    pub slow_moments_max: u64,
    /// In each moment: a member's next write fails, which ends its process.
    pub fail_per_mille: u64,
    /// In each moment: a member's disk is lost, for good.
    pub wipe_per_ten_thousand: u64,
    /// The state's digest is compared after every so many entries.
    pub digest_every: u64,
    /// What every embedder says is durable outside the log.
    pub durable_elsewhere: u64,
    /// Every member's options, but for its id, boot and seed.
    pub options: Options,
}

// === impl Plan ===

impl Plan {
    /// Nothing goes wrong: for scripts.
    pub fn calm(members: u64) -> Self {
        Plan {
            members,
            loss_per_mille: 0,
            duplicate_per_mille: 0,
            delay_moments_max: 1,
            write_moments_max: 1,
            crash_per_mille: 0,
            restart_per_mille: 0,
            partition_per_mille: 0,
            transfer_per_mille: 0,
            change_per_mille: 0,
            propose_per_mille: 0,
            read_per_mille: 0,
            fetch_loss_per_mille: 0,
            freeze_per_mille: 0,
            freeze_moments_max: 1,
            slow_per_mille: 0,
            slow_moments_max: 1,
            fail_per_mille: 0,
            wipe_per_ten_thousand: 0,
            digest_every: 1,
            durable_elsewhere: u64::MAX,
            options: Options::new(1, [0; 16], 0),
        }
    }

    /// A swarm: every trouble's strength is drawn anew, so that some runs have a lot of one and none of another.
    pub fn drawn(seed: u64, members: u64) -> Self {
        let mut random = Random::new(seed ^ 0x706c_616e);
        let mut plan = Plan::calm(members);
        let mut some = |most: u64| {
            if random.chance(250) {
                0
            } else {
                random.between(1, most)
            }
        };
        plan.loss_per_mille = some(200);
        plan.duplicate_per_mille = some(200);
        plan.delay_moments_max = 1 + some(25);
        plan.write_moments_max = some(15);
        plan.crash_per_mille = some(4);
        plan.restart_per_mille = 5 + some(20);
        plan.partition_per_mille = some(8);
        plan.transfer_per_mille = some(3);
        plan.propose_per_mille = 50 + some(300);
        plan.read_per_mille = some(100);
        plan.fetch_loss_per_mille = some(300);
        plan.options.snapshot_every_entries = 3 + some(60);
        plan.options.keep_entries = some(20);
        plan.options.snapshot_patience_ticks = 5 + some(40);
        plan
    }

    /// The same, with members coming and going.
    pub fn drawn_with_changes(seed: u64, members: u64) -> Self {
        let mut plan = Plan::drawn(seed, members);
        plan.change_per_mille = 1 + Random::new(seed ^ 0x6a6f_696e).below(6);
        plan
    }
}
