//! Many jobs at once in a cloud in which everything goes wrong now and then.

use crate::world::World;
use berth_cloud::simulator::{Chances, Setup};
use berth_domain::command::Plan;

const SEEDS: u64 = 150;
const ROUNDS: u64 = 60;

/// Numbers from a seed (splitmix64).
struct Draw(u64);

impl Draw {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % most
    }
}

fn troubled() -> Setup {
    let mut setup = Setup::built_in();
    let chances = Chances {
        error_before: 40,
        error_after: 40,
        lost_before: 40,
        lost_after: 40,
        throttled: 40,
        conflict: 40,
        partial: 60,
    };
    setup.faults.chances.insert("*".into(), chances);
    setup.faults.foreign_grab = 100;
    setup.faults.foreign_hold_ms = 600_000;
    setup.faults.stale = 200;
    setup.times.stale_ms = 5_000;
    setup
}

fn plan(world: &World, draw: &mut Draw) -> Option<Plan> {
    let Some(eni) = world.in_use() else {
        return Some(world.create(1 + draw.below(5) as u16));
    };
    Some(match draw.below(8) {
        0 => world.create(1 + draw.below(5) as u16),
        1..=3 => {
            let addresses = world.free(draw.below(1_900) as u16, 1 + draw.below(3) as u16);
            Plan::Assign { eni, addresses }
        }
        4..=6 => {
            let mut addresses = world.idle(eni);
            addresses.truncate(draw.below(6) as usize);
            Plan::Unassign { eni, addresses }
        }
        _ => Plan::DeleteEni {
            eni,
            trunk_too: false,
        },
    })
}

/// Promise: whatever goes wrong, in whatever order, cloud and ledger agree once no job is left, and never disagree to a pod's harm.
#[test]
fn everything_at_once() {
    let mut calls = 0;
    for seed in 0..SEEDS {
        let mut world = World::new(troubled(), seed);
        let mut draw = Draw(seed);
        for _ in 0..ROUNDS {
            match draw.below(10) {
                0..=3 => {
                    if let Some(plan) = plan(&world, &mut draw) {
                        // What does not fit is refused, which is right.
                        let _ = world.begin(plan);
                    }
                }
                4 => {
                    if let Some(eni) = world.in_use() {
                        world.bind(eni);
                    }
                }
                5 => world.lose_the_leader(),
                _ => (0..draw.below(6)).for_each(|_| world.step()),
            }
        }
        world.cloud.setup().faults.chances.clear();
        world.cloud.setup().faults.stale = 0;
        world.settle();
        if let Err(said) = world.agrees() {
            panic!("seed {seed}: {said}");
        }
        calls += world.calls;
    }
    println!("{SEEDS} seeds, {calls} changing calls");
}
