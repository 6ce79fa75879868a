//! The cloud of a run: the simulated one, the wire between it and the servers, and what has to be so on both sides.
//!
//! A call is asked for in one moment, leaves in a later one if it is still wanted, arrives, and is answered. What has left arrives
//! even if its sender has died; its answer finds nobody.

mod truth;

pub use truth::in_words;

use crate::fleet::Fleet;
use crate::plan;
use berth_cloud::alibaba::{Answer, decode, encode};
use berth_cloud::budget::Limits;
use berth_cloud::error::{Cause, Error};
use berth_cloud::id::RegionId;
use berth_cloud::simulator::catalogue::InstanceType;
use berth_cloud::simulator::setup::{Instance, SecurityGroup, Setup, VSwitch};
use berth_cloud::simulator::{FaultPlan, Request, Simulator};
use berth_cloud::{Call, Order, Reply};
use berth_raft::simulation::random::Random;
use berthd::cloud::{Answering, Provision};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Where everything is.
pub const REGION: &str = "cn-hangzhou";
/// In which zone.
pub const ZONE: &str = "cn-hangzhou-i";
/// Where pods' ENIs are, as the cloud names it, and its CIDR.
pub const VSWITCH: (&str, &str) = ("vsw-pods", "10.9.0.0/24");
/// The pods' security group.
pub const SECURITY_GROUP: &str = "sg-pods";
/// What machines are, as the ledger has it too: ENIs for pods, and addresses of each.
pub const ROOM: (u32, u32) = (6, 6);
/// Machines that take one another's names.
const INCARNATIONS: u64 = 24;
/// 2026-01-01, as the servers' clocks.
const BEGIN_MS: u64 = 1_767_225_600_000;
/// A client hears no more after so long.
const PATIENCE_MS: u64 = 10_000;

/// What servers have asked for and has not left.
type Asked = Arc<Mutex<Vec<Sent>>>;

/// See the module.
pub struct Cloud {
    simulator: Simulator,
    asked: Asked,
    /// By the moment of its arrival.
    travelling: Vec<(u64, Sent)>,
    /// By the moment at which its caller hears of it.
    answered: Vec<(u64, Heard)>,
    random: Random,
    plan: plan::Cloud,
    moment_ms: u64,
    /// Lives of servers that are over.
    ended: BTreeSet<u64>,
    lives: u64,
    /// Calls that arrived.
    pub calls: u64,
}

struct Sent {
    life: u64,
    order: Order,
    answering: Answering,
}

struct Heard {
    life: u64,
    answering: Answering,
    answer: Result<Reply, Error>,
}

// === impl Cloud ===

impl Cloud {
    /// With every machine that there will be.
    pub fn new(seed: u64, plan: &plan::Cloud, machines: usize, moment_ms: u64) -> Self {
        let mut random = Random::new(seed ^ 0x0063_6c6f_7564);
        let simulator = Simulator::new(setup(plan, machines), random.below(u64::MAX));
        Self {
            simulator,
            asked: Asked::default(),
            travelling: Vec::new(),
            answered: Vec::new(),
            random,
            plan: plan.clone(),
            moment_ms,
            ended: BTreeSet::new(),
            lives: 0,
            calls: 0,
        }
    }

    /// What a server that starts is given, and the number of its life.
    pub fn provision(&mut self) -> (Provision, u64) {
        self.lives += 1;
        let (life, asked) = (self.lives, Arc::clone(&self.asked));
        let carrier = Arc::new(move |order: Order, answering: Answering| {
            let sent = Sent {
                life,
                order,
                answering,
            };
            lock(&asked).push(sent);
        });
        let provision = Provision {
            carrier,
            limits: Limits::default(),
            makes_enis: true,
        };
        (provision, life)
    }

    /// A server has died: what has not left never will.
    pub fn life_ended(&mut self, life: u64) {
        self.ended.insert(life);
        lock(&self.asked).retain(|sent| sent.life != life);
    }

    /// Nothing goes wrong any more.
    pub fn heal(&mut self) {
        self.simulator.setup().faults = FaultPlan::default();
        self.plan.late_per_mille = 0;
    }

    /// Calls leave, arrive and are answered.
    pub fn moment(&mut self, now: u64) {
        self.simulator.settle(BEGIN_MS + now * self.moment_ms);
        self.leave(now);
        let (due, later) = std::mem::take(&mut self.travelling)
            .into_iter()
            .partition::<Vec<_>, _>(|(at, _)| *at <= now);
        self.travelling = later;
        for (_, sent) in due {
            self.arrive(now, sent);
        }
        let (due, later) = std::mem::take(&mut self.answered)
            .into_iter()
            .partition::<Vec<_>, _>(|(at, _)| *at <= now);
        self.answered = later;
        for (_, heard) in due {
            if !self.ended.contains(&heard.life) {
                (heard.answering)(heard.answer);
            }
        }
    }

    fn leave(&mut self, now: u64) {
        let asked = std::mem::take(&mut *lock(&self.asked));
        for sent in asked {
            if !(sent.order.still_wanted)() {
                let (life, answering) = (sent.life, sent.answering);
                let answer = Err(error(&sent.order.call, Cause::NotSent));
                let heard = Heard {
                    life,
                    answering,
                    answer,
                };
                self.answered.push((now, heard));
                continue;
            }
            let late = match self.random.chance(self.plan.late_per_mille) {
                true => self.random.below(self.plan.late_moments_max + 1),
                false => 0,
            };
            let at = now + 1 + self.random.below(self.plan.delay_moments_max + 1) + late;
            self.travelling.push((at, sent));
        }
    }

    fn arrive(&mut self, now: u64, sent: Sent) {
        self.calls += 1;
        let call = &sent.order.call;
        let answer = self
            .simulator
            .handle(BEGIN_MS + now * self.moment_ms, &request(call));
        let (after, answer) = match answer.lost {
            true => (
                PATIENCE_MS / self.moment_ms,
                Err(error(call, Cause::Unknown)),
            ),
            false => {
                let answer = Answer {
                    status: answer.status,
                    body: answer.body.to_string().into_bytes(),
                };
                let after = self.random.below(self.plan.delay_moments_max + 1);
                (after, decode(call.action(), &answer))
            }
        };
        let heard = Heard {
            life: sent.life,
            answering: sent.answering,
            answer,
        };
        self.answered.push((now + 1 + after, heard));
    }
}

fn lock(asked: &Asked) -> std::sync::MutexGuard<'_, Vec<Sent>> {
    asked.lock().unwrap_or_else(PoisonError::into_inner)
}

fn error(call: &Call, cause: Cause) -> Error {
    Error::of(call.action().name(), cause, "as the run wants it")
}

fn request(call: &Call) -> Request {
    let region = RegionId::new(REGION).expect("plain"); // fixed text
    let request = encode(call, &region).expect("a call of the conductor's can be written");
    let pairs = request.parameters.iter();
    Request {
        version: request.product.version().into(),
        action: request.action.into(),
        parameters: pairs
            .map(|(name, value)| (name.into(), value.into()))
            .collect(),
        signer: "sim-key".into(),
    }
}

fn setup(plan: &plan::Cloud, machines: usize) -> Setup {
    let mut setup = Setup::built_in();
    let vswitch = |id: &str, cidr: &str| VSwitch {
        id: id.into(),
        vpc: "vpc-built-in".into(),
        zone: ZONE.into(),
        cidr: cidr.parse().expect("a CIDR"), // fixed text
        ipv6_cidr: None,
    };
    setup.vswitches = vec![
        vswitch(VSWITCH.0, VSWITCH.1),
        vswitch("vsw-machines", "10.8.0.0/16"),
    ];
    let group = |id: &str| SecurityGroup {
        id: id.into(),
        vpc: "vpc-built-in".into(),
    };
    setup.security_groups = vec![group(SECURITY_GROUP), group("sg-machines")];
    let (enis, addresses) = ROOM;
    setup.instance_types = vec![InstanceType {
        name: "ecs.simulated".into(),
        enis: enis as usize + 1,
        addresses: addresses as usize,
        ipv6: 0,
        total: enis as usize + 1,
        trunk: false,
        rdma: 0,
    }];
    let identities = (0..machines).flat_map(|machine| {
        (0..INCARNATIONS).map(move |incarnation| Fleet::identity_of(machine, incarnation))
    });
    let instance = |id: String| Instance {
        id,
        instance_type: "ecs.simulated".into(),
        vswitch: "vsw-machines".into(),
        security_group: "sg-machines".into(),
        status: "Running".into(),
    };
    setup.instances = identities.map(instance).collect();
    setup.times.attach_ms = plan.attach_ms;
    setup.times.detach_ms = plan.attach_ms;
    setup.times.stale_ms = plan.stale_ms;
    setup.faults = plan.faults.clone();
    setup
}
