//! A few replicas, their disks and the letters between them; nothing moves unless the script says so.

use berth_raft::log_store::{Batch, LogStore, Membership, SnapshotMeta};
use berth_raft::memory::Memory;
use berth_raft::options::{Mutant, Options};
use berth_raft::replica::input::{Change, Input};
use berth_raft::replica::output::{Freeze, Output, ReadRefused};
use berth_raft::replica::{MessageKind, Replica, Vouched};
use berth_raft::simulation::counter::Counter;
use berth_raft::start::{self, Start};
use berth_raft::state_machine::StateMachine;
use berth_raft::status::{Role, Sender};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};

/// One message on its way.
#[derive(Clone, Debug)]
pub struct Letter {
    pub from: u64,
    pub to: u64,
    pub kind: MessageKind,
    bytes: Bytes,
}

/// One replica and its disk.
pub struct Member {
    pub replica: Replica<Counter>,
    store: Memory,
    /// The disk takes writes and does not confirm them.
    pub slow_disk: bool,
    /// The disk becomes slow when a leader's snapshot comes.
    pub slow_install: bool,
    /// Images are kept and not encoded.
    pub slow_encoder: bool,
    images: Vec<Freeze<Counter>>,
    /// Fetches are kept and not made.
    pub slow_fetch: bool,
    fetching: Option<(u64, SnapshotMeta)>,
    /// How many fetches it has begun.
    pub fetches: usize,
    unconfirmed: VecDeque<u64>,
    /// A leader's snapshot is among what is not confirmed.
    pub installing: bool,
    pub reads: BTreeMap<u64, Result<u64, ReadRefused>>,
    pub role: Role,
}

/// All of it.
pub struct Hand {
    pub members: BTreeMap<u64, Member>,
    pub wire: VecDeque<Letter>,
    next_number: u64,
}

/// More letters than any script needs to come to rest.
const LETTERS_MAX: usize = 10_000;

// === impl Hand ===

impl Hand {
    /// New members of one cluster, with snapshots after every fourth entry.
    pub fn of(voters: &[u64], mutant: Option<Mutant>) -> Self {
        let mut hand = Self {
            members: BTreeMap::new(),
            wire: VecDeque::new(),
            next_number: 0,
        };
        for member in voters {
            let start = Start::Bootstrap {
                members: voters.to_vec(),
            };
            hand.start(*member, &start, mutant);
        }
        hand
    }

    pub fn start(&mut self, member: u64, start: &Start, mutant: Option<Mutant>) {
        self.start_on(member, (Memory::new(), false), start, mutant);
    }

    /// A new process on what the old one has on its disk, which stays as slow as it was.
    pub fn restart(&mut self, member: u64, mutant: Option<Mutant>) {
        let old = self.members.remove(&member).unwrap();
        let disk = (old.store, old.slow_disk);
        self.start_on(member, disk, &Start::Recover, mutant);
    }

    fn start_on(
        &mut self,
        member: u64,
        (mut store, slow_disk): (Memory, bool),
        start: &Start,
        mutant: Option<Mutant>,
    ) {
        let mut options = Options::new(member, [member as u8; 16], member);
        options.snapshot_every_entries = 4;
        options.keep_entries = 1;
        options.mutant = mutant;
        let replica = start::open(&mut store, start, Counter::default(), options).unwrap();
        let member_of = Member {
            replica,
            store,
            slow_disk,
            slow_install: false,
            slow_encoder: false,
            images: Vec::new(),
            slow_fetch: false,
            fetching: None,
            fetches: 0,
            unconfirmed: VecDeque::new(),
            installing: false,
            reads: BTreeMap::new(),
            role: Role::default(),
        };
        self.members.insert(member, member_of);
        // Nothing but the log itself keeps entries here.
        self.input(member, Input::DurableElsewhere(u64::MAX));
    }

    /// One input, and the work that comes of it.
    pub fn input(&mut self, member: u64, input: Input) {
        self.note(member, input);
        self.work(member);
    }

    /// One input; its work is left for the next.
    pub fn note(&mut self, member: u64, input: Input) {
        let node = self.members.get_mut(&member).unwrap();
        node.replica.handle(input).unwrap();
    }

    pub fn ticks(&mut self, member: u64, count: usize) {
        for _ in 0..count {
            self.input(member, Input::Tick);
        }
    }

    pub fn number(&mut self) -> Bytes {
        self.next_number += 1;
        Bytes::copy_from_slice(&self.next_number.to_le_bytes())
    }

    pub fn propose(&mut self, member: u64) {
        let number = self.number();
        self.input(member, Input::Propose(number));
    }

    pub fn change(&mut self, member: u64, change: Change) {
        self.input(member, Input::Change { id: 1, change });
    }

    /// The letters a script names are delivered, in order; the others stay.
    pub fn deliver(&mut self, mut which: impl FnMut(&Letter) -> bool) -> usize {
        let (now, later): (VecDeque<Letter>, _) = std::mem::take(&mut self.wire)
            .into_iter()
            .partition(|letter| which(letter));
        self.wire = later;
        let count = now.len();
        for letter in now {
            let input = Self::arrival(&letter);
            if self.members.contains_key(&letter.to) {
                self.input(letter.to, input);
            }
        }
        count
    }

    pub fn arrival(letter: &Letter) -> Input {
        let store = [letter.from as u8; 16];
        let member = letter.from;
        Input::Messages {
            from: Sender { member, store },
            messages: vec![letter.bytes.clone()],
        }
    }

    /// Delivers all but what the script loses, until nothing is on its way.
    pub fn settle(&mut self, mut loses: impl FnMut(&Letter) -> bool) {
        for _ in 0..LETTERS_MAX {
            self.wire.retain(|letter| !loses(letter));
            if self.deliver(|_| true) == 0 {
                return;
            }
        }
        panic!("the letters never end");
    }

    /// Ticks one member until it leads; everybody answers but those named.
    pub fn elect(&mut self, member: u64, silent: &[u64]) {
        for _ in 0..100 {
            self.ticks(member, 1);
            self.settle(|letter| silent.contains(&letter.to) || silent.contains(&letter.from));
            if self.members[&member].role.ready {
                return;
            }
        }
        panic!("member {member} was not elected");
    }

    pub fn membership(&self, member: u64) -> Membership {
        self.members[&member].replica.status().membership
    }

    /// A slow disk confirms everything that it has.
    pub fn confirm(&mut self, member: u64) {
        let node = self.members.get_mut(&member).unwrap();
        (node.slow_disk, node.slow_install) = (false, false);
        node.installing = false;
        for number in std::mem::take(&mut node.unconfirmed) {
            self.input(member, Input::Persisted(number));
        }
    }

    /// A slow encoder gets to its end; how many images there were.
    pub fn encode(&mut self, member: u64) -> usize {
        let node = self.node(member);
        node.slow_encoder = false;
        let images = std::mem::take(&mut node.images);
        let count = images.len();
        for freeze in images {
            self.take_snapshot(member, freeze);
        }
        self.work(member);
        count
    }

    /// The fetch that was kept is lost.
    pub fn lose_fetch(&mut self, member: u64) {
        let (_, meta) = self.node(member).fetching.take().unwrap();
        self.input(member, Input::SnapshotFailed { index: meta.index });
    }

    /// The fetch that was kept is made.
    pub fn fetch_now(&mut self, member: u64) {
        let (from, meta) = self.node(member).fetching.take().unwrap();
        self.finish_fetch(member, from, meta);
        self.work(member);
    }

    /// The work of what was done to a replica behind this harness' back.
    pub fn work_of(&mut self, member: u64) {
        self.work(member);
    }

    pub fn node_mut(&mut self, member: u64) -> &mut Member {
        self.node(member)
    }

    fn work(&mut self, member: u64) {
        loop {
            let outputs = self.node(member).replica.outputs().unwrap();
            if outputs.is_empty() {
                return;
            }
            for output in outputs {
                self.perform(member, output);
            }
        }
    }

    fn node(&mut self, member: u64) -> &mut Member {
        self.members.get_mut(&member).unwrap()
    }

    fn perform(&mut self, member: u64, output: Output<Counter>) {
        match output {
            Output::Send { to, messages } => {
                let letter = |bytes: Bytes| Letter {
                    from: member,
                    to,
                    kind: Vouched::kind(&bytes).unwrap(),
                    bytes,
                };
                self.wire.extend(messages.into_iter().map(letter));
            }
            Output::Persist { number, batch } => self.persist(member, number, &batch),
            Output::TakeSnapshot(freeze) => self.take_snapshot(member, freeze),
            Output::FetchSnapshot { from, meta } => self.fetch(member, from, meta),
            Output::ReadReady { id, index } => {
                self.node(member).reads.insert(id, Ok(index));
            }
            Output::ReadRefused { id, reason } => {
                self.node(member).reads.insert(id, Err(reason));
            }
            Output::Role(role) => self.node(member).role = role,
            _ => {}
        }
    }

    fn persist(&mut self, member: u64, number: u64, batch: &Batch) {
        let node = self.node(member);
        node.store.write(batch).unwrap();
        if node.slow_disk {
            let resets = batch.snapshot.as_ref().is_some_and(|it| it.reset_log);
            node.installing |= resets;
            node.unconfirmed.push_back(number);
        } else {
            node.replica.handle(Input::Persisted(number)).unwrap();
        }
    }

    fn take_snapshot(&mut self, member: u64, freeze: Freeze<Counter>) {
        let node = self.node(member);
        if node.slow_encoder {
            node.images.push(freeze);
            return;
        }
        let chunks: Vec<Vec<u8>> = Counter::encode(freeze.image).collect();
        for (number, chunk) in (0..).zip(&chunks) {
            node.store.stage_chunk(freeze.index, number, chunk).unwrap();
        }
        let meta = SnapshotMeta {
            index: freeze.index,
            term: freeze.term,
            membership: freeze.membership,
            chunks: chunks.len() as u32,
            crc: crc32c::crc32c(&chunks.concat()),
        };
        node.replica.handle(Input::SnapshotTaken(meta)).unwrap();
    }

    fn fetch(&mut self, member: u64, from: u64, meta: SnapshotMeta) {
        let node = self.node(member);
        node.fetches += 1;
        match node.slow_fetch {
            true => node.fetching = Some((from, meta)),
            false => self.finish_fetch(member, from, meta),
        }
    }

    fn finish_fetch(&mut self, member: u64, from: u64, meta: SnapshotMeta) {
        let source = &self.members[&from].store;
        let read = |number| source.read_chunk(meta.index, number).ok();
        let chunks: Option<Vec<Bytes>> = (0..meta.chunks).map(read).collect();
        let node = self.node(member);
        let Some(chunks) = chunks else {
            let gone = Input::SnapshotFailed { index: meta.index };
            node.replica.handle(gone).unwrap();
            return;
        };
        node.slow_disk |= node.slow_install;
        for (number, chunk) in (0..).zip(&chunks) {
            node.store.stage_chunk(meta.index, number, chunk).unwrap();
        }
        let input = Input::SnapshotArrived { meta, chunks };
        node.replica.handle(input).unwrap();
    }
}
