//! A member whose streams break, damage chunks, or have another snapshot by now.

use super::*;
use berth_proto::peer::v1::peer_server::{Peer, PeerServer};
use berth_proto::peer::v1::*;
use futures::stream::{self, BoxStream, StreamExt};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response};

/// What a stream does after the chunks that it brings.
#[derive(Clone)]
enum Then {
    Ends,
    Breaks(Code),
    Damages,
}

/// Its snapshot at 7 has four chunks. Each stream follows the next step; without one it brings everything.
#[derive(Clone, Default)]
struct Flaky {
    steps: Arc<Mutex<Vec<(u32, Then)>>>,
    /// From which chunk on it was asked, each time.
    asked: Arc<Mutex<Vec<u32>>>,
    knows_no_first_chunk: bool,
}

const CHUNKS: u32 = 4;

fn part(number: u32) -> SnapshotPart {
    let chunk = Bytes::from(format!("chunk {number}"));
    SnapshotPart {
        head: None,
        number,
        crc: Some(crc32c::crc32c(&chunk)),
        chunk,
    }
}

#[tonic::async_trait]
impl Peer for Flaky {
    async fn exchange(
        &self,
        _: Request<Streaming<Frame>>,
    ) -> Result<Response<ExchangeEnd>, Status> {
        Err(Status::unimplemented("not here"))
    }
    type FetchSnapshotStream = BoxStream<'static, Result<SnapshotPart, Status>>;
    async fn fetch_snapshot(
        &self,
        request: Request<FetchSnapshotRequest>,
    ) -> Result<Response<Self::FetchSnapshotStream>, Status> {
        let first = request.into_inner().first_chunk;
        self.asked.lock().expect("whole").push(first);
        let first = if self.knows_no_first_chunk { 0 } else { first };
        let step = self.steps.lock().expect("whole").pop();
        let (count, then) = step.unwrap_or((CHUNKS, Then::Ends));
        let end = CHUNKS.min(first + count);
        let mut parts: Vec<_> = (first..end).map(|number| Ok(part(number))).collect();
        match then {
            Then::Ends => {}
            Then::Breaks(code) => parts.push(Err(Status::new(code, "as planned"))),
            Then::Damages => parts.push(Ok(SnapshotPart {
                chunk: Bytes::from_static(b"a bit flipped"),
                ..part(end)
            })),
        }
        Ok(Response::new(stream::iter(parts).boxed()))
    }
    type FetchHistoryStream = BoxStream<'static, Result<HistoryPart, Status>>;
    async fn fetch_history(
        &self,
        _: Request<FetchHistoryRequest>,
    ) -> Result<Response<Self::FetchHistoryStream>, Status> {
        Err(Status::unimplemented("not here"))
    }
    async fn join(&self, _: Request<JoinRequest>) -> Result<Response<JoinResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }
}

/// What came, from chunk `first` on, and how it ended.
async fn fetched(flaky: Flaky, first: u32) -> (Vec<Bytes>, Result<(), Error>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("bound"));
    let server = Server::builder().add_service(PeerServer::new(flaky));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    let myself = Myself {
        cluster_id: "c".into(),
        member: MemberId(2),
        store: [2; 16],
    };
    let holder = Holder {
        member: MemberId(1),
        endpoint: Endpoint::new(&endpoint).expect("short"),
    };
    let meta = SnapshotMeta {
        index: 7,
        chunks: CHUNKS,
        ..SnapshotMeta::default()
    };
    let mut chunks = Vec::new();
    let ended = PeerSnapshots::new(myself, None, Links::default())
        .all(&holder, &meta, first, &mut |chunk| {
            chunks.push(chunk);
            Ok(())
        })
        .await;
    (chunks, ended)
}

fn chunks(first: u32) -> Vec<Bytes> {
    (first..CHUNKS).map(|number| part(number).chunk).collect()
}

/// Steps in the order in which they are taken.
fn flaky(steps: &[(u32, Then)]) -> Flaky {
    let flaky = Flaky::default();
    let mut steps = steps.to_vec();
    steps.reverse();
    *flaky.steps.lock().expect("whole") = steps;
    flaky
}

/// Promise: a stream that breaks, ends early or brings a damaged chunk is opened again at the chunk that is missing; each
/// chunk is handed on once.
#[tokio::test]
async fn a_broken_stream_goes_on() {
    let breaks = || Then::Breaks(Code::Unavailable);
    let flaky = flaky(&[
        (1, breaks()),
        (1, Then::Ends),
        (0, Then::Damages),
        (1, breaks()),
    ]);
    let (came, ended) = fetched(flaky.clone(), 0).await;
    ended.expect("all of it");
    assert_eq!(came, chunks(0));
    assert_eq!(*flaky.asked.lock().expect("whole"), [0, 1, 2, 2, 3]);
}

/// Promise: what the driver has from an earlier try is not asked for again, and skipped if the sender begins at the
/// beginning all the same.
#[tokio::test]
async fn an_earlier_beginning_counts() {
    for knows_no_first_chunk in [false, true] {
        let flaky = Flaky {
            knows_no_first_chunk,
            ..Flaky::default()
        };
        let (came, ended) = fetched(flaky.clone(), 3).await;
        ended.expect("all of it");
        assert_eq!(came, chunks(3));
        assert_eq!(*flaky.asked.lock().expect("whole"), [3]);
    }
}

/// Promise: a snapshot that is gone is given up at once, a member that only breaks after a few tries.
#[tokio::test]
async fn a_hopeless_fetch_ends() {
    let gone = flaky(&[(1, Then::Breaks(Code::NotFound))]);
    let (came, ended) = fetched(gone.clone(), 0).await;
    assert_eq!(
        (came.len(), gone.asked.lock().expect("whole").len()),
        (1, 1)
    );
    assert!(
        matches!(ended, Err(Error::Broken { at: 1, .. })),
        "{ended:?}"
    );
    let breaks = flaky(&vec![(0, Then::Breaks(Code::Unavailable)); 9]);
    let (came, ended) = fetched(breaks.clone(), 0).await;
    assert!(ended.is_err() && came.is_empty());
    let asked = breaks.asked.lock().expect("whole").len();
    assert_eq!(asked, BREAKS_MAX as usize);
}
