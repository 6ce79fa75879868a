//! A node in a pool: its ADDs wait for addresses on ENIs, and jobs are begun for what they need.

use super::scenery::STUCK_MS;
use super::{Asked, Out, State, Tag, World, chosen};
use crate::failure::Failure;
use crate::journal::Committed;
use crate::node::choice::{Found, Plan};
use crate::node::message;
use crate::node::request::*;
use crate::node::supply::{self, Beginning, Intent};
use crate::vswitch::message::{Grant, Purpose};
use berth_domain::choose::Families;
use berth_domain::command::{self, BeginJob, Command};
use berth_domain::id::*;
use berth_domain::outcome::{Answer, Outcome};
use berth_domain::row::Eni;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use tracing::Span;

/// A job waits so long for others' warm addresses.
const SCARCE_WAIT_MS: u64 = 20_000;

// === impl State ===

impl State {
    /// Warm addresses on ENIs, or it waits for some until its deadline.
    pub(super) fn find_on_enis(
        &mut self,
        mut add: Add,
        plan: Plan,
        world: World<'_>,
        out: &mut Vec<Out>,
    ) -> Option<Add> {
        let barred = self.barred(world);
        for vswitch in &plan.candidates {
            let families = Families::of(vswitch);
            if let Some((eni, set)) = self.warm.take_beside(vswitch.id, families, &barred) {
                let choice = chosen(&plan, vswitch, eni, set.clone(), Found::Warm(set));
                return Some(self.propose_bind(add, choice, out));
            }
        }
        let failure = self.why_none(&plan, world);
        if world.now_ms >= add.give_up_at_ms {
            add.answer(Err(failure));
            return None;
        }
        // Who looks again is looked after by whoever made it look: asking for another look each time would never end.
        if self.supply.waiting.is_empty() && matches!(add.phase, Phase::New) {
            out.push(Out::Gather);
        }
        self.supply.wait(&add.key, &plan);
        out.push(Out::WakeAt(add.give_up_at_ms.max(world.now_ms + 1)));
        add.phase = Phase::Parked(failure);
        Some(add)
    }

    /// ENIs that nothing new comes onto: those that the pool blocks, and those that have lost their tags.
    fn barred(&self, world: World<'_>) -> Vec<EniId> {
        let pool = world.view.pool_of(&self.node);
        let blocked = pool
            .into_iter()
            .flat_map(|pool| pool.blocked.iter().cloned());
        let is_alone = |eni: &&Arc<Eni>| {
            let troubles = world.cloud.map(|cloud| cloud.troubles);
            troubles.is_some_and(|troubles| troubles.is_left_alone(eni.number))
        };
        let alone = self.supply.enis.values().filter(is_alone);
        blocked
            .chain(alone.filter_map(|eni| eni.id.clone()))
            .collect()
    }

    /// Why there is no address, in the cloud's words if it said something.
    fn why_none(&self, plan: &Plan, world: World<'_>) -> Failure {
        let name = &self.node.name;
        let Some(cloud) = world.cloud else {
            return Failure::Unavailable {
                reason: format!(
                    "node {name} is in a pool and takes addresses of ENIs, but this server has no cloud: start berthd with --cloud"
                ),
            };
        };
        let ids: Vec<VSwitchId> = plan.candidates.iter().map(|row| row.id).collect();
        let mut whys = ids
            .iter()
            .filter_map(|id| cloud.troubles.why(self.node.id, *id));
        if let Some(why) = whys.next() {
            return Failure::Unavailable {
                reason: format!("node {name} waits for addresses on its ENIs: {why}"),
            };
        }
        if let Some(dry) = self.supply.why_dry(&ids, world.now_ms) {
            return dry.clone();
        }
        Failure::Unavailable {
            reason: format!("node {name} waits for addresses that are on their way onto its ENIs"),
        }
    }

    /// Gives what has come to those who wait, and begins jobs for what is needed.
    pub(super) fn supply(&mut self, world: World<'_>, out: &mut Vec<Out>) {
        let Some(pool) = world.view.pool_of(&self.node).cloned() else {
            return;
        };
        self.serve_waiting(world, out);
        let Some(cloud) = world.cloud else { return };
        let now_ms = world.now_ms;
        self.supply.know(now_ms);
        if !self.supply.rests(now_ms) {
            let scene = self.scene(&pool, cloud, world);
            for step in supply::plan(&scene) {
                if !matches!(step, supply::Step::Bring { .. }) {
                    self.supply.idle.reclaimed(now_ms);
                }
                self.take_step(step, world, out);
            }
            self.hurry(out);
        }
        if let Some(at_ms) = self.supply.next_try_ms(now_ms) {
            out.push(Out::WakeAt(at_ms));
        }
        if !self.supply.waiting.is_empty() && !self.supply.jobs.is_empty() {
            out.push(Out::WakeAt(now_ms + STUCK_MS));
        }
    }

    /// Those who wait look again, in the order in which they came, as long as there is something.
    fn serve_waiting(&mut self, world: World<'_>, out: &mut Vec<Out>) {
        if self.supply.waiting.is_empty() {
            return;
        }
        let barred = self.barred(world);
        let came = |key: &Arc<AttachmentKey>| match self.lanes.get(key).and_then(VecDeque::front) {
            Some(Work::Add(add)) if matches!(add.phase, Phase::Parked(_)) => Some(add.came_at_ms),
            _ => None,
        };
        let waiting = std::mem::take(&mut self.supply.waiting);
        let alive = waiting.into_iter();
        let mut alive: Vec<_> = alive
            .filter_map(|(key, ids)| Some((came(&key)?, key, ids)))
            .collect();
        alive.sort();
        for (_, key, ids) in alive {
            let has_some = |id: &VSwitchId| {
                let row = world.view.vswitch_by_id(*id);
                let stock = self.warm.stock();
                row.is_some_and(|row| stock.has_beside(*id, Families::of(row), &barred))
            };
            let may_have = ids.iter().any(has_some);
            self.supply.waiting.insert(Arc::clone(&key), ids);
            if may_have {
                self.run(&key, world, out);
            }
        }
    }

    fn take_step(&mut self, step: supply::Step, world: World<'_>, out: &mut Vec<Out>) {
        match step {
            supply::Step::Bring {
                intent,
                sets,
                scarce,
            } => {
                let Some(vswitch) = world.view.vswitch_by_id(intent.vswitch()) else {
                    return;
                };
                let asked = Asked {
                    vswitch: vswitch.id,
                    families: Families::of(vswitch),
                    count: sets,
                    keys: VecDeque::new(),
                    give_up_at_ms: world.now_ms + SCARCE_WAIT_MS,
                    dry: None,
                    for_job: true,
                };
                let purpose = match scarce {
                    true => Purpose::Pods,
                    false => Purpose::Later,
                };
                let number = self.ask(asked, purpose, out);
                let beginning = Beginning::Bring {
                    intent,
                    sets,
                    scarce,
                };
                self.supply.beginning.insert(number, beginning);
            }
            supply::Step::TakeOff { eni, addresses } => {
                self.go(eni, command::Plan::Unassign { eni, addresses }, out)
            }
            supply::Step::Delete { eni } => {
                let trunk_too = false;
                self.go(eni, command::Plan::DeleteEni { eni, trunk_too }, out);
            }
        }
    }

    fn go(&mut self, eni: EniNumber, plan: command::Plan, out: &mut Vec<Out>) {
        let number = self.next_number();
        self.supply.beginning.insert(number, Beginning::Go { eni });
        let tag = Tag::Begin {
            number,
            vswitch: VSwitchId(0),
            addresses: Vec::new(),
        };
        self.propose_begin(plan, tag, out);
    }

    /// The vSwitch has promised addresses for a job, or has none.
    pub(super) fn begin(
        &mut self,
        (number, asked): (u64, &Asked),
        grant: Grant,
        world: World<'_>,
        out: &mut Vec<Out>,
    ) {
        let vswitch = asked.vswitch;
        let addresses: Vec<IpAddr> = grant.sets.iter().flatten().copied().collect();
        let Some(Beginning::Bring {
            intent,
            sets,
            scarce,
            ..
        }) = self.supply.beginning.get_mut(&number)
        else {
            return out.push(Out::GiveBack { vswitch, addresses });
        };
        if addresses.is_empty() {
            let why = grant.dry.unwrap_or_else(super::lane_full);
            let scarce = *scarce;
            self.supply.beginning.remove(&number);
            self.supply.dried(vswitch, scarce, why, world.now_ms);
            return self.supply(world, out);
        }
        *sets = grant.sets.len() as u32;
        let intent = intent.clone();
        self.supply.flows(vswitch);
        let Some(plan) = self.job_of(&intent, addresses.clone(), world) else {
            self.supply.beginning.remove(&number);
            return out.push(Out::GiveBack { vswitch, addresses });
        };
        let tag = Tag::Begin {
            number,
            vswitch,
            addresses,
        };
        self.propose_begin(plan, tag, out);
    }

    fn job_of(
        &self,
        intent: &Intent,
        addresses: Vec<IpAddr>,
        world: World<'_>,
    ) -> Option<command::Plan> {
        let pool = world.view.pool_of(&self.node)?;
        Some(match intent {
            Intent::Create { vswitch, kind } => command::Plan::CreateEni {
                vswitch: *vswitch,
                kind: *kind,
                security_groups: pool.security_groups.clone(),
                addresses,
            },
            Intent::Assign { eni, .. } => command::Plan::Assign {
                eni: *eni,
                addresses,
            },
        })
    }

    fn propose_begin(&self, plan: command::Plan, tag: Tag, out: &mut Vec<Out>) {
        let principal = Principal::new("berthd/node").expect("plain"); // fixed text within the limit
        let node = self.node.id;
        let command = Command::BeginJob(BeginJob { node, plan });
        out.push(Out::Propose {
            proposal: message::proposal(&principal, None, None, command),
            span: Span::none(),
            until_ms: None,
            tag,
        });
    }

    /// What became of a job's begin.
    pub(super) fn on_begun(
        &mut self,
        (number, vswitch, addresses): (u64, VSwitchId, Vec<IpAddr>),
        committed: Committed,
        world: World<'_>,
        out: &mut Vec<Out>,
    ) {
        self.supply.beginning.remove(&number);
        match committed {
            Ok(Answer {
                result: Ok(Outcome::Job(_)),
                ..
            }) => {}
            other => {
                let is_certain = match &other {
                    Ok(_) => true,
                    Err(failure) => failure.is_certain(),
                };
                if is_certain && !addresses.is_empty() {
                    out.push(Out::GiveBack { vswitch, addresses });
                }
                tracing::debug!(node = %self.node.name, ?other, "a job was not begun");
                out.push(Out::WakeAt(self.supply.rest(world.now_ms)));
            }
        }
        self.supply(world, out);
    }

    /// Pods wait for what was begun when none did.
    fn hurry(&mut self, out: &mut Vec<Out>) {
        if !self.supply.waiting.is_empty() {
            out.extend(self.supply.hurry().into_iter().map(Out::Urgent));
        }
    }

    /// Others need what is warm here more. Whether some of it goes.
    pub fn on_yield(
        &mut self,
        vswitch: VSwitchId,
        sets: u32,
        world: World<'_>,
        out: &mut Vec<Out>,
    ) -> bool {
        let (Some(pool), Some(cloud)) = (world.view.pool_of(&self.node).cloned(), world.cloud)
        else {
            return false;
        };
        let scene = self.scene(&pool, cloud, world);
        if scene.keeps_all || !self.supply.waiting.is_empty() {
            return false;
        }
        let steps = supply::yielded(&scene, vswitch, sets);
        let some = !steps.is_empty();
        for step in steps {
            self.take_step(step, world, out);
        }
        some
    }
}
