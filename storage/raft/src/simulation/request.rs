//! What a script or the load asks of the world.

use super::network::Filter;
use super::workload::Workload;
use super::world::World;
use crate::replica::input::{Change, Input};
use crate::status::StoreId;
use bytes::Bytes;
use std::collections::BTreeMap;

// === impl World: requests ===

impl<W: Workload> World<W> {
    /// Hands one input to a member. False if it does not run.
    pub fn input(&mut self, member: u64, input: Input) -> bool {
        let Some(life) = self.life_mut(member) else {
            return false;
        };
        life.is_dirty = true;
        if let Err(fatal) = life.replica.handle(input) {
            self.stop(member, fatal);
            return false;
        }
        true
    }

    /// Proposes on a member.
    pub fn propose(&mut self, member: u64, data: Bytes) {
        self.input(member, Input::Propose(data));
    }

    /// Begins a linearizable read on a member; its id is in the answers later.
    pub fn read(&mut self, member: u64) -> u64 {
        self.last_id += 1;
        let (id, began_at) = (self.last_id, self.checker.highest_committed());
        if let Some(life) = self.life_mut(member) {
            life.reads.insert(id, began_at);
        }
        self.input(member, Input::Read(id));
        id
    }

    /// Asks a member for a membership change.
    pub fn change(&mut self, member: u64, change: Change) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        self.input(member, Input::Change { id, change });
        id
    }

    /// From now on so many fetched snapshots are lost on the way.
    pub fn lose_fetches(&mut self, per_mille: u64) {
        self.plan.fetch_loss_per_mille = per_mille;
    }

    /// Asks a member to hand the leadership over.
    pub fn transfer(&mut self, member: u64, to: Option<u64>) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        self.input(member, Input::Transfer { id, to });
        id
    }

    /// Registers another set of stores with every replica, and with those that start later.
    pub fn register_stores(&mut self, stores: BTreeMap<u64, StoreId>) {
        self.known_stores = stores;
        for member in self.running() {
            self.input(member, Input::KnownStores(self.known_stores.clone()));
        }
    }

    /// Cuts a member off from everybody.
    pub fn isolate(&mut self, member: u64) {
        let members: Vec<u64> = self.nodes.keys().copied().collect();
        self.network.isolate(member, &members);
    }

    /// Cuts one direction.
    pub fn cut(&mut self, from: u64, to: u64) {
        self.network.cut(from, to);
    }

    /// All links are whole again.
    pub fn heal(&mut self) {
        self.network.heal();
    }

    /// Shows every packet to a script.
    pub fn set_filter(&mut self, filter: Option<Filter>) {
        self.network.set_filter(filter);
    }

    /// Lets held packets go; says how many there were.
    pub fn release(&mut self) -> usize {
        let held = self.network.held();
        self.network.release(self.now);
        held
    }
}
