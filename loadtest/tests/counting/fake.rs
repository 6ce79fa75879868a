//! An address manager of one page, honest or wrong in one named way.

mod admin;

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};

use berth_proto::v1::admin_server::AdminServer;
use berth_proto::v1::allocator_server::{Allocator, AllocatorServer};
use berth_proto::v1::facts_server::{Facts, FactsServer};
use berth_proto::v1::*;
use futures::{Stream, StreamExt};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

#[derive(Clone, Copy, PartialEq)]
pub enum Fault {
    None,
    /// Every hundredth address is given twice.
    Twice,
    /// Every hundredth ADD is answered and not kept.
    Forgets,
    /// Static pods get any address.
    MovesStatics,
    /// Every tenth DEL is answered and not done.
    KeepsReleased,
}

#[derive(Clone)]
pub struct Fake {
    pub endpoint: String,
    fault: Fault,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    calls: u64,
    releases: u64,
    never_used: u32,
    free: VecDeque<String>,
    allocations: BTreeMap<String, Allocation>,
    statics: BTreeMap<String, String>,
}

impl Fake {
    /// Serves on a thread of its own until the process ends.
    pub fn start(fault: Fault) -> Self {
        let (told, fake) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            let runtime = builder.enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
                let address = listener.local_addr().expect("an address");
                let fake = Self {
                    endpoint: format!("http://{address}"),
                    fault,
                    state: Arc::default(),
                };
                told.send(fake.clone()).expect("someone waits");
                Server::builder()
                    .add_service(AllocatorServer::new(fake.clone()))
                    .add_service(FactsServer::new(fake.clone()))
                    .add_service(AdminServer::new(fake))
                    .serve_with_incoming(TcpListenerStream::new(listener))
                    .await
                    .expect("served");
            });
        });
        fake.recv().expect("it starts")
    }

    fn listed(&self) -> Vec<Allocation> {
        self.state().allocations.values().cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic")
    }
}

impl State {
    fn fresh(&mut self) -> String {
        if let Some(address) = self.free.pop_front() {
            return address;
        }
        self.never_used += 1;
        std::net::Ipv4Addr::from(0x0a00_0000 + self.never_used).to_string()
    }

    fn choose(&mut self, fault: Fault, pod: &PodIdentity) -> String {
        let sometimes = self.calls.is_multiple_of(100);
        if pod.name.starts_with("static-") && fault != Fault::MovesStatics {
            if let Some(address) = self.statics.get(&pod.name) {
                return address.clone();
            }
            let address = self.fresh();
            self.statics.insert(pod.name.clone(), address.clone());
            return address;
        }
        let another = self.allocations.values().next();
        match another {
            Some(another) if fault == Fault::Twice && sometimes => another.addresses[0].clone(),
            _ => self.fresh(),
        }
    }
}

#[tonic::async_trait]
impl Allocator for Fake {
    async fn allocate(
        &self,
        request: Request<AllocateRequest>,
    ) -> Result<Response<AllocateResponse>, Status> {
        let request = request.into_inner();
        let (key, pod) = (
            request.attachment.unwrap_or_default(),
            request.pod.unwrap_or_default(),
        );
        let mut state = self.state();
        state.calls += 1;
        let address = state.choose(self.fault, &pod);
        if self.fault != Fault::Forgets || !state.calls.is_multiple_of(100) {
            let allocation = Allocation {
                attachment: Some(key.clone()),
                pod: Some(pod),
                addresses: vec![address.clone()],
                ..Default::default()
            };
            state.allocations.insert(key.container_id, allocation);
        }
        let given = AssignedAddress {
            address,
            ..Default::default()
        };
        Ok(Response::new(AllocateResponse {
            addresses: vec![given],
            ..Default::default()
        }))
    }

    async fn release(
        &self,
        request: Request<ReleaseRequest>,
    ) -> Result<Response<ReleaseResponse>, Status> {
        let key = request.into_inner().attachment.unwrap_or_default();
        let mut state = self.state();
        state.releases += 1;
        if self.fault == Fault::KeepsReleased && state.releases.is_multiple_of(10) {
            return Ok(Response::new(ReleaseResponse::default()));
        }
        if let Some(allocation) = state.allocations.remove(&key.container_id) {
            let address = allocation.addresses[0].clone();
            if !state.statics.values().any(|kept| *kept == address) {
                state.free.push_back(address);
            }
        }
        Ok(Response::new(ReleaseResponse::default()))
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

#[tonic::async_trait]
impl Facts for Fake {
    type ReportStream = Pin<Box<dyn Stream<Item = Result<FactsAck, Status>> + Send>>;

    async fn report(
        &self,
        request: Request<Streaming<FactsReport>>,
    ) -> Result<Response<Self::ReportStream>, Status> {
        let acks = request.into_inner().map(|report| {
            let version = report?.version;
            Ok(FactsAck { version })
        });
        Ok(Response::new(Box::pin(acks)))
    }
}
