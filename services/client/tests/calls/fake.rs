//! A server that behaves as it is told, and remembers what it saw.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use berth_proto::v1::admin_server::AdminServer;
use berth_proto::v1::allocator_server::{Allocator, AllocatorServer};
use berth_proto::v1::*;
use futures::StreamExt;
use prost::Message;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::{TcpListenerStream, UnixListenerStream};
use tonic::transport::{Server, ServerTlsConfig};
use tonic::{Code, Request, Response, Status};

mod admin;

#[derive(Clone)]
pub enum Behaviour {
    Answer,
    Refuse(Refusal),
    /// Not the leader, but this one is.
    Hint(String),
    NoLeader,
    /// Accepts, never answers.
    Freeze,
    /// Says what a proxy in front of it says when it went away in mid-call.
    Hangup,
}

#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub deadline_ms: u64,
    pub timeout_us: u64,
    pub request_id: String,
    pub traceparent: String,
}

#[derive(Clone)]
pub struct Heart(Arc<Mutex<State>>);

struct State {
    behaviour: Behaviour,
    seen: Vec<Seen>,
    transfers: usize,
    connections: usize,
    revision: u64,
}

pub struct Fake {
    endpoint: String,
    address: Option<SocketAddr>,
    heart: Heart,
    task: JoinHandle<()>,
}

impl Fake {
    pub async fn start(behaviour: Behaviour) -> Self {
        Self::start_on(([127, 0, 0, 1], 0).into(), behaviour).await
    }

    pub async fn start_on(address: SocketAddr, behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind(address).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let heart = Heart::new(behaviour);
        let counted = heart.clone();
        let incoming =
            TcpListenerStream::new(listener).inspect(move |_| counted.state().connections += 1);
        let served = heart.server().serve_with_incoming(incoming);
        let task = tokio::spawn(async { served.await.expect("served") });
        let (endpoint, address) = (format!("http://{address}"), Some(address));
        Self {
            endpoint,
            address,
            heart,
            task,
        }
    }

    pub async fn start_tls(tls: ServerTlsConfig, behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let heart = Heart::new(behaviour);
        let served = Server::builder()
            .tls_config(tls)
            .expect("good files")
            .add_service(AllocatorServer::new(heart.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener));
        let task = tokio::spawn(async { served.await.expect("served") });
        let (endpoint, address) = (format!("https://{address}"), Some(address));
        Self {
            endpoint,
            address,
            heart,
            task,
        }
    }

    pub async fn start_on_socket(path: &Path, behaviour: Behaviour) -> Self {
        let incoming = UnixListenerStream::new(UnixListener::bind(path).expect("a socket"));
        let heart = Heart::new(behaviour);
        let served = heart.server().serve_with_incoming(incoming);
        let task = tokio::spawn(async { served.await.expect("served") });
        let endpoint = format!("unix://{}", path.display());
        Self {
            endpoint,
            address: None,
            heart,
            task,
        }
    }

    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub fn behave(&self, behaviour: Behaviour) {
        self.heart.state().behaviour = behaviour;
    }

    pub fn calls(&self) -> usize {
        self.heart.state().seen.len()
    }

    pub fn transfers(&self) -> usize {
        self.heart.state().transfers
    }

    pub fn connections(&self) -> usize {
        self.heart.state().connections
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.heart.state().seen.clone()
    }

    /// Gives the port free. Connections that were accepted are cut when their task is next looked at.
    pub async fn stop(self) -> SocketAddr {
        self.behave(Behaviour::Hangup);
        self.task.abort();
        let address = self.address.expect("tcp");
        while TcpListener::bind(address).await.is_err() {
            tokio::task::yield_now().await;
        }
        address
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Heart {
    fn new(behaviour: Behaviour) -> Self {
        Self(Arc::new(Mutex::new(State {
            behaviour,
            seen: Vec::new(),
            transfers: 0,
            connections: 0,
            revision: 0,
        })))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().expect("no panic")
    }

    fn server(&self) -> tonic::transport::server::Router {
        Server::builder()
            .add_service(AllocatorServer::new(self.clone()))
            .add_service(AdminServer::new(self.clone()))
    }

    fn see<T>(&self, request: &Request<T>, deadline_ms: u64, request_id: &str) -> Behaviour {
        let text = |name| {
            request
                .metadata()
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or("")
        };
        let timeout = text("grpc-timeout");
        let (number, unit) = timeout.split_at(timeout.len().saturating_sub(1));
        let scale = match unit {
            "S" => 1_000_000,
            "m" => 1_000,
            _ => 1,
        };
        let seen = Seen {
            deadline_ms,
            timeout_us: number.parse().map_or(0, |number: u64| number * scale),
            request_id: request_id.into(),
            traceparent: text("traceparent").into(),
        };
        let mut state = self.state();
        state.seen.push(seen);
        state.behaviour.clone()
    }

    async fn behave<T>(
        &self,
        behaviour: Behaviour,
        answer: impl FnOnce(u64) -> T,
    ) -> Result<Response<T>, Status> {
        match behaviour {
            Behaviour::Answer => {
                let mut state = self.state();
                state.revision += 1;
                Ok(Response::new(answer(state.revision)))
            }
            Behaviour::Refuse(refusal) => Err(status(refusal)),
            Behaviour::Hint(leader_endpoint) => Err(status(Refusal {
                code: RefusalCode::NotLeader as i32,
                leader_endpoint,
                ..Default::default()
            })),
            Behaviour::NoLeader => Err(status(Refusal {
                code: RefusalCode::NotLeader as i32,
                ..Default::default()
            })),
            Behaviour::Freeze => std::future::pending().await,
            Behaviour::Hangup => Err(Status::unavailable("the connection was cut")),
        }
    }
}

fn status(refusal: Refusal) -> Status {
    let code = match refusal.code() {
        RefusalCode::NotLeader => Code::Unavailable,
        _ => Code::ResourceExhausted,
    };
    Status::with_details(
        code,
        refusal.message.clone(),
        refusal.encode_to_vec().into(),
    )
}

#[tonic::async_trait]
impl Allocator for Heart {
    async fn allocate(
        &self,
        request: Request<AllocateRequest>,
    ) -> Result<Response<AllocateResponse>, Status> {
        let behaviour = self.see(&request, request.get_ref().deadline_ms, "");
        let answer = |revision| AllocateResponse {
            revision,
            ..Default::default()
        };
        self.behave(behaviour, answer).await
    }

    async fn release(
        &self,
        request: Request<ReleaseRequest>,
    ) -> Result<Response<ReleaseResponse>, Status> {
        let behaviour = self.see(&request, request.get_ref().deadline_ms, "");
        let answer = |revision| ReleaseResponse {
            revision,
            released: true,
        };
        self.behave(behaviour, answer).await
    }

    async fn check(&self, _: Request<CheckRequest>) -> Result<Response<CheckResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn collect(
        &self,
        _: Request<CollectRequest>,
    ) -> Result<Response<CollectResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn status(&self, _: Request<StatusRequest>) -> Result<Response<StatusResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }
}

/// Nobody listens there.
pub async fn dead_endpoint() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    format!("http://{}", listener.local_addr().expect("an address"))
}

/// Answers no SYN: the queue of connections that nobody accepts is full.
pub struct Blackhole {
    endpoint: String,
    _listener: std::net::TcpListener,
    _queue: Vec<std::net::TcpStream>,
}

impl Blackhole {
    pub async fn dig() -> Self {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
        let listener = socket
            .listen(1)
            .expect("listening")
            .into_std()
            .expect("std");
        let address = listener.local_addr().expect("an address");
        let mut queue = Vec::new();
        let soon = std::time::Duration::from_millis(100);
        while let Ok(stream) = std::net::TcpStream::connect_timeout(&address, soon) {
            queue.push(stream);
        }
        let endpoint = format!("http://{address}");
        Self {
            endpoint,
            _listener: listener,
            _queue: queue,
        }
    }

    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

/// Accepts, reads the request and cuts the connection: what a process that is killed in mid-call looks like.
pub struct Cutter {
    endpoint: String,
    cuts: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Cutter {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let cuts = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&cuts);
        let task = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.expect("accepted");
                let mut seen = Vec::new();
                // The path of the call is Huffman-coded; the node's name in the message is not.
                while !seen
                    .windows(8)
                    .any(|part| part == b"worker-1" || part == b"rebalanc")
                {
                    if stream.read_buf(&mut seen).await.expect("read") == 0 {
                        break;
                    }
                }
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self {
            endpoint,
            cuts,
            task,
        }
    }

    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub fn cuts(&self) -> usize {
        self.cuts.load(Ordering::SeqCst)
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        self.task.abort();
    }
}
