//! The ledger as administrators see it. Runs on the replica's thread, so every function here is short and bounded.

mod allocation;
mod claim;
mod cluster;
mod node;
mod pod;
mod pool;
mod vswitch;

pub(super) use allocation::{allocation, allocations, cursor};
pub(super) use claim::{claim_id, claim_named, claim_of, claims};
pub(super) use cluster::{cluster, members};
pub(super) use node::{names, node_id, node_named, nodes};
pub(super) use pod::pod;
pub(super) use pool::{enis, jobs, pool_named, pools};
pub(super) use vswitch::{vswitch_named, vswitches};

use berth_domain::Ledger;

/// Rows, where the next page begins (empty = that was all), and the revision at which all of it was true.
pub(super) type Page<T> = (Vec<T>, String, u64);

/// One page of rows that come in the order of their ids. A token is the last id seen.
fn page<R, T>(
    ledger: &Ledger,
    rows: impl Iterator<Item = R>,
    size: usize,
    id: impl Fn(&R) -> u64,
    write: impl Fn(&R) -> Option<T>,
) -> Page<T> {
    let (mut page, mut last, mut more) = (Vec::new(), 0, false);
    for (examined, row) in rows.enumerate() {
        if page.len() == size || examined == EXAMINED_MAX {
            more = true;
            break;
        }
        last = id(&row);
        page.extend(write(&row));
    }
    let next = if more {
        last.to_string()
    } else {
        String::new()
    };
    (page, next, ledger.revision().0)
}

/// Rows looked at for one page, those included that do not match.
const EXAMINED_MAX: usize = 4_096;
