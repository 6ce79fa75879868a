//! What is on its way between machines and servers: late, lost, doubled, cut off in either direction.

use crate::answer::Answer;
use crate::call::{Body, CallId, Delivery};
use crate::plan;
use berth_raft::simulation::random::Random;
use std::collections::BTreeMap;

/// Where a caller is; none = the administrator's desk, which nobody cuts off.
pub type Place = Option<usize>;

/// One thing on its way.
#[derive(Clone, Debug)]
pub enum Packet {
    /// To a server.
    Request {
        /// From where.
        from: Place,
        /// Names it.
        delivery: Delivery,
        /// Whose.
        call: CallId,
        /// To whom.
        member: u64,
        /// What.
        body: Body,
    },
    /// Its caller has gone away.
    Cancel {
        /// Which.
        delivery: Delivery,
        /// To whom.
        member: u64,
    },
    /// From a server.
    Answer {
        /// Of which.
        delivery: Delivery,
        /// Whose.
        call: CallId,
        /// From whom.
        member: u64,
        /// What.
        answer: Answer,
    },
}

/// See the module.
pub struct Wire {
    plan: plan::Wire,
    under_way: BTreeMap<(u64, u64), Packet>,
    last: u64,
    /// (place, member, to the server) until that moment.
    cut: BTreeMap<(usize, u64, bool), u64>,
    last_delivery: Delivery,
}

// === impl Wire ===

impl Wire {
    /// Whole.
    pub fn new(plan: plan::Wire) -> Self {
        Self {
            plan,
            under_way: BTreeMap::new(),
            last: 0,
            cut: BTreeMap::new(),
            last_delivery: 0,
        }
    }

    /// Nothing goes wrong from now on, but for what is on its way.
    pub fn heal(&mut self) {
        self.cut.clear();
        let calm = &mut self.plan;
        (
            calm.loss_per_mille,
            calm.duplicate_per_mille,
            calm.cut_per_mille,
        ) = (0, 0, 0);
        calm.cancel_per_mille = 0;
        calm.delay_moments_max = calm.delay_moments_max.min(3);
    }

    /// A moment of trouble.
    pub fn moment(&mut self, now: u64, places: usize, members: &[u64], random: &mut Random) {
        self.cut.retain(|_, until| *until > now);
        if !random.chance(self.plan.cut_per_mille) || members.is_empty() {
            return;
        }
        let place = random.below(places as u64) as usize;
        let until = now + random.between(5, 300);
        // One member, or all of them: a machine on its own.
        let all = random.chance(300);
        let one = members[random.below(members.len() as u64) as usize];
        for member in members.iter().filter(|member| all || **member == one) {
            if random.chance(700) {
                self.cut.insert((place, *member, true), until);
            }
            if random.chance(700) {
                self.cut.insert((place, *member, false), until);
            }
        }
    }

    /// Sends a call; what may be delivered twice is named twice.
    pub fn send(
        &mut self,
        now: u64,
        (from, call, member): (Place, CallId, u64),
        body: impl Fn(Delivery) -> Body,
        random: &mut Random,
    ) -> Delivery {
        let first = self.next_delivery();
        let copies = 1 + u64::from(random.chance(self.plan.duplicate_per_mille));
        for copy in 0..copies {
            let delivery = if copy == 0 {
                first
            } else {
                self.next_delivery()
            };
            let body = body(delivery);
            let packet = Packet::Request {
                from,
                delivery,
                call,
                member,
                body,
            };
            let is_late = copy > 0 && random.chance(self.plan.late_per_mille);
            let delay = match is_late {
                true => random.between(20, 900),
                false => self.delay(random),
            };
            if self.passes(from, member, true, random) {
                self.put(now + delay, packet);
            }
        }
        first
    }

    /// Sends an answer back.
    pub fn answer(&mut self, now: u64, to: Place, packet: Packet, random: &mut Random) {
        if let Packet::Answer { member, .. } = &packet
            && self.passes(to, *member, false, random)
        {
            let delay = self.delay(random);
            self.put(now + delay, packet);
        }
    }

    /// Perhaps tells a server that its caller has gone away; a connection that is lost says so, too.
    pub fn cancel(&mut self, now: u64, delivery: Delivery, member: u64, random: &mut Random) {
        if random.chance(self.plan.cancel_per_mille * 5) {
            let delay = self.delay(random);
            self.put(now + delay, Packet::Cancel { delivery, member });
        }
    }

    /// Whether a caller gives up in this moment.
    pub fn gives_up(&self, random: &mut Random) -> bool {
        random.below(100_000) < self.plan.cancel_per_mille
    }

    /// Later again: its receiver stands still.
    pub fn put(&mut self, due: u64, packet: Packet) {
        self.last += 1;
        self.under_way.insert((due, self.last), packet);
    }

    /// A machine has stopped: its connections are gone, and what is still in them.
    pub fn stopped(&mut self, place: usize) {
        self.under_way.retain(
            |_, packet| !matches!(packet, Packet::Request { from, .. } if *from == Some(place)),
        );
    }

    /// All servers are gone: every connection is, with what is still in it.
    pub fn lost(&mut self) {
        self.under_way.clear();
    }

    /// What arrives by now, in order.
    pub fn arrivals(&mut self, now: u64) -> Vec<Packet> {
        let later = self.under_way.split_off(&(now + 1, 0));
        let arrived = std::mem::replace(&mut self.under_way, later);
        arrived.into_values().collect()
    }

    fn passes(&self, place: Place, member: u64, to_server: bool, random: &mut Random) -> bool {
        let is_cut = place.is_some_and(|place| self.cut.contains_key(&(place, member, to_server)));
        !is_cut && !random.chance(self.plan.loss_per_mille)
    }

    fn delay(&self, random: &mut Random) -> u64 {
        random.between(1, self.plan.delay_moments_max)
    }

    fn next_delivery(&mut self) -> Delivery {
        self.last_delivery += 1;
        self.last_delivery
    }
}
