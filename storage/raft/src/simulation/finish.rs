//! What a member's disk and its snapshots take their time for: writes, images, fetches.

use super::node::Node;
use super::observed::Observed;
use super::workload::{Violation, Workload};
use super::world::{World, write};
use crate::log_store::SnapshotMeta;
use crate::replica::input::Input;
use crate::replica::output::Freeze;
use crate::state_machine::StateMachine;
use bytes::Bytes;

// === impl World ===

impl<W: Workload> World<W> {
    pub(super) fn queue_write(&mut self, member: u64, number: u64, batch: crate::log_store::Batch) {
        let due = self.now + self.write_moments(member);
        if let Some(life) = self.life_mut(member) {
            if life.writes.is_empty() {
                life.write_due = due;
            }
            life.writes.push_back((number, batch));
        }
    }

    /// Writes what is due; several batches in a row, as the log thread does when it finds them queued.
    pub(crate) fn finish_writes(&mut self, member: u64) -> Result<(), Violation> {
        let now = self.now;
        loop {
            let Some(life) = self.life_mut(member) else {
                return Ok(());
            };
            if life.write_due > now {
                return Ok(());
            }
            let Some((number, batch)) = life.writes.pop_front() else {
                return Ok(());
            };
            let Some(node) = self.nodes.get(&member) else {
                return Ok(());
            };
            if node.disk.takes_error() {
                // No batch after this is taken, and the process ends (design §8): its driver hands the error on.
                self.counts.disk_errors += 1;
                self.note(&[10, member]);
                if let Some(life) = self.life_mut(member) {
                    life.writes.clear();
                }
                return self.crash(member);
            }
            write(&node.disk, &batch)?;
            self.counts.writes += 1;
            self.checker.durable_monotone(member, node.disk.durable())?;
            let pause = self.write_moments(member);
            if let Some(life) = self.life_mut(member) {
                life.write_due = now + pause;
            }
            self.input(member, Input::Persisted(number));
        }
    }

    /// How long this member's disk takes for a write.
    fn write_moments(&mut self, member: u64) -> u64 {
        let now = self.now;
        let is_slow = self.life(member).is_some_and(|life| life.slow_until > now);
        let most = match is_slow {
            true => self.plan.slow_moments_max,
            false => self.plan.write_moments_max,
        };
        self.random.below(most + 1)
    }

    pub(super) fn take_snapshot(&mut self, member: u64, freeze: Freeze<Observed<W::Machine>>) {
        let due = self.now + 1 + self.random.below(3 * super::plan::TICK_MOMENTS);
        if let Some(life) = self.life_mut(member) {
            life.taking = Some((due, freeze));
        }
    }

    pub(super) fn fetch_snapshot(&mut self, member: u64, from: u64, meta: SnapshotMeta) {
        let due = self.now + 1 + self.random.below(5 * super::plan::TICK_MOMENTS);
        if let Some(life) = self.life_mut(member) {
            life.fetching = Some((due, from, meta));
        }
    }

    /// An image is encoded: stage it and say so.
    pub(crate) fn finish_snapshot(&mut self, member: u64) -> Result<(), Violation> {
        let now = self.now;
        let Some(life) = self.life_mut(member) else {
            return Ok(());
        };
        let Some(covered) = life
            .taking
            .as_ref()
            .filter(|(due, _)| *due <= now)
            .map(|(_, freeze)| freeze.index)
        else {
            return Ok(());
        };
        if !self.workload.may_encode(member, covered) {
            return Ok(());
        }
        let taking = self.life_mut(member).and_then(|life| life.taking.take());
        let Some((_, freeze)) = taking else {
            return Ok(());
        };
        let chunks: Vec<Bytes> = W::Machine::encode(freeze.image).map(Bytes::from).collect();
        let meta = SnapshotMeta {
            index: freeze.index,
            term: freeze.term,
            membership: freeze.membership,
            chunks: chunks.len() as u32,
            crc: crc32c::crc32c(&chunks.concat()),
        };
        self.counts.snapshots_taken += 1;
        self.stage(member, meta.index, &chunks)?;
        self.input(member, Input::SnapshotTaken(meta));
        Ok(())
    }

    /// A snapshot was fetched from the other's disk, or could not be.
    pub(crate) fn finish_fetch(&mut self, member: u64) -> Result<(), Violation> {
        let now = self.now;
        let Some(life) = self.life_mut(member) else {
            return Ok(());
        };
        let Some((_, from, meta)) = life.fetching.take_if(|(due, _, _)| *due <= now) else {
            return Ok(());
        };
        let is_lost = self.random.chance(self.plan.fetch_loss_per_mille);
        let chunks = self
            .nodes
            .get(&from)
            .filter(|_| !is_lost)
            .and_then(|node| read_all(node, &meta));
        let Some(chunks) = chunks else {
            self.input(member, Input::SnapshotFailed { index: meta.index });
            return Ok(());
        };
        self.input(from, Input::SnapshotServing { to: member });
        self.stage(member, meta.index, &chunks)?;
        self.workload.fetched(member, meta.index);
        self.input(member, Input::SnapshotArrived { meta, chunks });
        Ok(())
    }

    fn stage(&mut self, member: u64, index: u64, chunks: &[Bytes]) -> Result<(), Violation> {
        use crate::log_store::LogStore as _;
        let Some(node) = self.nodes.get_mut(&member) else {
            return Ok(());
        };
        self.counts.chunks += chunks.len() as u64;
        for (number, chunk) in (0..).zip(chunks) {
            let staged = node.disk.stage_chunk(index, number, chunk);
            staged.map_err(|error| Violation::new("R8", error.to_string()))?;
        }
        Ok(())
    }
}

/// All chunks, if the snapshot is still the other's newest and its process runs.
fn read_all<M: StateMachine>(node: &Node<M>, meta: &SnapshotMeta) -> Option<Vec<Bytes>> {
    use crate::log_store::LogStore as _;
    let life = node.life.as_ref()?;
    if life.frozen_until != 0 {
        return None;
    }
    let chunks: Option<Vec<Bytes>> = (0..meta.chunks)
        .map(|number| node.disk.read_chunk(meta.index, number).ok())
        .collect();
    let chunks = chunks?;
    let checksum = crc32c::crc32c(&chunks.concat());
    (checksum == meta.crc).then_some(chunks)
}
