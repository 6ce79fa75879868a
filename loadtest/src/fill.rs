//! Many live allocations, made as fast as the system makes them, and left there: what a restart has to bring back.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use crate::Error;
use crate::book::Book;
use crate::load;
use crate::setup::{self, Wanted};
use crate::target::BerthAdd;

/// Pods of one node: what an ecs.g7.4xlarge has room for.
const PER_NODE: u64 = 200;
/// Four zones with a million addresses each.
const CIDRS: [&str; 4] = [
    "10.0.0.0/12",
    "10.16.0.0/12",
    "10.32.0.0/12",
    "10.48.0.0/12",
];

/// What is to be filled.
#[derive(Clone, Debug)]
pub struct Fill {
    /// Client endpoints.
    pub endpoints: Vec<String>,
    /// ADDs in all.
    pub allocations: u64,
    /// ADDs under way.
    pub in_flight: u32,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Filled {
    /// ADDs answered with an address.
    pub allocations: u64,
    /// Pods are spread over so many.
    pub nodes: u32,
    /// From the first ADD to the last answer.
    pub seconds: f64,
    /// ADDs per second.
    pub per_second: f64,
    /// By reason.
    pub failed: BTreeMap<String, u64>,
    /// Addresses that were given twice. Must be 0.
    pub duplicates: u64,
}

/// Makes the vSwitches and nodes, and then sends ADD after ADD, each answered after its commit.
pub fn fill(fill: &Fill) -> Result<Filled, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(filled(fill))
}

async fn filled(fill: &Fill) -> Result<Filled, Error> {
    let nodes = fill.allocations.div_ceil(PER_NODE).max(CIDRS.len() as u64);
    let nodes = u32::try_from(nodes).unwrap_or(u32::MAX);
    let wanted = Wanted {
        prefix: setup::PREFIX,
        cidrs: &CIDRS.map(str::to_owned),
        nodes,
        warm_target: 0,
        cooling_ms: 0,
        seed: 1,
        facts: None,
    };
    let prepared = Arc::new(setup::prepare(&fill.endpoints, wanted).await?);
    let book = Arc::new(Mutex::new(Book::default()));
    let target = BerthAdd::connect(prepared, Arc::clone(&book)).await?;
    let next = Rc::new(Cell::new(0));
    let measured = load::counted(target, fill.in_flight, fill.allocations, next).await;
    let book = book.lock().unwrap_or_else(PoisonError::into_inner);
    let seconds = measured.lasted.as_secs_f64();
    let counts = book.counts();
    Ok(Filled {
        allocations: counts.allocations,
        nodes,
        seconds,
        per_second: counts.allocations as f64 / seconds,
        failed: measured.recorder.failures(),
        duplicates: counts.duplicates,
    })
}

// === impl Filled ===

impl Filled {
    /// Whether every ADD was answered, each with an address of its own.
    pub fn holds(&self) -> bool {
        self.failed.is_empty() && self.duplicates == 0
    }

    /// For people.
    pub fn line(&self) -> String {
        format!(
            "{} allocations on {} nodes in {:.1} s: {:.0}/s, {} failed, duplicates {}",
            self.allocations,
            self.nodes,
            self.seconds,
            self.per_second,
            self.failed.values().sum::<u64>(),
            self.duplicates
        )
    }
}
