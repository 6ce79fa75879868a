//! What is refused before anything starts.

use super::Disk;
use crate::failure::Failure;
use crate::history::BEHIND_MAX;
use crate::history::Progress;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A caller that waits less cannot be answered: half of it is kept for the way back.
pub const DEADLINE_MS_MIN: u64 = 1_000;
/// Requests under way at once: a second's worth at full speed. DELs have as much again, so that ADDs never block them.
pub const REQUESTS_MAX: usize = 16_384;
/// When a caller that found too much under way should come again.
const RETRY_AFTER_MS: u64 = 200;

/// What a request costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// It takes room, on the disk too.
    Allocate,
    /// It gives room back: served while it can be.
    Release,
}

/// Counts what is under way.
#[derive(Debug)]
pub(crate) struct Admission {
    under_way: AtomicUsize,
    /// ADDs at once; DELs have as much again.
    max: usize,
}

/// Under way as long as this lives.
#[derive(Debug)]
pub(crate) struct Admitted<'a>(&'a AtomicUsize);

// === impl Admission ===

impl Default for Admission {
    fn default() -> Self {
        Self::new(REQUESTS_MAX)
    }
}

impl Admission {
    /// So many ADDs at once.
    pub fn new(max: usize) -> Self {
        let under_way = AtomicUsize::new(0);
        Self { under_way, max }
    }

    /// Counts a request in, or says why not.
    pub fn admit(
        &self,
        effort: Effort,
        deadline_ms: u64,
        disk: &Disk,
        history: &Progress,
    ) -> Result<Admitted<'_>, Failure> {
        if effort == Effort::Allocate {
            if deadline_ms < DEADLINE_MS_MIN {
                return Err(Failure::DeadlineTooShort {
                    needed_ms: DEADLINE_MS_MIN,
                });
            }
            if let Some(free_bytes) = disk.low() {
                return Err(Failure::DiskLow { free_bytes });
            }
            if history.behind() > BEHIND_MAX {
                return Err(busy("the history"));
            }
        }
        let limit = match effort {
            Effort::Allocate => self.max,
            Effort::Release => 2 * self.max,
        };
        let before = self.under_way.fetch_add(1, Ordering::AcqRel);
        let admitted = Admitted(&self.under_way);
        match before < limit {
            true => Ok(admitted),
            false => Err(busy("the gate")),
        }
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn busy(what: &'static str) -> Failure {
    Failure::Busy {
        what,
        retry_after_ms: RETRY_AFTER_MS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use berth_domain::id::Revision;

    fn history() -> Progress {
        Progress::new(Revision(0))
    }

    /// Promise: on a disk that is nearly full an ADD is refused, and a DEL is served.
    #[test]
    fn a_low_disk_refuses_what_takes_room() {
        let (admission, disk) = (Admission::default(), Disk::default());
        disk.note(10, true);
        let refused = admission
            .admit(Effort::Allocate, 5_000, &disk, &history())
            .expect_err("low");
        assert_eq!(refused, Failure::DiskLow { free_bytes: 10 });
        assert!(
            admission
                .admit(Effort::Release, 5_000, &disk, &history())
                .is_ok()
        );
        disk.note(1_000, false);
        assert!(
            admission
                .admit(Effort::Allocate, 5_000, &disk, &history())
                .is_ok()
        );
    }

    /// Promise: a deadline that cannot be kept is refused before anything starts.
    #[test]
    fn a_short_deadline_is_refused() {
        let (admission, disk) = (Admission::default(), Disk::default());
        let refused = admission
            .admit(Effort::Allocate, 999, &disk, &history())
            .expect_err("short");
        assert_eq!(refused, Failure::DeadlineTooShort { needed_ms: 1_000 });
        assert!(
            admission
                .admit(Effort::Allocate, 1_000, &disk, &history())
                .is_ok()
        );
    }

    /// Promise: a history that is too far behind slows admission of what makes more of it.
    #[test]
    fn a_late_history_refuses_what_makes_more() {
        let (admission, disk, history) = (Admission::default(), Disk::default(), history());
        history.add(BEHIND_MAX + 1);
        assert!(matches!(
            admission.admit(Effort::Allocate, 5_000, &disk, &history),
            Err(Failure::Busy {
                what: "the history",
                ..
            })
        ));
        assert!(
            admission
                .admit(Effort::Release, 5_000, &disk, &history)
                .is_ok()
        );
        history.reach(Revision(9), 2);
        assert!(
            admission
                .admit(Effort::Allocate, 5_000, &disk, &history)
                .is_ok()
        );
    }

    /// Promise: with too many ADDs under way another is told to come again, a DEL is not; what ends makes room.
    #[test]
    fn too_much_under_way_is_busy() {
        let (admission, disk, history) = (Admission::default(), Disk::default(), history());
        let admit = |effort| admission.admit(effort, 5_000, &disk, &history);
        let mut under_way: Vec<_> = (0..REQUESTS_MAX)
            .map(|_| admit(Effort::Allocate).expect("room"))
            .collect();
        assert!(matches!(
            admit(Effort::Allocate),
            Err(Failure::Busy {
                what: "the gate",
                ..
            })
        ));
        assert!(admit(Effort::Release).is_ok());
        under_way.pop();
        assert!(admit(Effort::Allocate).is_ok());
    }
}
