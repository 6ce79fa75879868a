//! A node in a pool: its ADDs wait for addresses on ENIs, and jobs are begun for what they need.

use super::{Asked, CloudWorld, Out, State, Tag, World, chosen};
use crate::cloud::Blocked;
use crate::failure::Failure;
use crate::journal::Committed;
use crate::node::choice::{Found, Plan};
use crate::node::message;
use crate::node::request::*;
use crate::node::supply::{self, Beginning, ENI_YOUNG_MS, EniScene, Group, Intent, Scene};
use crate::vswitch::message::{Grant, Purpose};
use berth_cloud::budget::Level;
use berth_domain::address::Family;
use berth_domain::capacity::{NodeMode, catalogue};
use berth_domain::choose::Families;
use berth_domain::command::{self, BeginJob, Command};
use berth_domain::id::*;
use berth_domain::outcome::{Answer, Outcome};
use berth_domain::row::{self, Eni, EniKind, Job, NodePool, Step, VSwitchChoice};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use tracing::Span;

/// A job waits so long for others' warm addresses.
const SCARCE_WAIT_MS: u64 = 20_000;
/// A step that has not ended by then is not counted on any more: an attach takes 2 to 5 s.
const STUCK_MS: u64 = 20_000;

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
        let blocked = world.view.pool_of(&self.node);
        let blocked = blocked.map_or(&[][..], |pool| pool.blocked.as_slice());
        for vswitch in &plan.candidates {
            let families = Families::of(vswitch);
            if let Some((eni, set)) = self.warm.take_beside(vswitch.id, families, blocked) {
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
            out.push(Out::FlushSoon);
        }
        self.supply.wait(&add.key, &plan);
        out.push(Out::WakeAt(add.give_up_at_ms.max(world.now_ms + 1)));
        add.phase = Phase::Parked(failure);
        Some(add)
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
        self.serve_waiting(&pool, world, out);
        let Some(cloud) = world.cloud else { return };
        let now_ms = world.now_ms;
        self.supply.know(now_ms);
        if !self.supply.rests(now_ms) {
            let scene = self.scene(&pool, cloud, world);
            for step in supply::plan(&scene) {
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
    fn serve_waiting(&mut self, pool: &NodePool, world: World<'_>, out: &mut Vec<Out>) {
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
                row.is_some_and(|row| stock.has_beside(*id, Families::of(row), &pool.blocked))
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
                urgent,
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
                    urgent,
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
        let beginning = self.supply.beginning.remove(&number);
        let is_urgent = matches!(beginning, Some(Beginning::Bring { urgent: true, .. }));
        match committed {
            Ok(Answer {
                result: Ok(Outcome::Job(job)),
                ..
            }) => {
                if is_urgent {
                    out.push(Out::Urgent(job));
                }
            }
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
    fn hurry(&self, out: &mut Vec<Out>) {
        if self.supply.waiting.is_empty() {
            return;
        }
        let jobs = self.supply.jobs.values();
        let brings = jobs.filter(|job| job.work.brings());
        out.extend(brings.map(|job| Out::Urgent(job.id)));
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

    // === the scene ===

    fn scene(&mut self, pool: &NodePool, cloud: CloudWorld<'_>, world: World<'_>) -> Scene {
        let (id, now_ms) = (self.node.id, world.now_ms);
        let usable = |vswitch: &VSwitchId| {
            let row = world.view.vswitch_by_id(*vswitch);
            let fits = |row: &Arc<_>| {
                let row: &berth_domain::row::VSwitch = row;
                row.zone == self.node.zone && row.cloud.is_some()
            };
            pool.takes_from(*vswitch) && row.is_some_and(fits)
        };
        let mut vswitches: Vec<VSwitchId> = pool.vswitches.iter().copied().filter(usable).collect();
        if pool.choice == VSwitchChoice::Random {
            let salt = self.supply.enis.len() as u64;
            vswitches.sort_by_key(|vswitch| scattered(vswitch.0, id.0, salt));
        }
        let rests = |vswitch: &VSwitchId| cloud.rests(id, *vswitch, now_ms).is_some();
        let is_dry = |vswitch: &VSwitchId| self.supply.is_dry(*vswitch, now_ms);
        let set = |fits: &dyn Fn(&VSwitchId) -> bool| -> BTreeSet<VSwitchId> {
            vswitches.iter().copied().filter(|id| fits(id)).collect()
        };
        let expected = self.expected(world);
        let enis = self.enis(pool, (now_ms, world.ledger_ms()));
        let trunk = enis.iter().any(|eni| eni.row.kind == EniKind::Trunk);
        let mut scene = Scene {
            eni_slots: self.node.eni_slots,
            sets_per_eni: self.node.addresses_per_eni,
            beginning: self.supply.beginning.values().cloned().collect(),
            needs: self.needs(pool.min_idle.saturating_add(expected), &vswitches),
            choice: pool.choice,
            free: cloud.free.clone(),
            dry: set(&|id| is_dry(id).0),
            hopeless: set(&|id| is_dry(id).1 || rests(id)),
            is_blocked: cloud.troubles.rests(Blocked::Node(id), now_ms).is_some(),
            no_more_enis: cloud.troubles.rests(Blocked::Enis(id), now_ms).is_some(),
            wants_trunk: pool.mode == NodeMode::SharedTrunk && !trunk && self.can_trunk(),
            keeps_all: cloud.troubles.level() != Level::Normal,
            idle_max: pool.max_idle.max(pool.min_idle.saturating_add(expected)),
            is_surplus: false,
            vswitches,
            enis,
        };
        let is_too_much = scene.idle() > scene.idle_max && self.supply.waiting.is_empty();
        scene.is_surplus = self.supply.surplus(is_too_much, now_ms);
        scene
    }

    fn can_trunk(&self) -> bool {
        let limits = catalogue::find(self.node.instance_type.as_str());
        limits.is_some_and(|limits| limits.trunk_members().is_some_and(|count| count > 0))
    }

    /// Pods that are scheduled here and have neither an address nor asked for one yet.
    fn expected(&self, world: World<'_>) -> u32 {
        let scheduled = world.facts.scheduled(self.node.name.as_str());
        if scheduled.is_empty() {
            return 0;
        }
        let held = self.allocations.values();
        let held = held.map(|row| (&row.key.cluster, &row.pod.namespace, &row.pod.name));
        let asking = self.lanes.values().flatten().filter_map(|work| match work {
            Work::Add(add) => {
                let pod = &add.request.pod;
                Some((&add.key.cluster, &pod.namespace, &pod.name))
            }
            Work::Del(_) => None,
        });
        let here: BTreeSet<_> = held.chain(asking).collect();
        let missing =
            |pod: &&(ClusterName, Namespace, PodName)| !here.contains(&(&pod.0, &pod.1, &pod.2));
        u32::try_from(scheduled.iter().filter(missing).count()).unwrap_or(u32::MAX)
    }

    /// Those who wait, by what would do for them; then what the pool keeps warm, and what those need who will come.
    fn needs(&self, warm: u32, vswitches: &[VSwitchId]) -> Vec<Group> {
        let mut groups: BTreeMap<&[VSwitchId], u32> = BTreeMap::new();
        for ids in self.supply.waiting.values() {
            *groups.entry(ids).or_default() += 1;
        }
        // The choosiest first.
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_key(|(ids, _)| ids.len());
        let waiting = groups.into_iter().map(|(ids, sets)| Group {
            vswitches: ids.to_vec(),
            sets,
            urgent: true,
        });
        let warm = Group {
            vswitches: vswitches.to_vec(),
            sets: warm,
            urgent: false,
        };
        waiting.chain(std::iter::once(warm)).collect()
    }

    /// `now`: monotonic, and the ledger's.
    fn enis(&self, pool: &NodePool, now: (u64, u64)) -> Vec<EniScene> {
        let scene = |row: &Arc<Eni>| {
            let jobs = self.supply.jobs.values();
            let own = jobs.filter(|job| job.eni == row.number);
            let own: Vec<&Job> = own.map(|job| &**job).collect();
            self.eni_scene(row, &own, pool, now)
        };
        self.supply.enis.values().map(scene).collect()
    }

    fn eni_scene(
        &self,
        row: &Arc<Eni>,
        jobs: &[&Job],
        pool: &NodePool,
        now: (u64, u64),
    ) -> EniScene {
        let now_ms = now.0;
        let stock = self.warm.stock();
        let none = (Vec::new(), [0, 0]);
        let (warm, load) = row
            .id
            .as_ref()
            .map_or(none, |id| (stock.warm_on(id), stock.load_of(id)));
        let count = |addresses: &[IpAddr], family: Family| {
            addresses
                .iter()
                .filter(|at| Family::of(**at) == family)
                .count() as u32
        };
        let most = |of: &dyn Fn(Family) -> u32| Family::ALL.into_iter().map(of).max().unwrap_or(0);
        let of_jobs = |family, brings: bool| {
            let some = jobs.iter().filter(|job| !brings || is_bringing(job, now));
            some.map(|job| count(&job.addresses, family)).sum::<u32>()
        };
        let is_blocked = row.id.as_ref().is_some_and(|id| pool.blocked.contains(id));
        EniScene {
            load: most(&|family| load[family as usize] + of_jobs(family, false)),
            coming: most(&|family| of_jobs(family, true)),
            // Of a pair both are there.
            idle: most(&|family| count(&warm, family)),
            is_busy: jobs.iter().any(|job| keeps_busy(job, now)),
            is_closed: is_blocked || !pool.takes_from(row.vswitch),
            is_unused: Family::ALL
                .into_iter()
                .all(|family| load[family as usize] == count(&warm, family)),
            is_old: self.supply.age_ms(row.number, now_ms) >= ENI_YOUNG_MS,
            removable: warm.into_iter().filter(|at| *at != row.primary).collect(),
            row: Arc::clone(row),
        }
    }
}

// === impl CloudWorld ===

impl CloudWorld<'_> {
    /// Why the cloud gives this node nothing of this vSwitch.
    fn rests(&self, node: NodeId, vswitch: VSwitchId, now_ms: u64) -> Option<&str> {
        let blocked = [Blocked::VSwitch(vswitch), Blocked::Pair(node, vswitch)];
        let why = |what| self.troubles.rests(what, now_ms);
        blocked.into_iter().find_map(why).map(|(_, why)| why)
    }
}

/// Whether what a job is for is soon there. One whose call nobody heard the end of may wait for a quarter of an hour.
fn is_bringing(job: &Job, (_, ledger_ms): (u64, u64)) -> bool {
    let brings = matches!(
        job.step,
        Step::Create | Step::Attach | Step::AwaitAttached | Step::AssignIpv4 | Step::AssignIpv6
    );
    brings && ledger_ms < job.step_since_ms + STUCK_MS
}

/// Whether the cloud would have two calls of one ENI at once.
fn keeps_busy(job: &Job, now: (u64, u64)) -> bool {
    match job.work {
        row::Work::CreateEni | row::Work::Assign => {
            is_bringing(job, now) || job.work == row::Work::CreateEni
        }
        row::Work::Unassign => job.step != Step::AwaitUnassigned,
        row::Work::DeleteEni => true,
    }
}

/// The same for the same numbers, and without any order.
fn scattered(one: u64, other: u64, third: u64) -> u64 {
    let mixed =
        one.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ other.rotate_left(21) ^ third.rotate_left(42);
    mixed
        .wrapping_mul(0xbf58_476d_1ce4_e5b9)
        .rotate_left(31)
        .wrapping_mul(0x94d0_49bb_1331_11eb)
}
