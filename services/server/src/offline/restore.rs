//! A new cluster out of a backup.

use super::begin::{self, Begun, Order, anew, check_empty};
use super::{Error, Plan};
use crate::backup::{self, Backup};
use crate::history::record;
use berth_domain::row::RecoveryKind;
use berth_store::directory::Options;
use berth_store::history::HistoryWriter;
use std::path::Path;

/// What a restore would leave waiting for whom. Nothing is written.
///
/// # Errors
/// The file's.
pub fn restore_plan(file: &Path, order: &Order, watch: &dyn Fn(u64)) -> Result<Plan, Error> {
    let backup = backup::verify(file, watch)?;
    Plan::of(&backup.ledger, RecoveryKind::Restored, order)
}

/// Makes the directory out of a backup that was verified. A directory that is not empty stays as it is.
///
/// # Errors
/// `NotEmpty`, `Changed`, or the disk's own.
pub fn restore(
    file: &Path,
    backup: Backup,
    directory: &Path,
    order: &Order,
    watch: &dyn Fn(u64),
) -> Result<Begun, Error> {
    check_empty(directory)?;
    let before = backup.ledger.revision();
    let floor = backup.header.history_first_revision;
    let anew = anew(backup.ledger, RecoveryKind::Restored, order)?;
    begin::make(
        directory,
        Options::default(),
        &anew,
        &backup.with_facts,
        |history| {
            begin::leave_out(history, floor)?;
            let again = copy(file, history, watch)?;
            let after = again.ledger.revision();
            match after == before {
                true => Ok(()),
                false => Err(Error::Changed { before, after }),
            }
        },
    )
}

/// The file is read once more: its history may be larger than the memory.
fn copy(file: &Path, history: &mut HistoryWriter, watch: &dyn Fn(u64)) -> Result<Backup, Error> {
    let read = backup::read(file, watch, &mut |groups: backup::History| {
        let mut records = groups.iter().map(|(group, _)| record(0, group));
        records.try_for_each(|record| begin::put(history, record))
    });
    let backup = read?;
    history.commit()?;
    Ok(backup)
}
