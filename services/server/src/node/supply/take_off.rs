//! Addresses go: whole ENIs first, then from the emptiest ENI; what is closed goes as soon as nobody uses it.

use super::{Beginning, EniScene, SETS_PER_JOB, Scene, Step};
use berth_domain::id::VSwitchId;
use berth_domain::row::{EniKind, EniState};

pub(super) fn steps(scene: &Scene) -> Vec<Step> {
    if scene.keeps_all {
        return Vec::new();
    }
    let mut free = at_rest(scene);
    let closed = free.iter().filter(|eni| eni.is_closed);
    let steps: Vec<Step> = closed.filter_map(|eni| closed_step(eni)).collect();
    if !steps.is_empty() || scene.surplus == 0 {
        return steps;
    }
    // An ENI at a time: what is left decides again.
    let surplus = scene.surplus;
    free.retain(|eni| !eni.is_closed && eni.idle > 0);
    free.sort_by_key(|eni| (eni.load, std::cmp::Reverse(eni.row.number)));
    let whole = free
        .iter()
        .find(|eni| is_deletable(eni) && eni.load <= surplus);
    if let Some(eni) = whole {
        let eni = eni.row.number;
        return vec![Step::Delete { eni }];
    }
    let part = free.iter().find_map(|eni| part(eni, surplus));
    part.into_iter().collect()
}

pub(super) fn yielded(scene: &Scene, vswitch: VSwitchId, mut sets: u32) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut enis = at_rest(scene);
    enis.retain(|eni| eni.row.vswitch == vswitch);
    enis.sort_by_key(|eni| (eni.load, std::cmp::Reverse(eni.row.number)));
    for eni in enis {
        let Some(step) = part(eni, sets) else {
            continue;
        };
        let Step::TakeOff { addresses, .. } = &step else {
            continue;
        };
        let taken = addresses.iter().filter(|at| at.is_ipv4()).count() as u32;
        sets = sets.saturating_sub(taken);
        steps.push(step);
        if sets == 0 {
            break;
        }
    }
    steps
}

/// ENIs that no call is under way for.
fn at_rest(scene: &Scene) -> Vec<&EniScene> {
    let is_going = |eni: &EniScene| {
        let number = eni.row.number;
        let goes = |one: &Beginning| matches!(one, Beginning::Go { eni } if *eni == number);
        scene.beginning.iter().any(goes)
    };
    let at_rest = |eni: &&EniScene| {
        eni.row.state == EniState::InUse && !eni.is_busy && !eni.is_left_alone && !is_going(eni)
    };
    scene.enis.iter().filter(at_rest).collect()
}

/// Nothing new comes onto it: what is warm there is of no use.
fn closed_step(eni: &EniScene) -> Option<Step> {
    match is_deletable(eni) {
        true => Some(Step::Delete {
            eni: eni.row.number,
        }),
        false => part(eni, u32::MAX),
    }
}

/// The trunk never goes.
fn is_deletable(eni: &EniScene) -> bool {
    eni.is_unused && eni.is_old && eni.row.kind != EniKind::Trunk
}

/// Some of its warm addresses; in sets, so that families stay in pairs.
fn part(eni: &EniScene, surplus: u32) -> Option<Step> {
    let per_set = match eni.removable.iter().any(|at| at.is_ipv6()) {
        true => 2,
        false => 1,
    };
    let mut ipv4: Vec<_> = eni.removable.iter().filter(|at| at.is_ipv4()).collect();
    let mut ipv6: Vec<_> = eni.removable.iter().filter(|at| at.is_ipv6()).collect();
    let sets = surplus.min(SETS_PER_JOB) as usize;
    let sets = match per_set {
        2 => sets.min(ipv4.len()).min(ipv6.len()),
        _ => sets.min(ipv4.len()),
    };
    if sets == 0 {
        return None;
    }
    // The last ones: the first are given out first.
    let ipv4 = ipv4.split_off(ipv4.len() - sets);
    let ipv6 = ipv6.split_off(
        ipv6.len()
            .saturating_sub(if per_set == 2 { sets } else { 0 }),
    );
    Some(Step::TakeOff {
        eni: eni.row.number,
        addresses: ipv4.into_iter().chain(ipv6).copied().collect(),
    })
}
