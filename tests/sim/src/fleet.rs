//! The nodes' side: machines, pods, sandboxes, and what really sends from which address. Shares no code with the ledger.

mod collect;
mod pods;
mod report;
mod sandbox;

pub use sandbox::{Sandbox, SandboxId, Stage};

use crate::call::{Body, CallId};
use crate::make;
use crate::plan;
use berth_domain::id::{AttachmentKey, BootId};
use berth_domain::row::Policy;
use berth_raft::simulation::random::Random;
use berth_raft::simulation::workload::Violation;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// A machine.
#[derive(Clone, Debug)]
pub struct Machine {
    /// How often it was booted.
    pub boot: u64,
    /// In moments.
    booted_at: u64,
    /// No two invocations of a boot have the same time.
    last_invoked_ms: u64,
    /// The ledger knows it.
    pub is_registered: bool,
    /// How often it was given away and came back as another machine.
    pub incarnation: u64,
}

/// A pod by its name; its object and its sandboxes come and go.
#[derive(Clone, Debug)]
pub struct Pod {
    /// Static, and how its claim ends.
    pub policy: Option<Policy>,
    /// The object is there; its uid's number.
    pub uid: Option<u64>,
    /// Where it is scheduled.
    pub node: usize,
    /// The sandbox its kubelet works on.
    pub sandbox: Option<SandboxId>,
    /// Nothing is started for it before this moment.
    rest_until: u64,
    /// ADDs in a row that failed: its kubelet waits longer after each.
    failures: u32,
    /// The next sandbox uses the last one's container id again.
    again: Option<AttachmentKey>,
    /// When its object was last not there.
    pub absent_at: u64,
}

/// What the fleet wants sent, and for whom.
#[derive(Clone, Debug)]
pub struct Wish {
    /// What.
    pub body: Body,
    /// From which machine.
    pub node: usize,
    /// For so many moments.
    pub moments: u64,
    /// Whose answer it is.
    pub purpose: Purpose,
}

/// Whose answer a call brings.
#[derive(Clone, Debug)]
pub enum Purpose {
    /// A sandbox's ADD.
    Add(SandboxId),
    /// A sandbox's DEL.
    Del(SandboxId),
    /// A machine's GC.
    Collect,
    /// A machine's word, after a restore.
    Report(usize),
}

/// See the module.
pub struct Fleet {
    plan: plan::Fleet,
    moment_ms: u64,
    /// In moments.
    pub now: u64,
    /// By number.
    pub machines: Vec<Machine>,
    /// By number.
    pub pods: Vec<Pod>,
    /// All that may still matter.
    pub sandboxes: BTreeMap<SandboxId, Sandbox>,
    /// The newest sandbox of each attachment.
    pub by_key: BTreeMap<AttachmentKey, SandboxId>,
    last_sandbox: SandboxId,
    last_uid: u64,
    /// Calls whose caller has gone away.
    pub orphaned: Vec<CallId>,
    /// Machines that have just stopped: what they sent and no server has is gone with their connections.
    pub stopped: Vec<usize>,
    /// Machines whose word is under way.
    reporting: BTreeSet<usize>,
    /// Everybody is to have an address, and nothing else happens.
    pub is_calm: bool,
    /// What happened, for those who count.
    pub counts: Counts,
}

/// What the fleet did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Sandboxes that got addresses.
    pub added: u64,
    /// ADDs refused or given up.
    pub failed: u64,
    /// DELs acknowledged.
    pub deleted: u64,
    /// GCs answered.
    pub collected: u64,
    /// Boots.
    pub reboots: u64,
}

// === impl Fleet ===

impl Fleet {
    /// As planned; nothing runs yet.
    pub fn new(plan: &plan::Plan) -> Self {
        let fleet = plan.fleet.clone();
        let machine = Machine {
            boot: 1,
            booted_at: 0,
            last_invoked_ms: 0,
            is_registered: false,
            incarnation: 0,
        };
        let pod = |number: usize| Pod {
            policy: (number < fleet.static_pods).then(|| policy(number, fleet.ttl_ms)),
            uid: None,
            node: 0,
            sandbox: None,
            rest_until: 0,
            failures: 0,
            again: None,
            absent_at: 0,
        };
        Self {
            machines: vec![machine; fleet.nodes],
            pods: (0..fleet.pods).map(pod).collect(),
            plan: fleet,
            moment_ms: plan.moment_ms,
            now: 0,
            sandboxes: BTreeMap::new(),
            by_key: BTreeMap::new(),
            last_sandbox: 0,
            last_uid: 0,
            orphaned: Vec::new(),
            stopped: Vec::new(),
            reporting: BTreeSet::new(),
            is_calm: false,
            counts: Counts::default(),
        }
    }

    /// A moment on all machines.
    pub fn moment(&mut self, now: u64, random: &mut Random) -> Vec<Wish> {
        self.now = now;
        let mut wishes = Vec::new();
        for pod in 0..self.pods.len() {
            self.pod_moment(pod, random, &mut wishes);
        }
        self.end_orphans(random, &mut wishes);
        self.collect_moment(random, &mut wishes);
        if !self.is_calm && random.below(10_000) < self.plan.reboot_per_ten_thousand {
            let machine = random.below(self.machines.len() as u64) as usize;
            self.reboot(machine, random, &mut wishes);
        }
        self.forget_old();
        wishes
    }

    /// Sandboxes that may be sending from an address now.
    pub fn users(&self, address: IpAddr) -> impl Iterator<Item = &Sandbox> {
        let now = self.now;
        self.sandboxes
            .values()
            .filter(move |sandbox| sandbox.uses(now) && sandbox.addresses.contains(&address))
    }

    /// A1 and A2, as the machines see it: two sandboxes that send from one address.
    pub fn doubled(&self, id: SandboxId) -> Option<Violation> {
        let sandbox = self.sandboxes.get(&id)?;
        let mut users = sandbox
            .addresses
            .iter()
            .flat_map(|at| self.users(*at).map(move |user| (at, user)));
        let (at, other) = users.find(|(_, user)| user.id != id)?;
        let text = format!(
            "{} begins to send from {at} while {} does",
            sandbox.key, other.key
        );
        Some(Violation::new("A1", text))
    }

    /// The newest sandbox of an attachment.
    pub fn sandbox_of(&self, key: &AttachmentKey) -> Option<&Sandbox> {
        self.sandboxes.get(self.by_key.get(key)?)
    }

    /// Every pod that wants an address has one, and nothing is under way.
    pub fn is_settled(&self) -> bool {
        let has = |pod: &Pod| match (pod.uid, pod.sandbox) {
            (None, None) => true,
            (Some(_), Some(id)) => self
                .sandboxes
                .get(&id)
                .is_some_and(|s| s.stage == Stage::Live),
            _ => false,
        };
        let is_under_way = |s: &Sandbox| matches!(s.stage, Stage::Adding | Stage::Deleting);
        self.pods.iter().all(has) && !self.sandboxes.values().any(is_under_way)
    }

    /// Why it is not settled.
    pub fn unsettled(&self) -> String {
        let stage = |id: &SandboxId| self.sandboxes.get(id).map(|s| (s.stage, s.said.clone()));
        let waits: Vec<String> = (0..)
            .zip(&self.pods)
            .filter_map(|(number, pod)| {
                let stage = pod.sandbox.as_ref().map(stage);
                let is_well = matches!(&stage, Some(Some((Stage::Live, _))))
                    || (pod.uid.is_none() && pod.sandbox.is_none());
                (!is_well).then(|| format!("pod-{number}: {stage:?}"))
            })
            .collect();
        waits.join(", ")
    }

    /// A pod's number by its name.
    pub fn pod_named(&self, name: &str) -> Option<usize> {
        name.strip_prefix("pod-")?
            .parse()
            .ok()
            .filter(|pod| *pod < self.pods.len())
    }

    /// When a call of a machine was invoked, on its boot clock.
    fn invoked(&mut self, machine: usize) -> u64 {
        let clock_ms = (self.now - self.machines[machine].booted_at) * self.moment_ms + 1;
        let machine = &mut self.machines[machine];
        machine.last_invoked_ms = clock_ms.max(machine.last_invoked_ms + 1);
        machine.last_invoked_ms
    }

    /// How long a moment is.
    pub fn moment_ms(&self) -> u64 {
        self.moment_ms
    }

    /// A machine's boot id.
    pub fn boot_id(&self, machine: usize) -> BootId {
        boot_id(machine, &self.machines[machine])
    }

    /// Everything on the machine is gone at once; its clock begins again.
    fn reboot(&mut self, machine: usize, random: &mut Random, wishes: &mut Vec<Wish>) {
        self.counts.reboots += 1;
        self.stopped.push(machine);
        self.reporting.remove(&machine);
        // What was to be sent in this moment was of the boot that is over.
        wishes.retain(|wish| wish.node != machine);
        self.cut_links(machine);
        let ended: Vec<SandboxId> = self
            .sandboxes
            .values()
            .filter(|s| s.node == machine && s.stage != Stage::Gone)
            .map(|s| s.id)
            .collect();
        self.machines[machine].boot += 1;
        self.machines[machine].booted_at = self.now;
        self.machines[machine].last_invoked_ms = 0;
        for id in ended {
            if let Some(sandbox) = self.sandboxes.get_mut(&id) {
                sandbox.may_end = true;
                sandbox.stage = Stage::Gone;
                self.orphaned.extend(sandbox.call.take());
            }
            self.let_go(id);
            if random.chance(500) {
                self.send_delete(id, random, wishes);
            }
        }
    }

    /// Nothing sends from a machine any more, not even what its kubelet has forgotten.
    fn cut_links(&mut self, machine: usize) {
        let now = self.now;
        for sandbox in self.sandboxes.values_mut().filter(|s| s.node == machine) {
            let until = sandbox.link_until.map_or(now, |until| until.min(now));
            sandbox.link_until = Some(until);
        }
    }

    /// A machine is gone for good; another one takes its name, once it is registered.
    pub fn die(&mut self, machine: usize) {
        self.stopped.push(machine);
        self.reporting.remove(&machine);
        self.cut_links(machine);
        let now = self.now;
        let mut ended = Vec::new();
        for sandbox in self.sandboxes.values_mut().filter(|s| s.node == machine) {
            sandbox.may_end = true;
            if sandbox.stage != Stage::Gone {
                sandbox.stage = Stage::Gone;
                self.orphaned.extend(sandbox.call.take());
                ended.push(sandbox.id);
            }
        }
        ended.into_iter().for_each(|id| self.let_go(id));
        let machine = &mut self.machines[machine];
        *machine = Machine {
            boot: 1,
            booted_at: now,
            last_invoked_ms: 0,
            is_registered: false,
            incarnation: machine.incarnation + 1,
        };
    }

    /// The pod's kubelet begins anew with it.
    fn let_go(&mut self, id: SandboxId) {
        let now = self.now;
        for pod in &mut self.pods {
            if pod.sandbox == Some(id) {
                pod.sandbox = None;
                pod.rest_until = now + 2;
            }
        }
    }

    fn forget_old(&mut self) {
        // A late message of them would be one of an attachment that nobody knows: keep them far longer than messages live.
        let horizon = self.now.saturating_sub(20_000);
        self.sandboxes
            .retain(|_, s| s.stage != Stage::Gone || s.began_at >= horizon);
    }
}

/// The boot id of a machine as it is.
pub fn boot_id(number: usize, machine: &Machine) -> BootId {
    let text = format!("boot-{number}-{}-{}", machine.incarnation, machine.boot);
    BootId::new(&text).expect("plain") // made of a few words and numbers
}

fn policy(pod: usize, ttl_ms: u64) -> Policy {
    match pod % 3 {
        0 => Policy::Never,
        1 => Policy::Ttl { ttl_ms },
        _ => Policy::Delete,
    }
}

/// As an annotation says it.
pub fn annotation(policy: Policy) -> String {
    match policy {
        Policy::Never => "never".into(),
        Policy::Delete => "delete".into(),
        Policy::Ttl { ttl_ms } => format!("ttl={ttl_ms}ms"),
    }
}

/// A pod's uid as text.
pub fn uid_text(uid: u64) -> String {
    format!("uid-{uid}")
}

/// The name that facts and sandboxes give a pod.
pub fn pod_text(pod: usize) -> String {
    make::pod_name(pod).as_str().to_owned()
}
