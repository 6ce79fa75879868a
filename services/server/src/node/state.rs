//! The NodeActor without its actor: its attachments in flight, their order and repeats, and what it has warm.
//!
//! Pure: time, the view and the facts come in with each call, and what is to be done goes out through [`Out`].

use super::choice::{self, Allocations, Choice, Decision, Found, Plan};
use super::message::{self, Allocate, Allocated, Collect, Collected, Release, Released};
use super::request::*;
use super::warm::{Shortfall, Warm};
use crate::facts::{Facts, Lookup};
use crate::failure::Failure;
use crate::journal::{Committed, LedgerClock};
use crate::router::View;
use crate::vswitch::message::{Grant, Purpose, without};
use berth_actors::Reply;
use berth_domain::choose::{Families, NodeStock};
use berth_domain::command::{self, Bind, Command, FactsVersion, Proof, Proposal, Stock};
use berth_domain::id::*;
use berth_domain::outcome::{Answer, Outcome, Refusal};
use berth_domain::row::{Allocation, Change, Node, VSwitch};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use tracing::Span;

/// Before its caller's deadline by this much an ADD that is not proposed is given up, so that the answer arrives in time.
pub const ANSWER_BEFORE_DEADLINE_MS: u64 = 500;
/// Choices that the ledger may refuse before the caller is told to come again and the view is drawn anew.
pub const REFUSED_MAX: u32 = 3;
/// Works that one attachment may have waiting; a runtime has one or two.
const LANE_MAX: usize = 16;

/// What the state looks at.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// Monotonic.
    pub now_ms: u64,
    /// This term's ledger time.
    pub clock: LedgerClock,
    /// Nodes, vSwitches, claims.
    pub view: &'a View,
    /// What Kubernetes says.
    pub facts: &'a Facts,
}

impl World<'_> {
    /// Ledger time now, ms.
    pub fn ledger_ms(&self) -> u64 {
        self.clock.ledger_ms(self.now_ms)
    }
}

/// What is to be done.
#[derive(Debug)]
pub enum Out {
    /// Give this to the journal and bring back what came of it.
    Propose {
        /// The command.
        proposal: Proposal,
        /// The request it belongs to.
        span: Span,
        /// Comes back with the answer.
        tag: Tag,
    },
    /// Ask the VSwitchActor and bring back what it grants.
    Ask {
        /// Comes back with the grant.
        number: u64,
        /// Whom.
        vswitch: VSwitchId,
        /// Which families each set must have.
        families: Families,
        /// At most so many sets.
        count: u32,
        /// For waiting pods, or for later.
        purpose: Purpose,
        /// Then nobody waits any more; monotonic.
        give_up_at_ms: u64,
    },
    /// Tell the VSwitchActor that these promised addresses are not needed.
    GiveBack {
        /// Whom.
        vswitch: VSwitchId,
        /// Which.
        addresses: Vec<IpAddr>,
    },
    /// Call [`State::on_wake`] at that monotonic time.
    WakeAt(u64),
    /// Call [`State::on_wake`] when this claim changes.
    Watch(ClaimName),
    /// Call [`State::flush`] once everything that has come by now was handled.
    FlushSoon,
    /// What was chosen from was wrong several times: draw this vSwitch and this node anew.
    Refresh(VSwitchId),
}

/// Names a proposal to its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tag {
    /// An attachment's ADD or DEL.
    Work {
        /// Whose.
        key: Arc<AttachmentKey>,
        /// Which of its proposals.
        number: u64,
    },
    /// Warm addresses.
    Stock {
        /// Whose addresses.
        vswitch: VSwitchId,
        /// Which were promised for it.
        addresses: Vec<IpAddr>,
        /// How many sets were asked for.
        count: u32,
    },
}

/// See the module.
#[derive(Debug)]
pub struct State {
    node: Arc<Node>,
    allocations: Allocations,
    lanes: HashMap<Arc<AttachmentKey>, VecDeque<Work>>,
    /// ADDs that wait for addresses nobody has been asked for yet.
    wanted: BTreeMap<(VSwitchId, Families), Vec<Arc<AttachmentKey>>>,
    asked: BTreeMap<u64, Asked>,
    jobs: BTreeMap<u64, Job>,
    warm: Warm,
    /// Numbers proposals, asks and jobs.
    number: u64,
}

#[derive(Debug)]
struct Asked {
    vswitch: VSwitchId,
    families: Families,
    count: u32,
    /// Who waits, in order; empty if it is for later.
    keys: VecDeque<Arc<AttachmentKey>>,
    give_up_at_ms: u64,
}

/// What the ledger knows of a node when its actor starts.
#[derive(Clone, Debug)]
pub struct Seed {
    /// The node.
    pub node: Arc<Node>,
    /// What is bound there.
    pub allocations: Vec<Arc<Allocation>>,
    /// What is warm there.
    pub stock: NodeStock,
    /// As of.
    pub revision: Revision,
}

/// How it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// Attachments that hold addresses.
    pub allocations: usize,
    /// Attachments with an ADD or DEL in hand.
    pub in_hand: usize,
    /// Why each parked ADD waits.
    pub parked: Vec<(String, String)>,
    /// Warm addresses.
    pub warm: usize,
}

// === impl State: what comes from callers ===

impl State {
    /// As the ledger has it.
    pub fn new(seed: Seed) -> Self {
        let allocations = seed.allocations.into_iter();
        Self {
            warm: Warm::new(seed.stock),
            node: seed.node,
            allocations: allocations.map(|row| (Arc::clone(&row.key), row)).collect(),
            lanes: HashMap::new(),
            wanted: BTreeMap::new(),
            asked: BTreeMap::new(),
            jobs: BTreeMap::new(),
            number: 0,
        }
    }

    /// An ADD.
    pub fn on_add(&mut self, request: Allocate, span: Span, reply: Reply<Allocating>, world: World<'_>, out: &mut Vec<Out>) {
        let key = self.shared_key(&request.key);
        let wait_ms = request.deadline_ms.saturating_sub(ANSWER_BEFORE_DEADLINE_MS);
        let add = Add {
            parameters: request.parameters(),
            give_up_at_ms: world.now_ms + wait_ms,
            came_at_ms: world.now_ms,
            key: Arc::clone(&key),
            request: Arc::new(request),
            span,
            callers: vec![reply],
            refused: 0,
            phase: Phase::New,
        };
        let lane = self.lanes.entry(Arc::clone(&key)).or_default();
        if let Some(Work::Add(last)) = lane.back_mut()
            && last.is_same(&add)
        {
            last.give_up_at_ms = last.give_up_at_ms.max(add.give_up_at_ms);
            last.callers.extend(add.callers);
            return;
        }
        if lane.len() >= LANE_MAX {
            return add.answer(Err(lane_full()));
        }
        lane.push_back(Work::Add(add));
        self.run(&key, world, out);
    }

    /// A DEL.
    pub fn on_del(&mut self, request: Release, span: Span, reply: Reply<Releasing>, world: World<'_>, out: &mut Vec<Out>) {
        let key = self.shared_key(&request.key);
        let del = Del {
            key,
            request: Arc::new(request),
            span,
            callers: vec![reply],
            collected: None,
            proposed: None,
        };
        self.enqueue_del(del, world, out);
    }

    /// A GC.
    pub fn on_collect(&mut self, request: Collect, span: &Span, reply: Reply<Collecting>, world: World<'_>, out: &mut Vec<Out>) {
        let held = self.allocations.values();
        let mut stale: Vec<Arc<Allocation>> = held.filter(|row| is_stale(row, &request)).cloned().collect();
        stale.sort_by_key(|row| row.generation);
        if stale.is_empty() {
            let revision = world.view.revision();
            return reply.answer(Ok(Collected { revision, released: 0 }));
        }
        let job = self.next_number();
        self.jobs.insert(job, Job {
            reply: Some(reply),
            left: stale.len(),
            revision: Revision(0),
            released: 0,
        });
        for row in stale {
            let collected = Some(Collection {
                job,
                generation: row.generation,
            });
            let del = Del {
                key: Arc::clone(&row.key),
                request: Arc::new(release_of(&row, &request)),
                span: span.clone(),
                callers: Vec::new(),
                collected,
                proposed: None,
            };
            self.enqueue_del(del, world, out);
        }
    }

    /// A DEL ends the ADDs of its sandbox that nothing was proposed for: they must not take effect after it.
    fn enqueue_del(&mut self, del: Del, world: World<'_>, out: &mut Vec<Out>) {
        let key = Arc::clone(&del.key);
        let lane = self.lanes.entry(Arc::clone(&key)).or_default();
        let (ended, kept) = std::mem::take(lane).into_iter().partition(|work| match work {
            Work::Add(add) => work.proposed().is_none() && del.ends(add),
            Work::Del(_) => false,
        });
        *lane = kept;
        if lane.len() >= LANE_MAX && del.collected.is_none() {
            del.answer(Err(lane_full()));
        } else {
            lane.push_back(Work::Del(del));
        }
        let ended: VecDeque<Work> = ended;
        for work in ended {
            if let Work::Add(add) = work {
                let refusal = Refusal::Tombstone { key: Arc::clone(&key) };
                add.answer(Err(Failure::Refused(refusal)));
            }
        }
        self.run(&key, world, out);
    }
}

// === impl State: what comes back ===

impl State {
    /// What the journal says of a proposal.
    pub fn on_committed(&mut self, tag: Tag, committed: Committed, world: World<'_>, out: &mut Vec<Out>) {
        match tag {
            Tag::Work { key, number } => self.on_work_committed(&key, number, committed, world, out),
            Tag::Stock { vswitch, addresses, count } => {
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
        key: &Arc<AttachmentKey>,
        number: u64,
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
    fn add_committed(&mut self, mut add: Add, committed: Committed, world: World<'_>, out: &mut Vec<Out>) -> Option<Add> {
        let Phase::Proposed { choice, .. } = std::mem::replace(&mut add.phase, Phase::New) else {
            return Some(add);
        };
        match committed {
            Ok(Answer {
                result: Ok(Outcome::Bound { allocation, created }),
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
            Ok(Answer { result: Err(refusal), .. }) => return self.add_refused(add, choice, refusal, out),
            // Whether the addresses were taken is not known, or the term is over: they stay promised with it.
            Err(failure) => add.answer(Err(failure)),
        }
        None
    }

    fn add_refused(&mut self, mut add: Add, choice: Choice, refusal: Refusal, out: &mut Vec<Out>) -> Option<Add> {
        let vswitch = choice.vswitch;
        self.put_back(choice, out);
        let is_asked_for = matches!(&refusal, Refusal::Taken { address } if add.request.requested.contains(address));
        let may_pass = matches!(refusal, Refusal::Taken { .. } | Refusal::HeldByLiveHolder { .. });
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
                reason: format!("{REFUSED_MAX} choices of an address were overtaken by others, try again"),
            },
            held => Failure::Refused(held),
        }));
        None
    }

    fn del_committed(&mut self, del: Del, committed: Committed) {
        let answer = committed.and_then(|answer| released(&answer));
        if let Some(collection) = del.collected {
            self.collected(collection.job, answer.clone());
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
        while let Some(key) = self.next_asking(&mut asked) {
            self.not_granted(&key, &asked, grant.dry.clone(), world, out);
        }
    }

    /// The next of those asked for that still waits for it.
    fn next_asking(&self, asked: &mut Asked) -> Option<Arc<AttachmentKey>> {
        while let Some(key) = asked.keys.pop_front() {
            let front = self.lanes.get(&key).and_then(VecDeque::front);
            if let Some(Work::Add(add)) = front
                && let Phase::Asking { plan, candidate } = &add.phase
                && plan.candidates[*candidate].id == asked.vswitch
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
        dry: Option<Failure>,
        world: World<'_>,
        out: &mut Vec<Out>,
    ) {
        let Some((add, plan, candidate)) = self.take_asking(key) else {
            return;
        };
        let waits_longer = add.give_up_at_ms > asked.give_up_at_ms && world.now_ms < add.give_up_at_ms;
        let next = match &dry {
            None => Some(candidate),
            Some(_) if candidate + 1 < plan.candidates.len() => Some(candidate + 1),
            Some(Failure::Cooling { .. }) if waits_longer => Some(candidate),
            Some(_) => None,
        };
        match (next, dry) {
            (Some(next), _) => {
                let add = self.find(add, plan, next, out);
                self.put_front(key, add);
            }
            (None, dry) => {
                add.answer(Err(dry.unwrap_or_else(|| lane_full())));
                self.run(key, world, out);
            }
        }
    }

    fn take_asking(&mut self, key: &Arc<AttachmentKey>) -> Option<(Add, Plan, usize)> {
        let Some(Work::Add(mut add)) = self.lanes.get_mut(key)?.pop_front() else {
            return None; // the caller has just seen an ADD there
        };
        match std::mem::replace(&mut add.phase, Phase::New) {
            Phase::Asking { plan, candidate } => Some((add, plan, candidate)),
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

// === impl State: one attachment's way ===

impl State {
    /// Goes on with an attachment until it waits for something or has nothing left.
    fn run(&mut self, key: &Arc<AttachmentKey>, world: World<'_>, out: &mut Vec<Out>) {
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
                Work::Del(del) => Some(Work::Del(self.propose_release(del, world, out))),
            };
            if let Some(work) = waits {
                self.lanes.entry(Arc::clone(key)).or_default().push_front(work);
                return;
            }
        }
    }

    /// The next step of an ADD; none if it was answered.
    fn proceed(&mut self, mut add: Add, world: World<'_>, out: &mut Vec<Out>) -> Option<Add> {
        if matches!(add.phase, Phase::Asking { .. } | Phase::Proposed { .. }) {
            return Some(add);
        }
        let decision = choice::decide(&add, &self.node, &self.allocations, &world);
        match decision {
            Decision::Bind(choice) => Some(self.propose_bind(add, choice, out)),
            Decision::Find(plan) => Some(self.find(add, plan, 0, out)),
            Decision::Refuse(failure) => {
                add.answer(Err(failure));
                None
            }
            Decision::Park { failure, .. } if world.now_ms >= add.give_up_at_ms => {
                add.answer(Err(failure));
                None
            }
            Decision::Park { until_ms, claim, failure } => {
                out.extend(claim.map(Out::Watch));
                let wake_at_ms = until_ms.map_or(add.give_up_at_ms, |until_ms| until_ms.min(add.give_up_at_ms));
                // One ms on, so that the time is there whichever way it was rounded.
                out.push(Out::WakeAt(wake_at_ms.max(world.now_ms + 1)));
                add.phase = Phase::Parked(failure);
                Some(add)
            }
        }
    }

    /// Looks for addresses of one candidate: what is asked for, then warm ones, then the VSwitchActor's.
    fn find(&mut self, mut add: Add, plan: Plan, candidate: usize, out: &mut Vec<Out>) -> Add {
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
        add.phase = Phase::Asking { plan, candidate };
        add
    }

    fn propose_bind(&mut self, mut add: Add, choice: Choice, out: &mut Vec<Out>) -> Add {
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
        let proposal = message::proposal(&request.principal, request.trace_id, choice.facts, Command::Bind(bind));
        let number = self.propose(&add.key, proposal, &add.span, out);
        add.phase = Phase::Proposed { number, choice };
        add
    }

    fn propose_release(&mut self, mut del: Del, world: World<'_>, out: &mut Vec<Out>) -> Del {
        if del.proposed.is_some() {
            return del;
        }
        let (pod_gone, facts) = self.pod_gone(&del.key, world);
        let request = &del.request;
        let release = command::Release {
            key: (*del.key).clone(),
            node: self.node.id,
            boot: request.boot.clone(),
            invoked_at_ms: request.invoked_at_ms,
            generation: del.collected.map_or(request.generation, |collection| Some(collection.generation)),
            proof: match del.collected {
                Some(_) => Proof::Collect,
                None => Proof::Del,
            },
            pod_gone,
        };
        let proposal = message::proposal(&request.principal, request.trace_id, facts, Command::Release(release));
        del.proposed = Some(self.propose(&del.key, proposal, &del.span, out));
        del
    }

    /// Whether Kubernetes says that the attachment's pod is gone. What is not known is not gone.
    fn pod_gone(&self, key: &Arc<AttachmentKey>, world: World<'_>) -> (bool, Option<FactsVersion>) {
        let Some(row) = self.allocations.get(key) else {
            return (false, None);
        };
        match world.facts.pod(&key.cluster, &row.pod.namespace, &row.pod.name) {
            Lookup::Gone(version) => (!row.pod.name.as_str().is_empty(), Some(version)),
            Lookup::Known(_, version) => (false, Some(version)),
            Lookup::NoSource | Lookup::Missing(_) => (false, None),
        }
    }

    fn propose(&mut self, key: &Arc<AttachmentKey>, proposal: Proposal, span: &Span, out: &mut Vec<Out>) -> u64 {
        let number = self.next_number();
        out.push(Out::Propose {
            proposal,
            span: span.clone(),
            tag: Tag::Work {
                key: Arc::clone(key),
                number,
            },
        });
        number
    }

    /// What was found is free for others again. An address that was seen in use meanwhile is no promise any more,
    /// and giving it back does nothing.
    fn put_back(&mut self, choice: Choice, out: &mut Vec<Out>) {
        let vswitch = choice.vswitch;
        match choice.found {
            Found::Given => {}
            Found::Warm(addresses) => self.warm.give_back(&addresses),
            Found::Promised(addresses) => out.push(Out::GiveBack { vswitch, addresses }),
        }
    }
}

// === impl State: the rest ===

impl State {
    /// Asks for all addresses wanted by now, one ask per vSwitch and kind of set.
    pub fn flush(&mut self, out: &mut Vec<Out>) {
        for ((vswitch, families), keys) in std::mem::take(&mut self.wanted) {
            let waits_until = |key: &Arc<AttachmentKey>| match self.lanes.get(key).and_then(VecDeque::front) {
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
            };
            self.ask(asked, Purpose::Pods, out);
        }
    }

    fn ask(&mut self, asked: Asked, purpose: Purpose, out: &mut Vec<Out>) {
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
                Change::Node { after: Some(row), .. } => self.node = Arc::clone(row),
                _ => {}
            }
            self.warm.observe(change);
        }
    }

    /// A time has come, a claim changed or facts arrived: parked ADDs look again.
    pub fn on_wake(&mut self, world: World<'_>, out: &mut Vec<Out>) {
        let parked = |lane: &VecDeque<Work>| matches!(lane.front(), Some(Work::Add(add)) if matches!(add.phase, Phase::Parked(_)));
        let mut keys: Vec<Arc<AttachmentKey>> =
            self.lanes.iter().filter(|(_, lane)| parked(lane)).map(|(key, _)| Arc::clone(key)).collect();
        keys.sort();
        for key in keys {
            self.run(&key, world, out);
        }
        self.restock(world, out);
    }

    /// Asks for warm addresses if there are fewer than wanted.
    pub fn restock(&mut self, world: World<'_>, out: &mut Vec<Out>) {
        let Some(Shortfall { vswitch, families, count }) = self.warm.shortfall(world.view, world.now_ms) else {
            return;
        };
        let asked = Asked {
            vswitch,
            families,
            count,
            keys: VecDeque::new(),
            give_up_at_ms: world.now_ms,
        };
        self.ask(asked, Purpose::Later, out);
    }

    fn stock(&mut self, asked: &Asked, grant: Grant, world: World<'_>, out: &mut Vec<Out>) {
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
            tag: Tag::Stock {
                vswitch,
                addresses,
                count: asked.count,
            },
        });
    }

    /// The term or the node is over: whoever waits is told. What is in the journal is told by the journal.
    pub fn end(&mut self, failure: &Failure) {
        for work in self.lanes.drain().flat_map(|(_, lane)| lane) {
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
        for reply in std::mem::take(&mut self.jobs).into_values().filter_map(|job| job.reply) {
            reply.answer(Err(Failure::Unknown {
                reason: "the leadership was lost",
            }));
        }
    }

    /// Drawn anew from the ledger. What is in hand stays in hand.
    pub fn refresh(&mut self, seed: Seed) {
        let allocations = seed.allocations.into_iter();
        self.warm = Warm::new(seed.stock);
        self.node = seed.node;
        self.allocations = allocations.map(|row| (Arc::clone(&row.key), row)).collect();
    }

    /// How it stands.
    pub fn observe(&self, view: &View) -> Observation {
        let parked = self.lanes.iter().filter_map(|(key, lane)| match lane.front() {
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
    fn shared_key(&self, key: &AttachmentKey) -> Arc<AttachmentKey> {
        match self.allocations.get_key_value(key) {
            Some((key, _)) => Arc::clone(key),
            None => Arc::new(key.clone()),
        }
    }

    fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }
}

/// IPv4 first: what was asked for and what was found.
fn chosen(plan: &Plan, vswitch: &VSwitch, eni: Option<EniId>, set: Vec<IpAddr>, found: Found) -> Choice {
    let mut addresses = plan.requested.clone();
    addresses.extend(set);
    addresses.sort_by_key(IpAddr::is_ipv6);
    Choice {
        vswitch: vswitch.id,
        eni,
        addresses,
        claim: plan.claim.clone(),
        facts: plan.facts,
        found,
    }
}

fn allocated(allocation: Arc<Allocation>, created: bool, revision: Revision, view: &View) -> Allocating {
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

fn is_stale(row: &Allocation, request: &Collect) -> bool {
    let key = &row.key;
    let is_later = row.boot == request.boot && row.invoked_at_ms > request.invoked_at_ms;
    let is_valid = request.valid.contains(&(key.container.clone(), key.interface.clone()));
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

fn lane_full() -> Failure {
    Failure::Busy {
        what: "the attachment",
        retry_after_ms: 100,
    }
}
