//! GC: a machine names what it has, and the rest ends.

use super::{Fleet, Purpose, Sandbox, Stage, Wish};
use crate::call::Body;
use crate::make;
use berth_raft::simulation::random::Random;
use berthd::node::Collect;

// === impl Fleet ===

impl Fleet {
    pub(super) fn collect_moment(&mut self, random: &mut Random, wishes: &mut Vec<Wish>) {
        let chance = if self.is_calm {
            10
        } else {
            self.plan.collect_per_mille
        };
        if !random.chance(chance) {
            return;
        }
        let node = random.below(self.machines.len() as u64) as usize;
        if self.machines[node].is_registered {
            let wish = self.collect(node, random);
            wishes.push(wish);
        }
    }

    /// What is not named ends: its sandbox is gone, or never got an answer.
    fn collect(&mut self, node: usize, random: &mut Random) -> Wish {
        let invoked_at_ms = self.invoked(node);
        let boot = self.boot_id(node);
        let now = self.now;
        let is_valid = |s: &Sandbox| matches!(s.stage, Stage::Adding | Stage::Live) || s.uses(now);
        let here = |sandbox: &&mut Sandbox| sandbox.node == node;
        let mut valid = std::collections::BTreeSet::new();
        for sandbox in self.sandboxes.values_mut().filter(here) {
            if sandbox.boot == boot && is_valid(sandbox) {
                valid.insert((sandbox.key.container.clone(), make::interface()));
            } else {
                sandbox.may_end = true;
            }
        }
        let collect = Collect {
            principal: make::principal("local"),
            trace_id: None,
            cluster: make::cluster(),
            network: make::network(),
            node: make::node_name(node),
            boot,
            invoked_at_ms,
            valid,
            deadline_ms: 0,
        };
        Wish {
            body: Body::Collect(Box::new(collect)),
            node,
            moments: random.between(60, 300).max(3_000 / self.moment_ms),
            purpose: Purpose::Collect,
        }
    }
}
