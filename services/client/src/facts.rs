//! A source of facts: keeps the full list, and a stream to whoever leads, and begins again by itself when either side
//! goes away.

mod list;

use std::sync::Arc;
use std::time::Duration;

use berth_proto::v1::facts_report::Report;
use berth_proto::v1::{FactsAck, FactsHeartbeat, FactsReport};
use futures::channel::mpsc;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval_at, sleep};
use tonic::Streaming;

use crate::{Client, Error};
use list::{List, Told};

/// The server wants one at least each 30 s.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// Between two streams that ended, so that a server which refuses is not flooded.
const REOPEN_AFTER: Duration = Duration::from_millis(200);

/// Who reports, before it does.
#[derive(Clone, Debug)]
pub struct FactsSource {
    /// The Kubernetes cluster whose facts these are. One source per cluster at a time.
    pub cluster: String,
    /// The source's own name: "operator", "loadtest".
    pub source: String,
}

/// A source at work. Dropping it ends the stream; what was reported then grows old.
#[derive(Debug)]
pub struct FactsSession {
    list: Arc<List>,
    standing: watch::Receiver<Standing>,
    task: JoinHandle<()>,
}

/// How far the leader has followed.
#[derive(Clone, Debug, Default)]
struct Standing {
    /// All changes up to this one are known to the leader.
    settled: u64,
    /// Why there is no stream now.
    failure: Option<Error>,
}

/// The sending half of one stream.
struct Feed {
    reports: mpsc::UnboundedSender<FactsReport>,
    version: u64,
    /// (version, change) of what is not acknowledged yet, oldest first.
    unsettled: std::collections::VecDeque<(u64, u64)>,
    told: Told,
}

// === impl FactsSource ===

impl FactsSource {
    /// Names a source.
    pub fn new(cluster: &str, source: &str) -> Self {
        let (cluster, source) = (cluster.to_owned(), source.to_owned());
        Self { cluster, source }
    }

    /// Starts with these facts as the full list. Needs a tokio runtime.
    pub fn start(self, client: Client, facts: impl IntoIterator<Item = Report>) -> FactsSession {
        let list = Arc::new(List::new(facts));
        let (standing, watched) = watch::channel(Standing::default());
        let task = tokio::spawn(run(self, client, Arc::clone(&list), standing));
        FactsSession {
            list,
            standing: watched,
            task,
        }
    }
}

// === impl FactsSession ===

impl FactsSession {
    /// A fact is new or has changed; with `gone` it is no more. Returns at once; see [`FactsSession::settled`].
    pub fn report(&self, fact: Report) {
        self.list.change(fact);
    }

    /// Waits until the leader knows all that was reported before this call.
    pub async fn settled(&self, within: Duration) -> Result<(), Error> {
        let all = self.list.changes();
        let mut standing = self.standing.clone();
        let deadline = Instant::now() + within;
        let known = standing.wait_for(|standing| standing.settled >= all);
        if let Ok(Ok(_)) = tokio::time::timeout_at(deadline, known).await {
            return Ok(());
        }
        let failure = self.standing.borrow().failure.clone();
        Err(failure.unwrap_or(Error::DeadlineExceeded {
            sent: true,
            refusal: None,
            attempts: Vec::new(),
        }))
    }
}

impl Drop for FactsSession {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(
    source: FactsSource,
    client: Client,
    list: Arc<List>,
    standing: watch::Sender<Standing>,
) {
    loop {
        let failure = match open(&source, &client, &list).await {
            Ok((feed, acks)) => {
                standing.send_modify(|standing| standing.failure = None);
                keep(feed, acks, &list, &standing).await
            }
            Err(failure) => Some(failure),
        };
        list.ended();
        if failure.is_some() {
            standing.send_modify(|standing| standing.failure = failure);
        }
        sleep(REOPEN_AFTER).await;
    }
}

/// Opens a stream and sends the full list on it.
async fn open(
    source: &FactsSource,
    client: &Client,
    list: &List,
) -> Result<(Feed, Streaming<FactsAck>), Error> {
    let last = std::sync::Mutex::new(None);
    let reports = || {
        let (feed, reports) = Feed::begin(source, list);
        *last
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(feed);
        reports
    };
    let acks = client.report_facts(reports).await?;
    let feed = last.into_inner();
    match feed.unwrap_or_else(std::sync::PoisonError::into_inner) {
        Some(feed) => Ok((feed, acks)),
        None => Err(Error::Option {
            option: "facts",
            reason: "the stream was answered before it was begun".to_owned(),
        }),
    }
}

/// Sends changes and heartbeats until the stream ends. The reason, if it is more than an end.
async fn keep(
    mut feed: Feed,
    mut acks: Streaming<FactsAck>,
    list: &List,
    standing: &watch::Sender<Standing>,
) -> Option<Error> {
    let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    loop {
        tokio::select! {
            () = list.changed() => feed.catch_up(list),
            _ = heartbeat.tick() => feed.send(Report::Heartbeat(FactsHeartbeat {})),
            ack = acks.message() => match ack {
                Ok(Some(ack)) => {
                    if let Some(settled) = feed.acknowledged(ack.version) {
                        standing.send_modify(|standing| standing.settled = settled);
                    }
                }
                Ok(None) => return None,
                Err(status) => return Some(Error::Protocol {
                    endpoint: "the leader".to_owned(),
                    code: status.code(),
                    message: status.message().to_owned(),
                }),
            },
        }
    }
}

// === impl Feed ===

impl Feed {
    /// A stream that already holds the full list.
    fn begin(source: &FactsSource, list: &List) -> (Self, mpsc::UnboundedReceiver<FactsReport>) {
        let (sender, receiver) = mpsc::unbounded();
        let (begin, facts, told) = list.begin(&source.cluster, &source.source);
        let mut feed = Self {
            reports: sender,
            version: 0,
            unsettled: Default::default(),
            told,
        };
        feed.send(Report::Begin(begin));
        for fact in facts {
            feed.send(fact);
        }
        feed.send(Report::Synced(Default::default()));
        feed.unsettled.push_back((feed.version, feed.told.changes));
        (feed, receiver)
    }

    fn catch_up(&mut self, list: &List) {
        for fact in list.since(&mut self.told) {
            self.send(fact);
        }
        self.unsettled.push_back((self.version, self.told.changes));
    }

    fn send(&mut self, report: Report) {
        self.version += 1;
        let (version, report) = (self.version, Some(report));
        let report = FactsReport { version, report };
        // An error means that the stream has ended; the acknowledgements end with it, and tell.
        drop(self.reports.unbounded_send(report));
    }

    /// The last change that the leader knows now.
    fn acknowledged(&mut self, version: u64) -> Option<u64> {
        let mut settled = None;
        while let Some((_, change)) = self.unsettled.pop_front_if(|(sent, _)| *sent <= version) {
            settled = Some(change);
        }
        settled
    }
}
