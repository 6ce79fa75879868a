//! The VSwitchActor without its actor.
//!
//! Pure: time comes in with each call, and what is to be done goes out through [`Out`].

mod serve;

use super::message::{Ask, CreateClaim, Drawn, Grant, Purpose};
use crate::failure::Failure;
use crate::feed::{self, Dated};
use crate::journal::{Committed, LedgerClock};
use crate::router::TakeBack;
use berth_actors::Reply;
use berth_domain::choose::{Families, VSwitchPool};
use berth_domain::command::{Command, Proposal, Reclaim};
use berth_domain::id::{NodeId, Revision};
use berth_domain::outcome::{Answer, Refusal};
use berth_domain::row::{AddressState, Change, VSwitch};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

/// Rows of one housekeeping step: as many as an entry has commands, so that it takes about as long.
pub const EXPIRE_ROWS: u32 = 512;
/// Warm addresses taken back at once at least: a dry vSwitch has a next pod, too.
const RECLAIM_BATCH: u32 = 4;
/// Choices that the ledger may refuse before the caller is told to come again.
const REFUSED_MAX: u32 = 3;
/// After a step that brought nothing, so that a wrong view cannot make a busy loop.
const LOOK_AGAIN_AFTER_MS: u64 = 100;
/// What a node gives back through the cloud is waited for so long: a look believes what is not there only after ten seconds.
const YIELD_MS: u64 = 15_000;

/// Whoever stands on no node: a claim, and an address that was taken back for somebody.
pub const NO_NODE: NodeId = NodeId(0);

/// What is to be done.
#[derive(Debug)]
pub enum Out {
    /// Give this to the journal and bring back what came of it.
    Propose {
        /// The command.
        proposal: Proposal,
        /// Comes back with the answer.
        tag: Tag,
    },
    /// Take these warm addresses back from their node, and call [`State::on_taken`] with what came of it.
    Take {
        /// Which.
        node: NodeId,
        /// Of one family.
        addresses: Vec<IpAddr>,
    },
    /// Call [`State::on_wake`] at that monotonic time.
    WakeAt(u64),
}

/// Names a proposal to its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// Addresses that have cooled.
    Expire,
    /// Warm addresses of some node.
    Reclaim,
    /// A claim, by number.
    Claim(u64),
    /// One warm address that somebody asks for by name, by number.
    TakeBack(u64),
}

/// See the module.
#[derive(Debug)]
pub struct State {
    row: Arc<VSwitch>,
    pool: Pool,
    /// What each node was promised and has neither taken nor given back.
    promised: BTreeMap<NodeId, BTreeSet<IpAddr>>,
    clock: LedgerClock,
    /// Who waits, the first first.
    queue: VecDeque<Waiting>,
    /// Claims whose command is in the journal.
    claims: BTreeMap<u64, Claiming>,
    /// Warm addresses that are taken back for somebody.
    taking_back: BTreeMap<u64, TakeBack>,
    number: u64,
    expiring: bool,
    /// On their way back to the pool.
    reclaiming: Vec<IpAddr>,
    /// No relief is asked for before this time, because the last brought nothing.
    rest_until_ms: u64,
    /// Until then nobody else is asked to give back.
    yielded_until_ms: u64,
}

/// The addresses, once they are drawn from the ledger.
#[derive(Debug)]
enum Pool {
    /// On their way; what changes meanwhile is kept.
    Drawing(Vec<Dated>),
    /// In step with what was applied; older changes are in it already.
    Ready(Box<VSwitchPool>, Revision),
}

#[derive(Debug)]
struct Waiting {
    families: Families,
    count: u32,
    give_up_at_ms: u64,
    who: Who,
}

#[derive(Debug)]
enum Who {
    Node {
        node: NodeId,
        purpose: Purpose,
        reply: Reply<Grant>,
    },
    Claim(Claiming),
}

#[derive(Debug)]
struct Claiming {
    proposal: Proposal,
    give_up_at_ms: u64,
    reply: Reply<Committed>,
    refused: u32,
    addresses: Vec<IpAddr>,
}

/// How it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// Who waits for addresses.
    pub waiting: usize,
    /// Promised and not taken yet.
    pub promised: usize,
}

// === impl State ===

impl State {
    /// Waits for its addresses: see [`State::on_drawn`].
    pub fn new(row: Arc<VSwitch>, clock: LedgerClock) -> Self {
        Self {
            row,
            pool: Pool::Drawing(Vec::new()),
            promised: BTreeMap::new(),
            clock,
            queue: VecDeque::new(),
            claims: BTreeMap::new(),
            taking_back: BTreeMap::new(),
            number: 0,
            expiring: false,
            reclaiming: Vec::new(),
            rest_until_ms: 0,
            yielded_until_ms: 0,
        }
    }

    /// A node needs addresses.
    pub fn on_ask(&mut self, ask: Ask, now_ms: u64, out: &mut Vec<Out>) {
        self.queue.push_back(Waiting {
            families: ask.families,
            count: ask.count.max(1),
            give_up_at_ms: ask.give_up_at_ms,
            who: Who::Node {
                node: ask.node,
                purpose: ask.purpose,
                reply: ask.reply,
            },
        });
        self.serve(now_ms, out);
    }

    /// A claim needs addresses.
    pub fn on_claim(&mut self, create: CreateClaim, now_ms: u64, out: &mut Vec<Out>) {
        self.enqueue_claim(Claiming {
            proposal: create.proposal,
            give_up_at_ms: create.give_up_at_ms,
            reply: create.reply,
            refused: 0,
            addresses: Vec::new(),
        });
        self.serve(now_ms, out);
    }

    /// Somebody asks by name for an address that is warm on a node.
    pub fn on_take_back(&mut self, take: TakeBack, out: &mut Vec<Out>) {
        let reclaim = Reclaim {
            vswitch: self.row.id,
            node: take.node,
            addresses: vec![take.address],
        };
        self.number += 1;
        let tag = Tag::TakeBack(self.number);
        self.taking_back.insert(self.number, take);
        self.propose(Command::Reclaim(reclaim), tag, out);
    }

    /// Which of those that are taken back are free by these changes.
    fn taken_back(&self, changes: &[Dated]) -> Vec<IpAddr> {
        if self.taking_back.is_empty() {
            return Vec::new();
        }
        let freed = changes.iter().filter_map(|(_, change)| match change {
            Change::Address {
                address,
                after: Some(AddressState::Free { .. }),
                ..
            } => Some(*address),
            _ => None,
        });
        let wanted = |address: &IpAddr| {
            let mut wanted = self.taking_back.values().map(|take| take.address);
            wanted.any(|wanted| wanted == *address)
        };
        freed.filter(wanted).collect()
    }

    /// From the moment at which it is free it is nobody else's.
    fn keep_taken_back(&mut self, address: IpAddr) {
        let is_kept = match &mut self.pool {
            Pool::Ready(pool, _) => pool.promise(address),
            Pool::Drawing(_) => true,
        };
        if is_kept {
            self.promised.entry(NO_NODE).or_default().insert(address);
        }
    }

    fn enqueue_claim(&mut self, claiming: Claiming) {
        self.queue.push_back(Waiting {
            families: Families::of(&self.row),
            count: 1,
            give_up_at_ms: claiming.give_up_at_ms,
            who: Who::Claim(claiming),
        });
    }

    /// Promised addresses come back.
    pub fn on_give_back(
        &mut self,
        node: NodeId,
        addresses: &[IpAddr],
        now_ms: u64,
        out: &mut Vec<Out>,
    ) {
        if node == NO_NODE {
            // Whoever asked for it has given up before it was back.
            let wanted = |take: &TakeBack| !addresses.contains(&take.address);
            self.taking_back.retain(|_, take| wanted(take));
        }
        self.give_back(node, addresses);
        self.serve(now_ms, out);
    }

    /// A node's actor has ended.
    pub fn on_node_ended(&mut self, node: NodeId, now_ms: u64, out: &mut Vec<Out>) {
        // What it still waits for nobody would take, nor give back.
        self.queue.retain(|waiting| waiting.node() != node);
        let left: Vec<IpAddr> = self.promised.remove(&node).into_iter().flatten().collect();
        self.give_back(node, &left);
        self.serve(now_ms, out);
    }

    fn give_back(&mut self, node: NodeId, addresses: &[IpAddr]) {
        if let Some(promised) = self.promised.get_mut(&node) {
            addresses.iter().for_each(|address| {
                promised.remove(address);
            });
        }
        if let Pool::Ready(pool, _) = &mut self.pool {
            pool.give_back(addresses);
        }
    }

    /// Applied changes of this vSwitch.
    pub fn on_changed(&mut self, changes: Vec<Dated>, now_ms: u64, out: &mut Vec<Out>) {
        for (_, change) in &changes {
            match change {
                Change::VSwitch {
                    after: Some(row), ..
                } => self.row = Arc::clone(row),
                Change::Address { address, .. } => {
                    self.promised.values_mut().for_each(|promised| {
                        promised.remove(address);
                    })
                }
                _ => {}
            }
        }
        let taken_back = self.taken_back(&changes);
        match &mut self.pool {
            Pool::Drawing(kept) => kept.extend(changes),
            Pool::Ready(pool, seen) => feed::later(changes, *seen)
                .iter()
                .for_each(|change| pool.observe(change)),
        }
        for address in taken_back {
            self.keep_taken_back(address);
        }
        self.serve(now_ms, out);
    }

    /// What was drawn from the ledger, brought up to date. What is promised stays promised. False if the vSwitch is gone.
    pub fn on_drawn(&mut self, drawn: Drawn, now_ms: u64, out: &mut Vec<Out>) -> bool {
        let Some(mut pool) = drawn.pool else {
            return false;
        };
        if let Pool::Drawing(kept) = &mut self.pool {
            let kept = feed::later(std::mem::take(kept), drawn.revision);
            kept.iter().for_each(|change| pool.observe(change));
            for address in self.promised.values().flatten() {
                // One that cannot be promised is in use by now, and so no promise.
                pool.promise(*address);
            }
            self.pool = Pool::Ready(Box::new(pool), drawn.revision);
        }
        self.serve(now_ms, out);
        true
    }

    /// The view was wrong several times: whoever comes now waits until it is drawn anew. False if that is under way.
    pub fn redraw(&mut self) -> bool {
        let is_ready = matches!(self.pool, Pool::Ready(..));
        if is_ready {
            self.pool = Pool::Drawing(Vec::new());
        }
        is_ready
    }

    /// Whether a node in a pool gives some of its warm addresses back. They come through the cloud, which takes a while.
    pub fn on_taken(&mut self, some: bool, now_ms: u64, out: &mut Vec<Out>) {
        self.reclaimed();
        match some {
            true => self.yielded_until_ms = now_ms + YIELD_MS,
            false => self.rest_until_ms = now_ms + LOOK_AGAIN_AFTER_MS,
        }
        self.serve(now_ms, out);
    }

    /// The command that takes a node's warm addresses back where no cloud is in between.
    pub fn reclaim_of(&mut self, node: NodeId, addresses: Vec<IpAddr>, out: &mut Vec<Out>) {
        let vswitch = self.row.id;
        let reclaim = Reclaim {
            vswitch,
            node,
            addresses,
        };
        self.propose(Command::Reclaim(reclaim), Tag::Reclaim, out);
    }

    /// A time has come.
    pub fn on_wake(&mut self, now_ms: u64, out: &mut Vec<Out>) {
        self.serve(now_ms, out);
    }

    /// What the journal says of a proposal.
    pub fn on_committed(
        &mut self,
        tag: Tag,
        committed: Committed,
        now_ms: u64,
        out: &mut Vec<Out>,
    ) {
        use berth_domain::outcome::Outcome;
        let helped =
            matches!(&committed, Ok(Answer { result: Ok(Outcome::Rows(rows)), .. }) if *rows > 0);
        match tag {
            Tag::Expire => self.expiring = false,
            Tag::Reclaim => self.reclaimed(),
            Tag::Claim(number) => return self.on_claim_committed(number, committed, now_ms, out),
            Tag::TakeBack(number) => {
                if let Some(take) = self.taking_back.remove(&number) {
                    take.reply.answer(helped);
                }
                return;
            }
        }
        if !helped {
            self.rest_until_ms = now_ms + LOOK_AGAIN_AFTER_MS;
        }
        self.serve(now_ms, out);
    }

    fn on_claim_committed(
        &mut self,
        number: u64,
        committed: Committed,
        now_ms: u64,
        out: &mut Vec<Out>,
    ) {
        let Some(mut claiming) = self.claims.remove(&number) else {
            return;
        };
        let taken = match &committed {
            // The feed settles what was taken; where that is not known the term is over.
            Ok(Answer { result: Ok(_), .. }) => return claiming.reply.answer(committed),
            Err(failure) if !failure.is_certain() => return claiming.reply.answer(committed),
            Ok(Answer {
                result: Err(refusal),
                ..
            }) => matches!(
                refusal,
                Refusal::Taken { .. } | Refusal::AddressInUse { .. }
            ),
            Err(_) => false,
        };
        self.give_back(NO_NODE, &std::mem::take(&mut claiming.addresses));
        claiming.refused += 1;
        if taken && claiming.refused < REFUSED_MAX {
            self.enqueue_claim(claiming);
        } else {
            claiming.reply.answer(committed);
        }
        self.serve(now_ms, out);
    }

    /// The term is over: whoever waits is told.
    pub fn end(&mut self, failure: &Failure) {
        for waiting in self.queue.drain(..) {
            waiting.refuse(failure.clone());
        }
    }

    /// Complete sets that can be promised now; none while it is drawn.
    pub fn free_sets(&self) -> Option<u64> {
        let Pool::Ready(pool, _) = &self.pool else {
            return None;
        };
        let sets = pool.available_sets(Families::of(&self.row));
        Some(u64::try_from(sets).unwrap_or(u64::MAX))
    }

    /// How it stands.
    pub fn observe(&self) -> Observation {
        Observation {
            waiting: self.queue.len(),
            promised: self.promised.values().map(BTreeSet::len).sum(),
        }
    }
}

// === impl Waiting ===

impl Waiting {
    /// A claim stands on no node.
    fn node(&self) -> NodeId {
        match &self.who {
            Who::Node { node, .. } => *node,
            Who::Claim(_) => NO_NODE,
        }
    }

    fn refuse(self, failure: Failure) {
        match self.who {
            Who::Node { reply, .. } => reply.answer(Grant {
                sets: Vec::new(),
                dry: Some(failure),
            }),
            Who::Claim(claiming) => claiming.reply.answer(Err(failure)),
        }
    }
}
