//! One sandbox: from its ADD to its DEL.

use super::{Fleet, Purpose, Wish, uid_text};
use crate::answer::Answer;
use crate::call::{Body, CallId};
use crate::make;
use berth_domain::id::{AttachmentKey, BootId, PodIdentity, PodUid};
use berth_domain::row::Policy;
use berth_raft::simulation::random::Random;
use berthd::failure::Failure;
use berthd::node::{Allocate, Allocated, Release};
use std::net::IpAddr;

/// A kubelet doubles its pause so often.
const BACK_OFF_STEPS: u32 = 5;

/// Names a sandbox.
pub type SandboxId = u64;

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Its ADD is under way.
    Adding,
    /// It has addresses, and its link is up.
    Live,
    /// Its DEL is under way.
    Deleting,
    /// Its kubelet has forgotten it.
    Gone,
}

/// A sandbox as its machine knows it.
#[derive(Clone, Debug)]
pub struct Sandbox {
    /// Its number.
    pub id: SandboxId,
    /// Its attachment; one container may have several sandboxes, one after the other.
    pub key: AttachmentKey,
    /// For which pod.
    pub pod: usize,
    /// The pod's uid.
    pub uid: u64,
    /// On which machine.
    pub node: usize,
    /// In which boot.
    pub boot: BootId,
    /// Its ADD's.
    pub invoked_at_ms: u64,
    /// In moments.
    pub began_at: u64,
    /// How far it is.
    pub stage: Stage,
    /// What it was answered.
    pub addresses: Vec<IpAddr>,
    /// The bind it was answered.
    pub generation: u64,
    /// They are its pod's for longer than it lives.
    pub is_claimed: bool,
    /// Its link goes down then; none = it stays.
    pub link_until: Option<u64>,
    /// Somebody has said that it ends: a DEL, a GC, a newer sandbox, a boot, an administrator.
    pub may_end: bool,
    /// Its kubelet ends it then; none = not yet.
    pub kill_at: Option<u64>,
    /// The call under way.
    pub call: Option<CallId>,
    /// When its last acknowledged DEL was invoked, in its boot.
    pub deleted_at_ms: Option<u64>,
    /// Why its last ADD failed.
    pub said: String,
}

// === impl Sandbox ===

impl Sandbox {
    /// Whether it may be sending.
    pub fn uses(&self, now: u64) -> bool {
        !self.addresses.is_empty() && self.link_until.is_none_or(|until| until > now)
    }
}

// === impl Fleet ===

impl Fleet {
    /// A new sandbox for a pod, and its ADD.
    pub(super) fn start_sandbox(
        &mut self,
        pod: usize,
        uid: u64,
        random: &mut Random,
        wishes: &mut Vec<Wish>,
    ) {
        let node = self.pods[pod].node;
        let invoked_at_ms = self.invoked(node);
        self.last_sandbox += 1;
        let id = self.last_sandbox;
        // A container's id begins with its pod's name, so that a DEL by name would find something.
        let fresh = || make::key(&format!("pod-{pod}-box-{id}"));
        let key = self.pods[pod].again.take().unwrap_or_else(fresh);
        self.supersede(&key, uid, node);
        let sandbox = Sandbox {
            id,
            key: key.clone(),
            pod,
            uid,
            node,
            boot: self.boot_id(node),
            invoked_at_ms,
            began_at: self.now,
            stage: Stage::Adding,
            addresses: Vec::new(),
            generation: 0,
            is_claimed: false,
            link_until: None,
            may_end: false,
            kill_at: None,
            call: None,
            deleted_at_ms: None,
            said: String::new(),
        };
        self.pods[pod].sandbox = Some(id);
        self.by_key.insert(key.clone(), id);
        wishes.push(self.add(&sandbox, random));
        self.sandboxes.insert(id, sandbox);
    }

    /// Its kubelet has ended the older ones of this pod on this machine before it began.
    fn supersede(&mut self, key: &AttachmentKey, uid: u64, node: usize) {
        let now = self.now;
        for other in self.sandboxes.values_mut() {
            if other.uid == uid && other.node == node {
                other.may_end = true;
                let until = other.link_until.map_or(now, |until| until.min(now));
                other.link_until = Some(until);
            }
            debug_assert!(other.key != *key || other.stage == Stage::Gone);
        }
    }

    fn add(&self, sandbox: &Sandbox, random: &mut Random) -> Wish {
        let allocate = Allocate {
            principal: make::principal("local"),
            trace_id: None,
            key: sandbox.key.clone(),
            pod: identity(sandbox.pod, sandbox.uid),
            node: make::node_name(sandbox.node),
            boot: sandbox.boot.clone(),
            invoked_at_ms: sandbox.invoked_at_ms,
            vswitch: None,
            requested: Vec::new(),
            deadline_ms: 0,
        };
        let ms = random.between(1_200, 12_000);
        let moments = (ms / self.moment_ms).max(random.between(60, 400));
        Wish {
            body: Body::Add(Box::new(allocate)),
            node: sandbox.node,
            moments,
            purpose: Purpose::Add(sandbox.id),
        }
    }

    /// A sandbox ends: its link now or soon, and its DEL.
    pub(super) fn kill(
        &mut self,
        id: SandboxId,
        at_once: bool,
        random: &mut Random,
        wishes: &mut Vec<Wish>,
    ) {
        let slack = self.slack(id);
        let Some(sandbox) = self.sandboxes.get_mut(&id) else {
            return;
        };
        let slack = if at_once { 0 } else { random.below(slack + 1) };
        sandbox.link_until = Some(self.now + slack);
        sandbox.may_end = true;
        sandbox.kill_at = None;
        self.let_go(id);
        let forgets = !self.is_calm && random.chance(self.plan.forgotten_per_mille);
        if let Some(sandbox) = self.sandboxes.get_mut(&id) {
            self.orphaned.extend(sandbox.call.take());
            sandbox.stage = if forgets {
                Stage::Gone
            } else {
                Stage::Deleting
            };
        }
        if !forgets {
            self.send_delete(id, random, wishes);
        }
    }

    /// How long a link may outlive its DEL, in moments: some plugins call the IPAM plugin first (2 s), and no longer than
    /// what the administrator's cooling allows for.
    fn slack(&self, id: SandboxId) -> u64 {
        let claimed = self.sandboxes.get(&id).filter(|sandbox| sandbox.is_claimed);
        let policy = claimed.and_then(|sandbox| self.pods[sandbox.pod].policy);
        let cooling_ms = self.plan.cooling_ms;
        let may_be_deleted = self.plan.admin_per_mille > 0;
        let ms = match policy {
            // Whoever deletes a claim leaves its address the vSwitch's cooling, as any other.
            _ if may_be_deleted => 2_000.min(cooling_ms),
            Some(Policy::Never) => 2_000,
            Some(Policy::Ttl { ttl_ms }) => 2_000.min(ttl_ms + cooling_ms),
            Some(Policy::Delete) | None => 2_000.min(cooling_ms),
        };
        ms / self.moment_ms
    }

    /// One more DEL of a sandbox, with a time of its own.
    pub(super) fn send_delete(
        &mut self,
        id: SandboxId,
        random: &mut Random,
        wishes: &mut Vec<Wish>,
    ) {
        let Some(sandbox) = self.sandboxes.get(&id) else {
            return;
        };
        let (node, key) = (sandbox.node, sandbox.key.clone());
        let invoked_at_ms = self.invoked(node);
        let release = Release {
            principal: make::principal("local"),
            trace_id: None,
            key,
            node: random.chance(900).then(|| make::node_name(node)),
            boot: self.boot_id(node),
            invoked_at_ms,
            generation: None,
            deadline_ms: 0,
        };
        wishes.push(Wish {
            body: Body::Del(Box::new(release)),
            node,
            moments: random.between(60, 400).max(3_000 / self.moment_ms),
            purpose: Purpose::Del(id),
        });
    }

    /// A call of a sandbox is under way.
    pub fn called(&mut self, purpose: &Purpose, call: CallId) {
        if let Purpose::Add(id) | Purpose::Del(id) = purpose
            && let Some(sandbox) = self.sandboxes.get_mut(id)
        {
            sandbox.call = Some(call);
        }
    }

    /// An ADD was answered, or given up. True if its addresses are used from now on.
    pub fn added(
        &mut self,
        id: SandboxId,
        answer: Option<&Answer>,
        random: &mut Random,
    ) -> Option<Vec<Wish>> {
        let now = self.now;
        let sandbox = self.sandboxes.get_mut(&id)?;
        sandbox.call = None;
        if sandbox.stage != Stage::Adding {
            return None;
        }
        let mut wishes = Vec::new();
        match answer {
            Some(Answer::Added(Ok(allocated))) => {
                self.counts.added += 1;
                live(sandbox, allocated);
                self.pods[sandbox.pod].failures = 0;
            }
            failed => {
                self.counts.failed += 1;
                sandbox.said = said(failed.and_then(Answer::failure));
                // What came of it is not known, or it was refused: the kubelet ends this sandbox and makes another.
                let (pod, wait) = (sandbox.pod, random.between(2, 30));
                self.kill(id, true, random, &mut wishes);
                let pod = &mut self.pods[pod];
                pod.rest_until = now + (wait << pod.failures.min(BACK_OFF_STEPS));
                pod.failures += 1;
            }
        }
        Some(wishes)
    }

    /// A DEL was answered, or given up: then it is said again.
    pub fn deleted(
        &mut self,
        id: SandboxId,
        answer: Option<&Answer>,
        invoked_at_ms: u64,
        random: &mut Random,
    ) -> Vec<Wish> {
        let mut wishes = Vec::new();
        let Some(sandbox) = self.sandboxes.get_mut(&id) else {
            return wishes;
        };
        sandbox.call = None;
        match answer {
            Some(Answer::Deleted(Ok(_))) => {
                self.counts.deleted += 1;
                sandbox.deleted_at_ms = Some(invoked_at_ms.max(sandbox.deleted_at_ms.unwrap_or(0)));
                if sandbox.stage == Stage::Deleting {
                    sandbox.stage = Stage::Gone;
                }
            }
            _ if sandbox.stage == Stage::Deleting => self.send_delete(id, random, &mut wishes),
            _ => {}
        }
        wishes
    }
}

fn live(sandbox: &mut Sandbox, allocated: &Allocated) {
    sandbox.stage = Stage::Live;
    sandbox
        .addresses
        .clone_from(&allocated.allocation.addresses);
    sandbox.is_claimed = allocated.allocation.claim.is_some();
    sandbox.generation = allocated.allocation.generation.0;
}

fn said(failure: Option<&Failure>) -> String {
    failure.map_or("nobody answered".into(), ToString::to_string)
}

pub(super) fn identity(pod: usize, uid: u64) -> PodIdentity {
    PodIdentity {
        namespace: make::namespace(),
        name: make::pod_name(pod),
        uid: PodUid::new(&uid_text(uid)).expect("plain"), // a word and a number
    }
}
