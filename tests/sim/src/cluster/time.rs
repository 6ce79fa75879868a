//! One moment of every server: what it does beside requests, and its tasks until all of them wait.

use super::Cluster;
use crate::server::Server;
use berth_raft::simulation::workload::{Moment, Violation};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Sleep;

/// All servers' tasks, until the moment is over. Those that stand still are not looked at.
struct Turn<'a> {
    servers: &'a mut BTreeMap<u64, Server>,
    frozen: &'a BTreeSet<u64>,
    end: Pin<Box<Sleep>>,
}

// === impl Turn ===

impl Future for Turn<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let turn = &mut *self;
        for (member, server) in turn.servers.iter_mut() {
            if !turn.frozen.contains(member) {
                // It never ends: the actors live as long as the process.
                let _never: Poll<()> = Pin::new(server.local()).poll(context);
            }
        }
        turn.end.as_mut().poll(context)
    }
}

// === impl Cluster ===

impl Cluster {
    /// Histories, work aside, clocks, faults.
    pub(super) fn beside(&mut self, moment: &Moment<'_>) -> Result<(), Violation> {
        let (now, lag) = (self.now, self.plan.lag.clone());
        for (member, is_frozen) in moment.running {
            self.clock(*member);
            let (Some(server), false) = (self.servers.get_mut(member), *is_frozen) else {
                continue;
            };
            let shelf = self.shelves.entry(*member).or_default();
            let random = &mut self.random;
            if server
                .history
                .moment(shelf, now, lag.history_moments_max, random)?
            {
                self.counts.commits += 1;
                server.tell_durable(shelf.index);
            }
            server.work_aside(now, || random.below(lag.aside_moments_max + 1));
            if let Some(fault) = server.fault() {
                let text = format!("member {member} stopped by itself: {fault}");
                return Err(Violation::new("R8", text));
            }
        }
        Ok(())
    }

    /// Wall clocks go their own ways, and jump by up to an hour in either direction.
    fn clock(&mut self, member: u64) {
        let wall = self.wall(member);
        wall.fetch_add(self.plan.moment_ms, Ordering::Relaxed);
        if !self.is_healed && self.random.chance(self.plan.lag.wall_jump_per_mille) {
            let hour_ms = 3_600_000;
            let by_ms = self.random.below(2 * hour_ms);
            let now_ms = wall.load(Ordering::Relaxed) + by_ms;
            wall.store(now_ms - hour_ms, Ordering::Relaxed);
        }
    }

    /// A moment of virtual time.
    pub(super) fn run(&mut self, moment: &Moment<'_>) {
        let frozen = moment.running.iter().filter(|(_, is_frozen)| *is_frozen);
        let frozen: BTreeSet<u64> = frozen.map(|(member, _)| *member).collect();
        let length = Duration::from_millis(self.plan.moment_ms);
        let servers = &mut self.servers;
        self.runtime.block_on(async {
            Turn {
                servers,
                frozen: &frozen,
                end: Box::pin(tokio::time::sleep(length)),
            }
            .await;
        });
    }
}
