use super::*;
use crate::apply::testing::*;
use crate::command::{Command, Stock};

const V4: Families = Families {
    v4: true,
    v6: false,
};

struct Seen {
    world: World,
    stock: NodeStock,
    groups: usize,
}

impl Seen {
    /// A node with two slots of two addresses each, and a warm target of four.
    fn new() -> Self {
        let mut world = World::new();
        let mut command = register_node("worker-3", "i-3");
        (
            command.eni_slots,
            command.addresses_per_eni,
            command.warm_target,
        ) = (2, 2, 4);
        world.nodes[0] = world.node(command);
        let stock = NodeStock::new(&world.ledger, world.nodes[0]).expect("a stock");
        let groups = world.groups.len();
        Self {
            world,
            stock,
            groups,
        }
    }

    fn observe(&mut self) {
        for group in &self.world.groups[self.groups..] {
            group
                .changes
                .iter()
                .for_each(|change| self.stock.observe(change));
        }
        self.groups = self.world.groups.len();
        // One made anew knows the same.
        let anew = NodeStock::new(&self.world.ledger, self.world.nodes[0]).expect("a stock");
        assert_eq!(
            (&anew.warm, &anew.enis),
            (&self.stock.warm, &self.stock.enis)
        );
    }

    fn stock(&mut self, eni: Option<&str>, addresses: &[&str]) {
        let command = Stock {
            vswitch: self.world.vswitch,
            node: self.world.nodes[0],
            eni: eni.map(|eni| name(eni, EniId::new)),
            addresses: addresses.iter().map(|address| ip(address)).collect(),
        };
        self.world.done(Command::Stock(command));
        self.observe();
    }
}

/// Promise: warm addresses are taken once, come back when they were not needed, and are gone when they are bound.
#[test]
fn warm_addresses() {
    let mut seen = Seen::new();
    let vswitch = seen.world.vswitch;
    assert_eq!(seen.stock.take(vswitch, V4), None);
    seen.stock(Some("eni-1"), &["10.0.0.5", "10.0.0.6"]);
    let eni = Some(name("eni-1", EniId::new));
    assert_eq!(
        seen.stock.take(vswitch, V4),
        Some((eni.clone(), vec![ip("10.0.0.5")]))
    );
    assert_eq!(
        seen.stock.take(vswitch, V4),
        Some((eni.clone(), vec![ip("10.0.0.6")]))
    );
    assert_eq!(
        (
            seen.stock.take(vswitch, V4),
            seen.stock.warm(vswitch, Family::V4)
        ),
        (None, 0)
    );
    seen.stock.give_back(&[ip("10.0.0.6")]);
    assert_eq!(seen.stock.warm(vswitch, Family::V4), 1);
    seen.stock.give_back(&[ip("10.0.0.5")]);
    let mut bind = seen.world.add("a", "10.0.0.5");
    bind.eni = eni.clone();
    seen.world.bind(bind);
    seen.observe();
    seen.stock.give_back(&[ip("10.0.0.5")]);
    assert_eq!(
        seen.stock.take(vswitch, V4),
        Some((eni, vec![ip("10.0.0.6")]))
    );
    assert_eq!(seen.stock.take(vswitch, V4), None);
}

/// Promise: a vSwitch is asked for the whole target once half of it is gone, minus what was asked for and what has room.
#[test]
fn asked_in_batches() {
    let mut seen = Seen::new();
    let vswitch = seen.world.vswitch;
    assert_eq!(seen.stock.wanted(vswitch, V4), 4);
    seen.stock.asked(vswitch, 4);
    assert_eq!(seen.stock.wanted(vswitch, V4), 0);
    seen.stock.answered(vswitch, 4);
    seen.stock(Some("eni-1"), &["10.0.0.5", "10.0.0.6"]);
    assert_eq!(seen.stock.wanted(vswitch, V4), 0, "half of it is there");
    seen.stock.take(vswitch, V4).expect("warm");
    assert_eq!(
        seen.stock.wanted(vswitch, V4),
        2,
        "three are missing, two have room"
    );
}

/// Promise: the fullest ENI with room is chosen, then one to attach, then none; without ENIs there is no limit.
#[test]
fn eni_slots() {
    let mut seen = Seen::new();
    assert_eq!(
        (seen.stock.slot(V4), seen.stock.room(V4)),
        (Slot::Attach, 4)
    );
    seen.stock(Some("eni-1"), &["10.0.0.5"]);
    let eni = |text| name(text, EniId::new);
    assert_eq!(
        (seen.stock.slot(V4), seen.stock.room(V4)),
        (Slot::On(eni("eni-1")), 3)
    );
    seen.stock(Some("eni-1"), &["10.0.0.6"]);
    assert_eq!(seen.stock.slot(V4), Slot::Attach);
    seen.stock(Some("eni-2"), &["10.0.0.7"]);
    assert_eq!(seen.stock.slot(V4), Slot::On(eni("eni-2")));
    let mut bind = seen.world.add("a", "10.0.0.7");
    bind.eni = Some(eni("eni-2"));
    seen.world.bind(bind);
    seen.observe();
    seen.stock(Some("eni-2"), &["10.0.0.8"]);
    assert_eq!((seen.stock.slot(V4), seen.stock.room(V4)), (Slot::Full, 0));
    let del = seen.world.del("a");
    seen.world.release(del);
    seen.observe();
    assert_eq!(
        seen.stock.slot(V4),
        Slot::Full,
        "a cooling address stands on its ENI"
    );
    let free = NodeStock::new(&seen.world.ledger, seen.world.nodes[1]).expect("a stock");
    assert_eq!((free.slot(V4), free.room(V4)), (Slot::NoEni, u32::MAX));
}
