//! Addresses come: onto the ENIs that are there, then with new ones.

use super::{Beginning, CREATES_MAX, EniScene, Group, Intent, SETS_PER_JOB, Scene, Step};
use berth_domain::id::{EniNumber, VSwitchId};
use berth_domain::row::{EniKind, EniState, VSwitchChoice};
use std::collections::{BTreeMap, BTreeSet};

/// What is left of what there is, while it is dealt out.
struct Left<'a> {
    scene: &'a Scene,
    /// Sets by vSwitch: warm, or on their way.
    there: BTreeMap<VSwitchId, u32>,
    /// Sets that still fit on each ENI that is busy, or on one that is not in the ledger yet.
    room: Vec<(VSwitchId, u32)>,
    /// ENIs that get something by this plan.
    taken: BTreeSet<EniNumber>,
    slots: u32,
    creates: usize,
    wants_trunk: bool,
    steps: Vec<Step>,
}

pub(super) fn steps(scene: &Scene) -> Vec<Step> {
    let mut left = Left::new(scene);
    for group in &scene.needs {
        left.serve(group);
    }
    left.steps
}

// === impl Left ===

impl<'a> Left<'a> {
    fn new(scene: &'a Scene) -> Self {
        let mut left = Self {
            scene,
            there: BTreeMap::new(),
            room: Vec::new(),
            taken: BTreeSet::new(),
            slots: scene.eni_slots.saturating_sub(scene.enis.len() as u32),
            creates: 0,
            wants_trunk: scene.wants_trunk,
            steps: Vec::new(),
        };
        for eni in &scene.enis {
            left.count(eni);
        }
        for beginning in &scene.beginning {
            left.count_beginning(beginning);
        }
        left
    }

    fn count(&mut self, eni: &EniScene) {
        if !eni.is_closed {
            *self.there.entry(eni.row.vswitch).or_default() += eni.idle + eni.coming;
        }
        if eni.will_be_open() {
            let room = self.scene.sets_per_eni.saturating_sub(eni.load);
            self.room.push((eni.row.vswitch, room));
        }
        if matches!(eni.row.state, EniState::Planned | EniState::Available) {
            self.creates += 1;
        }
    }

    fn count_beginning(&mut self, beginning: &Beginning) {
        let (intent, sets) = match beginning {
            Beginning::Bring { intent, sets, .. } => (intent, *sets),
            Beginning::Go { eni } => {
                self.taken.insert(*eni);
                return;
            }
        };
        *self.there.entry(intent.vswitch()).or_default() += sets;
        match intent {
            Intent::Create { vswitch, kind } => {
                self.slots = self.slots.saturating_sub(1);
                self.creates += 1;
                self.wants_trunk &= *kind != EniKind::Trunk;
                let room = self.scene.sets_per_eni.saturating_sub(sets);
                self.room.push((*vswitch, room));
            }
            Intent::Assign { vswitch, eni } => {
                self.taken.insert(*eni);
                let load = self.scene.enis.iter().find(|one| one.row.number == *eni);
                let load = load.map_or(0, |one| one.load);
                let room = self.scene.sets_per_eni.saturating_sub(load + sets);
                self.room.push((*vswitch, room));
            }
        }
    }

    fn serve(&mut self, group: &Group) {
        let mut need = group.sets;
        for id in &group.vswitches {
            let there = self.there.entry(*id).or_default();
            let some = need.min(*there);
            (*there, need) = (*there - some, need - some);
        }
        if need == 0 || self.scene.is_blocked {
            return;
        }
        need = self.assign(group, need);
        for (vswitch, room) in &mut self.room {
            if group.vswitches.contains(vswitch) {
                let some = need.min(*room);
                (*room, need) = (*room - some, need - some);
            }
        }
        self.create(group, need);
    }

    /// Onto ENIs that are there, the fullest first: whole ENIs become empty the sooner.
    fn assign(&mut self, group: &Group, mut need: u32) -> u32 {
        let scene = self.scene;
        let mut open: Vec<&EniScene> = scene.enis.iter().filter(|eni| eni.is_open()).collect();
        open.retain(|eni| {
            group.vswitches.contains(&eni.row.vswitch)
                && !self.taken.contains(&eni.row.number)
                && self.gives(eni.row.vswitch, group)
        });
        open.sort_by_key(|eni| (std::cmp::Reverse(eni.load), eni.row.number));
        for eni in open {
            let room = scene.sets_per_eni.saturating_sub(eni.load);
            let sets = need.min(room).min(SETS_PER_JOB);
            if sets == 0 {
                continue;
            }
            need -= sets;
            self.taken.insert(eni.row.number);
            self.room.push((eni.row.vswitch, room - sets));
            let (vswitch, eni) = (eni.row.vswitch, eni.row.number);
            self.bring(Intent::Assign { vswitch, eni }, sets);
        }
        need
    }

    fn create(&mut self, group: &Group, mut need: u32) {
        while need > 0 && self.slots > 0 && self.creates < CREATES_MAX && !self.scene.no_more_enis {
            let Some(vswitch) = self.choose(group) else {
                return;
            };
            let sets = need.min(self.scene.sets_per_eni).min(SETS_PER_JOB);
            if sets == 0 {
                return;
            }
            let kind = match std::mem::take(&mut self.wants_trunk) {
                true => EniKind::Trunk,
                false => EniKind::Secondary,
            };
            self.slots -= 1;
            self.creates += 1;
            let room = self.scene.sets_per_eni - sets;
            let later = room.min(need - sets);
            need -= sets + later;
            self.room.push((vswitch, room - later));
            self.bring(Intent::Create { vswitch, kind }, sets);
        }
    }

    fn bring(&mut self, intent: Intent, sets: u32) {
        let scarce = self.scene.dry.contains(&intent.vswitch());
        self.steps.push(Step::Bring {
            intent,
            sets,
            scarce,
        });
    }

    /// Whether a vSwitch may be asked: it has free ones, or pods wait and all of theirs have none.
    fn gives(&self, vswitch: VSwitchId, group: &Group) -> bool {
        let scene = self.scene;
        if !scene.vswitches.contains(&vswitch) || scene.hopeless.contains(&vswitch) {
            return false;
        }
        let is_dry = |id: &VSwitchId| scene.dry.contains(id) || scene.hopeless.contains(id);
        let all_dry = || {
            let of_group = group.vswitches.iter();
            let mut asked = of_group.filter(|id| scene.vswitches.contains(id));
            asked.all(is_dry)
        };
        !is_dry(&vswitch) || group.urgent && all_dry()
    }

    fn choose(&self, group: &Group) -> Option<VSwitchId> {
        let scene = self.scene;
        let fit = |id: &&VSwitchId| group.vswitches.contains(id) && self.gives(**id, group);
        let mut fit: Vec<VSwitchId> = scene.vswitches.iter().filter(fit).copied().collect();
        if scene.choice == VSwitchChoice::MostFree {
            let under_way = |id: VSwitchId| {
                let brings = self.steps.iter().map(|step| match step {
                    Step::Bring { intent, sets, .. } if intent.vswitch() == id => u64::from(*sets),
                    _ => 0,
                });
                brings.sum::<u64>()
            };
            let free = |id: VSwitchId| scene.free.get(&id).copied().unwrap_or(0);
            fit.sort_by_key(|id| std::cmp::Reverse(free(*id).saturating_sub(under_way(*id))));
        }
        fit.first().copied()
    }
}
