//! The history's thread over a real store, fed with what a real ledger did.

use super::*;
use crate::codec::encode_group;
use crate::engine::samples::*;
use crate::failure::Failure;
use berth_domain::Ledger;
use berth_domain::command::{Command, Header, Proposal};
use berth_domain::event::{Chain, EventGroup};
use berth_domain::id::*;
use berth_domain::row::AddressState;
use berth_store::DatabaseOptions;
use bytes::Bytes;
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

/// Everything that runs over one store.
struct Running {
    writer: Writer,
    feeder: Feeder,
    progress: Arc<Progress>,
    reader: Reader,
    failed: mpsc::Receiver<String>,
    durable: Arc<Mutex<Vec<u64>>>,
}

fn start(path: &Path, source: Option<Box<dyn Source>>) -> Running {
    let (store, store_reader) =
        berth_store::history::open(path, DatabaseOptions::default()).expect("opened");
    let (tell, failed) = mpsc::channel();
    let durable = Arc::new(Mutex::new(Vec::new()));
    let reached = Arc::clone(&durable);
    let reports = Reports {
        durable: Box::new(move |index| reached.lock().expect("whole").push(index)),
        failed: Box::new(move |error| tell.send(error.to_string()).expect("listens")),
    };
    let (writer, feeder, progress) =
        Writer::start(store, store_reader.clone(), source, reports).expect("started");
    let reader = Reader::new(store_reader, Arc::clone(&progress));
    Running {
        writer,
        feeder,
        progress,
        reader,
        failed,
        durable,
    }
}

/// A raft index, and what its entry did.
type Entry = (u64, Arc<[EventGroup]>);

/// What each raft index made.
type Entries = Vec<(u64, Arc<[EventGroup]>)>;

/// Entries with their raft indexes: a vSwitch, a node, then ADDs and DELs at rising wall times, ten seconds apart.
fn entries(pods: u32) -> (Ledger, Entries) {
    let mut ledger = Ledger::new(ClusterId::new("test").expect("a name"));
    let mut entries: Vec<Entry> = Vec::new();
    let mut apply = |proposals: Vec<Proposal>| {
        let number = entries.len() as u64;
        let header = Header {
            ledger_time_ms: number * 10_000,
            wall_time_ms: number * 10_000,
        };
        let applied = ledger.apply(&header, proposals);
        assert!(
            applied.answers.iter().all(|answer| answer.result.is_ok()),
            "{applied:?}"
        );
        entries.push((number + 10, applied.groups.into()));
    };
    apply(vec![
        create_vswitch("a", "10.0.0.0/16", 1_000),
        register_node("n1", 0),
    ]);
    for number in 0..pods {
        let container = format!("c{number}");
        apply(vec![
            proposal(bind(&container, number)),
            proposal(release(&container)),
        ]);
    }
    (ledger, entries)
}

fn bind(container: &str, number: u32) -> Command {
    let request = add(container, "n1");
    Command::Bind(berth_domain::command::Bind {
        parameters: request.parameters(),
        key: request.key,
        node: NodeId(2),
        boot: request.boot,
        invoked_at_ms: 10,
        pod: request.pod,
        vswitch: VSwitchId(1),
        eni: None,
        addresses: vec![[10, 0, 0, (number + 1) as u8].into()],
        claim: berth_domain::command::BindClaim::None,
    })
}

fn release(container: &str) -> Command {
    let request = del(container, "n1");
    Command::Release(berth_domain::command::Release {
        key: request.key,
        node: NodeId(2),
        boot: request.boot,
        invoked_at_ms: 20,
        generation: None,
        proof: berth_domain::command::Proof::Del,
        pod_gone: false,
    })
}

fn store() -> (tempfile::TempDir, std::path::PathBuf) {
    let directory = tempfile::TempDir::new().expect("a directory");
    let path = directory.path().join("history");
    berth_store::history::create(&path).expect("created");
    (directory, path)
}

fn about(subject: Subject) -> Query {
    Query {
        subject,
        from_wall_ms: None,
        until_wall_ms: None,
        after: Revision(0),
        limit: 100,
        newest_first: false,
    }
}

fn block<T>(asked: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(asked)
}

fn revisions(page: &Page) -> Vec<u64> {
    page.groups.iter().map(|group| group.revision.0).collect()
}

/// Promise: everything is found by address, pod, node, claim and vSwitch, complete up to the revision asked for, and who had
/// an address at a moment is what its last change before that says.
#[test]
fn found_by_subject_and_moment() {
    let (_directory, path) = store();
    let running = start(&path, None);
    let (ledger, entries) = entries(5);
    for (index, groups) in &entries {
        running.feeder.applied(*index, groups);
    }
    let reader = running.reader.clone();
    let list = |subject| block(reader.list(about(subject), ledger.revision())).expect("read");
    assert_eq!(
        revisions(&list(Subject::All)),
        (1..=12).collect::<Vec<u64>>()
    );
    assert_eq!(revisions(&list(Subject::Address(ip("10.0.0.2")))), [5, 6]);
    let pod = Subject::Pod {
        namespace: Namespace::new("web").expect("a name"),
        name: PodName::new("c4").expect("a name"),
    };
    assert_eq!(revisions(&list(pod)), [11, 12]);
    let node = Subject::Node(NodeName::new("n1").expect("a name"));
    assert_eq!(revisions(&list(node)), (2..=12).collect::<Vec<u64>>());
    assert_eq!(
        revisions(&list(Subject::VSwitch(
            VSwitchName::new("a").expect("a name")
        ))),
        [1]
    );
    assert!(
        list(Subject::Node(NodeName::new("n2").expect("a name")))
            .groups
            .is_empty()
    );

    let paged = Query {
        newest_first: true,
        limit: 3,
        after: Revision(9),
        ..about(Subject::All)
    };
    let page = block(reader.list(paged, Revision(0))).expect("read");
    assert_eq!((revisions(&page), page.more), (vec![8, 7, 6], true));
    let window = Query {
        from_wall_ms: Some(10_000),
        until_wall_ms: Some(20_000),
        ..about(Subject::All)
    };
    assert_eq!(
        revisions(&block(reader.list(window, Revision(0))).expect("read")),
        [3, 4, 5, 6]
    );

    // c1 had 10.0.0.2 from the third entry on, and gave it back in the same.
    let who =
        |at_ms| block(reader.who_has(ip("10.0.0.2"), at_ms, ledger.revision())).expect("read");
    assert_eq!(
        (who(19_999).state, who(19_999).since_revision),
        (None, Revision(0))
    );
    let cooling = who(20_000);
    assert!(
        matches!(cooling.state, Some(AddressState::Cooling { .. })) && cooling.allocation.is_none()
    );
    assert_eq!(
        (cooling.since_revision, cooling.since_wall_ms),
        (Revision(6), 20_000)
    );
    running.writer.finish();
}

/// Promise: an address lay in the vSwitch that was there at the time, before its making and after its end in none; the
/// answer does not depend on how many others were made since.
#[test]
fn an_address_lay_in_the_vswitch_of_its_time() {
    let (_directory, path) = store();
    let running = start(&path, None);
    let (mut ledger, mut entries) = entries(0);
    let mut apply = |at_ms: u64, proposals: Vec<Proposal>| {
        let header = Header {
            ledger_time_ms: at_ms,
            wall_time_ms: at_ms,
        };
        let applied = ledger.apply(&header, proposals);
        let refused = applied.answers.iter().find(|answer| answer.result.is_err());
        assert!(refused.is_none(), "{refused:?}");
        entries.push((entries.len() as u64 + 10, applied.groups.into()));
        ledger.revision()
    };
    apply(20_000, vec![create_vswitch("b", "10.1.0.0/24", 1_000)]);
    let name = VSwitchName::new("b").expect("a name");
    let delete = Command::DeleteVSwitch(berth_domain::command::DeleteVSwitch { name });
    apply(30_000, vec![proposal(delete)]);
    apply(40_000, vec![create_vswitch("c", "10.1.0.0/16", 1_000)]);
    // More than a page of others.
    let others = (0..Query::LIMIT_MAX + 9).map(|number| {
        let cidr = format!("10.{}.{}.0/24", 2 + number / 256, number % 256);
        create_vswitch(&format!("v{number}"), &cidr, 1_000)
    });
    let revision = apply(50_000, others.collect());
    for (index, groups) in &entries {
        running.feeder.applied(*index, groups);
    }
    let reader = running.reader.clone();
    let of = |address: &str, at_ms| {
        let row = block(reader.vswitch_of(ip(address), at_ms, revision)).expect("read");
        row.map(|row| row.name.to_string())
    };
    let names = [19_999, 20_000, 29_999, 30_000, 39_999, 40_000, u64::MAX];
    let names = names.map(|at_ms| of("10.1.0.9", at_ms));
    let names: Vec<&str> = names
        .iter()
        .map(|name| name.as_deref().unwrap_or("none"))
        .collect();
    assert_eq!(names, ["none", "b", "b", "none", "none", "c", "c"]);
    assert_eq!(of("10.1.9.9", 25_000), None, "b was smaller than c is");
    assert_eq!(of("10.0.0.9", u64::MAX).as_deref(), Some("a"), "the oldest");
    assert_eq!(of("10.99.0.1", u64::MAX), None);
    running.writer.finish();
}

/// Promise: while an address is bound, the answer names the allocation.
#[test]
fn who_has_a_bound_address() {
    let (_, entries) = entries(1);
    let bound = WhoHas::after(&entries[1].1[0], ip("10.0.0.1"), Revision(9));
    let allocation = bound.allocation.expect("bound");
    assert_eq!(
        (allocation.pod.name.as_str(), bound.since_revision),
        ("c0", Revision(3))
    );
    assert!(matches!(bound.state, Some(AddressState::Bound { .. })));
}

/// Promise: raft is told how far the history is durable, only after it is; the last word covers everything.
#[test]
fn durable_is_told() {
    let (_directory, path) = store();
    let running = start(&path, None);
    let (ledger, entries) = entries(20);
    for (index, groups) in &entries {
        running.feeder.applied(*index, groups);
    }
    running.progress.await_revision(ledger.revision());
    assert_eq!(running.progress.behind(), 0);
    running.feeder.applied(99, &Vec::new().into());
    running.writer.finish();
    let durable = running.durable.lock().expect("whole").clone();
    assert!(durable.is_sorted(), "{durable:?}");
    assert_eq!(
        durable.last(),
        Some(&99),
        "an entry without events counts, too"
    );
}

/// Promise: after a restart the replay of what is there changes nothing, and what is new is appended; a replay that differs stops the replica.
#[test]
fn a_replay_must_be_the_same() {
    let (_directory, path) = store();
    let (ledger, entries) = entries(6);
    let running = start(&path, None);
    for (index, groups) in &entries[..4] {
        running.feeder.applied(*index, groups);
    }
    running.writer.finish();
    drop(running.reader);

    let again = start(&path, None);
    for (index, groups) in &entries {
        again.feeder.applied(*index, groups);
    }
    let page = block(again.reader.list(about(Subject::All), ledger.revision())).expect("read");
    assert_eq!(revisions(&page), (1..=14).collect::<Vec<u64>>());
    again.writer.finish();
    assert!(again.failed.try_recv().is_err());
    drop(again.reader);

    let forged = start(&path, None);
    let mut groups = entries[2].1.to_vec();
    groups[0].chain = Chain([7; 32]);
    forged.feeder.applied(entries[2].0, &groups.into());
    let error = forged
        .failed
        .recv_timeout(Duration::from_secs(10))
        .expect("stopped");
    assert!(error.contains("history"), "{error}");
}

/// Hands out groups three at a time, the first time none.
struct Elsewhere {
    groups: Vec<Bytes>,
    asked: u32,
}

impl Source for Elsewhere {
    fn fetch(
        &mut self,
        first: u64,
        last: u64,
    ) -> Result<Fetched, Box<dyn std::error::Error + Send + Sync>> {
        self.asked += 1;
        if self.asked == 1 {
            return Err("not yet".into());
        }
        let (first, last) = (first as usize - 1, last as usize);
        let groups = self.groups[first..last.min(first + 3)].iter().cloned();
        let groups = (first as u64 + 1..).zip(groups).collect();
        Ok(Fetched { groups })
    }
}

/// Promise: a replica that a snapshot put ahead says that its history has a gap, and fills it from another replica, gap-free.
#[test]
fn a_gap_is_filled_from_elsewhere() {
    let (_directory, path) = store();
    let (ledger, entries) = entries(6);
    let all: Vec<EventGroup> = entries
        .iter()
        .flat_map(|(_, groups)| groups.iter().cloned())
        .collect();
    let encoded = all
        .iter()
        .map(|group| Bytes::from(encode_group(group)))
        .collect();
    let running = start(
        &path,
        Some(Box::new(Elsewhere {
            groups: encoded,
            asked: 0,
        })),
    );
    running.feeder.applied(entries[0].0, &entries[0].1);
    let place = |number: usize| {
        let (index, groups) = &entries[number];
        let last = groups.last().expect("two");
        Place {
            index: *index,
            revision: last.revision,
            chain: last.chain,
        }
    };
    running.feeder.restored(place(4));
    for (index, groups) in &entries[5..] {
        running.feeder.applied(*index, groups);
    }
    let reader = running.reader.clone();
    let page = block(async {
        // What lies behind the gap is readable at once.
        let behind = reader.after(Revision(10), 10).await.expect("read");
        assert_eq!(behind[0].revision, Revision(11));
        loop {
            match reader.list(about(Subject::All), ledger.revision()).await {
                Ok(page) => break page,
                Err(Failure::Unavailable { reason }) => {
                    assert!(reason.contains("being fetched"), "{reason}");
                    tokio::task::yield_now().await;
                }
                Err(failure) => panic!("{failure}"),
            }
        }
    });
    assert_eq!(page.groups, all);
    running.writer.finish();
}

/// Promise: a watcher waits for the next group and gets it, and one from below the floor is refused.
#[test]
fn a_watcher_is_woken() {
    let (_directory, path) = store();
    let running = start(&path, None);
    let (_, entries) = entries(1);
    running.feeder.applied(entries[0].0, &entries[0].1);
    let reader = running.reader.clone();
    block(async {
        let first = reader.after(Revision(0), 10).await.expect("read");
        assert_eq!(first.len(), 2);
        let (next, ()) = tokio::join!(reader.after(Revision(2), 1), async {
            running.feeder.applied(entries[1].0, &entries[1].1);
        });
        assert_eq!(next.expect("read")[0].revision, Revision(3));
    });
    running.writer.finish();
}

/// Promise: names at their limits still make keys that the store takes, and different names different keys.
#[test]
fn keys_fit() {
    let long = |letter: &str| {
        Subject::Claim(ClaimName {
            cluster: ClusterName::new(&letter.repeat(63)).expect("a name"),
            namespace: Namespace::new(&letter.repeat(63)).expect("a name"),
            pod: PodName::new(&letter.repeat(253)).expect("a name"),
        })
    };
    let (one, other) = (
        posting::of_subject(&long("a")).expect("a key"),
        posting::of_subject(&long("b")).expect("a key"),
    );
    assert!(one.len() <= berth_store::history::KEY_BYTES_MAX);
    assert_ne!(one, other);
}
