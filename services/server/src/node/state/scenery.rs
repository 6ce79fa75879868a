//! What a plan of jobs is made from: a node's ENIs, who waits, and what the cloud refuses.

use super::{CloudWorld, State, World};
use crate::cloud::{Scope, Troubles};
use crate::node::request::Work;
use crate::node::supply::{Counts, ENI_YOUNG_MS, EniScene, Group, Scene};
use berth_cloud::budget::Level;
use berth_domain::address::Family;
use berth_domain::capacity::{NodeMode, catalogue};
use berth_domain::id::*;
use berth_domain::row::{self, Eni, EniKind, Job, NodePool, Step, VSwitchChoice};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

/// A step that has not ended by then is not counted on any more: an attach takes 2 to 5 s.
pub(super) const STUCK_MS: u64 = 20_000;

// === impl State ===

impl State {
    pub(super) fn scene(
        &mut self,
        pool: &NodePool,
        cloud: CloudWorld<'_>,
        world: World<'_>,
    ) -> Scene {
        let (id, now_ms) = (self.node.id, world.now_ms);
        let expected = self.expected(world);
        let enis = self.enis(pool, cloud.troubles, (now_ms, world.ledger_ms()));
        let counts = counts(&enis, expected);
        let wanted = self.supply.idle.wanted(&pool.idle, counts);
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
        let trunk = enis.iter().any(|eni| eni.row.kind == EniKind::Trunk);
        let mut scene = Scene {
            eni_slots: self.node.eni_slots,
            sets_per_eni: self.node.addresses_per_eni,
            beginning: self.supply.beginning.values().cloned().collect(),
            needs: self.needs(wanted, &vswitches),
            choice: pool.choice,
            free: cloud.free.clone(),
            dry: set(&|id| is_dry(id).0),
            hopeless: set(&|id| is_dry(id).1 || rests(id)),
            is_blocked: cloud.troubles.rests(Scope::Node(id), now_ms).is_some(),
            no_more_enis: cloud.troubles.rests(Scope::Enis(id), now_ms).is_some(),
            wants_trunk: pool.mode == NodeMode::SharedTrunk && !trunk && self.can_trunk(),
            keeps_all: cloud.troubles.level() != Level::Normal,
            surplus: 0,
            vswitches,
            enis,
        };
        let open = scene.enis.iter().filter(|eni| !eni.is_closed);
        let warm = open.flat_map(|eni| eni.warm.iter().copied());
        let surplus = self.supply.idle.surplus(&pool.idle, counts, warm, now_ms);
        // Who waits takes what is there first.
        if self.supply.waiting.is_empty() {
            scene.surplus = surplus;
        }
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
    fn enis(&self, pool: &NodePool, troubles: &Troubles, now: (u64, u64)) -> Vec<EniScene> {
        let scene = |row: &Arc<Eni>| {
            let jobs = self.supply.jobs.values();
            let own = jobs.filter(|job| job.eni == row.number);
            let own: Vec<&Job> = own.map(|job| &**job).collect();
            let mut scene = self.eni_scene(row, &own, pool, now);
            scene.is_left_alone = troubles.is_left_alone(row.number);
            scene.is_closed |= scene.is_left_alone;
            scene
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
            is_left_alone: false,
            warm: warm.iter().copied().filter(IpAddr::is_ipv4).collect(),
            is_old: self.supply.age_ms(row.number, now_ms) >= ENI_YOUNG_MS,
            removable: warm.into_iter().filter(|at| *at != row.primary).collect(),
            row: Arc::clone(row),
        }
    }
}

/// In sets. What is on closed ENIs serves nobody new, but its pods count.
fn counts(enis: &[EniScene], expected: u32) -> Counts {
    let mut counts = Counts {
        idle: 0,
        others: 0,
        expected,
    };
    for eni in enis {
        counts.idle += if eni.is_closed { 0 } else { eni.idle };
        counts.others += eni.load.saturating_sub(eni.idle + eni.coming);
    }
    counts
}

// === impl CloudWorld ===

impl CloudWorld<'_> {
    /// Why the cloud gives this node nothing of this vSwitch.
    fn rests(&self, node: NodeId, vswitch: VSwitchId, now_ms: u64) -> Option<&str> {
        let blocked = [Scope::VSwitch(vswitch), Scope::Pair(node, vswitch)];
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
