//! The administrator: makes networks and nodes known, makes and ends claims, ends what is stale, says things twice.

use crate::answer::Answer;
use crate::call::Body;
use crate::cloud;
use crate::fleet::{Fleet, Stage, boot_id};
use crate::make;
use crate::oracle::Oracle;
use berth_domain::Ledger;
use berth_domain::address::NetworkKind;
use berth_domain::capacity::NodeMode;
use berth_domain::command::*;
use berth_domain::id::*;
use berth_domain::outcome::Refusal;
use berth_domain::row::{IdleSettings, Policy, UNKNOWN_NODES, VSwitchChoice};
use berth_raft::simulation::random::Random;
use std::collections::BTreeMap;

/// Few addresses, so that they run out and come back often.
const NETWORKS: [(&str, Option<&str>, Option<&str>); 2] = [
    ("alpha", Some("198.51.100.0/27"), None),
    ("beta", Some("203.0.113.0/28"), Some("2001:db8::/124")),
];

/// A request is said again within this time: the ledger knows its answer for 600 s, of which its own call and a late copy of
/// it may take 130.
const SAID_AGAIN_MS: u64 = 300_000;

/// What the administrator wants sent.
#[derive(Clone, Debug)]
pub struct Errand {
    /// What.
    pub body: Body,
    /// Not before so many moments from now.
    pub after: u64,
    /// Whose answer it is.
    pub task: Task,
}

/// Whose answer a call brings.
#[derive(Clone, Debug)]
pub enum Task {
    /// A network.
    Network(usize),
    /// The pool.
    Pool,
    /// A machine is to be known.
    Register(usize),
    /// A machine that is gone is to be forgotten.
    Forget(NodeId),
    /// After a restore: there are no machines that the ledger does not know.
    Confirm,
    /// Nothing depends on it.
    Other,
}

/// See the module.
pub struct Admin {
    cooling_ms: u64,
    warm_target: u32,
    /// Nodes are in a pool.
    is_in_cloud: bool,
    pool: Option<Step>,
    networks: BTreeMap<usize, Step>,
    nodes: BTreeMap<usize, Step>,
    requests: u64,
    /// Said once at that moment, to be said again.
    said: Vec<(u64, Proposal)>,
    /// Machines that are gone, until the ledger has forgotten them.
    forget: Vec<NodeId>,
    /// A word for the unknown machines is under way.
    confirming: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Asked,
    Done,
}

// === impl Admin ===

impl Admin {
    /// Has done nothing yet.
    pub fn new(cooling_ms: u64, warm_target: u32, is_in_cloud: bool) -> Self {
        Self {
            cooling_ms,
            warm_target,
            is_in_cloud,
            pool: None,
            networks: BTreeMap::new(),
            nodes: BTreeMap::new(),
            requests: 0,
            said: Vec::new(),
            forget: Vec::new(),
            confirming: false,
        }
    }

    /// A backup was restored: what it does not know is done again, and machines that it knows and that are gone are forgotten.
    pub fn begin_anew(&mut self, ledger: &Ledger, fleet: &mut Fleet) {
        self.confirming = false;
        self.said.clear();
        for (number, (name, _, _)) in NETWORKS.iter().enumerate() {
            let is_known = ledger.vswitches().any(|row| row.name.as_str() == *name);
            if !is_known && self.networks.get(&number) == Some(&Step::Done) {
                self.networks.remove(&number);
            }
        }
        for number in 0..fleet.machines.len() {
            let row = ledger.node_named(&make::node_name(number));
            let is_known = row.is_some_and(|row| row.identity == fleet.identity(number));
            if let Some(row) = row.filter(|_| !is_known) {
                self.forget.push(row.id);
            }
            fleet.machines[number].is_registered &= is_known;
            if !is_known && self.nodes.get(&number) == Some(&Step::Done) {
                self.nodes.remove(&number);
            }
        }
    }

    /// All machines are known and have said their word: the one for those that are not known can be given.
    pub fn confirm(&mut self) -> Option<Errand> {
        if std::mem::replace(&mut self.confirming, true) {
            return None;
        }
        let command = ConfirmNode {
            node: UNKNOWN_NODES,
            word: Word::Admin,
            live: Vec::new(),
        };
        Some(errand(
            proposal("", Command::ConfirmNode(command)),
            Task::Confirm,
        ))
    }

    /// First the networks and nodes, then now and then something else.
    pub fn moment(
        &mut self,
        fleet: &mut Fleet,
        oracle: &mut Oracle,
        acts: bool,
        random: &mut Random,
    ) -> Vec<Errand> {
        let mut errands = Vec::new();
        let networks = if self.is_in_cloud { 1 } else { NETWORKS.len() };
        for number in 0..networks {
            if let std::collections::btree_map::Entry::Vacant(entry) = self.networks.entry(number) {
                entry.insert(Step::Asked);
                errands.push(self.network(number));
            }
        }
        if self.networks.values().any(|step| *step != Step::Done) {
            return errands;
        }
        if self.is_in_cloud && self.pool.is_none() {
            self.pool = Some(Step::Asked);
            errands.push(pool(oracle));
        }
        if self.is_in_cloud && self.pool != Some(Step::Done) {
            return errands;
        }
        for number in 0..fleet.machines.len() {
            if let std::collections::btree_map::Entry::Vacant(entry) = self.nodes.entry(number) {
                entry.insert(Step::Asked);
                errands.push(self.register(number, fleet, oracle));
            }
        }
        errands.extend(std::mem::take(&mut self.forget).into_iter().map(forget));
        if acts {
            errands.extend(self.act(fleet, oracle, random));
        }
        errands
    }

    /// What came of it; what did not come about is asked for again.
    pub fn finished(&mut self, task: &Task, answer: Option<&Answer>, fleet: &mut Fleet) {
        let is_done = match answer {
            Some(Answer::Proposed(Ok(answer))) => match &answer.result {
                Ok(_) => true,
                // A node's name is taken as long as its former machine is not forgotten.
                Err(Refusal::NotFound { .. }) => matches!(task, Task::Forget(_)),
                Err(_) => false,
            },
            _ => false,
        };
        match task {
            Task::Network(number) if is_done => {
                self.networks.insert(*number, Step::Done);
            }
            Task::Network(number) => {
                self.networks.remove(number);
            }
            Task::Pool => self.pool = is_done.then_some(Step::Done),
            Task::Register(number) if is_done => {
                self.nodes.insert(*number, Step::Done);
                fleet.machines[*number].is_registered = true;
            }
            Task::Register(number) => {
                self.nodes.remove(number);
            }
            Task::Forget(node) if !is_done => self.forget.push(*node),
            Task::Confirm => self.confirming = false,
            Task::Forget(_) | Task::Other => {}
        }
    }

    fn network(&mut self, number: usize) -> Errand {
        if self.is_in_cloud {
            return self.vpc();
        }
        let (name, ipv4, ipv6) = NETWORKS[number];
        let command = CreateVSwitch {
            name: VSwitchName::new(name).expect("plain"), // a fixed word
            zone: Zone::new("").expect("may be empty"),   // it may
            ipv4: ipv4.map(make::subnet),
            ipv6: ipv6.map(make::subnet),
            exclusions: Vec::new(),
            cooling_ms: self.cooling_ms,
            kind: NetworkKind::Routed,
            cloud: None,
        };
        let proposal = proposal(
            &format!("network-{number}"),
            Command::CreateVSwitch(command),
        );
        errand(proposal, Task::Network(number))
    }

    fn vpc(&self) -> Errand {
        let (id, cidr) = cloud::VSWITCH;
        let command = CreateVSwitch {
            name: VSwitchName::new("gamma").expect("plain"), // a fixed word
            zone: Zone::new(cloud::ZONE).expect("plain"),    // a fixed word
            ipv4: Some(make::subnet(cidr)),
            ipv6: None,
            exclusions: Vec::new(),
            cooling_ms: self.cooling_ms,
            kind: NetworkKind::Vpc,
            cloud: CloudVSwitchId::new(id).ok(),
        };
        let proposal = proposal("network-0", Command::CreateVSwitch(command));
        errand(proposal, Task::Network(0))
    }

    fn register(&mut self, number: usize, fleet: &Fleet, oracle: &Oracle) -> Errand {
        let (zone, (eni_slots, addresses_per_eni)) = match self.is_in_cloud {
            true => (cloud::ZONE, cloud::ROOM),
            false => ("", (0, 0)),
        };
        let identity = fleet.identity(number);
        let command = RegisterNode {
            name: make::node_name(number),
            identity: identity.clone(),
            zone: Zone::new(zone).expect("plain, or empty"), // fixed texts
            instance_type: InstanceType::new("").expect("may be empty"), // it may
            eni_slots,
            addresses_per_eni,
            warm_target: self.warm_target,
            pool: match self.is_in_cloud {
                true => oracle
                    .ledger()
                    .node_pool_named(&pool_name())
                    .map(|pool| pool.id),
                false => None,
            },
        };
        // With a request id: a late copy must not bring back a machine that was removed since.
        errand(
            proposal(
                &format!("register-{identity}"),
                Command::RegisterNode(command),
            ),
            Task::Register(number),
        )
    }

    fn act(
        &mut self,
        fleet: &mut Fleet,
        oracle: &mut Oracle,
        random: &mut Random,
    ) -> Option<Errand> {
        let command = match random.below(100) {
            0..25 => self.make_claim(fleet, oracle, random),
            25..45 => end_claim(fleet, oracle, random),
            45..75 => release(fleet, oracle, random),
            75..80 => return self.give_away(fleet, oracle, random),
            _ => return self.say_again(fleet, random),
        }?;
        self.requests += 1;
        let proposal = proposal(&format!("request-{}", self.requests), command);
        self.said.push((fleet.now, proposal.clone()));
        let after = random.below(60);
        Some(Errand {
            after,
            ..errand(proposal, Task::Other)
        })
    }

    fn make_claim(&self, fleet: &Fleet, oracle: &Oracle, random: &mut Random) -> Option<Command> {
        let pod = random.below(fleet.pods.len() as u64) as usize;
        let name = make::pod_name(pod);
        let is_static = fleet.pods[pod].policy.is_some();
        if !is_static || oracle.claims().any(|(_, claimed)| *claimed == name) {
            return None;
        }
        let vswitch = VSwitchName::new(NETWORKS[random.below(2) as usize].0).ok()?;
        Some(Command::CreateClaim(CreateClaim {
            name: make::claim_name(pod),
            vswitch: oracle.vswitch(&vswitch)?,
            addresses: Vec::new(),
            policy: Policy::Never,
        }))
    }

    /// Once more what was said before, under the same request id, as long as its answer is known.
    fn say_again(&mut self, fleet: &Fleet, random: &mut Random) -> Option<Errand> {
        let known = SAID_AGAIN_MS / fleet.moment_ms();
        self.said.retain(|(at, _)| fleet.now - at <= known);
        let nth = random.below(self.said.len() as u64) as usize;
        let (_, again) = self.said.get(nth)?;
        Some(errand(again.clone(), Task::Other))
    }

    /// A machine has died for good; another one comes in its place, under the same name.
    fn give_away(
        &mut self,
        fleet: &mut Fleet,
        oracle: &Oracle,
        random: &mut Random,
    ) -> Option<Errand> {
        let number = random.below(fleet.machines.len() as u64) as usize;
        if self.nodes.get(&number) != Some(&Step::Done) {
            return None;
        }
        let node = oracle.node(&make::node_name(number))?;
        fleet.die(number);
        self.nodes.remove(&number);
        self.forget.push(node);
        None
    }
}

fn pool_name() -> NodePoolName {
    NodePoolName::new("web").expect("plain") // a fixed word
}

/// Of all nodes.
fn pool(oracle: &Oracle) -> Errand {
    let vswitch = VSwitchName::new("gamma").expect("plain"); // a fixed word
    let group = SecurityGroup::new(cloud::SECURITY_GROUP).expect("plain"); // a fixed word
    let command = SetNodePool {
        name: pool_name(),
        mode: NodeMode::Shared,
        vswitches: oracle.vswitch(&vswitch).into_iter().collect(),
        draining: Vec::new(),
        choice: VSwitchChoice::default(),
        security_groups: vec![group],
        idle: IdleSettings {
            max: 2,
            ..IdleSettings::default()
        },
        blocked: Vec::new(),
        eni_tags: Vec::new(),
        acceleration: false,
        network_policy: false,
    };
    errand(proposal("pool", Command::SetNodePool(command)), Task::Pool)
}

fn forget(node: NodeId) -> Errand {
    let command = Command::RemoveNode(RemoveNode {
        node,
        confirmed_dead: true,
    });
    errand(proposal("", command), Task::Forget(node))
}

/// Of a pod without a sandbox that sends.
fn end_claim(fleet: &Fleet, oracle: &mut Oracle, random: &mut Random) -> Option<Command> {
    let idle: Vec<ClaimId> = oracle
        .claims()
        .filter(|(_, pod)| {
            let number = fleet.pod_named(pod.as_str());
            number.is_some_and(|number| {
                !fleet
                    .sandboxes
                    .values()
                    .any(|s| s.pod == number && s.uses(fleet.now))
            })
        })
        .map(|(id, _)| id)
        .collect();
    let claim = *idle.get(random.below(idle.len() as u64) as usize)?;
    oracle.given_up.insert(claim);
    Some(Command::DeleteClaim(DeleteClaim {
        claim,
        override_holder: false,
        policy_fired: false,
    }))
}

/// Of an attachment whose sandbox is gone, by the generation that was seen.
fn release(fleet: &Fleet, oracle: &Oracle, random: &mut Random) -> Option<Command> {
    let stale: Vec<&AttachmentKey> = fleet
        .sandboxes
        .values()
        .filter(|s| matches!(s.stage, Stage::Deleting | Stage::Gone) && !s.uses(fleet.now))
        .filter(|s| fleet.by_key.get(&s.key) == Some(&s.id))
        .map(|s| &s.key)
        .filter(|key| oracle.generation(key).is_some())
        .collect();
    let key = *stale.get(random.below(stale.len() as u64) as usize)?;
    let sandbox = fleet.sandbox_of(key)?;
    Some(Command::Release(Release {
        key: key.clone(),
        node: oracle.node(&make::node_name(sandbox.node))?,
        boot: boot_id(sandbox.node, &fleet.machines[sandbox.node]),
        invoked_at_ms: 0,
        generation: oracle.generation(key).map(Generation),
        proof: Proof::Admin,
        pod_gone: false,
    }))
}

fn proposal(request: &str, command: Command) -> Proposal {
    Proposal {
        principal: make::principal("admin"),
        request_id: RequestId::new(request).expect("graphic"), // a word and a number
        trace_id: None,
        reason: Reason::new("").expect("may be empty"), // it may
        facts: None,
        command,
    }
}

fn errand(proposal: Proposal, task: Task) -> Errand {
    Errand {
        body: Body::Propose(Box::new(proposal)),
        after: 0,
        task,
    }
}
