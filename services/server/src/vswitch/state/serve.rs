//! Who gets what, in which order, and where more comes from.

use super::{EXPIRE_ROWS, Out, Pool, RECLAIM_BATCH, State, Tag, Waiting, Who};
use crate::failure::Failure;
use crate::node::message::proposal;
use crate::vswitch::message::{Grant, Purpose};
use berth_domain::choose::Families;
use berth_domain::command::{Command, Expire};
use berth_domain::id::Principal;
use std::net::IpAddr;

/// Whether waiting makes sense.
enum Relief {
    Waits,
    None(Failure),
}

// === impl State ===

impl State {
    /// Serves whoever can be served, in order; asks for relief for those who cannot; refuses the hopeless.
    pub(super) fn serve(&mut self, now_ms: u64, out: &mut Vec<Out>) {
        if matches!(self.pool, Pool::Drawing(_)) {
            return;
        }
        for waiting in std::mem::take(&mut self.queue) {
            if let Some(waiting) = self.serve_one(waiting, now_ms, out) {
                self.queue.push_back(waiting);
            }
        }
    }

    /// Who still waits.
    fn serve_one(&mut self, waiting: Waiting, now_ms: u64, out: &mut Vec<Out>) -> Option<Waiting> {
        if let Pool::Ready(pool, _) = &self.pool
            && let Some(recovery) = pool.recovery()
        {
            waiting.refuse(Failure::Refused(recovery.refusal(|_| None)));
            return None;
        }
        let sets = self.take(&waiting, now_ms);
        if !sets.is_empty() {
            self.grant(waiting, sets, out);
            return None;
        }
        if let Who::Node {
            purpose: Purpose::Later,
            ..
        } = &waiting.who
        {
            waiting.refuse(self.dry(now_ms));
            return None;
        }
        match self.relieve(&waiting, now_ms, out) {
            Relief::Waits => Some(waiting),
            Relief::None(failure) => {
                waiting.refuse(failure);
                None
            }
        }
    }

    fn take(&mut self, waiting: &Waiting, now_ms: u64) -> Vec<Vec<IpAddr>> {
        let Pool::Ready(pool, _) = &mut self.pool else {
            return Vec::new();
        };
        let sets = pool.take(waiting.count, waiting.families, now_ms);
        if !sets.is_empty() {
            let promised = self.promised.entry(waiting.node()).or_default();
            promised.extend(sets.iter().flatten());
        }
        sets
    }

    fn grant(&mut self, waiting: Waiting, mut sets: Vec<Vec<IpAddr>>, out: &mut Vec<Out>) {
        match waiting.who {
            Who::Node { reply, .. } => reply.answer(Grant { sets, dry: None }),
            Who::Claim(mut claiming) => {
                claiming.addresses = sets.pop().unwrap_or_default();
                let mut proposal = claiming.proposal.clone();
                if let Command::CreateClaim(create) = &mut proposal.command {
                    create.addresses.clone_from(&claiming.addresses);
                }
                self.number += 1;
                let tag = Tag::Claim(self.number);
                self.claims.insert(self.number, claiming);
                out.push(Out::Propose { proposal, tag });
            }
        }
    }

    /// What brings addresses, in this order: those that have cooled, idle ones of the node that has most, promises that may
    /// come back or become idle, the next to cool. Nothing else does, so whoever cannot wait that long is told at once.
    fn relieve(&mut self, waiting: &Waiting, now_ms: u64, out: &mut Vec<Out>) -> Relief {
        if now_ms >= waiting.give_up_at_ms {
            return Relief::None(self.dry(now_ms));
        }
        if self.expiring || !self.reclaiming.is_empty() {
            return Relief::Waits;
        }
        if now_ms < self.rest_until_ms {
            out.push(Out::WakeAt(self.rest_until_ms.min(waiting.give_up_at_ms)));
            return Relief::Waits;
        }
        let due_at_ms = self
            .next_due_ms()
            .map(|ledger_ms| self.clock.monotonic_ms(ledger_ms));
        if due_at_ms.is_some_and(|due_at_ms| due_at_ms <= now_ms) {
            self.expiring = true;
            self.propose(
                Command::Expire(Expire { limit: EXPIRE_ROWS }),
                Tag::Expire,
                out,
            );
            return Relief::Waits;
        }
        if now_ms < self.yielded_until_ms && self.is_releasing() {
            out.push(Out::WakeAt(
                self.yielded_until_ms.min(waiting.give_up_at_ms),
            ));
            return Relief::Waits;
        }
        if self.reclaim(waiting, out) {
            return Relief::Waits;
        }
        if self.promised.values().any(|promised| !promised.is_empty()) {
            out.push(Out::WakeAt(waiting.give_up_at_ms));
            return Relief::Waits;
        }
        match due_at_ms {
            Some(due_at_ms) if due_at_ms < waiting.give_up_at_ms => {
                out.push(Out::WakeAt(due_at_ms));
                Relief::Waits
            }
            _ => Relief::None(self.dry(now_ms)),
        }
    }

    /// Warm addresses of the nodes that have most, a few more than are needed now: the next pod needs one too.
    fn reclaim(&mut self, waiting: &Waiting, out: &mut Vec<Out>) -> bool {
        let Pool::Ready(pool, _) = &mut self.pool else {
            return false;
        };
        let count = waiting.count.max(RECLAIM_BATCH);
        let scarce = waiting
            .families
            .iter()
            .filter(|family| pool.available(*family) == 0);
        let scarce: Vec<_> = scarce.collect();
        let taken: Vec<_> = scarce
            .into_iter()
            .flat_map(|family| pool.reclaim(count, family))
            .collect();
        for (node, addresses) in taken {
            self.reclaiming.extend(&addresses);
            out.push(Out::Take { node, addresses });
        }
        !self.reclaiming.is_empty()
    }

    /// Whether the cloud takes some from their ENIs.
    fn is_releasing(&self) -> bool {
        let Pool::Ready(pool, _) = &self.pool else {
            return false;
        };
        let counts = pool.counts();
        counts.families().any(|(_, family)| family.releasing > 0)
    }

    /// One answer for some of them ends the wait for all: those not seen elsewhere by now were kept by their nodes.
    pub(super) fn reclaimed(&mut self) {
        let addresses = std::mem::take(&mut self.reclaiming);
        if let Pool::Ready(pool, _) = &mut self.pool {
            pool.keep(&addresses);
        }
    }

    /// When the first cooling address is due, ledger time.
    fn next_due_ms(&self) -> Option<u64> {
        let Pool::Ready(pool, _) = &self.pool else {
            return None;
        };
        let families = Families::of(&self.row);
        families
            .iter()
            .filter_map(|family| pool.next_cooling_due_ms(family))
            .min()
    }

    pub(super) fn propose(&mut self, command: Command, tag: Tag, out: &mut Vec<Out>) {
        let principal = Principal::new("berthd/vswitch").expect("plain"); // fixed text within the limit
        let proposal = proposal(&principal, None, None, command);
        out.push(Out::Propose { proposal, tag });
    }

    /// Why there is nothing.
    fn dry(&self, now_ms: u64) -> Failure {
        let vswitch = self.row.name.clone();
        let counts = match &self.pool {
            Pool::Ready(pool, _) => pool.counts().to_string(),
            Pool::Drawing(_) => "not counted yet".into(),
        };
        match self.next_due_ms() {
            Some(ledger_ms) => Failure::Cooling {
                vswitch,
                counts,
                retry_after_ms: self
                    .clock
                    .monotonic_ms(ledger_ms)
                    .saturating_sub(now_ms)
                    .max(1),
            },
            None => Failure::Exhausted { vswitch, counts },
        }
    }
}
