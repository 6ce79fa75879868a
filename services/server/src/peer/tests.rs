//! Two peers' doors over real sockets, with a replica behind each that only takes notes.

use super::*;
use crate::versions::Versions;
use berth_raft::transport::Transport;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;

/// Notes what it is told.
struct Notes {
    members: Mutex<BTreeMap<u64, [u8; 16]>>,
    /// The leader's peer endpoint, if it is another.
    leader: Mutex<Option<String>>,
    received: mpsc::UnboundedSender<(u64, Vec<Bytes>)>,
    unreachable: mpsc::UnboundedSender<u64>,
    disagreed: Arc<tokio::sync::Notify>,
    book: Book,
}

struct Heard {
    received: mpsc::UnboundedReceiver<(u64, Vec<Bytes>)>,
    unreachable: mpsc::UnboundedReceiver<u64>,
}

fn notes(members: &[(u64, u8)]) -> (Arc<Notes>, Heard) {
    let (received, received_in) = mpsc::unbounded_channel();
    let (unreachable, unreachable_in) = mpsc::unbounded_channel();
    let members = members
        .iter()
        .map(|(id, store)| (*id, [*store; 16]))
        .collect();
    let notes = Notes {
        members: Mutex::new(members),
        leader: Mutex::default(),
        received,
        unreachable,
        disagreed: Arc::default(),
        book: Book::default(),
    };
    (
        Arc::new(notes),
        Heard {
            received: received_in,
            unreachable: unreachable_in,
        },
    )
}

#[tonic::async_trait]
impl Replica for Notes {
    fn admit(&self, member: MemberId, store: [u8; 16]) -> Result<String, Stranger> {
        match self.members.lock().expect("whole").get(&member.0) {
            None => Err(Stranger::NoMember(member)),
            Some(known) if *known != store => Err(Stranger::OtherStore(member)),
            Some(_) => Ok(format!("berth-{member}")),
        }
    }
    fn applies(&self, member: MemberId, versions: VersionRange) -> Result<(), CannotApply> {
        Versions::new().admit(member, versions)
    }
    fn receive(&self, from: Greeting, messages: Vec<Bytes>) {
        self.received
            .send((from.from.0, messages))
            .expect("the test listens");
    }
    fn vitals(&self) -> Vitals {
        Vitals {
            sync_micros: 700,
            ..Vitals::default()
        }
    }
    fn heard(&self, from: MemberId, vitals: Vitals) {
        self.book.heard(from, vitals);
    }
    fn unreachable(&self, to: MemberId) {
        // A test that does not look has dropped its end.
        self.unreachable.send(to.0).unwrap_or_default();
    }
    fn disagrees(&self) {
        self.disagreed.notify_one();
    }
    async fn snapshot(&self, index: u64) -> Result<SnapshotMeta, Status> {
        Ok(SnapshotMeta {
            index: index + 5,
            chunks: 3,
            crc: 9,
            ..SnapshotMeta::default()
        })
    }
    async fn snapshot_chunk(
        &self,
        _to: MemberId,
        index: u64,
        number: u32,
    ) -> Result<Bytes, Status> {
        Ok(format!("{index}/{number}").into())
    }
    async fn history(&self, after: u64, until: u64) -> Result<Vec<(u64, Bytes)>, Status> {
        let upto = until.min(after + 700);
        Ok((after + 1..=upto)
            .map(|revision| (revision, revision.to_string().into()))
            .collect())
    }
    async fn join(&self, _request: v1::JoinRequest) -> Result<v1::JoinResponse, Status> {
        let leader = self.leader.lock().expect("whole").clone();
        Ok(v1::JoinResponse {
            accepted: leader.is_none(),
            cluster_id: "c".into(),
            leader_peer_endpoint: leader.unwrap_or_default(),
            ..Default::default()
        })
    }
}

fn myself(member: u64, store: u8) -> Myself {
    Myself {
        cluster_id: "c".into(),
        member: MemberId(member),
        store: [store; 16],
    }
}

/// Serves a replica's door; its endpoint, and what stops it.
async fn serve(me: Myself, replica: Arc<Notes>) -> (Endpoint, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("bound"));
    let task = tokio::spawn(async move {
        Server::builder()
            .add_service(PeerService::server(me, replica))
            .serve_with_incoming(TcpListenerStream::new(listener))
            .await
            .expect("served");
    });
    (Endpoint::new(&endpoint).expect("short"), task)
}

fn link(me: &Myself, replica: &Arc<Notes>, to: u64, endpoint: &Endpoint) -> (Links, PeerTransport) {
    let links = Links::default();
    let address = Address {
        member: MemberId(to),
        name: format!("berth-{to}"),
        endpoint: endpoint.clone(),
    };
    let replica: Arc<dyn Replica> = Arc::clone(replica) as Arc<dyn Replica>;
    links.update(me, None, &replica, &[address]);
    let transport = links.transport();
    (links, transport)
}

async fn send_until_heard(transport: &mut PeerTransport, heard: &mut Heard) -> (u64, Vec<Bytes>) {
    loop {
        transport.send(2, vec![Bytes::from_static(b"again")]);
        let soon = tokio::time::timeout(Duration::from_millis(50), heard.received.recv());
        if let Ok(Some(received)) = soon.await {
            return received;
        }
    }
}

/// Promise: messages arrive in order with their sender's id, many batches in few frames.
#[tokio::test]
async fn messages_arrive_in_order() {
    let (sender, _heard) = notes(&[(2, 2)]);
    let (receiver, mut heard) = notes(&[(1, 1)]);
    let (endpoint, _server) = serve(myself(2, 2), receiver).await;
    let (links, mut transport) = link(&myself(1, 1), &sender, 2, &endpoint);
    for number in 0..100u8 {
        transport.send(2, vec![vec![number, 0].into(), vec![number, 1].into()]);
    }
    let mut all = Vec::new();
    while all.len() < 200 {
        let (from, messages) = heard.received.recv().await.expect("messages");
        assert_eq!(from, 1);
        all.extend(messages);
    }
    let expected: Vec<Bytes> = (0..100u8)
        .flat_map(|n| [vec![n, 0].into(), vec![n, 1].into()])
        .collect();
    assert_eq!((all, links.dropped()), (expected, 0));
    // A batch larger than a frame may be goes in several.
    let large = Bytes::from(vec![7; MESSAGE_BYTES_MAX / 4]);
    transport.send(2, vec![large.clone(); 9]);
    let mut large_ones = 0;
    while large_ones < 9 {
        let (_, messages) = heard.received.recv().await.expect("messages");
        large_ones += messages.iter().filter(|message| **message == large).count();
    }
    transport.send(3, vec![Bytes::new()]);
    assert_eq!(
        links.dropped(),
        1,
        "an unknown member's messages are dropped and counted"
    );
}

/// Promise: a wiped replica under its old id is heard by nobody, and is told to --rejoin;
/// the same replica with its registered store is heard (the control).
#[tokio::test]
async fn a_wiped_replica_is_turned_away() {
    let (sender, mut told) = notes(&[(2, 2)]);
    let (receiver, mut heard) = notes(&[(1, 1)]);
    let (endpoint, _server) = serve(myself(2, 2), Arc::clone(&receiver)).await;
    let (_links, mut transport) = link(&myself(1, 99), &sender, 2, &endpoint);
    for _ in 0..3 {
        transport.send(2, vec![Bytes::from_static(b"a vote")]);
        assert_eq!(
            told.unreachable.recv().await,
            Some(2),
            "raft hears that it is cut off"
        );
    }
    assert!(
        heard.received.try_recv().is_err(),
        "nothing of it came through"
    );
    let stranger = receiver
        .admit(MemberId(1), [99; 16])
        .expect_err("another store");
    assert!(stranger.to_string().contains("--rejoin"));
    let (_links, mut transport) = link(&myself(1, 1), &sender, 2, &endpoint);
    assert_eq!(send_until_heard(&mut transport, &mut heard).await.0, 1);
}

/// Promise: when one does not know the other, both doubt themselves and ask the leader: either may be behind.
#[tokio::test]
async fn both_doubt_themselves() {
    let (sender, _told) = notes(&[(2, 2)]);
    let (receiver, _heard) = notes(&[(3, 3)]);
    let (endpoint, _server) = serve(myself(2, 2), Arc::clone(&receiver)).await;
    let (_links, mut transport) = link(&myself(1, 1), &sender, 2, &endpoint);
    transport.send(2, vec![Bytes::from_static(b"a beat")]);
    receiver.disagreed.notified().await;
    sender.disagreed.notified().await;
}

/// Promise: a member that is removed, or registered anew, is cut off in the middle of its stream.
#[tokio::test]
async fn a_removed_member_is_cut_off() {
    let (sender, mut told) = notes(&[(2, 2)]);
    let (receiver, mut heard) = notes(&[(1, 1)]);
    let (endpoint, _server) = serve(myself(2, 2), Arc::clone(&receiver)).await;
    let (_links, mut transport) = link(&myself(1, 1), &sender, 2, &endpoint);
    send_until_heard(&mut transport, &mut heard).await;
    receiver.members.lock().expect("whole").clear();
    transport.send(2, vec![Bytes::from_static(b"late")]);
    assert_eq!(told.unreachable.recv().await, Some(2));
    while let Ok((_, messages)) = heard.received.try_recv() {
        assert!(messages.iter().all(|message| message != "late"));
    }
}

/// Promise: a stream comes again by itself after the other side was away.
#[tokio::test]
async fn a_link_comes_again() {
    let (sender, mut told) = notes(&[(2, 2)]);
    let (receiver, mut heard) = notes(&[(1, 1)]);
    let away = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = away.local_addr().expect("bound");
    drop(away);
    let endpoint = Endpoint::new(&format!("http://{address}")).expect("short");
    let (_links, mut transport) = link(&myself(1, 1), &sender, 2, &endpoint);
    assert_eq!(told.unreachable.recv().await, Some(2));
    let listener = TcpListener::bind(address)
        .await
        .expect("the port is free again");
    let service = PeerService::server(myself(2, 2), receiver);
    let server = Server::builder().add_service(service);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    assert_eq!(send_until_heard(&mut transport, &mut heard).await.0, 1);
}

/// Promise: closing a link, or changing where it leads, leaves no old task behind.
#[tokio::test]
async fn links_follow_the_membership() {
    let (sender, _told) = notes(&[]);
    let replica: Arc<dyn Replica> = sender;
    let links = Links::default();
    let at = |member: u64, port: u16| Address {
        member: MemberId(member),
        name: format!("berth-{member}"),
        endpoint: Endpoint::new(&format!("http://127.0.0.1:{port}")).expect("short"),
    };
    let me = myself(1, 1);
    links.update(&me, None, &replica, &[at(1, 1), at(2, 2), at(3, 3)]);
    assert_eq!(
        links.members(),
        [MemberId(2), MemberId(3)],
        "never to itself"
    );
    links.update(&me, None, &replica, &[at(1, 1), at(3, 4)]);
    assert_eq!(links.members(), [MemberId(3)]);
}

/// Promise: snapshots and history arrive whole, in order, in parts; another cluster gets neither.
#[tokio::test]
async fn snapshots_and_history_are_fetched_in_parts() {
    let (receiver, _heard) = notes(&[]);
    let (endpoint, _server) = serve(myself(2, 2), receiver).await;
    let channel = channel(&endpoint, None)
        .expect("a channel")
        .connect()
        .await
        .expect("connected");
    let mut client = v1::peer_client::PeerClient::new(channel);
    let ask = |cluster: &str| v1::FetchSnapshotRequest {
        cluster_id: cluster.into(),
        from: 1,
        index: 10,
        ..Default::default()
    };
    let mut parts = client
        .fetch_snapshot(ask("c"))
        .await
        .expect("a snapshot")
        .into_inner();
    let mut chunks = Vec::new();
    while let Some(part) = parts.message().await.expect("a part") {
        assert_eq!(part.head.is_some(), part.number == 0);
        chunks.push(part.chunk);
    }
    assert_eq!(chunks, ["15/0", "15/1", "15/2"]);
    assert_eq!(
        client
            .fetch_snapshot(ask("d"))
            .await
            .expect_err("refused")
            .code(),
        tonic::Code::PermissionDenied
    );
    let ask = v1::FetchHistoryRequest {
        cluster_id: "c".into(),
        from: 1,
        after_revision: 3,
        until_revision: 1500,
    };
    let mut parts = client
        .fetch_history(ask)
        .await
        .expect("history")
        .into_inner();
    let mut next = 4;
    while let Some(part) = parts.message().await.expect("a part") {
        assert_eq!(part.first_revision, next);
        assert!(part.groups.len() <= 512);
        next += part.groups.len() as u64;
    }
    assert_eq!(next, 1501);
}

/// Promise: a joining replica follows the hint to the leader, and the leader's answer is what it gets.
#[tokio::test]
async fn joining_follows_the_leader() {
    let (leader, _heard) = notes(&[]);
    let (leader_endpoint, _server) = serve(myself(2, 2), leader).await;
    let (follower, _heard) = notes(&[]);
    *follower.leader.lock().expect("whole") = Some(leader_endpoint.to_string());
    let (endpoint, _server) = serve(myself(3, 3), follower).await;
    let request = v1::JoinRequest {
        name: "new".into(),
        ..Default::default()
    };
    let joined = join::ask(&[endpoint], None, &request).await.expect("in");
    assert_eq!(joined.cluster_id, "c");
}

/// Promise: a stream that never greets is ended after ten seconds; one that has greeted is kept, however long it is silent.
#[tokio::test(start_paused = true)]
async fn a_stream_that_does_not_greet_is_ended() {
    use futures::stream::{self, StreamExt};
    let (replica, mut heard) = notes(&[(1, 1)]);
    let me = myself(2, 2);
    let begun = tokio::time::Instant::now();
    let silent = stream::pending::<Result<v1::Frame, Status>>();
    let ended = exchange::receive(&me, &*replica, "", silent).await;
    assert_eq!(
        ended.expect_err("ended").code(),
        tonic::Code::DeadlineExceeded
    );
    assert_eq!(begun.elapsed().as_secs(), 10);
    let day = Duration::from_secs(86_400);
    let late = stream::once(async move {
        tokio::time::sleep(day).await;
        let messages = vec![Bytes::from_static(b"late")];
        Ok(v1::Frame {
            messages,
            ..v1::Frame::default()
        })
    });
    let greeting = stream::iter([Ok(Greeting::frame(&myself(1, 1), MemberId(2)))]);
    let kept = exchange::receive(&me, &*replica, "", greeting.chain(late).boxed()).await;
    assert!(kept.is_ok() && begun.elapsed() > day, "{kept:?}");
    let (from, messages) = heard.received.recv().await.expect("heard");
    assert_eq!((from, &messages[0][..]), (1, &b"late"[..]));
}
