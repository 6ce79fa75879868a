//! After a restore: a machine says what lives on it, as its kernel shows it.

use super::{Fleet, Purpose, Stage, Wish, sandbox};
use crate::call::Body;
use crate::make;
use berth_domain::command::Live;
use berth_domain::id::{AttachmentKey, NodeIdentity};
use berth_raft::simulation::random::Random;
use berthd::leader::Report;

// === impl Fleet ===

impl Fleet {
    /// A machine's word, unless one is under way: everything that may be sending, however far its end is.
    pub fn report(&mut self, machine: usize, random: &mut Random) -> Option<Wish> {
        if !self.reporting.insert(machine) {
            return None;
        }
        let (now, boot) = (self.now, self.boot_id(machine));
        let here = self.sandboxes.values();
        let here = here.filter(|s| s.node == machine && s.boot == boot && s.uses(now));
        // Of an attachment that was used again only the newest is there: the older one had gone by then.
        let newest = here.filter(|s| self.by_key.get(&s.key) == Some(&s.id));
        let live = newest.map(|s| Live {
            key: s.key.clone(),
            boot: s.boot.clone(),
            invoked_at_ms: s.invoked_at_ms,
            pod: sandbox::identity(s.pod, s.uid),
            eni: None,
            addresses: s.addresses.clone(),
        });
        let report = Report {
            principal: make::principal("local"),
            trace_id: None,
            node: make::node_name(machine),
            identity: Some(self.identity(machine)),
            live: live.collect(),
        };
        Some(Wish {
            body: Body::Report(Box::new(report)),
            node: machine,
            moments: random.between(60, 400).max(3_000 / self.moment_ms),
            purpose: Purpose::Report(machine),
        })
    }

    /// A word was taken, or given up.
    pub fn reported(&mut self, machine: usize) {
        self.reporting.remove(&machine);
    }

    /// What a machine is registered as.
    pub fn identity(&self, machine: usize) -> NodeIdentity {
        let incarnation = self.machines[machine].incarnation;
        NodeIdentity::new(&Self::identity_of(machine, incarnation)).expect("plain") // a word and two numbers
    }

    /// The same of any machine.
    pub fn identity_of(machine: usize, incarnation: u64) -> String {
        format!("machine-{machine}-{incarnation}")
    }

    /// An administrator ends a sandbox that stands in another's way; its pod gets a new one.
    pub fn evict(&mut self, key: &AttachmentKey, random: &mut Random) -> Vec<Wish> {
        let mut wishes = Vec::new();
        let Some(id) = self.by_key.get(key).copied() else {
            return wishes;
        };
        let stage = self.sandboxes.get(&id).map(|sandbox| sandbox.stage);
        match stage {
            Some(Stage::Live) => self.kill(id, true, random, &mut wishes),
            // Its kubelet has forgotten it, and nobody else will end it.
            Some(Stage::Gone) => self.send_delete(id, random, &mut wishes),
            _ => {}
        }
        wishes
    }
}
