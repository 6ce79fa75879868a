//! The real threads: three members in one process, with memory for disks and function calls for a network.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod resume;
mod shutdown;

use berth_raft::driver::event::{Event, Stopped};
use berth_raft::driver::handle::Handle;
use berth_raft::driver::source::{FetchError, SnapshotSource};
use berth_raft::driver::{Parts, Running, run};
use berth_raft::log_store::{self, Batch, Loaded, LogStore, SnapshotMeta};
use berth_raft::memory::Memory;
use berth_raft::options::{ENTRY_BYTES_MAX, Options};
use berth_raft::replica::Fatal;
use berth_raft::replica::input::Change;
use berth_raft::replica::output::{DropReason, ReadRefused};
use berth_raft::simulation::counter::Counter;
use berth_raft::start::Start;
use berth_raft::status::{Role, Sender, Status};
use berth_raft::transport::Transport;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

type Members = Arc<Mutex<BTreeMap<u64, Handle<Counter>>>>;

/// Nothing here takes long; a test that waits so long has found something.
const PATIENCE: Duration = Duration::from_secs(20);

struct Calls {
    me: u64,
    members: Members,
}

impl Transport for Calls {
    fn send(&mut self, to: u64, messages: Vec<Bytes>) {
        let from = Sender {
            member: self.me,
            store: [self.me as u8; 16],
        };
        let target = self.members.lock().unwrap().get(&to).cloned();
        let delivered = target.is_some_and(|target| target.receive(from, messages).is_ok());
        if !delivered && let Some(own) = self.members.lock().unwrap().get(&self.me) {
            own.unreachable(to).ok();
        }
    }
}

impl SnapshotSource for Calls {
    fn fetch(
        &mut self,
        from: u64,
        meta: &SnapshotMeta,
        first: u32,
        chunk: &mut dyn FnMut(Bytes) -> Result<(), FetchError>,
    ) -> Result<(), FetchError> {
        let gone = || FetchError(Box::from("the member is gone"));
        let source = self
            .members
            .lock()
            .unwrap()
            .get(&from)
            .cloned()
            .ok_or_else(gone)?;
        for number in first..meta.chunks {
            let (sender, receiver) = channel();
            let done = Box::new(move |read| sender.send(read).unwrap());
            source
                .read_chunk(self.me, meta.index, number, done)
                .map_err(|_| gone())?;
            let read = receiver.recv_timeout(PATIENCE).map_err(|_| gone())?;
            chunk(read.map_err(|error| FetchError(Box::new(error)))?)?;
        }
        Ok(())
    }
}

struct Member {
    handle: Handle<Counter>,
    running: Running,
    events: Receiver<Event<Counter>>,
    role: Arc<Mutex<Role>>,
}

fn options(member: u64) -> Options {
    let mut options = Options::new(member, [member as u8; 16], 7);
    options.tick = Duration::from_millis(5);
    options.snapshot_every_entries = 20;
    options.keep_entries = 5;
    options
}

fn begin<S: LogStore>(members: &Members, member: u64, start: Start, store: S) -> Member {
    let source = Calls {
        me: member,
        members: Arc::clone(members),
    };
    begin_with(members, member, start, store, Box::new(source))
}

fn begin_with<S: LogStore>(
    members: &Members,
    member: u64,
    start: Start,
    store: S,
    source: Box<dyn SnapshotSource>,
) -> Member {
    let (sender, events) = channel();
    let role = Arc::new(Mutex::new(Role::default()));
    let seen = Arc::clone(&role);
    let transport = Calls {
        me: member,
        members: Arc::clone(members),
    };
    let (handle, running) = run(Parts {
        options: options(member),
        start,
        store,
        machine: Counter::default(),
        transport: Box::new(transport),
        source,
        sink: Box::new(move |turn| {
            for event in turn {
                if let Event::Role(role) = &event {
                    *seen.lock().unwrap() = *role;
                }
                // A test that has ended does not listen any more.
                sender.send(event).ok();
            }
        }),
    })
    .unwrap();
    handle.set_durable_elsewhere(u64::MAX);
    members.lock().unwrap().insert(member, handle.clone());
    Member {
        handle,
        running,
        events,
        role,
    }
}

fn three(members: &Members) -> Vec<Member> {
    let all = vec![1, 2, 3];
    (1..=3)
        .map(|member| {
            begin(
                members,
                member,
                Start::Bootstrap {
                    members: all.clone(),
                },
                Memory::new(),
            )
        })
        .collect()
}

/// Asks again and again, as a client does, until the answer fits.
fn until<R>(what: &str, mut ask: impl FnMut() -> Option<R>) -> R {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(answer) = ask() {
            return answer;
        }
        std::thread::yield_now();
    }
    panic!("{what}: not within {PATIENCE:?}");
}

fn status(handle: &Handle<Counter>) -> (Counter, Status) {
    let (sender, receiver) = channel();
    handle
        .inspect(Box::new(move |machine, status| {
            sender.send((machine.clone(), status.clone())).unwrap()
        }))
        .unwrap();
    receiver.recv_timeout(PATIENCE).unwrap()
}

fn leader(members: &[Member]) -> usize {
    until("a ready leader", || {
        members
            .iter()
            .position(|member| member.role.lock().unwrap().ready)
    })
}

fn read(handle: &Handle<Counter>) -> Result<Counter, ReadRefused> {
    let (sender, receiver) = channel();
    handle
        .read(Box::new(move |machine| {
            sender.send(machine.cloned()).unwrap()
        }))
        .unwrap();
    receiver.recv_timeout(PATIENCE).unwrap()
}

fn number(number: u64) -> Bytes {
    Bytes::copy_from_slice(&number.to_le_bytes())
}

/// Proposes and waits for the effect.
fn put(member: &Member, value: u64) {
    member.handle.propose(number(value)).unwrap();
    until("the effect", || {
        match member.events.recv_timeout(PATIENCE) {
            Ok(Event::Applied { effect, .. }) if effect == value => Some(()),
            Ok(_) => None,
            Err(error) => panic!("{error}"),
        }
    });
}

/// A cluster that has added member 4, which needs a snapshot.
fn with_a_learner_to_come(registry: &Members) -> Vec<Member> {
    let members = three(registry);
    let lead = leader(&members);
    for value in 0..50 {
        put(&members[lead], value);
    }
    let (sender, receiver) = channel();
    let done = Box::new(move |made: Result<_, _>| sender.send(made.is_ok()).unwrap());
    let add = Change::AddLearner { member: 4 };
    members[lead].handle.change_membership(add, done).unwrap();
    assert!(receiver.recv_timeout(PATIENCE).unwrap());
    members
}

fn shut_down(members: Vec<Member>) {
    for member in members {
        member.handle.shutdown();
        member.running.join().unwrap();
        let last = member.events.iter().last();
        assert!(
            matches!(last, Some(Event::Stopped(Stopped::Shutdown))),
            "the last event says why"
        );
    }
}

#[test]
fn three_members_commit_read_and_stop() {
    // Promise: through the real threads a proposal is applied everywhere, a read sees it, and shutdown ends it all.
    let registry = Members::default();
    let members = three(&registry);
    let lead = leader(&members);
    for value in 1..=100 {
        put(&members[lead], value);
    }
    assert_eq!(read(&members[lead].handle).unwrap().sum, 5050);
    let follower = (lead + 1) % 3;
    assert_eq!(
        read(&members[follower].handle).unwrap_err(),
        ReadRefused::NotLeader
    );
    for member in &members {
        until("everybody has everything", || {
            (status(&member.handle).0.count == 100).then_some(())
        });
    }
    let status = status(&members[lead].handle).1;
    assert_eq!(status.members.len(), 3);
    assert!(
        status.snapshot.unwrap().index > 20,
        "snapshots were taken on the way"
    );
    shut_down(members);
}

#[test]
fn a_proposal_that_cannot_be_made_comes_back() {
    // Promise: what a follower or an oversized entry proposes is handed back, never lost and never forwarded.
    let registry = Members::default();
    let members = three(&registry);
    let lead = leader(&members);
    let follower = &members[(lead + 1) % 3];
    follower.handle.propose(number(5)).unwrap();
    let dropped = |member: &Member| {
        until("the refusal", || {
            match member.events.recv_timeout(PATIENCE).unwrap() {
                Event::Dropped { data, reason } => Some((data.len(), reason)),
                _ => None,
            }
        })
    };
    assert_eq!(dropped(follower), (8, DropReason::NotLeader));
    members[lead]
        .handle
        .propose(Bytes::from(vec![0; ENTRY_BYTES_MAX + 1]))
        .unwrap();
    assert_eq!(
        dropped(&members[lead]),
        (ENTRY_BYTES_MAX + 1, DropReason::TooLarge)
    );
    shut_down(members);
}

#[test]
fn a_lost_leader_is_replaced_and_comes_back_with_everything() {
    // Promise: when the leader's process ends the others go on; restarted on its disk it replays and follows.
    let registry = Members::default();
    let stores: Vec<Memory> = (0..3).map(|_| Memory::new()).collect();
    let start = Start::Bootstrap {
        members: vec![1, 2, 3],
    };
    let mut members: Vec<Member> = (1u64..)
        .zip(&stores)
        .map(|(member, store)| begin(&registry, member, start.clone(), store.clone()))
        .collect();
    let lead = leader(&members);
    put(&members[lead], 10);
    let lost = members.remove(lead);
    let id = lead as u64 + 1;
    registry.lock().unwrap().remove(&id);
    shut_down(vec![lost]);
    let lead = until("a new leader", || {
        members.iter().position(|member| {
            let role = *member.role.lock().unwrap();
            role.ready && role.leader != Some(id)
        })
    });
    for value in 0..60 {
        put(&members[lead], value);
    }
    let back = begin(
        &registry,
        id,
        Start::Recover,
        stores[(id - 1) as usize].clone(),
    );
    until("it has caught up", || {
        (status(&back.handle).0.count == 61).then_some(())
    });
    members.push(back);
    shut_down(members);
}

#[test]
fn a_newcomer_fetches_its_snapshot_through_the_driver() {
    // Promise: a learner is added, fetches the leader's chunks, is promoted in place of another, which stops by itself.
    let registry = Members::default();
    let mut members = three(&registry);
    let lead = leader(&members);
    for value in 0..50 {
        put(&members[lead], value);
    }
    let change = |change: Change| {
        let (sender, receiver) = channel();
        let done = Box::new(move |made| sender.send(made).unwrap());
        members[lead]
            .handle
            .change_membership(change, done)
            .unwrap();
        receiver.recv_timeout(PATIENCE).unwrap()
    };
    change(Change::AddLearner { member: 4 }).unwrap();
    let newcomer = begin(&registry, 4, Start::Join, Memory::new());
    until("it has the state", || {
        (status(&newcomer.handle).0.count == 50).then_some(())
    });
    let replaced = (lead + 1) % 3;
    let promote = Change::Promote {
        member: 4,
        replaces: Some(replaced as u64 + 1),
    };
    until("the promotion", || change(promote.clone()).ok());
    let gone = until("the removed one stops", || {
        match members[replaced].events.recv_timeout(PATIENCE).unwrap() {
            Event::Stopped(stopped) => Some(stopped),
            _ => None,
        }
    });
    assert!(matches!(gone, Stopped::Removed), "{gone:?}");
    let member = members.remove(replaced);
    member.running.join().unwrap();
    members.push(newcomer);
    shut_down(members);
}

#[test]
fn the_leadership_can_be_handed_over() {
    // Promise: a transfer is answered with the new leader, who serves at once.
    let registry = Members::default();
    let members = three(&registry);
    let lead = leader(&members);
    put(&members[lead], 1);
    let new = until("the hand-over", || {
        let (sender, receiver) = channel();
        let done = Box::new(move |result| sender.send(result).unwrap());
        members[lead]
            .handle
            .transfer_leadership(None, done)
            .unwrap();
        receiver.recv_timeout(PATIENCE).unwrap().ok()
    });
    assert_ne!(new, lead as u64 + 1);
    let new = &members[new as usize - 1];
    until("the new leader is ready", || {
        new.role.lock().unwrap().ready.then_some(())
    });
    put(new, 2);
    shut_down(members);
}

/// Fails every write once it is told to.
struct Failing {
    inner: Memory,
    fails: Arc<AtomicBool>,
}

impl LogStore for Failing {
    fn load(&mut self) -> Result<Loaded, log_store::Error> {
        self.inner.load()
    }

    fn write(&mut self, batch: &Batch) -> Result<(), log_store::Error> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(log_store::Error {
                doing: "append to the log",
                source: Box::from("input/output error"),
            });
        }
        self.inner.write(batch)
    }

    fn stage_chunk(
        &mut self,
        index: u64,
        number: u32,
        chunk: &[u8],
    ) -> Result<(), log_store::Error> {
        self.inner.stage_chunk(index, number, chunk)
    }

    fn read_chunk(&self, index: u64, number: u32) -> Result<Bytes, log_store::Error> {
        self.inner.read_chunk(index, number)
    }
}

#[test]
fn a_failing_disk_stops_the_replica_before_anything_is_answered() {
    // Promise: a write that failed is never answered and never tried again; the last event is the reason.
    let registry = Members::default();
    let fails = Arc::new(AtomicBool::new(false));
    let store = Failing {
        inner: Memory::new(),
        fails: Arc::clone(&fails),
    };
    let member = begin(&registry, 1, Start::Bootstrap { members: vec![1] }, store);
    until("it leads", || {
        member.role.lock().unwrap().ready.then_some(())
    });
    put(&member, 1);
    fails.store(true, Ordering::SeqCst);
    member.handle.propose(number(2)).unwrap();
    let stopped = until("the end", || {
        match member.events.recv_timeout(PATIENCE).unwrap() {
            Event::Applied { effect, .. } => panic!("{effect} was applied without a disk"),
            Event::Stopped(stopped) => Some(stopped),
            _ => None,
        }
    });
    assert!(
        matches!(stopped, Stopped::Fatal(Fatal::Store(_))),
        "{stopped:?}"
    );
    member.running.join().unwrap();
    assert!(
        member.handle.propose(number(3)).is_err(),
        "nothing is taken any more"
    );
}

#[test]
fn a_lone_member_is_ready_without_waiting() {
    // Promise: one replica leads within its first turn, not after an election timeout of a second or two.
    let registry = Members::default();
    let mut options = options(1);
    options.tick = Duration::from_secs(3600);
    let (sender, events) = channel();
    let calls = || Calls {
        me: 1,
        members: Arc::clone(&registry),
    };
    let (handle, running) = run(Parts {
        options,
        start: Start::Bootstrap { members: vec![1] },
        store: Memory::new(),
        machine: Counter::default(),
        transport: Box::new(calls()),
        source: Box::new(calls()),
        sink: Box::new(move |turn| turn.into_iter().for_each(|event| drop(sender.send(event)))),
    })
    .unwrap();
    until("it is ready before its first tick", || {
        match events.recv_timeout(PATIENCE).unwrap() {
            Event::Role(role) if role.ready => Some(()),
            _ => None,
        }
    });
    handle.shutdown();
    running.join().unwrap();
}
