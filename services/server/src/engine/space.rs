//! Looks at the disk now and then. A leader that runs out of room hands over to another replica.

use crate::leader::{Disk, Gate};
use berth_store::Directory;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// If all disks are low the leadership must not go round in circles.
const HAND_OVER_EVERY: Duration = Duration::from_secs(60);

/// Until it is aborted.
pub(super) async fn watch(directory: Directory, disk: Disk, gate: Gate) {
    let mut look = interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut handed_over: Option<Instant> = None;
    loop {
        look.tick().await;
        match directory.space() {
            Ok(space) => disk.note(space.available_bytes, space.low),
            Err(error) => tracing::warn!(%error, "the disk's free space cannot be read"),
        }
        let Some(free_bytes) = disk.low() else {
            continue;
        };
        let is_time = handed_over.is_none_or(|at| at.elapsed() >= HAND_OVER_EVERY);
        if gate.role().leads() && is_time {
            handed_over = Some(Instant::now());
            tracing::warn!(
                free_bytes,
                "the disk is nearly full: handing the leadership over, refusing new work"
            );
            if let Err(failure) = gate.transfer_leadership(None).await {
                tracing::warn!(reason = %failure, "nobody takes the leadership");
            }
        }
    }
}
