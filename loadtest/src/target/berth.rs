//! One ADD, on one connection straight to the leader, as an agent does.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use berth_proto::v1::allocator_client::AllocatorClient;
use berth_proto::v1::facts_report::Report;
use berth_proto::v1::{AllocateRequest, AttachmentKey, PodFact, PodIdentity, Refusal};
use prost::Message;
use tonic::transport::{Channel, Endpoint};

use super::Target;
use crate::Error;
use crate::book::Book;
use crate::random::mix;
use crate::setup::{self, Prepared};

/// No ADD of a load that can be carried takes so long.
const DEADLINE_MS: u64 = 10_000;
/// An operator sees a pod before its runtime does.
const KNOWN_AHEAD: u64 = 1_024;
/// Where the leader may still be starting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub(crate) struct BerthAdd {
    client: AllocatorClient<Channel>,
    prepared: Arc<Prepared>,
    book: Arc<Mutex<Book>>,
}

// === impl BerthAdd ===

impl BerthAdd {
    pub(crate) async fn connect(
        prepared: Arc<Prepared>,
        book: Arc<Mutex<Book>>,
    ) -> Result<Self, Error> {
        let endpoint = &prepared.leader;
        let refused = |error: tonic::transport::Error| Error::Unreachable {
            endpoints: endpoint.clone(),
            reason: error.to_string(),
        };
        let channel = Endpoint::from_shared(endpoint.clone()).map_err(refused)?;
        let channel = channel.connect_timeout(CONNECT_TIMEOUT).connect().await;
        Ok(Self {
            client: AllocatorClient::new(channel.map_err(refused)?),
            prepared,
            book,
        })
    }

    /// The facts of the first pods; each ADD reports one more.
    pub(crate) fn pods_known_before() -> Vec<Report> {
        (0..KNOWN_AHEAD).map(fact).collect()
    }

    /// Bytes of one request, without HTTP/2's own.
    pub(crate) fn payload_bytes(&self) -> usize {
        request(&self.prepared, 1).encoded_len()
    }
}

impl Target for BerthAdd {
    async fn perform(&self, number: u64) -> Result<(), String> {
        self.prepared.report(|| fact(number + KNOWN_AHEAD));
        let request = request(&self.prepared, number);
        let holder = container_id(self.prepared.run, number);
        let answer = self.client.clone().allocate(request).await;
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Ok(answer) => {
                let addresses = answer.into_inner().addresses.into_iter();
                let addresses: Vec<_> = addresses.map(|given| given.address).collect();
                book.acquired(&holder, &addresses);
                Ok(())
            }
            Err(status) => {
                book.unknown(&holder);
                Err(reason(&status))
            }
        }
    }
}

/// The `number`th ADD of this run.
pub(crate) fn request(prepared: &Prepared, number: u64) -> AllocateRequest {
    let id = mix(number ^ prepared.run);
    let nodes = &prepared.nodes;
    AllocateRequest {
        attachment: Some(AttachmentKey {
            cluster: prepared.cluster.into(),
            network: setup::NETWORK.into(),
            container_id: container_id(prepared.run, number),
            interface: "eth0".into(),
        }),
        pod: Some(PodIdentity {
            namespace: setup::NAMESPACE.into(),
            name: pod_name(number),
            uid: uid(id),
        }),
        node: nodes[(number % nodes.len() as u64) as usize].name.clone(),
        boot_id: setup::BOOT_ID.into(),
        invoked_at_ms: 1_000_000 + number,
        vswitch: String::new(),
        requested_addresses: Vec::new(),
        deadline_ms: DEADLINE_MS,
    }
}

/// As a Deployment's are.
fn pod_name(number: u64) -> String {
    format!("load-{:08x}-{number:05x}", mix(number) >> 32)
}

fn fact(number: u64) -> Report {
    Report::Pod(PodFact {
        namespace: setup::NAMESPACE.into(),
        name: pod_name(number),
        ..Default::default()
    })
}

/// 64 hex digits, as container runtimes make them.
pub(crate) fn container_id(run: u64, number: u64) -> String {
    let parts: Vec<_> = (0..3).map(|part| mix(run.wrapping_add(part))).collect();
    format!(
        "{:016x}{:016x}{:016x}{number:016x}",
        parts[0], parts[1], parts[2]
    )
}

/// Like a Kubernetes uid.
pub(crate) fn uid(id: u64) -> String {
    let rest = mix(id);
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        id >> 32,
        (id >> 16) & 0xffff,
        id & 0xfff,
        rest >> 52,
        rest & 0xffff_ffff_ffff
    )
}

fn reason(status: &tonic::Status) -> String {
    match Refusal::decode(status.details()) {
        Ok(refusal) if refusal.code != 0 => refusal.code().as_str_name().to_owned(),
        _ => format!("{:?}", status.code()),
    }
}
