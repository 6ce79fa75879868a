//! Allocations page by page, with bounded work per page: a reader shares the thread of the writers.

use super::Ledger;
use super::addresses::Place;
use crate::address::{address, number};
use crate::id::{ClusterName, Generation, Namespace, NodeId, PodName, VSwitchId};
use crate::row::Allocation;
use std::net::IpAddr;
use std::sync::Arc;

/// Rows looked at for one page, those included that do not match: under a millisecond.
const EXAMINED_MAX: usize = 4_096;

/// Which allocations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All of them, in the order of their addresses.
    All,
    /// Those of a vSwitch, in the order of their addresses.
    VSwitch(VSwitchId),
    /// Those on a node, oldest bind first.
    Node(NodeId),
    /// Those of a pod's name, oldest bind first.
    Pod(ClusterName, Namespace, PodName),
    /// Those of a namespace, in the order of their addresses. The cluster may be left open.
    Namespace(Option<ClusterName>, Namespace),
}

/// Where the next page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// After this address.
    Address(IpAddr),
    /// After this bind.
    Generation(Generation),
}

/// Some allocations; possibly none although more follow.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// In the order that the selection says.
    pub allocations: Vec<Arc<Allocation>>,
    /// Where to go on; none = that was all.
    pub next: Option<Cursor>,
}

// === impl Ledger ===

impl Ledger {
    /// One page of at most `limit` allocations after the cursor. What changes between pages may be missed or be seen;
    /// nothing is seen twice.
    pub fn page(&self, selection: &Selection, after: Option<Cursor>, limit: usize) -> Page {
        match selection {
            Selection::All => self.page_of_addresses((0, u128::MAX), after, limit, |_| true),
            Selection::Namespace(cluster, namespace) => {
                self.page_of_addresses((0, u128::MAX), after, limit, |row| {
                    row.pod.namespace == *namespace
                        && cluster
                            .as_ref()
                            .is_none_or(|cluster| row.key.cluster == *cluster)
                })
            }
            Selection::VSwitch(id) => self.page_of_vswitch(*id, after, limit),
            Selection::Node(id) => {
                let from = next_generation(after);
                let entry = self.nodes.get(*id).into_iter();
                let slots = entry.flat_map(|entry| entry.allocations.from(from));
                let rows = slots.filter_map(|(_, slot)| self.attachments.at(*slot)?.allocation());
                page_of(rows.cloned(), limit)
            }
            Selection::Pod(cluster, namespace, pod) => {
                let from = next_generation(after);
                let rows = self.pod_allocations(cluster, namespace, pod).into_iter();
                page_of(rows.filter(|row| row.generation >= from), limit)
            }
        }
    }

    fn page_of_vswitch(&self, id: VSwitchId, after: Option<Cursor>, limit: usize) -> Page {
        let Some(entry) = self.vswitches.get(id) else {
            return Page::default();
        };
        // A pair is listed at its first address, so the second family of a dual-stack vSwitch adds nothing.
        match entry.row.subnets().next() {
            Some(subnet) => self.page_of_addresses(subnet.span(), after, limit, |_| true),
            None => Page::default(),
        }
    }

    fn page_of_addresses(
        &self,
        (first, last): (u128, u128),
        after: Option<Cursor>,
        limit: usize,
        matches: impl Fn(&Allocation) -> bool,
    ) -> Page {
        let from = match after {
            Some(Cursor::Address(address)) => first.max(number(address).saturating_add(1)),
            _ => first,
        };
        let mut page = Page::default();
        for (examined, (at, place)) in self.addresses.span((from, last)).enumerate() {
            if page.allocations.len() == limit || examined == EXAMINED_MAX {
                page.next = Some(Cursor::Address(address(at - 1)));
                break;
            }
            let Place::Bound { slot, .. } = place else {
                continue;
            };
            let row = self.attachments.at(*slot).and_then(|row| row.allocation());
            let listed_here = |row: &&Arc<Allocation>| row.addresses.first() == Some(&address(at));
            page.allocations
                .extend(row.filter(listed_here).filter(|row| matches(row)).cloned());
        }
        page
    }
}

fn next_generation(after: Option<Cursor>) -> Generation {
    match after {
        Some(Cursor::Generation(generation)) => Generation(generation.0.saturating_add(1)),
        _ => Generation(0),
    }
}

fn page_of(rows: impl Iterator<Item = Arc<Allocation>>, limit: usize) -> Page {
    let mut rows = rows.peekable();
    let allocations: Vec<_> = rows.by_ref().take(limit).collect();
    let last = allocations
        .last()
        .map(|row| Cursor::Generation(row.generation));
    let next = rows.peek().and(last);
    Page { allocations, next }
}
