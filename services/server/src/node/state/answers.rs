//! What comes back: from the journal what became of a proposal, from a VSwitchActor what it grants.

use super::{Asked, Out, REFUSED_MAX, State, Tag, World, chosen, lane_full};
use crate::failure::Failure;
use crate::journal::Committed;
use crate::node::choice::{Choice, Found, Plan, held};
use crate::node::message::{Allocated, Collected, Released};
use crate::node::request::*;
use crate::planted::{self, Planted};
use crate::router::View;
use crate::vswitch::message::{Grant, without};
use berth_domain::choose::Families;
use berth_domain::id::{AttachmentKey, Revision};
use berth_domain::outcome::{Answer, Outcome, Refusal};
use berth_domain::row::Allocation;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

// === impl State ===

impl State {
    /// What the journal says of a proposal.
    pub fn on_committed(
        &mut self,
        tag: Tag,
        committed: Committed,
        world: World<'_>,
        out: &mut Vec<Out>,
    ) {
        match tag {
            Tag::Work { key, number } => {
                self.on_work_committed((&key, number), committed, world, out)
            }
            Tag::Begin {
                number,
                vswitch,
                addresses,
            } => self.on_begun((number, vswitch, addresses), committed, world, out),
            Tag::Stock {
                vswitch,
                addresses,
                count,
            } => {
                self.warm.answered(vswitch, count);
                if !matches!(&committed, Ok(answer) if answer.result.is_ok()) {
                    out.push(Out::WakeAt(self.warm.rest(world.now_ms)));
                    out.push(Out::GiveBack { vswitch, addresses });
                }
            }
        }
    }

    fn on_work_committed(
        &mut self,
        (key, number): (&Arc<AttachmentKey>, u64),
        committed: Committed,
        world: World<'_>,
        out: &mut Vec<Out>,
    ) {
        let Some(lane) = self.lanes.get_mut(key) else {
            return;
        };
        let Some(work) = lane.pop_front_if(|work| work.proposed() == Some(number)) else {
            return;
        };
        let again = match work {
            Work::Add(add) => self.add_committed(add, committed, world, out),
            Work::Del(del) => {
                self.del_committed(del, committed);
                None
            }
        };
        if let (Some(add), Some(lane)) = (again, self.lanes.get_mut(key)) {
            lane.push_front(Work::Add(add));
        }
        self.run(key, world, out);
    }

    /// The ADD again if the ledger refused what was chosen and another choice may do.
    fn add_committed(
        &mut self,
        mut add: Add,
        committed: Committed,
        world: World<'_>,
        out: &mut Vec<Out>,
    ) -> Option<Add> {
        let Phase::Proposed { choice, .. } = std::mem::replace(&mut add.phase, Phase::New) else {
            return Some(add);
        };
        match committed {
            Ok(Answer {
                result:
                    Ok(Outcome::Bound {
                        allocation,
                        created,
                    }),
                revision,
            }) => {
                // An earlier call's addresses were found instead: the ones chosen now are free for others.
                if choice.addresses != allocation.addresses {
                    self.put_back(choice, out);
                }
                add.answer(allocated(allocation, created, revision, world.view));
            }
            Ok(Answer { result: Ok(_), .. }) => add.answer(Err(Failure::Unavailable {
                reason: "the ledger answered a bind with something else".into(),
            })),
            Ok(Answer {
                result: Err(refusal),
                ..
            }) => return self.add_refused(add, (choice, refusal), world, out),
            // Where it is not known whether they were taken the term is over, and the promise with it.
            Err(failure) => {
                if failure.is_certain() && !planted::has(Planted::PromiseKept) {
                    self.put_back(choice, out);
                }
                add.answer(Err(failure));
            }
        }
        None
    }

    fn add_refused(
        &mut self,
        mut add: Add,
        (choice, refusal): (Choice, Refusal),
        world: World<'_>,
        out: &mut Vec<Out>,
    ) -> Option<Add> {
        let vswitch = choice.vswitch;
        self.put_back(choice, out);
        let is_asked_for = matches!(&refusal, Refusal::Taken { address } if add.request.requested.contains(address));
        let may_pass = matches!(
            refusal,
            Refusal::Taken { .. } | Refusal::HeldByLiveHolder { .. }
        );
        if is_asked_for || !may_pass {
            add.answer(Err(Failure::Refused(refusal)));
            return None;
        }
        add.refused += 1;
        if add.refused < REFUSED_MAX {
            return Some(add);
        }
        out.push(Out::Refresh(vswitch));
        add.answer(Err(match refusal {
            Refusal::Taken { .. } => Failure::Unavailable {
                reason: format!(
                    "{REFUSED_MAX} choices of an address were overtaken by others, try again"
                ),
            },
            refusal => held(refusal, &world),
        }));
        None
    }

    pub(super) fn del_committed(&mut self, del: Del, committed: Committed) {
        let answer = committed.and_then(|answer| released(&answer));
        for (number, job) in del.jobs.iter().enumerate() {
            // Only one of them has released it.
            let own = answer.clone().map(|released| Released {
                released: released.released && number == 0,
                ..released
            });
            self.collected(*job, own);
        }
        del.answer(answer);
    }

    /// One attachment of a GC has ended, or was found to be another's by now, which is no failure.
    fn collected(&mut self, number: u64, answer: Releasing) {
        let Some(job) = self.jobs.get_mut(&number) else {
            return;
        };
        job.left -= 1;
        match answer {
            Ok(Released { revision, released }) => {
                job.revision = job.revision.max(revision);
                job.released += u32::from(released);
            }
            Err(Failure::Refused(Refusal::StaleGeneration { .. })) => {}
            Err(failure) => {
                if let Some(reply) = job.reply.take() {
                    reply.answer(Err(failure));
                }
            }
        }
        if job.left == 0
            && let Some(job) = self.jobs.remove(&number)
            && let Some(reply) = job.reply
        {
            let (revision, released) = (job.revision, job.released);
            reply.answer(Ok(Collected { revision, released }));
        }
    }

    /// What the VSwitchActor grants, or that it ended.
    pub fn on_granted(&mut self, number: u64, grant: Grant, world: World<'_>, out: &mut Vec<Out>) {
        let Some(mut asked) = self.asked.remove(&number) else {
            return;
        };
        if asked.for_job {
            return self.begin((number, &asked), grant, world, out);
        }
        if asked.keys.is_empty() {
            return self.stock(&asked, grant, world, out);
        }
        for set in grant.sets {
            match self.next_asking(&mut asked) {
                Some(key) => self.bind_granted(&key, set, out),
                None => out.push(Out::GiveBack {
                    vswitch: asked.vswitch,
                    addresses: set,
                }),
            }
        }
        asked.dry = grant.dry;
        while let Some(key) = self.next_asking(&mut asked) {
            self.not_granted(&key, &asked, world, out);
        }
    }

    /// The next of those asked for that still waits for it.
    fn next_asking(&self, asked: &mut Asked) -> Option<Arc<AttachmentKey>> {
        while let Some(key) = asked.keys.pop_front() {
            let front = self.lanes.get(&key).and_then(VecDeque::front);
            if let Some(Work::Add(add)) = front
                && let Phase::Asking {
                    plan, candidate, ..
                } = &add.phase
                && plan.candidates[*candidate].id == asked.vswitch
                && without(Families::of(&plan.candidates[*candidate]), &plan.requested)
                    == asked.families
            {
                return Some(key);
            }
        }
        None
    }

    fn bind_granted(&mut self, key: &Arc<AttachmentKey>, set: Vec<IpAddr>, out: &mut Vec<Out>) {
        let Some((add, plan, candidate)) = self.take_asking(key) else {
            return;
        };
        let found = Found::Promised(set.clone());
        let choice = chosen(&plan, &plan.candidates[candidate], None, set, found);
        let add = self.propose_bind(add, choice, out);
        self.put_front(key, add);
    }

    fn not_granted(
        &mut self,
        key: &Arc<AttachmentKey>,
        asked: &Asked,
        world: World<'_>,
        out: &mut Vec<Out>,
    ) {
        let Some((add, plan, candidate)) = self.take_asking(key) else {
            return;
        };
        let waits_longer =
            add.give_up_at_ms > asked.give_up_at_ms && world.now_ms < add.give_up_at_ms;
        let next = match &asked.dry {
            None => Some(candidate),
            Some(_) if candidate + 1 < plan.candidates.len() => Some(candidate + 1),
            Some(Failure::Cooling { .. }) if waits_longer => Some(candidate),
            Some(_) => None,
        };
        match (next, &asked.dry) {
            (Some(next), _) => {
                let add = self.find(add, plan, next, out);
                self.put_front(key, add);
            }
            (None, dry) => {
                add.answer(Err(dry.clone().unwrap_or_else(lane_full)));
                self.run(key, world, out);
            }
        }
    }

    fn take_asking(&mut self, key: &Arc<AttachmentKey>) -> Option<(Add, Plan, usize)> {
        let Some(Work::Add(mut add)) = self.lanes.get_mut(key)?.pop_front() else {
            return None; // the caller has just seen an ADD there
        };
        match std::mem::replace(&mut add.phase, Phase::New) {
            Phase::Asking {
                plan, candidate, ..
            } => Some((add, plan, candidate)),
            phase => {
                add.phase = phase;
                self.put_front(key, add);
                None
            }
        }
    }

    fn put_front(&mut self, key: &Arc<AttachmentKey>, add: Add) {
        let lane = self.lanes.entry(Arc::clone(key)).or_default();
        lane.push_front(Work::Add(add));
    }
}

fn allocated(
    allocation: Arc<Allocation>,
    created: bool,
    revision: Revision,
    view: &View,
) -> Allocating {
    let vswitch = view.vswitch_by_id(allocation.vswitch).cloned();
    let claim = allocation.claim.and_then(|claim| view.claim_by_id(claim));
    Ok(Allocated {
        vswitch: vswitch.ok_or(Failure::Unknown {
            reason: "its vSwitch was deleted meanwhile",
        })?,
        claim: claim.map(|claim| claim.name.clone()),
        allocation,
        created,
        revision,
    })
}
