//! The history's one thread: encodes groups, appends them, commits now and then, fills gaps.

use super::feeder::{Feeder, Message};
use super::progress::{Place, Progress};
use super::{Error, posting};
use crate::codec::{decode_group, encode_group};
use berth_domain::event::{Chain, EventGroup};
use berth_domain::id::Revision;
use berth_store::history::{Gap, HistoryReader, HistoryWriter, Record, Through};
use bytes::Bytes;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Without somebody waiting a commit comes this late: each is a disk sync that the log would rather have for itself.
const COMMIT_EVERY: Duration = Duration::from_millis(100);
/// With somebody waiting it comes this late: a watcher always waits, and must not cost a disk sync per entry.
const COMMIT_AWAITED_EVERY: Duration = Duration::from_millis(5);
/// Records that are committed without waiting for more: a few segments.
const COMMIT_RECORDS: usize = 8_192;
/// Added to the thread's nice value, which on Linux is each thread's own.
const NICE: i32 = 5;
/// After a fetch that failed.
const FETCH_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Consecutive encoded groups of another replica.
#[derive(Clone, Debug, Default)]
pub struct Fetched {
    /// Each with its revision, encoded as `berth.log.v1.EventGroup`, from the revision asked for on; empty = it has none
    /// either.
    pub groups: Vec<(u64, Bytes)>,
}

/// Where missing groups come from: another replica. Called on a thread of its own; may block, within limits of its own.
pub trait Source: Send + 'static {
    /// Some groups from `first` on, at most up to `last`.
    fn fetch(
        &mut self,
        first: u64,
        last: u64,
    ) -> Result<Fetched, Box<dyn std::error::Error + Send + Sync>>;
}

/// What the thread says to whoever runs it.
pub struct Reports {
    /// The history is durable up to this raft index.
    pub durable: Box<dyn Fn(u64) + Send>,
    /// The history cannot go on.
    pub failed: Box<dyn FnOnce(Error) + Send>,
}

/// A running history thread.
#[derive(Debug)]
pub struct Writer {
    thread: JoinHandle<()>,
    feeder: Feeder,
}

struct Work {
    store: HistoryWriter,
    reader: HistoryReader,
    inbox: Receiver<Message>,
    progress: Arc<Progress>,
    /// Groups appended and not committed.
    uncommitted: usize,
    /// How long the oldest of them has waited.
    since: Option<Instant>,
    gaps: Option<Sender<Gap>>,
}

// === impl Writer ===

impl Writer {
    /// Starts the thread.
    pub fn start(
        store: HistoryWriter,
        reader: HistoryReader,
        source: Option<Box<dyn Source>>,
        reports: Reports,
    ) -> std::io::Result<(Self, Feeder, Arc<Progress>)> {
        let (sender, inbox) = mpsc::channel();
        let progress = Arc::new(Progress::new(Revision(store.through().revision)));
        let feeder = Feeder::new(sender, Arc::clone(&progress));
        let gaps = source.map(|source| fetcher(source, &feeder)).transpose()?;
        let mut work = Work {
            store,
            reader,
            inbox,
            progress: Arc::clone(&progress),
            uncommitted: 0,
            since: None,
            gaps,
        };
        let thread = std::thread::Builder::new()
            .name("history".into())
            .spawn(move || {
                give_way();
                let result = work.run(&*reports.durable);
                work.progress.close();
                if let Err(error) = result {
                    (reports.failed)(error);
                }
            })?;
        let writer = Self {
            thread,
            feeder: feeder.clone(),
        };
        Ok((writer, feeder, progress))
    }

    /// Makes everything handed over so far durable and ends the thread. Let the raft thread end first.
    pub fn finish(self) {
        self.feeder.end();
        if self.thread.join().is_err() {
            tracing::error!("the history thread panicked");
        }
    }
}

// === impl Work ===

impl Work {
    fn run(&mut self, durable: &dyn Fn(u64)) -> Result<(), Error> {
        durable(self.store.through().index);
        self.look_for_gaps();
        loop {
            let message = match self.next() {
                Ok(message) => message,
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            match message {
                Some(Message::End) => break,
                Some(message) => self.take(message)?,
                None => {}
            }
            if self.is_due() {
                self.commit(durable)?;
            }
        }
        self.commit(durable)
    }

    /// The next message, or none if nothing came before a commit is due.
    fn next(&self) -> Result<Option<Message>, RecvTimeoutError> {
        match self.inbox.try_recv() {
            Ok(message) => return Ok(Some(message)),
            Err(TryRecvError::Disconnected) => return Err(RecvTimeoutError::Disconnected),
            Err(TryRecvError::Empty) => {}
        }
        let Some(since) = self.since else {
            return self
                .inbox
                .recv()
                .map(Some)
                .map_err(|_| RecvTimeoutError::Disconnected);
        };
        // Short, so that somebody who begins to wait meanwhile is noticed.
        let left = COMMIT_EVERY
            .saturating_sub(since.elapsed())
            .min(COMMIT_AWAITED_EVERY);
        self.inbox.recv_timeout(left).map(Some)
    }

    fn is_due(&self) -> bool {
        let Some(since) = self.since else {
            return false;
        };
        let patience = match self.progress.is_awaited() {
            true => COMMIT_AWAITED_EVERY,
            false => COMMIT_EVERY,
        };
        since.elapsed() >= patience || self.uncommitted >= COMMIT_RECORDS
    }

    fn take(&mut self, message: Message) -> Result<(), Error> {
        match message {
            Message::Applied { index, groups } => {
                let records: Vec<Record> =
                    groups.iter().map(|group| record(index, group)).collect();
                self.uncommitted += records.len();
                self.store.append(records)?;
                self.store.reach(index);
                self.since.get_or_insert_with(Instant::now);
            }
            Message::Restored(place) => self.restored(place)?,
            Message::Fetched { first, bodies } => self.fetched(first, bodies)?,
            Message::End => {}
        }
        Ok(())
    }

    /// What the snapshot covers and this history has not is a gap, filled from another replica.
    fn restored(&mut self, place: Place) -> Result<(), Error> {
        self.store.commit()?;
        if self.store.through().revision >= place.revision.0 {
            return Ok(());
        }
        self.store.jump(Through {
            revision: place.revision.0,
            index: place.index,
            chain: place.chain.0,
        })?;
        let groups = std::mem::take(&mut self.uncommitted);
        self.progress.reach(place.revision, groups);
        self.since = None;
        self.look_for_gaps();
        Ok(())
    }

    fn fetched(&mut self, first: u64, bodies: Vec<(u64, Bytes)>) -> Result<(), Error> {
        let mut records: Vec<Record> = Vec::with_capacity(bodies.len());
        let mut before = first - 1;
        for (revision, body) in bodies {
            let group = decode_group(&body).map_err(|source| Error::Group { revision, source })?;
            let fits = group.revision.0 == revision && group.follows(Revision(before));
            if !fits {
                tracing::warn!(
                    revision,
                    found = group.revision.0,
                    "a replica sent another event group than was asked for"
                );
                return Ok(());
            }
            if revision > before + 1 {
                self.store.import(std::mem::take(&mut records))?;
                self.store.import_void(before + 1, revision)?;
            }
            before = revision;
            // The raft index is only of use for what this replica applied itself.
            records.push(record(0, &group));
        }
        self.store.import(records)?;
        self.look_for_gaps();
        Ok(())
    }

    fn look_for_gaps(&self) {
        if let (Some(gap), Some(fetcher)) = (self.reader.gaps().first(), &self.gaps)
            && fetcher.send(*gap).is_err()
        {
            tracing::warn!("the history has a gap and nobody to fetch it from");
        }
    }

    fn commit(&mut self, durable: &dyn Fn(u64)) -> Result<(), Error> {
        let through = self.store.commit()?;
        self.progress.reach(
            Revision(through.revision),
            std::mem::take(&mut self.uncommitted),
        );
        self.since = None;
        durable(through.index);
        Ok(())
    }
}

/// A group as the store keeps it. `index` is the raft index that made it here; 0 = it came from elsewhere.
pub(crate) fn record(index: u64, group: &EventGroup) -> Record {
    let Chain(chain) = group.chain;
    Record {
        revision: group.revision.0,
        index,
        wall_ms: group.wall_time_ms,
        chain,
        keys: posting::keys(group),
        body: encode_group(group).into(),
    }
}

/// Nobody waits for this thread; those that an answer waits for go first. It keeps a third of a share, because a history
/// that falls far behind slows admission.
fn give_way() {
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!(%error, "the history's thread keeps its priority");
    }
}

/// A thread that fetches the beginning of each gap it is told of; the writer tells it the next one.
fn fetcher(mut source: Box<dyn Source>, feeder: &Feeder) -> std::io::Result<Sender<Gap>> {
    let (sender, gaps) = mpsc::channel::<Gap>();
    // The thread ends with the writer's, which holds the only sender of gaps.
    let feeder = feeder.clone();
    std::thread::Builder::new()
        .name("history-fetch".into())
        .spawn(move || {
            while let Ok(gap) = gaps.recv() {
                if !fetch(&mut *source, &gap, &feeder) {
                    return;
                }
            }
        })?;
    Ok(sender)
}

fn fetch(source: &mut dyn Source, gap: &Gap, feeder: &Feeder) -> bool {
    loop {
        match source.fetch(gap.first, gap.last) {
            Ok(fetched) if !fetched.groups.is_empty() => {
                return feeder.fetched(gap.first, fetched.groups);
            }
            Ok(_) => tracing::warn!(
                first = gap.first,
                last = gap.last,
                "no replica has these event groups"
            ),
            Err(error) => {
                tracing::warn!(%error, first = gap.first, "event groups could not be fetched, trying again")
            }
        }
        std::thread::sleep(FETCH_AGAIN_AFTER);
    }
}
