use super::*;
use crate::apply::testing::*;
use crate::command::{Command, Reclaim, Stock};
use crate::id::NodeId;
use std::collections::BTreeSet;

const V4: Families = Families {
    v4: true,
    v6: false,
};

/// A pool that sees every group of a world.
struct Seen {
    world: World,
    pool: VSwitchPool,
    groups: usize,
}

impl Seen {
    fn new(world: World) -> Self {
        let pool = VSwitchPool::new(&world.ledger, world.vswitch).expect("a pool");
        let groups = world.groups.len();
        Self {
            world,
            pool,
            groups,
        }
    }

    /// Whatever was applied is observed, and the pool is what one made anew would be.
    fn observe(&mut self) {
        for group in &self.world.groups[self.groups..] {
            group
                .changes
                .iter()
                .for_each(|change| self.pool.observe(change));
        }
        self.groups = self.world.groups.len();
        assert_eq!(
            Some(self.pool.counts()),
            self.world.ledger.counts(self.world.vswitch)
        );
    }

    fn take(&mut self) -> Option<IpAddr> {
        self.pool.take(1, V4, 0).pop().map(|set| set[0])
    }

    fn bind(&mut self, sandbox: &str, address: IpAddr) {
        let bind = self.world.add(sandbox, &address.to_string());
        self.world.bind(bind);
        self.observe();
    }

    fn stock(&mut self, node: NodeId, addresses: &[IpAddr]) {
        let (vswitch, eni, addresses) = (self.world.vswitch, None, addresses.to_vec());
        self.world.done(Command::Stock(Stock {
            vswitch,
            node,
            eni,
            addresses,
        }));
        self.observe();
    }
}

/// Promise: never-used addresses come first, then those free longest; excluded, used and promised ones never.
#[test]
fn never_used_then_oldest_free() {
    let mut world = World::new();
    world.vswitch = world.vswitch(create_vswitch(
        "small",
        subnet("10.1.0.0/29", Some("10.1.0.3")),
        None,
    ));
    let mut seen = Seen::new(world);
    let first: Vec<IpAddr> = (0..3).filter_map(|_| seen.take()).collect();
    assert_eq!(first, [ip("10.1.0.1"), ip("10.1.0.2"), ip("10.1.0.4")]);
    for (n, address) in first.iter().enumerate() {
        seen.bind(&format!("s{n}"), *address);
    }
    // The second is released before the first.
    for n in [1, 0] {
        let del = seen.world.del(&format!("s{n}"));
        seen.world.release(del);
        seen.world.now_ms += 1;
    }
    seen.observe();
    assert_eq!(
        seen.pool.next_cooling_due_ms(Family::V4),
        Some(1_000 + COOLING_MS)
    );
    seen.world.now_ms += COOLING_MS - 2;
    seen.world.expire();
    seen.world.now_ms += 2;
    seen.world.expire();
    seen.observe();
    let rest: Vec<IpAddr> = std::iter::from_fn(|| seen.take()).collect();
    assert_eq!(
        rest,
        [
            ip("10.1.0.5"),
            ip("10.1.0.6"),
            ip("10.1.0.2"),
            ip("10.1.0.1")
        ]
    );
    assert_eq!(seen.pool.available(Family::V4), 0);
}

/// Promise: what is given back is chosen again in its old place; what was seen in use meanwhile is not.
#[test]
fn promises_end() {
    let mut seen = Seen::new(World::new());
    let (a, b) = (seen.take().expect("a"), seen.take().expect("b"));
    assert_eq!(seen.pool.available(Family::V4), 252);
    seen.bind("s", a);
    seen.pool.give_back(&[a, b]);
    assert_eq!(seen.take(), Some(b));
    assert_eq!(seen.pool.available(Family::V4), 252);
    seen.pool.settle(&[b]);
    assert_ne!(seen.take(), Some(b));
}

/// Promise: a specific address is promised once, if it is free: never used, ahead or behind, or free again.
#[test]
fn specific_addresses() {
    let mut seen = Seen::new(World::new());
    assert!(seen.pool.promise(ip("10.0.0.3")));
    assert!(!seen.pool.promise(ip("10.0.0.3")), "promised");
    assert!(!seen.pool.promise(ip("10.0.0.255")), "excluded");
    assert!(!seen.pool.promise(ip("fd00::1")), "no such family");
    assert_eq!(
        (seen.take(), seen.take(), seen.take()),
        (
            Some(ip("10.0.0.1")),
            Some(ip("10.0.0.2")),
            Some(ip("10.0.0.4"))
        )
    );
    seen.pool.give_back(&[ip("10.0.0.3"), ip("10.0.0.2")]);
    assert!(seen.pool.promise(ip("10.0.0.2")));
    assert_eq!(seen.take(), Some(ip("10.0.0.3")));
    seen.bind("s", ip("10.0.0.9"));
    assert!(!seen.pool.promise(ip("10.0.0.9")), "bound");
    let del = seen.world.del("s");
    seen.world.release(del);
    seen.observe();
    assert!(!seen.pool.promise(ip("10.0.0.9")), "cooling");
    seen.world.now_ms += COOLING_MS;
    seen.world.expire();
    seen.observe();
    assert!(seen.pool.promise(ip("10.0.0.9")), "free again");
}

/// Promise: dual-stack sets are complete, and what half a set was promised is not lost when the other family is out.
#[test]
fn complete_sets() {
    let mut world = World::new();
    let (ipv4, ipv6) = (subnet("10.1.0.0/24", None), subnet("fd00::/126", None));
    world.vswitch = world.vswitch(create_vswitch("dual", ipv4, ipv6));
    let mut pool = VSwitchPool::new(&world.ledger, world.vswitch).expect("a pool");
    let families = Families::of(pool.vswitch());
    assert_eq!(pool.available_sets(families), 3);
    let sets = pool.take(5, families, 0);
    assert_eq!(sets.len(), 3);
    assert_eq!(sets[0], [ip("10.1.0.1"), ip("fd00::1")]);
    assert_eq!(
        (pool.available(Family::V4), pool.available(Family::V6)),
        (251, 0)
    );
    assert_eq!(pool.take(1, V4, 0), [[ip("10.1.0.4")]]);
}

/// Promise: warm addresses are taken back from the node that has most, none twice, and one that stays can be asked for again.
#[test]
fn reclaim_from_the_richest() {
    let mut seen = Seen::new(World::new());
    let [poor, rich] = seen.world.nodes;
    let taken: Vec<IpAddr> = seen.pool.take(7, V4, 0).concat();
    seen.stock(poor, &taken[..2]);
    seen.stock(rich, &taken[2..]);
    let first = seen.pool.reclaim(3, Family::V4);
    assert_eq!(
        first
            .iter()
            .map(|(node, some)| (*node, some.len()))
            .collect::<Vec<_>>(),
        [(rich, 3)]
    );
    let more = seen.pool.reclaim(9, Family::V4);
    let all: BTreeSet<IpAddr> = more
        .iter()
        .flat_map(|(_, addresses)| addresses.clone())
        .collect();
    assert_eq!(all.len(), 4, "those on the way are not named again");
    assert_eq!(seen.pool.reclaim(1, Family::V4), []);
    seen.pool.keep(&[taken[0]]);
    assert_eq!(seen.pool.reclaim(1, Family::V4), [(poor, vec![taken[0]])]);
    let (vswitch, addresses) = (seen.world.vswitch, vec![taken[0]]);
    seen.world.done(Command::Reclaim(Reclaim {
        vswitch,
        node: poor,
        addresses,
    }));
    seen.observe();
    assert_eq!(
        (
            seen.pool.idle(poor, Family::V4),
            seen.pool.available(Family::V4)
        ),
        (0, 248)
    );
}

/// Promise: a pool made from a ledger and one that saw everything choose the same.
#[test]
fn made_anew_it_is_the_same() {
    let mut seen = Seen::new(World::new());
    for n in 0..20 {
        let address = seen.take().expect("free");
        seen.bind(&format!("s{n}"), address);
        if n % 3 == 0 {
            let del = seen.world.del(&format!("s{n}"));
            seen.world.release(del);
            seen.observe();
        }
        seen.world.now_ms += COOLING_MS / 8;
        seen.world.expire();
        seen.observe();
    }
    let mut anew = VSwitchPool::new(&seen.world.ledger, seen.world.vswitch).expect("a pool");
    assert_eq!(anew.take(300, V4, 0), seen.pool.take(300, V4, 0));
}

/// Promise (A15): from empty to full a pool gives out every address once, then none.
#[test]
fn every_address_once() {
    let mut world = World::new();
    world.vswitch = world.vswitch(create_vswitch("large", subnet("10.16.0.0/16", None), None));
    let mut pool = VSwitchPool::new(&world.ledger, world.vswitch).expect("a pool");
    let all: BTreeSet<AddressSet> = pool.take(u32::MAX, V4, 0).into_iter().collect();
    assert_eq!(all.len(), 65_534);
    assert_eq!(pool.take(1, V4, 0), Vec::<AddressSet>::new());
}
