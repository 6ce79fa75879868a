//! Messages on their way: late, lost, doubled, overtaken, cut off in either direction.

use super::plan::Plan;
use super::random::Random;
use crate::replica::{MessageKind, Vouched};
use crate::status::Sender;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};

/// One message on its way.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Who sent it, and from which store.
    pub from: Sender,
    /// Whom to.
    pub to: u64,
    /// Encoded.
    pub message: Bytes,
}

/// What a script does with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Sent on.
    Deliver,
    /// Lost.
    Drop,
    /// Kept until the script lets it go.
    Hold,
}

/// A script's eye on every packet.
pub type Filter = Box<dyn FnMut(&Packet) -> Verdict>;

/// All links.
#[derive(Default)]
pub struct Network {
    under_way: BTreeMap<(u64, u64), Packet>,
    last_number: u64,
    /// Directed links that are cut.
    cut: BTreeSet<(u64, u64)>,
    filter: Option<Filter>,
    held: Vec<Packet>,
}

// === impl Packet ===

impl Packet {
    /// What it is.
    pub fn kind(&self) -> MessageKind {
        Vouched::kind(&self.message).unwrap_or(MessageKind::Other)
    }
}

// === impl Network ===

impl Network {
    pub(crate) fn send(&mut self, now: u64, packet: Packet, plan: &Plan, random: &mut Random) {
        if self.cut.contains(&(packet.from.member, packet.to)) || random.chance(plan.loss_per_mille)
        {
            return;
        }
        match self
            .filter
            .as_mut()
            .map_or(Verdict::Deliver, |filter| filter(&packet))
        {
            Verdict::Deliver => {}
            Verdict::Drop => return,
            Verdict::Hold => return self.held.push(packet),
        }
        if random.chance(plan.duplicate_per_mille) {
            self.put(
                now + random.between(1, plan.delay_moments_max),
                packet.clone(),
            );
        }
        self.put(now + random.between(1, plan.delay_moments_max), packet);
    }

    pub(crate) fn put(&mut self, due: u64, packet: Packet) {
        self.last_number += 1;
        self.under_way.insert((due, self.last_number), packet);
    }

    pub(crate) fn arrivals(&mut self, now: u64) -> Vec<Packet> {
        let later = self.under_way.split_off(&(now + 1, 0));
        std::mem::replace(&mut self.under_way, later)
            .into_values()
            .collect()
    }

    /// Cuts one direction.
    pub fn cut(&mut self, from: u64, to: u64) {
        self.cut.insert((from, to));
    }

    /// Cuts a member off, both ways.
    pub fn isolate(&mut self, member: u64, others: &[u64]) {
        for other in others.iter().filter(|other| **other != member) {
            self.cut.insert((member, *other));
            self.cut.insert((*other, member));
        }
    }

    /// All links are whole again.
    pub fn heal(&mut self) {
        self.cut.clear();
    }

    /// Shows every packet to a script from now on.
    pub fn set_filter(&mut self, filter: Option<Filter>) {
        self.filter = filter;
    }

    /// Lets the held packets go, all at once.
    pub fn release(&mut self, now: u64) {
        for packet in std::mem::take(&mut self.held) {
            self.put(now + 1, packet);
        }
    }

    /// How many packets the script holds.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Cuts links at random: one member off, one direction, or two sides.
    pub(crate) fn cut_some(&mut self, members: &[u64], random: &mut Random) {
        self.heal();
        if members.len() < 2 || random.chance(500) {
            return;
        }
        let pick = |random: &mut Random| members[random.below(members.len() as u64) as usize];
        match random.below(3) {
            0 => {
                let member = pick(random);
                self.isolate(member, members);
            }
            1 => {
                let (from, to) = (pick(random), pick(random));
                self.cut(from, to);
            }
            _ => {
                let side: BTreeSet<u64> = members
                    .iter()
                    .copied()
                    .filter(|_| random.chance(500))
                    .collect();
                for (from, to) in members
                    .iter()
                    .flat_map(|from| members.iter().map(move |to| (*from, *to)))
                {
                    if side.contains(&from) != side.contains(&to) {
                        self.cut(from, to);
                    }
                }
            }
        }
    }
}
