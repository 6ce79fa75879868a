//! What the simulation plants, in one thread.

use super::Planted;
use std::cell::Cell;

thread_local! {
    static SET: Cell<Option<Planted>> = const { Cell::new(None) };
}

/// From now on this thread's servers have this defect, or none.
pub fn plant(planted: Option<Planted>) {
    SET.set(planted);
}

pub(super) fn has(planted: Planted) -> bool {
    SET.get() == Some(planted)
}
