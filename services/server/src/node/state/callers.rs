//! What comes from callers: put in its attachment's lane, in order.

use super::{
    ANSWER_BEFORE_DEADLINE_MS, COMMIT_BEFORE_DEADLINE_MS, LANE_MAX, Out, State, World, lane_full,
};
use crate::failure::Failure;
use crate::node::message::{Allocate, Collect, Collected, Release};
use crate::node::request::*;
use crate::planted::{self, Planted};
use crate::spans;
use berth_domain::id::{AttachmentKey, BootId, NodeName, Revision};
use berth_domain::outcome::Refusal;
use berth_domain::row::Allocation;
use std::collections::VecDeque;
use std::sync::Arc;

// === impl State ===

impl State {
    /// An ADD.
    pub fn on_add(
        &mut self,
        request: Allocate,
        caller: Caller<Allocating>,
        world: World<'_>,
        out: &mut Vec<Out>,
    ) {
        if let Some(boot) = self.boots.now()
            && self.boots.is_ended(&request.boot)
            && !planted::has(Planted::OldBootsHeard)
        {
            return caller.reply.answer(Err(rebooted(&self.node.name, boot)));
        }
        self.hear_boot(&request.boot, world, out);
        let key = self.shared_key(&request.key);
        let wait_ms = request
            .deadline_ms
            .saturating_sub(ANSWER_BEFORE_DEADLINE_MS);
        let add = Add {
            parameters: request.parameters(),
            give_up_at_ms: world.now_ms + wait_ms,
            until_ms: until_ms(request.deadline_ms, world),
            came_at_ms: world.now_ms,
            key: Arc::clone(&key),
            request: Arc::new(request),
            span: spans::add(&caller.span, &self.node.name),
            callers: vec![caller.reply],
            refused: 0,
            phase: Phase::New,
        };
        let lane = self.lanes.entry(Arc::clone(&key)).or_default();
        if let Some(Work::Add(last)) = lane.back_mut()
            && last.is_same(&add)
        {
            last.give_up_at_ms = last.give_up_at_ms.max(add.give_up_at_ms);
            last.until_ms = last.until_ms.max(add.until_ms);
            last.callers.extend(add.callers);
            return;
        }
        if lane.len() >= LANE_MAX {
            return add.answer(Err(lane_full()));
        }
        lane.push_back(Work::Add(add));
        self.run(&key, world, out);
    }

    /// What still waits of another boot is over: its sandbox is gone. Bound after this boot's sandbox of the same pod it
    /// would pass for the newer one, and end one that lives.
    fn hear_boot(&mut self, boot: &BootId, world: World<'_>, out: &mut Vec<Out>) {
        if planted::has(Planted::OldBootsHeard) || !self.boots.hear(boot) {
            return;
        }
        let waits = |lane: &VecDeque<Work>| lane.iter().any(|work| is_over(work, boot));
        let over = self.lanes.iter().filter(|(_, lane)| waits(lane));
        let mut over: Vec<Arc<AttachmentKey>> = over.map(|(key, _)| Arc::clone(key)).collect();
        over.sort();
        for key in &over {
            let Some(lane) = self.lanes.get_mut(key) else {
                continue;
            };
            let (ended, kept): (VecDeque<Work>, VecDeque<Work>) = std::mem::take(lane)
                .into_iter()
                .partition(|work| is_over(work, boot));
            *lane = kept;
            for work in ended {
                if let Work::Add(add) = work {
                    add.answer(Err(rebooted(&self.node.name, boot)));
                }
            }
        }
        over.iter().for_each(|key| self.run(key, world, out));
    }

    /// A DEL.
    pub fn on_del(
        &mut self,
        request: Release,
        caller: Caller<Releasing>,
        world: World<'_>,
        out: &mut Vec<Out>,
    ) {
        let key = self.shared_key(&request.key);
        let del = Del {
            until_ms: until_ms(request.deadline_ms, world),
            key,
            request: Arc::new(request),
            span: caller.span,
            callers: vec![caller.reply],
            jobs: Vec::new(),
            proposed: None,
        };
        self.enqueue_del(del, world, out);
    }

    /// A GC.
    pub fn on_collect(
        &mut self,
        request: Collect,
        caller: Caller<Collecting>,
        world: World<'_>,
        out: &mut Vec<Out>,
    ) {
        let held = self.allocations.values();
        let mut stale: Vec<Arc<Allocation>> = held
            .filter(|row| is_stale(row, &request))
            .cloned()
            .collect();
        stale.sort_by_key(|row| row.generation);
        if stale.is_empty() {
            let revision = world.view.revision();
            return caller.reply.answer(Ok(Collected {
                revision,
                released: 0,
            }));
        }
        let job = self.next_number();
        self.jobs.insert(
            job,
            Job {
                reply: Some(caller.reply),
                left: stale.len(),
                revision: Revision(0),
                released: 0,
            },
        );
        for row in stale {
            let del = Del {
                until_ms: until_ms(request.deadline_ms, world),
                key: Arc::clone(&row.key),
                request: Arc::new(release_of(&row, &request)),
                span: caller.span.clone(),
                callers: Vec::new(),
                jobs: vec![job],
                proposed: None,
            };
            self.enqueue_del(del, world, out);
        }
    }

    /// A DEL ends the ADDs of its sandbox that nothing was proposed for: they must not take effect after it.
    fn enqueue_del(&mut self, del: Del, world: World<'_>, out: &mut Vec<Out>) {
        let key = Arc::clone(&del.key);
        let lane = self.lanes.entry(Arc::clone(&key)).or_default();
        let (ended, kept) = std::mem::take(lane)
            .into_iter()
            .partition(|work| match work {
                Work::Add(add) => work.proposed().is_none() && del.ends(add),
                Work::Del(_) => false,
            });
        *lane = kept;
        match join(lane, del) {
            Some(del) if lane.len() >= LANE_MAX && !del.is_collected() => {
                del.answer(Err(lane_full()));
            }
            Some(del) => lane.push_back(Work::Del(del)),
            None => {}
        }
        let ended: VecDeque<Work> = ended;
        for work in ended {
            if let Work::Add(add) = work {
                let refusal = Refusal::Tombstone {
                    key: Arc::clone(&key),
                };
                add.answer(Err(Failure::Refused(refusal)));
            }
        }
        self.run(&key, world, out);
    }
}

/// Gives a DEL to one behind the lane's last ADD that serves it too; itself if there is none. Between two ADDs their order
/// means nothing.
fn join(lane: &mut VecDeque<Work>, del: Del) -> Option<Del> {
    let mut left = del;
    for work in lane.iter_mut().rev() {
        let Work::Del(waiting) = work else {
            break;
        };
        left = waiting.join(left)?;
    }
    Some(left)
}

/// Until when what a caller asks with so much time left is worth an entry.
fn until_ms(deadline_ms: u64, world: World<'_>) -> u64 {
    let left_ms = deadline_ms - COMMIT_BEFORE_DEADLINE_MS.min(deadline_ms / 2);
    world.now_ms.saturating_add(left_ms)
}

/// An ADD of another boot that nothing was proposed for.
fn is_over(work: &Work, boot: &BootId) -> bool {
    match work {
        Work::Add(add) => work.proposed().is_none() && add.request.boot != *boot,
        Work::Del(_) => false,
    }
}

pub(super) fn rebooted(node: &NodeName, boot: &BootId) -> Failure {
    Failure::Unavailable {
        reason: format!(
            "node {node} was heard of in another boot since ({boot}): if it has not rebooted, two machines use its name"
        ),
    }
}

fn is_stale(row: &Allocation, request: &Collect) -> bool {
    let key = &row.key;
    let is_later = row.boot == request.boot && row.invoked_at_ms > request.invoked_at_ms;
    let is_valid = request
        .valid
        .contains(&(key.container.clone(), key.interface.clone()));
    key.cluster == request.cluster && key.network == request.network && !is_valid && !is_later
}

fn release_of(row: &Allocation, request: &Collect) -> Release {
    Release {
        principal: request.principal.clone(),
        trace_id: request.trace_id,
        key: (*row.key).clone(),
        node: Some(request.node.clone()),
        boot: request.boot.clone(),
        invoked_at_ms: request.invoked_at_ms,
        generation: Some(row.generation),
        deadline_ms: request.deadline_ms,
    }
}
