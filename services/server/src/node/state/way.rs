//! One attachment's way: what is decided for it, asked for it and proposed for it.

use super::callers::rebooted;
use super::{Out, State, Tag, World, chosen, lane_full};
use crate::facts::Lookup;
use crate::node::choice::{self, Choice, Decision, Found, Plan};
use crate::node::message;
use crate::node::request::*;
use crate::spans;
use crate::vswitch::message::without;
use berth_domain::choose::Families;
use berth_domain::command::{self, Bind, Command, FactsVersion, Proof, Proposal};
use berth_domain::id::AttachmentKey;
use std::sync::Arc;
use tracing::Span;

// === impl State ===

impl State {
    /// Goes on with an attachment until it waits for something or has nothing left.
    pub(super) fn run(&mut self, key: &Arc<AttachmentKey>, world: World<'_>, out: &mut Vec<Out>) {
        loop {
            let Some(lane) = self.lanes.get_mut(key) else {
                return;
            };
            let Some(work) = lane.pop_front() else {
                self.lanes.remove(key);
                return;
            };
            let waits = match work {
                Work::Add(add) => self.proceed(add, world, out).map(Work::Add),
                Work::Del(del) => self.propose_release(del, world, out).map(Work::Del),
            };
            if let Some(work) = waits {
                self.lanes
                    .entry(Arc::clone(key))
                    .or_default()
                    .push_front(work);
                return;
            }
        }
    }

    /// The next step of an ADD; none if it was answered.
    pub(super) fn proceed(
        &mut self,
        mut add: Add,
        world: World<'_>,
        out: &mut Vec<Out>,
    ) -> Option<Add> {
        if matches!(add.phase, Phase::Asking { .. } | Phase::Proposed { .. }) {
            return Some(add);
        }
        // One that was in the journal when the boot was heard of, and was refused there.
        if let Some(boot) = self.boots.now().filter(|boot| **boot != add.request.boot)
            && !add.request.boot.as_str().is_empty()
        {
            let failure = rebooted(&self.node.name, boot);
            add.answer(Err(failure));
            return None;
        }
        self.supply.waiting.remove(&add.key);
        let decision = choice::decide(&add, &self.node, &self.allocations, &world);
        match decision {
            Decision::Bind(choice) => Some(self.propose_bind(add, choice, out)),
            Decision::Find(plan) if self.node.pool.is_some() => {
                self.find_on_enis(add, plan, world, out)
            }
            Decision::Find(plan) => Some(self.find(add, plan, 0, out)),
            Decision::Refuse(failure) => {
                add.answer(Err(failure));
                None
            }
            Decision::Park { failure, .. } if world.now_ms >= add.give_up_at_ms => {
                add.answer(Err(failure));
                None
            }
            Decision::Park {
                until_ms,
                claim,
                failure,
            } => {
                out.extend(claim.map(Out::Watch));
                let wake_at_ms = until_ms.map_or(add.give_up_at_ms, |until_ms| {
                    until_ms.min(add.give_up_at_ms)
                });
                // One ms on, so that the time is there whichever way it was rounded.
                out.push(Out::WakeAt(wake_at_ms.max(world.now_ms + 1)));
                add.phase = Phase::Parked(failure);
                Some(add)
            }
        }
    }

    /// Looks for addresses of one candidate: what is asked for, then warm ones, then the VSwitchActor's.
    pub(super) fn find(
        &mut self,
        mut add: Add,
        plan: Plan,
        candidate: usize,
        out: &mut Vec<Out>,
    ) -> Add {
        let vswitch = Arc::clone(&plan.candidates[candidate]);
        let families = without(Families::of(&vswitch), &plan.requested);
        if families.iter().next().is_none() {
            let choice = chosen(&plan, &vswitch, None, Vec::new(), Found::Given);
            return self.propose_bind(add, choice, out);
        }
        if let Some((eni, set)) = self.warm.take(vswitch.id, families) {
            let choice = chosen(&plan, &vswitch, eni, set.clone(), Found::Warm(set));
            return self.propose_bind(add, choice, out);
        }
        if self.wanted.is_empty() {
            out.push(Out::FlushSoon);
        }
        let wanted = self.wanted.entry((vswitch.id, families)).or_default();
        wanted.push(Arc::clone(&add.key));
        let _grant = spans::grant(&add.span, &vswitch.name);
        add.phase = Phase::Asking {
            plan,
            candidate,
            _grant,
        };
        add
    }

    pub(super) fn propose_bind(&mut self, mut add: Add, choice: Choice, out: &mut Vec<Out>) -> Add {
        spans::found(&add.span, choice.found.word());
        let request = &add.request;
        let bind = Bind {
            key: (*add.key).clone(),
            node: self.node.id,
            boot: request.boot.clone(),
            invoked_at_ms: request.invoked_at_ms,
            pod: request.pod.clone(),
            vswitch: choice.vswitch,
            eni: choice.eni.clone(),
            addresses: choice.addresses.clone(),
            claim: choice.claim.clone(),
            parameters: add.parameters,
        };
        let proposal = message::proposal(
            &request.principal,
            request.trace_id,
            choice.facts,
            Command::Bind(bind),
        );
        let number = self.propose(&add.key, proposal, (&add.span, add.until_ms), out);
        add.phase = Phase::Proposed { number, choice };
        add
    }

    /// The DEL with its release on its way; none if nobody waits for it any more.
    pub(super) fn propose_release(
        &mut self,
        mut del: Del,
        world: World<'_>,
        out: &mut Vec<Out>,
    ) -> Option<Del> {
        if del.proposed.is_some() {
            return Some(del);
        }
        if del.until_ms < world.now_ms {
            self.del_committed(del, Err(lane_full()));
            return None;
        }
        let (pod_gone, facts) = self.pod_gone(&del.key, world);
        let request = &del.request;
        let release = command::Release {
            key: (*del.key).clone(),
            node: self.node.id,
            boot: request.boot.clone(),
            invoked_at_ms: request.invoked_at_ms,
            generation: request.generation,
            proof: match del.is_collected() {
                true => Proof::Collect,
                false => Proof::Del,
            },
            pod_gone,
        };
        let proposal = message::proposal(
            &request.principal,
            request.trace_id,
            facts,
            Command::Release(release),
        );
        let number = self.propose(&del.key, proposal, (&del.span, del.until_ms), out);
        del.proposed = Some(number);
        Some(del)
    }

    /// Whether Kubernetes says that the attachment's pod is gone. What is not known is not gone.
    pub(super) fn pod_gone(
        &self,
        key: &Arc<AttachmentKey>,
        world: World<'_>,
    ) -> (bool, Option<FactsVersion>) {
        let Some(row) = self.allocations.get(key) else {
            return (false, None);
        };
        match world
            .facts
            .pod(&key.cluster, &row.pod.namespace, &row.pod.name)
        {
            Lookup::Gone(version) => (!row.pod.name.as_str().is_empty(), Some(version)),
            Lookup::Known(_, version) => (false, Some(version)),
            Lookup::NoSource | Lookup::Missing(_) => (false, None),
        }
    }

    pub(super) fn propose(
        &mut self,
        key: &Arc<AttachmentKey>,
        proposal: Proposal,
        (span, until_ms): (&Span, u64),
        out: &mut Vec<Out>,
    ) -> u64 {
        let number = self.next_number();
        out.push(Out::Propose {
            proposal,
            span: span.clone(),
            until_ms: Some(until_ms),
            tag: Tag::Work {
                key: Arc::clone(key),
                number,
            },
        });
        number
    }

    /// What was found is free for others again. An address that was seen in use meanwhile is no promise any more,
    /// and giving it back does nothing.
    pub(super) fn put_back(&mut self, choice: Choice, out: &mut Vec<Out>) {
        let vswitch = choice.vswitch;
        match choice.found {
            Found::Given => {}
            Found::Warm(addresses) => self.warm.give_back(&addresses),
            Found::Promised(addresses) => out.push(Out::GiveBack { vswitch, addresses }),
        }
    }
}
