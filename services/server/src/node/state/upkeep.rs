//! The rest: asking in batches, following what was applied, keeping addresses warm, the end.

use super::{Asked, Observation, Out, Seed, State, Tag, World};
use crate::failure::Failure;
use crate::node::message;
use crate::node::request::*;
use crate::node::warm::{Shortfall, Warm};
use crate::router::View;
use crate::vswitch::message::{Grant, Purpose};
use berth_domain::command::{Command, Stock};
use berth_domain::id::{AttachmentKey, Principal};
use berth_domain::row::Change;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use tracing::Span;

// === impl State ===

impl State {
    /// Asks for all addresses wanted by now, one ask per vSwitch and kind of set.
    pub fn flush(&mut self, world: World<'_>, out: &mut Vec<Out>) {
        for ((vswitch, families), keys) in std::mem::take(&mut self.wanted) {
            let waits_until =
                |key: &Arc<AttachmentKey>| match self.lanes.get(key).and_then(VecDeque::front) {
                    Some(Work::Add(add)) => Some(add.give_up_at_ms),
                    _ => None,
                };
            let Some(give_up_at_ms) = keys.iter().filter_map(waits_until).min() else {
                continue;
            };
            // A node's lanes are far fewer than 2^32.
            let count = keys.len() as u32;
            let asked = Asked {
                vswitch,
                families,
                count,
                keys: keys.into(),
                give_up_at_ms,
                dry: None,
                for_job: false,
            };
            self.ask(asked, Purpose::Pods, out);
        }
        self.supply(world, out);
    }

    pub(super) fn ask(&mut self, asked: Asked, purpose: Purpose, out: &mut Vec<Out>) -> u64 {
        let number = self.next_number();
        out.push(Out::Ask {
            number,
            vswitch: asked.vswitch,
            families: asked.families,
            count: asked.count,
            purpose,
            give_up_at_ms: asked.give_up_at_ms,
        });
        self.asked.insert(number, asked);
        number
    }

    /// Rows that changed, in order: this node's allocations and warm addresses, and its own.
    pub fn on_changed(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Allocation { key, before, after } => {
                    if before.as_ref().is_some_and(|row| row.node == self.node.id) {
                        self.allocations.remove(key);
                    }
                    if let Some(row) = after.as_ref().filter(|row| row.node == self.node.id) {
                        self.allocations.insert(Arc::clone(key), Arc::clone(row));
                    }
                }
                Change::Node {
                    after: Some(row), ..
                } => self.node = Arc::clone(row),
                _ => {}
            }
            self.warm.observe(change);
            self.supply.observe(self.node.id, change);
        }
    }

    /// A time has come, a claim changed or facts arrived: parked ADDs look again.
    pub fn on_wake(&mut self, world: World<'_>, out: &mut Vec<Out>) {
        let parked = |lane: &VecDeque<Work>| matches!(lane.front(), Some(Work::Add(add)) if matches!(add.phase, Phase::Parked(_)));
        let mut keys: Vec<Arc<AttachmentKey>> = self
            .lanes
            .iter()
            .filter(|(_, lane)| parked(lane))
            .map(|(key, _)| Arc::clone(key))
            .collect();
        keys.sort();
        for key in keys {
            self.run(&key, world, out);
        }
        self.restock(world, out);
    }

    /// Asks for warm addresses if there are fewer than wanted.
    pub fn restock(&mut self, world: World<'_>, out: &mut Vec<Out>) {
        if self.node.pool.is_some() {
            return self.supply(world, out);
        }
        let Some(Shortfall {
            vswitch,
            families,
            count,
        }) = self.warm.shortfall(world.view, world.now_ms)
        else {
            return;
        };
        let asked = Asked {
            vswitch,
            families,
            count,
            keys: VecDeque::new(),
            give_up_at_ms: world.now_ms,
            dry: None,
            for_job: false,
        };
        self.ask(asked, Purpose::Later, out);
    }

    pub(super) fn stock(
        &mut self,
        asked: &Asked,
        grant: Grant,
        world: World<'_>,
        out: &mut Vec<Out>,
    ) {
        let vswitch = asked.vswitch;
        let addresses: Vec<IpAddr> = grant.sets.into_iter().flatten().collect();
        if addresses.is_empty() {
            self.warm.answered(vswitch, asked.count);
            return out.push(Out::WakeAt(self.warm.rest(world.now_ms)));
        }
        let stock = Stock {
            vswitch,
            node: self.node.id,
            eni: None,
            addresses: addresses.clone(),
        };
        let principal = Principal::new("berthd/node").expect("plain"); // fixed text within the limit
        out.push(Out::Propose {
            proposal: message::proposal(&principal, None, None, Command::Stock(stock)),
            span: Span::none(),
            until_ms: None,
            tag: Tag::Stock {
                vswitch,
                addresses,
                count: asked.count,
            },
        });
    }

    /// The term or the node is over: whoever waits is told. What is in the journal is told by the journal.
    pub fn end(&mut self, failure: &Failure) {
        let mut lanes: Vec<_> = self.lanes.drain().collect();
        lanes.sort_by(|(one, _), (other, _)| one.cmp(other));
        for work in lanes.into_iter().flat_map(|(_, lane)| lane) {
            let failure = match work.proposed() {
                Some(_) => Failure::Unknown {
                    reason: "the leadership was lost",
                },
                None => failure.clone(),
            };
            match work {
                Work::Add(add) => add.answer(Err(failure)),
                Work::Del(del) => del.answer(Err(failure)),
            }
        }
        for reply in std::mem::take(&mut self.jobs)
            .into_values()
            .filter_map(|job| job.reply)
        {
            reply.answer(Err(Failure::Unknown {
                reason: "the leadership was lost",
            }));
        }
    }

    /// Drawn anew from the ledger. What is in hand stays in hand.
    pub fn refresh(&mut self, seed: Seed) {
        let allocations = seed.allocations.into_iter();
        self.warm = Warm::new(seed.stock);
        self.supply.refresh(seed.enis, seed.jobs);
        self.node = seed.node;
        self.allocations = allocations.map(|row| (Arc::clone(&row.key), row)).collect();
    }

    /// How it stands.
    pub fn observe(&self, view: &View) -> Observation {
        let parked = self
            .lanes
            .iter()
            .filter_map(|(key, lane)| match lane.front() {
                Some(Work::Add(add)) => match &add.phase {
                    Phase::Parked(failure) => Some((key.to_string(), failure.to_string())),
                    _ => None,
                },
                _ => None,
            });
        Observation {
            allocations: self.allocations.len(),
            in_hand: self.lanes.len(),
            parked: parked.collect(),
            warm: self.warm.len(view),
        }
    }

    /// One allocation of each key in memory.
    pub(super) fn shared_key(&self, key: &AttachmentKey) -> Arc<AttachmentKey> {
        match self.allocations.get_key_value(key) {
            Some((key, _)) => Arc::clone(key),
            None => Arc::new(key.clone()),
        }
    }

    pub(super) fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }
}
