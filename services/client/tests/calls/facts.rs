//! The facts source against a server that keeps what it is told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use berth_client::{Client, FactsSource, Options};
use berth_proto::v1::facts_report::Report;
use berth_proto::v1::facts_server::{Facts, FactsServer};
use berth_proto::v1::*;
use futures::Stream;
use std::pin::Pin;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::{TcpListenerStream, UnboundedReceiverStream};
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

use super::story;

#[derive(Clone)]
struct Listener {
    /// All reports, each with the number of its stream.
    heard: Arc<Mutex<Vec<(usize, FactsReport)>>>,
    streams: Arc<Mutex<usize>>,
    /// Streams up to this number are ended by the server.
    ended: watch::Sender<usize>,
    acknowledges: bool,
}

#[tonic::async_trait]
impl Facts for Listener {
    type ReportStream = Pin<Box<dyn Stream<Item = Result<FactsAck, Status>> + Send>>;

    async fn report(
        &self,
        request: Request<Streaming<FactsReport>>,
    ) -> Result<Response<Self::ReportStream>, Status> {
        let number = {
            let mut streams = self.streams.lock().expect("no panic");
            *streams += 1;
            *streams
        };
        let (acks, answer) = mpsc::unbounded_channel();
        let (listener, mut reports) = (self.clone(), request.into_inner());
        let mut ended = self.ended.subscribe();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    report = reports.message() => {
                        let Ok(Some(report)) = report else { return };
                        let version = report.version;
                        listener.heard.lock().expect("no panic").push((number, report));
                        if listener.acknowledges && acks.send(Ok(FactsAck { version })).is_err() {
                            return;
                        }
                    }
                    _ = ended.wait_for(|ended| *ended >= number) => return,
                }
            }
        });
        Ok(Response::new(Box::pin(UnboundedReceiverStream::new(
            answer,
        ))))
    }
}

async fn listen(acknowledges: bool) -> (Listener, Client) {
    let listener = Listener {
        heard: Arc::default(),
        streams: Arc::default(),
        ended: watch::Sender::new(0),
        acknowledges,
    };
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", socket.local_addr().expect("an address"));
    let served = Server::builder()
        .add_service(FactsServer::new(listener.clone()))
        .serve_with_incoming(TcpListenerStream::new(socket));
    tokio::spawn(async { served.await.expect("served") });
    let client = Client::new(Options::endpoints([endpoint])).expect("good options");
    (listener, client)
}

fn pod(name: &str, gone: bool) -> Report {
    Report::Pod(PodFact {
        namespace: "shop".into(),
        name: name.into(),
        gone,
        ..Default::default()
    })
}

fn words(heard: &[(usize, FactsReport)], stream: usize) -> Vec<String> {
    let of_stream = heard.iter().filter(|(number, _)| *number == stream);
    let word = |report: &FactsReport| match report.report.as_ref() {
        Some(Report::Begin(begin)) => format!("begin {}/{}", begin.cluster, begin.source),
        Some(Report::Pod(pod)) if pod.gone => format!("-{}", pod.name),
        Some(Report::Pod(pod)) => pod.name.clone(),
        Some(Report::Synced(_)) => "synced".into(),
        other => format!("{other:?}"),
    };
    of_stream.map(|(_, report)| word(report)).collect()
}

const SOON: Duration = Duration::from_secs(5);

/// Promise: first the list, then changes; after a stream has ended a newer epoch begins with the list as it then stands.
#[test]
fn a_lost_stream_is_begun_again() {
    story(async {
        let (listener, client) = listen(true).await;
        let session = FactsSource::new("blue", "test").start(client, [pod("web-0", false)]);
        session.settled(SOON).await.expect("settled");
        session.report(pod("web-1", false));
        session.report(pod("web-0", true));
        session.settled(SOON).await.expect("settled");
        listener.ended.send_replace(1);
        session.report(pod("web-2", false));
        session.settled(SOON).await.expect("settled");
        let heard = listener.heard.lock().expect("no panic");
        let first = words(&heard, 1);
        let changed = ["begin blue/test", "web-0", "synced", "web-1", "-web-0"];
        assert_eq!(first[..5], changed, "{first:?}");
        let second = words(&heard, 2);
        assert!(
            second.starts_with(&["begin blue/test".into(), "web-1".into()]),
            "{second:?}"
        );
        assert!(second.contains(&"web-2".into()) && !second.contains(&"web-0".into()));
        let epochs = heard.iter().filter_map(|(_, report)| match &report.report {
            Some(Report::Begin(begin)) => Some(begin.epoch),
            _ => None,
        });
        let epochs: Vec<_> = epochs.collect();
        assert!(
            epochs.is_sorted_by(|older, newer| older < newer),
            "{epochs:?}"
        );
    });
}

/// Promise (negative control): facts that nobody acknowledges are not settled.
#[test]
fn silence_is_not_settled() {
    story(async {
        let (listener, client) = listen(false).await;
        let session = FactsSource::new("blue", "test").start(client, []);
        let unsettled = session.settled(Duration::from_millis(500)).await;
        assert!(unsettled.is_err());
        assert_eq!(words(&listener.heard.lock().expect("no panic"), 1).len(), 2);
    });
}
