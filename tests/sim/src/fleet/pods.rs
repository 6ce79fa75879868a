//! Pods come, go, restart and move.

use super::{Fleet, SandboxId, Stage, Wish};
use berth_raft::simulation::random::Random;

// === impl Fleet ===

impl Fleet {
    pub(super) fn pod_moment(&mut self, pod: usize, random: &mut Random, wishes: &mut Vec<Wish>) {
        let acts = random.below(10_000) < self.plan.churn_per_ten_thousand;
        let now = self.now;
        let Pod {
            uid,
            sandbox,
            rest_until,
        } = Pod::of(self, pod);
        match (uid, sandbox) {
            (None, _) if acts && !self.is_calm => self.make_object(pod, random),
            (None, _) => self.pods[pod].absent_at = now,
            (Some(uid), None) => {
                let machine = &self.machines[self.pods[pod].node];
                let is_free = self.pods[pod].again.as_ref().is_none_or(|key| {
                    let last = self.by_key.get(key).and_then(|id| self.sandboxes.get(id));
                    last.is_none_or(|last| last.stage == Stage::Gone)
                });
                if now >= rest_until && machine.is_registered && is_free {
                    self.start_sandbox(pod, uid, random, wishes);
                }
            }
            (Some(_), Some(id)) if acts && !self.is_calm => {
                let is_live = self
                    .sandboxes
                    .get(&id)
                    .is_some_and(|s| s.stage == Stage::Live);
                if is_live {
                    self.disturb(pod, id, random, wishes);
                }
            }
            _ => {}
        }
    }

    fn make_object(&mut self, pod: usize, random: &mut Random) {
        self.last_uid += 1;
        let node = random.below(self.machines.len() as u64) as usize;
        let pod = &mut self.pods[pod];
        pod.uid = Some(self.last_uid);
        pod.node = node;
        pod.again = None;
    }

    fn disturb(&mut self, pod: usize, id: SandboxId, random: &mut Random, wishes: &mut Vec<Wish>) {
        match random.below(100) {
            // Deleted: its object goes, and its sandbox ends.
            0..45 => {
                self.pods[pod].uid = None;
                self.pods[pod].absent_at = self.now;
                self.kill(id, false, random, wishes);
            }
            // Restarted: the same pod, a new sandbox.
            45..70 => self.kill(id, true, random, wishes),
            // Restarted by a runtime that uses the container's id again, once its DEL is acknowledged.
            70..80 => {
                self.kill(id, true, random, wishes);
                let key = self.sandboxes.get(&id).map(|s| s.key.clone());
                let is_sure = self
                    .sandboxes
                    .get(&id)
                    .is_some_and(|s| s.stage == Stage::Deleting);
                self.pods[pod].again = key.filter(|_| is_sure);
            }
            // Deleted by force and made anew, perhaps elsewhere, while the old sandbox lives on for a while.
            _ => {
                if let Some(sandbox) = self.sandboxes.get_mut(&id) {
                    sandbox.kill_at = Some(self.now + random.between(1, 300));
                }
                self.pods[pod].sandbox = None;
                self.pods[pod].uid = None;
                self.pods[pod].absent_at = self.now;
                self.make_object(pod, random);
            }
        }
    }

    /// Sandboxes whose pods are gone end when their kubelets notice.
    pub(super) fn end_orphans(&mut self, random: &mut Random, wishes: &mut Vec<Wish>) {
        let now = self.now;
        let due = |at: u64| at <= now;
        let ended: Vec<SandboxId> = self
            .sandboxes
            .values()
            .filter(|s| s.stage == Stage::Live && s.kill_at.is_some_and(due))
            .map(|s| s.id)
            .collect();
        for id in ended {
            self.kill(id, false, random, wishes);
        }
    }
}

/// What is looked at first.
struct Pod {
    uid: Option<u64>,
    sandbox: Option<SandboxId>,
    rest_until: u64,
}

impl Pod {
    fn of(fleet: &Fleet, pod: usize) -> Self {
        let pod = &fleet.pods[pod];
        Self {
            uid: pod.uid,
            sandbox: pod.sandbox,
            rest_until: pod.rest_until,
        }
    }
}
