//! The journal without its actor: what waits, what is under way, and who is told what came of it.

use super::LedgerClock;
use crate::codec::{Entry, encode_entry};
use crate::failure::Failure;
use crate::planted::{self, Planted};
use crate::spans;
use berth_actors::Reply;
use berth_domain::command::{Header, Live, Proposal};
use berth_domain::outcome::{Answer, Refusal};
use berth_domain::version::ClusterVersion;
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use tracing::Span;

/// Commands of one raft entry: apply of so many stays under 2 ms, far below a heartbeat.
pub const COMMANDS_MAX: usize = 512;
/// Bytes of one entry, roughly: half of what raft takes, so that the estimate need not be exact.
const ENTRY_BYTES_ABOUT: usize = 512 * 1024;
/// A command is seldom larger than this; names at their limits are counted by [`weight`].
const COMMAND_BYTES_ABOUT: usize = 512;
/// Entries under way at once: one being synced and sent, one being packed and applied. More only makes each smaller.
pub const ENTRIES_MAX: usize = 2;
/// Commands waiting: a second's worth at full speed; above it callers are told to come again.
pub const QUEUE_MAX: usize = 16_384;
/// How often an entry that raft would not take is offered again, 5 ms apart, before its callers are told.
const OFFERS_MAX: u32 = 200;
/// When a caller that found the queue full should come again.
const RETRY_AFTER_MS: u64 = 50;

/// What a proposer is told.
pub type Committed = Result<Answer, Failure>;

/// One command on its way.
#[derive(Debug)]
pub struct Propose {
    /// The command, with who asked and why.
    pub proposal: Proposal,
    /// The request it belongs to; the time in the queue and until the commit is a span below it.
    pub span: Span,
    /// Monotonic, ms: what is in no entry by then has not happened, because nobody waits for it any more. None = however long.
    pub until_ms: Option<u64>,
    /// Told once: the ledger's answer, or why there is none.
    pub reply: Reply<Committed>,
}

/// See the module.
#[derive(Debug)]
pub struct State {
    boot: [u8; 16],
    limits: Limits,
    batch: u64,
    term: Option<Term>,
    queue: VecDeque<Propose>,
    under_way: BTreeMap<u64, UnderWay>,
}

/// How much an entry takes, and how much waits.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Commands of one entry, 1 to [`COMMANDS_MAX`].
    pub commands: usize,
    /// Entries under way at once.
    pub entries: usize,
    /// Commands waiting for an entry.
    pub queue: usize,
}

#[derive(Debug)]
struct Term {
    clock: LedgerClock,
    /// The largest stamped or seen so far.
    wall_ms: u64,
    /// What entries are written at.
    version: ClusterVersion,
}

#[derive(Debug)]
struct UnderWay {
    data: Bytes,
    offers: u32,
    waiting: Vec<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    reply: Reply<Committed>,
    /// Ends when the answer is given.
    commit: Span,
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self {
            commands: COMMANDS_MAX,
            entries: ENTRIES_MAX,
            queue: QUEUE_MAX,
        }
    }
}

// === impl State ===

impl State {
    /// `boot` is this process's uuid: an entry of another process is never taken for one of ours.
    pub fn new(boot: [u8; 16]) -> Self {
        Self {
            boot,
            limits: Limits::default(),
            batch: 0,
            term: None,
            queue: VecDeque::new(),
            under_way: BTreeMap::new(),
        }
    }

    /// Other bounds than usual.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// A term of our own begins; `wall_ms` and `version` are the ledger's.
    pub fn begin(&mut self, clock: LedgerClock, wall_ms: u64, version: ClusterVersion) {
        self.lose();
        self.term = Some(Term {
            clock,
            wall_ms,
            version,
        });
    }

    /// The cluster version has risen.
    pub fn raised(&mut self, version: ClusterVersion) {
        if let Some(term) = &mut self.term {
            term.version = term.version.max(version);
        }
    }

    /// The leadership is lost: what is under way is unknown, what only waited did not happen.
    pub fn lose(&mut self) {
        self.term = None;
        for (_, entry) in std::mem::take(&mut self.under_way) {
            for waiting in entry.waiting {
                waiting.reply.answer(Err(lost()));
            }
        }
        for pending in self.queue.drain(..) {
            pending.reply.answer(Err(not_leader()));
        }
    }

    /// Takes a command in, or tells its proposer at once why not.
    pub fn propose(&mut self, propose: Propose) {
        let Some(term) = &self.term else {
            return propose.reply.answer(Err(not_leader()));
        };
        if let Some(refusal) = untimely(&propose.proposal, term.version) {
            return propose.reply.answer(Err(Failure::Refused(refusal)));
        }
        if self.queue.len() >= self.limits.queue {
            return propose.reply.answer(Err(busy()));
        }
        let span = spans::commit(&propose.span);
        self.queue.push_back(Propose { span, ..propose });
    }

    /// Packs the next entry, if commands wait that somebody waits for, and not too many entries are under way.
    pub fn pack(&mut self, now_ms: u64, wall_ms: u64) -> Option<(u64, Bytes)> {
        if self.under_way.len() >= self.limits.entries {
            return None;
        }
        self.term.as_ref()?;
        let (proposals, waiting) = self.gather(now_ms);
        if proposals.is_empty() {
            return None;
        }
        let term = self.term.as_mut()?;
        term.wall_ms = term.wall_ms.max(wall_ms);
        let header = Header {
            ledger_time_ms: match planted::has(Planted::WallClock) {
                true => term.clock.ledger_ms(now_ms) + planted::wall_jump_ms(wall_ms, now_ms),
                false => term.clock.ledger_ms(now_ms),
            },
            wall_time_ms: term.wall_ms,
        };
        self.batch += 1;
        let batch = self.batch;
        for entry in &waiting {
            spans::packed(&entry.commit, batch, waiting.len());
        }
        let data = Bytes::from(encode_entry(&Entry {
            header,
            leader_boot: self.boot,
            batch,
            version: written_at(term.version, &proposals),
            proposals,
        }));
        let under_way = UnderWay {
            data: data.clone(),
            offers: 1,
            waiting,
        };
        self.under_way.insert(batch, under_way);
        Some((batch, data))
    }

    fn gather(&mut self, now_ms: u64) -> (Vec<Proposal>, Vec<Waiting>) {
        let count = self.queue.len().min(self.limits.commands);
        let (mut proposals, mut waiting) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut bytes = 0;
        while proposals.len() < self.limits.commands && bytes < ENTRY_BYTES_ABOUT {
            let next = self.queue.front().map(|next| weight(&next.proposal));
            // A heavy one goes alone: raft takes no entry beyond its limit.
            if next.is_some_and(|next| bytes > 0 && bytes + next > ENTRY_BYTES_ABOUT) {
                break;
            }
            let Some(next_one) = self.queue.pop_front() else {
                break;
            };
            if next_one.until_ms.is_some_and(|until_ms| until_ms < now_ms) {
                next_one.reply.answer(Err(busy()));
                continue;
            }
            bytes += next.unwrap_or_default();
            proposals.push(next_one.proposal);
            waiting.push(Waiting {
                reply: next_one.reply,
                commit: next_one.span,
            });
        }
        (proposals, waiting)
    }

    /// An entry was applied at a place of the log: if it is ours and still waited for, its proposers are told.
    pub fn applied(&mut self, leader_boot: [u8; 16], batch: u64, index: u64, answers: Vec<Answer>) {
        if leader_boot != self.boot {
            return;
        }
        let Some(entry) = self.under_way.remove(&batch) else {
            return;
        };
        for (waiting, answer) in entry.waiting.into_iter().zip(answers) {
            spans::applied(&waiting.commit, index);
            waiting.reply.answer(Ok(answer));
        }
    }

    /// Raft would not take an entry, for now: what to offer again. None once it was offered often enough;
    /// then its proposers are told that nothing happened.
    pub fn refused(&mut self, batch: u64) -> Option<Bytes> {
        let entry = self.under_way.get_mut(&batch)?;
        if entry.offers < OFFERS_MAX {
            entry.offers += 1;
            return Some(entry.data.clone());
        }
        self.fail(batch, &passed());
        None
    }

    /// Whether none that was packed later is under way.
    pub fn is_last(&self, batch: u64) -> bool {
        self.under_way.range(batch + 1..).next().is_none()
    }

    /// An entry is certain to have no effect.
    pub fn fail(&mut self, batch: u64, failure: &Failure) {
        let Some(entry) = self.under_way.remove(&batch) else {
            return;
        };
        for waiting in entry.waiting {
            waiting.reply.answer(Err(failure.clone()));
        }
    }

    /// Commands that wait for an entry.
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Entries that raft has.
    pub fn under_way(&self) -> usize {
        self.under_way.len()
    }
}

/// A command that the cluster version does not allow yet: some member may not be able to apply it.
fn untimely(proposal: &Proposal, current: ClusterVersion) -> Option<Refusal> {
    let needed = proposal.command.since();
    (needed > current).then(|| Refusal::VersionTooLow {
        command: proposal.command.name(),
        needed,
        current,
    })
}

fn written_at(current: ClusterVersion, proposals: &[Proposal]) -> ClusterVersion {
    let written = |version, proposal: &Proposal| proposal.command.written_at(version);
    proposals.iter().fold(current, written)
}

/// About how many bytes a command takes.
fn weight(proposal: &Proposal) -> usize {
    use berth_domain::command::Command;
    let addresses = match &proposal.command {
        Command::Stock(stock) => stock.addresses.len(),
        Command::Reclaim(reclaim) => reclaim.addresses.len(),
        Command::CreateVSwitch(create) => 2 * create.exclusions.len(),
        _ => 0,
    };
    let living = match &proposal.command {
        Command::ConfirmNode(confirm) => confirm.live.iter().map(live_weight).sum(),
        _ => 0,
    };
    // An address takes at most 20 bytes with its tags.
    COMMAND_BYTES_ABOUT + addresses * 20 + living
}

fn live_weight(live: &Live) -> usize {
    let (key, pod) = (&live.key, &live.pod);
    let names = [
        key.cluster.as_str(),
        key.network.as_str(),
        key.container.as_str(),
        key.interface.as_str(),
        pod.namespace.as_str(),
        pod.name.as_str(),
        pod.uid.as_str(),
        live.boot.as_str(),
    ];
    // Beside the names: tags, lengths, a time, an ENI.
    let names: usize = names.iter().map(|name| name.len()).sum();
    names + 80 + live.addresses.len() * 20
}

fn lost() -> Failure {
    match planted::has(Planted::UnknownIsFailure) {
        true => not_leader(),
        false => Failure::Unknown {
            reason: "the leadership was lost",
        },
    }
}

/// Nothing happened: too many wait already, or nobody does any more.
fn busy() -> Failure {
    Failure::Busy {
        what: "the journal",
        retry_after_ms: RETRY_AFTER_MS,
    }
}

/// Nothing happened: raft would not take it, or has taken later ones meanwhile.
pub(super) fn passed() -> Failure {
    Failure::Busy {
        what: "replication",
        retry_after_ms: RETRY_AFTER_MS,
    }
}

pub(super) fn not_leader() -> Failure {
    Failure::NotLeader {
        leader_endpoint: None,
    }
}
