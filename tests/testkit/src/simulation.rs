//! The shipped ledger under the shipped replicas in the simulated world: pods come, go and move while messages are
//! lost, disks lag and members crash. What pods really use is kept beside the ledger, by code that shares nothing with it.

mod asks;
mod kubelet;
mod oracle;

pub use oracle::Seen;

use asks::Asks;
use berth_domain::id::{ClusterId, Revision};
use berth_domain::invariant;
use berth_raft::simulation::random::Random;
use berth_raft::simulation::workload::{Applied, Violation, Workload};
use berthd::codec::{Entry, encode_entry};
use berthd::history::Progress;
use berthd::replica::{Effect, LedgerMachine};
use bytes::Bytes;
use kubelet::Kubelet;
use oracle::Oracle;
use std::sync::Arc;

/// A deliberate defect of the world around the ledger, to prove that the oracle would find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trick {
    /// A sandbox goes on using its address after its DEL was sent.
    KeepUsingAfterDelete,
    /// An answer's addresses are forgotten: a repeat that gets others would not be seen.
    SwapAnswers,
}

/// Pods under load on the replicated ledger.
pub struct LedgerWorkload {
    kubelet: Kubelet,
    asks: Asks,
    oracle: Oracle,
    boot: [u8; 16],
}

// === impl LedgerWorkload ===

impl LedgerWorkload {
    /// The same seed gives the same pods.
    pub fn new(seed: u64, trick: Option<Trick>) -> Self {
        let mut boot = [0; 16];
        boot[..8].copy_from_slice(&seed.to_be_bytes());
        Self {
            kubelet: Kubelet::new(trick),
            asks: Asks::default(),
            oracle: Oracle::new(trick),
            boot,
        }
    }

    /// What has been seen so far, to show that the run did something.
    pub fn seen(&self) -> Seen {
        self.oracle.seen()
    }
}

impl Workload for LedgerWorkload {
    type Machine = LedgerMachine;

    fn machine(&self) -> LedgerMachine {
        let cluster = ClusterId::new("simulated").expect("a short plain name");
        // There is no history store in this world: every group counts as durable.
        LedgerMachine::new(cluster, Arc::new(Progress::new(Revision(u64::MAX))))
    }

    fn propose(
        &mut self,
        random: &mut Random,
        _member: u64,
        machine: &LedgerMachine,
    ) -> Option<Bytes> {
        let ledger = machine.ledger();
        // The time first: what is asked for is asked for at that time.
        let header = self.kubelet.header(random, ledger);
        let proposals = self.kubelet.wishes(random, ledger);
        if proposals.is_empty() {
            return None;
        }
        let batch = self.asks.remember(&proposals);
        let entry = Entry {
            header,
            leader_boot: self.boot,
            batch,
            proposals,
            version: ledger.version(),
        };
        Some(encode_entry(&entry).into())
    }

    fn applied(&mut self, applied: &Applied, effect: &Effect) -> Result<(), Violation> {
        if !self.oracle.is_news(applied.index, effect)? {
            return Ok(());
        }
        let asked = self.asks.take(effect.batch);
        for (proposal, answer) in asked.iter().zip(&effect.answers) {
            self.oracle
                .answered(&mut self.kubelet, &proposal.command, answer)?;
        }
        Ok(())
    }

    fn check(&mut self, _member: u64, machine: &LedgerMachine) -> Result<(), Violation> {
        match invariant::check_all(machine.ledger()).into_iter().next() {
            Some(broken) => Err(Violation::new(broken.id, broken.what)),
            None => Ok(()),
        }
    }
}
