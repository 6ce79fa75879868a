//! Safeguards that the fault tests take out of a whole process; chosen when it starts, by names in `BERTH_PLANTED`.

use super::Planted;
use berth_raft::options::Mutant;
use berth_store::DatabaseOptions;
use std::sync::OnceLock;

/// Names, separated by commas.
const VARIABLE: &str = "BERTH_PLANTED";

const ALL: [(&str, Planted); 13] = [
    ("acknowledge-early", Planted::AcknowledgeEarly),
    ("read-alone", Planted::ReadAlone),
    ("read-alone-after-pause", Planted::ReadAloneAfterPause),
    ("commit-alone", Planted::CommitAlone),
    ("trust-any-store", Planted::TrustAnyStore),
    ("ignore-rollback", Planted::IgnoreRollback),
    ("no-barrier", Planted::NoBarrier),
    ("ignore-sync-errors", Planted::IgnoreSyncErrors),
    ("no-watermark", Planted::NoWatermark),
    ("wall-clock", Planted::WallClock),
    ("forget-repeats", Planted::ForgetRepeats),
    ("bear-slow-disk", Planted::BearSlowDisk),
    ("grants-after-restore", Planted::GrantsAfterRestore),
];

/// Everything that is taken out in this process.
///
/// # Panics
/// If the variable names something else: a control that controls nothing must not pass.
pub fn named() -> &'static [Planted] {
    static SAID: OnceLock<Vec<Planted>> = OnceLock::new();
    SAID.get_or_init(|| {
        let said = std::env::var(VARIABLE).unwrap_or_default();
        let names = said.split(',').filter(|name| !name.is_empty());
        let known = names.map(|name| {
            by_name(name).unwrap_or_else(|| panic!("{VARIABLE}: there is no {name:?}"))
        });
        let said: Vec<Planted> = known.collect();
        if said.contains(&Planted::GrantsAfterRestore) {
            use berth_domain::planted::{Planted as OfLedger, plant_everywhere};
            plant_everywhere(OfLedger::GrantsAfterRestore);
        }
        said
    })
}

fn by_name(name: &str) -> Option<Planted> {
    ALL.iter()
        .find(|(known, _)| *known == name)
        .map(|(_, planted)| *planted)
}

/// How far the wall clock has run ahead of the monotonic one since this was first asked.
pub(crate) fn wall_jump_ms(wall_ms: u64, now_ms: u64) -> u64 {
    static FIRST: OnceLock<u64> = OnceLock::new();
    let first = *FIRST.get_or_init(|| wall_ms.saturating_sub(now_ms));
    wall_ms.saturating_sub(now_ms).saturating_sub(first)
}

/// The replica's.
pub(crate) fn mutant() -> Option<Mutant> {
    named().iter().find_map(|planted| match planted {
        Planted::AcknowledgeEarly => Some(Mutant::SendBeforePersist),
        Planted::ReadAlone => Some(Mutant::ReadWithoutQuorum),
        Planted::ReadAloneAfterPause => Some(Mutant::ReadAloneAfterPause),
        Planted::CommitAlone => Some(Mutant::CommitAlone),
        Planted::TrustAnyStore => Some(Mutant::TrustAnyStore),
        Planted::IgnoreRollback => Some(Mutant::IgnoreRollback),
        _ => None,
    })
}

/// The store's.
pub(crate) fn database() -> DatabaseOptions {
    if named().contains(&Planted::NoBarrier) {
        DatabaseOptions::broken_without_barrier()
    } else if named().contains(&Planted::IgnoreSyncErrors) {
        DatabaseOptions::broken_heedless()
    } else {
        DatabaseOptions::default()
    }
}
