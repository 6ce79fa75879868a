//! Does what replicas say, as the driver does, with simulated means.

use super::network::Packet;
use super::observed::Observed;
use super::workload::{Applied, Violation, Workload};
use super::world::World;
use crate::driver::event::Stopped;
use crate::log_store::Membership;
use crate::replica::output::Output;
use crate::replica::{EntryMark, Fatal, Vouched};
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
                self.stop(member, fatal);
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

    /// What a turn has to say, to whoever serves the member's handle.
    fn tell(&mut self, member: u64, outputs: Vec<Output<Observed<W::Machine>>>) {
        let Some(life) = self.life_mut(member) else {
            return;
        };
        let Some(served) = &mut life.served else {
            return;
        };
        let machine = &life.replica.machine().inner;
        let events = outputs
            .into_iter()
            .filter_map(|output| served.event(output, machine))
            .collect();
        served.tell(events);
    }

    /// The replica refused to go on: its process ends.
    pub(crate) fn stop(&mut self, member: u64, fatal: Fatal) {
        self.note(&[9, member]);
        let text = fatal.to_string();
        self.stop_served(member, Stopped::Fatal(fatal));
        if let Some(node) = self.nodes.get_mut(&member) {
            node.life = None;
            node.stopped = Some(text);
        }
        self.process_ended(member);
    }

    fn perform(&mut self, member: u64, outputs: Outputs<W>) -> Result<(), Violation> {
        let mut has_applied = false;
        let mut is_removed = false;
        let mut told = Vec::new();
        for output in outputs {
            match &output {
                Output::Applied {
                    index,
                    term,
                    effect,
                } => {
                    has_applied = true;
                    let (index, term) = (*index, *term);
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
                Output::Role(role) => self.role_changed(member, *role)?,
                Output::SnapshotInstalled { index } => {
                    self.note(&[3, member, *index]);
                    self.counts.snapshots_installed += 1;
                }
                Output::MembershipChanged {
                    id,
                    index,
                    membership,
                } => {
                    self.membership_changed(member, *id, *index, membership.clone());
                }
                answer => self.answer(member, answer)?,
            }
            match output {
                Output::Send { to, messages } => self.send(member, to, messages)?,
                Output::Persist { number, batch } => self.queue_write(member, number, batch),
                Output::TakeSnapshot(freeze) => self.take_snapshot(member, freeze),
                Output::FetchSnapshot { from, meta } => self.fetch_snapshot(member, from, meta),
                Output::Removed => is_removed = true,
                said => told.push(said),
            }
        }
        self.tell(member, told);
        if is_removed {
            self.removed(member);
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
        output: &Output<Observed<W::Machine>>,
    ) -> Result<(), Violation> {
        match output {
            Output::ReadReady { id, .. } => {
                let id = *id;
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
                self.answers.reads_refused.push(*id);
                if let Some(life) = self.life_mut(member) {
                    life.reads.remove(id);
                }
            }
            Output::ChangeRefused { id, reason } => {
                self.answers.changes_refused.push((*id, *reason))
            }
            Output::Transferred { id, result } => self.answers.transfers.push((*id, *result)),
            Output::Dropped { reason, .. } => self.answers.dropped.push(*reason),
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
        self.stop_served(member, Stopped::Removed);
        if let Some(node) = self.nodes.get_mut(&member) {
            node.life = None;
            node.stopped = Some("removed".to_owned());
        }
        self.process_ended(member);
    }

    /// R3, R5 and R6 on one replica, after its turn.
    fn look_at_state(&mut self, member: u64) -> Result<(), Violation> {
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
        for (index, data) in life.replica.machine().take_entries() {
            self.workload.entry(member, index, &data);
        }
        for (index, digest) in life.replica.machine().take_digests() {
            self.checker.same_state(member, index, digest)?;
        }
        if commit > life.commit_seen {
            let marks: Vec<EntryMark> = life.replica.log_marks();
            let seen = std::mem::replace(&mut life.commit_seen, commit);
            let disks = self.disks();
            for mark in marks
                .into_iter()
                .filter(|mark| mark.index > seen && mark.index <= commit)
            {
                self.checker.committed((mark, term), &disks)?;
            }
        }
        Ok(())
    }
}
