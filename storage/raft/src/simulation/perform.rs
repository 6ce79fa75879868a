//! Does what replicas say, as the driver does, with simulated means.

use super::network::Packet;
use super::node::Node;
use super::observed::Observed;
use super::workload::{Applied, Violation, Workload};
use super::world::{World, write};
use crate::log_store::{Membership, SnapshotMeta};
use crate::replica::input::Input;
use crate::replica::output::{Freeze, Output};
use crate::replica::{EntryMark, Fatal, Vouched};
use crate::state_machine::StateMachine;
use crate::status::Role;
use bytes::Bytes;

type Outputs<W> = Vec<Output<Observed<<W as Workload>::Machine>>>;

// === impl World ===

impl<W: Workload> World<W> {
    /// Lets one member work.
    pub(crate) fn turn(&mut self, member: u64) -> Result<(), Violation> {
        let Some(life) = self.life_mut(member) else {
            return Ok(());
        };
        let outputs = match life.replica.outputs() {
            Ok(outputs) => {
                life.is_dirty = life.replica.is_unfinished();
                outputs
            }
            Err(fatal) => {
                life.is_dirty = false;
                self.stop(member, &fatal);
                return Ok(());
            }
        };
        for output in &outputs {
            if let Output::MembershipChanged {
                index, membership, ..
            } = output
            {
                self.checker.membership(*index, membership)?;
            }
        }
        self.look_at_state(member)?;
        self.perform(member, outputs)
    }

    /// The replica refused to go on: its process ends.
    pub(crate) fn stop(&mut self, member: u64, fatal: &Fatal) {
        self.note(&[9, member]);
        self.checker.life_ended(member);
        if let Some(node) = self.nodes.get_mut(&member) {
            node.life = None;
            node.stopped = Some(fatal.to_string());
        }
    }

    fn perform(&mut self, member: u64, outputs: Outputs<W>) -> Result<(), Violation> {
        let mut has_applied = false;
        for output in outputs {
            match output {
                Output::Send { to, messages } => self.send(member, to, messages)?,
                Output::Persist { number, batch } => self.queue_write(member, number, batch),
                Output::Applied {
                    index,
                    term,
                    effect,
                } => {
                    has_applied = true;
                    let leads = self.role(member).leads();
                    self.note(&[2, member, index, term]);
                    self.counts.applied += 1;
                    self.workload.applied(
                        &Applied {
                            member,
                            leads,
                            index,
                            term,
                        },
                        effect,
                    )?;
                }
                Output::Role(role) => self.role_changed(member, role)?,
                Output::TakeSnapshot(freeze) => self.take_snapshot(member, freeze),
                Output::FetchSnapshot { from, meta } => self.fetch_snapshot(member, from, meta),
                Output::SnapshotInstalled { index } => {
                    self.note(&[3, member, index]);
                    self.counts.snapshots_installed += 1;
                }
                Output::MembershipChanged {
                    id,
                    index,
                    membership,
                } => {
                    self.membership_changed(member, id, index, membership);
                }
                Output::Removed => self.removed(member),
                answer => self.answer(member, answer)?,
            }
        }
        if has_applied
            && let Some(node) = self.nodes.get(&member)
            && let Some(life) = &node.life
        {
            self.workload.check(member, &life.replica.machine().inner)?;
        }
        Ok(())
    }

    fn answer(
        &mut self,
        member: u64,
        output: Output<Observed<W::Machine>>,
    ) -> Result<(), Violation> {
        match output {
            Output::ReadReady { id, .. } => {
                let Some(life) = self.life_mut(member) else {
                    return Ok(());
                };
                let (began_at, applied) =
                    (life.reads.remove(&id).unwrap_or(0), life.replica.applied());
                self.counts.reads += 1;
                self.note(&[4, member, id, applied]);
                self.answers.reads.push((id, member, applied));
                self.checker.read_is_fresh(member, began_at, applied)?;
            }
            Output::ReadRefused { id, .. } => {
                self.answers.reads_refused.push(id);
                if let Some(life) = self.life_mut(member) {
                    life.reads.remove(&id);
                }
            }
            Output::ChangeRefused { id, reason } => self.answers.changes_refused.push((id, reason)),
            Output::Transferred { id, result } => self.answers.transfers.push((id, result)),
            Output::Dropped { reason, .. } => self.answers.dropped.push(reason),
            _ => {}
        }
        Ok(())
    }

    fn send(&mut self, member: u64, to: u64, messages: Vec<Bytes>) -> Result<(), Violation> {
        let Some(node) = self.nodes.get(&member) else {
            return Ok(());
        };
        let from = node.sender();
        for message in messages {
            if let Some(vouched) = Vouched::by(&message) {
                self.checker.vouched(member, vouched, &node.disk)?;
            }
            let packet = Packet { from, to, message };
            self.network
                .send(self.now, packet, &self.plan, &mut self.random);
        }
        Ok(())
    }

    fn queue_write(&mut self, member: u64, number: u64, batch: crate::log_store::Batch) {
        let due = self.now + self.random.below(self.plan.write_moments_max + 1);
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
            write(&node.disk, &batch)?;
            self.checker.durable_monotone(member, node.disk.durable())?;
            let pause = self.random.below(self.plan.write_moments_max + 1);
            if let Some(life) = self.life_mut(member) {
                life.write_due = now + pause;
            }
            self.input(member, Input::Persisted(number));
        }
    }

    fn role_changed(&mut self, member: u64, role: Role) -> Result<(), Violation> {
        self.note(&[
            5,
            member,
            role.term,
            role.leader.unwrap_or(0),
            u64::from(role.ready),
        ]);
        if !role.leads() {
            return Ok(());
        }
        self.checker.one_leader(role.term, member)?;
        if role.ready {
            self.counts.elections += 1;
        }
        let Some(life) = self.nodes.get(&member).and_then(|node| node.life.as_ref()) else {
            return Ok(());
        };
        let floor = life.replica.status().first_index - 1;
        self.checker
            .leader_complete(role.term, floor, &life.replica.log_marks())
    }

    fn membership_changed(
        &mut self,
        member: u64,
        id: Option<u64>,
        index: u64,
        membership: Membership,
    ) {
        self.note(&[6, member, index]);
        if let Some(id) = id {
            self.counts.changes += 1;
            self.answers.changes.push((id, membership));
        }
    }

    fn removed(&mut self, member: u64) {
        self.checker.life_ended(member);
        if let Some(node) = self.nodes.get_mut(&member) {
            node.life = None;
            node.stopped = Some("removed".to_owned());
        }
    }

    fn take_snapshot(&mut self, member: u64, freeze: Freeze<Observed<W::Machine>>) {
        let Freeze {
            image,
            index,
            term,
            membership,
        } = freeze;
        let chunks: Vec<Vec<u8>> = W::Machine::encode(image).collect();
        let checksum = crc32c::crc32c(&chunks.concat());
        let meta = SnapshotMeta {
            index,
            term,
            membership,
            chunks: chunks.len() as u32,
            crc: checksum,
        };
        let due = self.now + 1 + self.random.below(3 * super::plan::TICK_MOMENTS);
        if let Some(life) = self.life_mut(member) {
            life.taking = Some((due, meta, chunks));
        }
    }

    fn fetch_snapshot(&mut self, member: u64, from: u64, meta: SnapshotMeta) {
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
        let Some((_, meta, chunks)) = life.taking.take_if(|(due, _, _)| *due <= now) else {
            return Ok(());
        };
        self.counts.snapshots_taken += 1;
        let chunks: Vec<Bytes> = chunks.into_iter().map(Bytes::from).collect();
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
        self.input(member, Input::SnapshotArrived { meta, chunks });
        Ok(())
    }

    fn stage(&mut self, member: u64, index: u64, chunks: &[Bytes]) -> Result<(), Violation> {
        use crate::log_store::LogStore as _;
        let Some(node) = self.nodes.get_mut(&member) else {
            return Ok(());
        };
        for (number, chunk) in (0..).zip(chunks) {
            let staged = node.disk.stage_chunk(index, number, chunk);
            staged.map_err(|error| Violation::new("R8", error.to_string()))?;
        }
        Ok(())
    }

    /// R3, R5 and R6 on one replica, after its turn.
    fn look_at_state(&mut self, member: u64) -> Result<(), Violation> {
        let disks = self.disks();
        let Some(life) = self
            .nodes
            .get_mut(&member)
            .and_then(|node| node.life.as_mut())
        else {
            return Ok(());
        };
        let (term, commit, applied) = (
            life.replica.term(),
            life.replica.commit(),
            life.replica.applied(),
        );
        self.checker.monotone(member, term, commit, applied)?;
        for (index, digest) in life.replica.machine().take_digests() {
            self.checker.same_state(member, index, digest)?;
        }
        if commit > life.commit_seen {
            let marks: Vec<EntryMark> = life.replica.log_marks();
            let seen = std::mem::replace(&mut life.commit_seen, commit);
            for mark in marks
                .into_iter()
                .filter(|mark| mark.index > seen && mark.index <= commit)
            {
                self.checker.committed(mark, &disks)?;
            }
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
