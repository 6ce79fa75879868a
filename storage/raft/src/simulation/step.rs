//! Time goes by.

use super::plan::TICK_MOMENTS;
use super::workload::{Moment, Violation, Workload};
use super::world::World;
use crate::replica::input::{Change, Input};

/// The liveness phase is given this many election timeouts (R11): for elections that tie, for a member that needs a
/// snapshot twice, and for the entries.
const LIVENESS_TIMEOUTS: u64 = 60;

/// How readily a process comes back once all is healed.
const RESTART_PER_MILLE_CALM: u64 = 200;

/// Logs are compared pairwise this often; every moment would be slow and show no more.
const COMPARE_MOMENTS: u64 = 50;

// === impl World ===

impl<W: Workload> World<W> {
    /// One moment.
    pub fn step(&mut self) -> Result<(), Violation> {
        self.now += 1;
        self.trouble()?;
        self.load();
        for packet in self.network.arrivals(self.now) {
            let checksum = u64::from(crc32c::crc32c(&packet.message));
            self.note(&[1, packet.from.member, packet.to, checksum]);
            let frozen_until = self.life(packet.to).map_or(0, |life| life.frozen_until);
            if frozen_until > self.now {
                self.network.put(frozen_until, packet);
            } else if self.life(packet.to).is_some() {
                self.counts.delivered += 1;
                self.input(
                    packet.to,
                    Input::Messages {
                        from: packet.from,
                        messages: vec![packet.message],
                    },
                );
            }
        }
        let running: Vec<(u64, bool)> = self
            .nodes
            .values()
            .filter_map(|node| Some((node.member, node.life.as_ref()?.frozen_until > self.now)))
            .collect();
        let noted = self.workload.moment(&Moment {
            now: self.now,
            running: &running,
            is_calm: self.is_calm,
        })?;
        if noted != 0 {
            self.note(&[11, noted]);
        }
        for member in self.running() {
            self.live(member)?;
        }
        if self.now.is_multiple_of(COMPARE_MOMENTS) {
            self.compare_logs()?;
        }
        Ok(())
    }

    /// So many moments.
    pub fn run(&mut self, moments: u64) -> Result<(), Violation> {
        for _ in 0..moments {
            self.step()?;
        }
        Ok(())
    }

    /// Runs until it is so; an error of rule R11 if it is not within `moments`.
    pub fn run_until(
        &mut self,
        moments: u64,
        mut is_so: impl FnMut(&Self) -> bool,
    ) -> Result<(), Violation> {
        for _ in 0..moments {
            if is_so(self) {
                return Ok(());
            }
            self.step()?;
        }
        if is_so(self) {
            Ok(())
        } else {
            Err(Violation::new(
                "R11",
                format!("not within {moments} moments"),
            ))
        }
    }

    /// R11: everything is healed; within a bounded time entries are committed again and all members have them.
    pub fn check_liveness(&mut self) -> Result<(), Violation> {
        self.end_trouble()?;
        let patience = LIVENESS_TIMEOUTS * self.plan.options.election_ticks as u64 * TICK_MOMENTS;
        let begin = self.checker.highest_committed();
        self.plan.propose_per_mille = 200;
        self.run_until(patience, |world| {
            world.checker.highest_committed() >= begin + 5
        })?;
        self.plan.propose_per_mille = 0;
        self.run_until(patience, |world| {
            world.all_have(world.checker.highest_committed())
        })?;
        self.compare_logs()
    }

    /// All is healed, and every process runs.
    pub fn end_trouble(&mut self) -> Result<(), Violation> {
        self.is_calm = true;
        let plan = &mut self.plan;
        plan.loss_per_mille = 0;
        plan.duplicate_per_mille = 0;
        plan.crash_per_mille = 0;
        // What still ends, by an error that its disk had already, comes back soon.
        plan.restart_per_mille = plan.restart_per_mille.max(RESTART_PER_MILLE_CALM);
        plan.partition_per_mille = 0;
        plan.transfer_per_mille = 0;
        plan.change_per_mille = 0;
        plan.fetch_loss_per_mille = 0;
        plan.freeze_per_mille = 0;
        plan.slow_per_mille = 0;
        plan.fail_per_mille = 0;
        plan.wipe_per_ten_thousand = 0;
        plan.delay_moments_max = plan.delay_moments_max.min(5);
        plan.write_moments_max = plan.write_moments_max.min(5);
        self.network.heal();
        self.network.set_filter(None);
        let down: Vec<u64> = self
            .nodes
            .values()
            .filter(|n| n.life.is_none() && n.stopped.is_none())
            .map(|n| n.member)
            .collect();
        for member in down {
            self.restart(member)?;
        }
        Ok(())
    }

    /// Whether every member that takes part, as the leader sees it, has applied so much.
    fn all_have(&self, index: u64) -> bool {
        let Some(status) = self.leader().and_then(|leader| self.status(leader)) else {
            return false;
        };
        let members = status
            .membership
            .voters
            .iter()
            .chain(&status.membership.learners);
        let mut applied =
            members.map(|member| self.life(*member).map_or(0, |life| life.replica.applied()));
        applied.all(|applied| applied >= index)
    }

    fn live(&mut self, member: u64) -> Result<(), Violation> {
        let now = self.now;
        let election_ticks = self.plan.options.election_ticks as u64;
        let Some(life) = self.life_mut(member) else {
            return Ok(());
        };
        if life.frozen_until > now {
            return Ok(());
        }
        if life.frozen_until != 0 {
            // As the driver does after a stall: say so if it was long, then at most a few ticks.
            let away = now.saturating_sub(life.next_tick) / TICK_MOMENTS;
            life.frozen_until = 0;
            life.next_tick = now;
            if away >= election_ticks {
                self.input(member, Input::Paused);
            }
        }
        let Some(life) = self.life_mut(member) else {
            return Ok(());
        };
        if life.next_tick <= now {
            life.next_tick = now + life.tick_moments;
            self.counts.ticks += 1;
            self.input(member, Input::Tick);
        }
        self.take_commands(member)?;
        self.finish_writes(member)?;
        self.finish_snapshot(member)?;
        self.finish_fetch(member)?;
        let is_dirty = self.life(member).is_some_and(|life| life.is_dirty);
        if is_dirty { self.turn(member) } else { Ok(()) }
    }

    fn trouble(&mut self) -> Result<(), Violation> {
        let members: Vec<u64> = self.nodes.keys().copied().collect();
        let pick = self.random.below(members.len() as u64) as usize;
        let Some(member) = members.get(pick).copied() else {
            return Ok(());
        };
        if self.random.chance(self.plan.crash_per_mille) {
            self.crash(member)?;
        }
        if self.random.chance(self.plan.restart_per_mille)
            && self
                .nodes
                .get(&member)
                .is_some_and(|n| n.life.is_none() && n.stopped.is_none())
        {
            self.restart(member)?;
        }
        self.trouble_one(member)?;
        if self.random.chance(self.plan.partition_per_mille) {
            self.counts.partitions += 1;
            self.network.cut_some(&members, &mut self.random);
        }
        if self.random.chance(self.plan.transfer_per_mille) {
            self.transfer(member, None);
        }
        if self.random.chance(self.plan.change_per_mille) {
            self.change_something()?;
        }
        Ok(())
    }

    /// What stops, slows or destroys one member.
    fn trouble_one(&mut self, member: u64) -> Result<(), Violation> {
        let now = self.now;
        if self.random.chance(self.plan.freeze_per_mille) {
            let moments = self.random.between(1, self.plan.freeze_moments_max);
            self.counts.freezes += u64::from(self.life(member).is_some());
            self.freeze(member, moments);
        }
        if self.random.chance(self.plan.slow_per_mille) {
            let until = now + self.random.between(1, 20 * TICK_MOMENTS);
            if let Some(life) = self.life_mut(member) {
                life.slow_until = until;
            }
        }
        if self.random.chance(self.plan.fail_per_mille)
            && let Some(node) = self.nodes.get(&member)
        {
            node.disk.fail_next();
        }
        if self.random.below(10_000) < self.plan.wipe_per_ten_thousand && self.may_wipe(member) {
            self.counts.wipes += 1;
            self.wipe(member)?;
        }
        Ok(())
    }

    /// As long as the voters that keep their promises are a quorum by far: of those that lost their disks none comes back,
    /// and the next change replaces it.
    fn may_wipe(&self, member: u64) -> bool {
        let Some(status) = self.leader().and_then(|leader| self.status(leader)) else {
            return false;
        };
        let membership = status.membership;
        let lost = |voters: &[u64]| voters.iter().filter(|voter| self.is_wiped(**voter)).count();
        let is_single = membership.voters_outgoing.is_empty();
        let spare = membership.voters.len().saturating_sub(1) / 2;
        is_single
            && membership.voters.contains(&member)
            && !self.is_wiped(member)
            && lost(&membership.voters) < spare
    }

    /// A new learner, a promotion that replaces a voter, or a removal, asked of the leader.
    fn change_something(&mut self) -> Result<(), Violation> {
        let Some(leader) = self.leader() else {
            return Ok(());
        };
        let Some(status) = self.status(leader) else {
            return Ok(());
        };
        let membership = status.membership;
        let learner = membership.learners.first().copied();
        let any = self.random.below(membership.voters.len() as u64) as usize;
        let lost = membership
            .voters
            .iter()
            .find(|voter| self.is_wiped(**voter));
        let replaced = lost.or(membership.voters.get(any)).copied();
        let change = match (self.random.below(4), learner) {
            (0, Some(member)) => Change::Remove {
                member,
                forced: false,
            },
            (1, _) if membership.voters.len() > 3 => Change::Remove {
                member: replaced.unwrap_or(leader),
                forced: false,
            },
            (_, Some(member)) => Change::Promote {
                member,
                replaces: replaced.filter(|_| membership.voters.len() > 2),
            },
            (_, None) => {
                let member = self.nodes.keys().last().copied().unwrap_or(0) + 1;
                self.add_node(member);
                self.restart(member)?;
                self.known_stores
                    .insert(member, super::world::store_id(member, 0));
                self.register_stores(self.known_stores.clone());
                Change::AddLearner { member }
            }
        };
        self.change(leader, change);
        Ok(())
    }

    fn load(&mut self) {
        for member in self.running() {
            if self
                .life(member)
                .is_some_and(|life| life.frozen_until > self.now)
            {
                continue;
            }
            let role = self.role(member);
            if role.ready && self.random.chance(self.plan.propose_per_mille) {
                let Some(life) = self.nodes.get(&member).and_then(|node| node.life.as_ref()) else {
                    continue;
                };
                let machine = &life.replica.machine().inner;
                if let Some(data) = self.workload.propose(&mut self.random, member, machine) {
                    self.propose(member, data);
                }
            }
            if role.leads() && self.random.chance(self.plan.read_per_mille) {
                self.read(member);
            }
        }
    }

    fn compare_logs(&mut self) -> Result<(), Violation> {
        let logs: Vec<_> = self
            .nodes
            .values()
            .filter_map(|node| node.life.as_ref())
            .map(|life| life.replica.log_marks())
            .collect();
        for (position, left) in logs.iter().enumerate() {
            for right in &logs[position + 1..] {
                self.checker.logs_match(left, right)?;
            }
        }
        Ok(())
    }
}
