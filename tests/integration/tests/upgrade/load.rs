//! Pods that come and go, and what must be left of them.

use berth_client::Client;
use berth_proto::v1::*;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Callers at once.
const CALLERS: u64 = 4;
/// Every so many pods one stays.
const STAYS: u64 = 5;
/// Between two pods of one caller: load, not a benchmark.
const PAUSE: Duration = Duration::from_millis(10);
/// Pods that must have come before a step counts as seen under load.
const PROGRESS: u64 = 40;

/// Running.
pub struct Load {
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    ends: AtomicBool,
    requests: AtomicU64,
    failures: Mutex<Vec<String>>,
    /// Container → its address, of those that stay.
    stay: Mutex<BTreeMap<String, String>>,
    gone: Mutex<Vec<String>>,
}

/// What it did.
pub struct Done {
    /// Answered, one way or the other.
    pub requests: u64,
    /// Refused, or not answered before the deadline.
    pub failures: Vec<String>,
    stay: BTreeMap<String, String>,
    gone: Vec<String>,
}

// === impl Load ===

impl Load {
    /// Until [`Self::end`].
    pub fn begin(endpoints: &[String]) -> Self {
        let shared = Arc::new(Shared::default());
        let caller = |number| {
            let client = super::client(endpoints);
            tokio::spawn(call(client, Arc::clone(&shared), number))
        };
        let tasks = (0..CALLERS).map(caller).collect();
        Self { shared, tasks }
    }

    /// Waits until more was done, so that what comes next is seen under load.
    pub async fn progress(&self) {
        let until = self.shared.requests.load(Ordering::Relaxed) + PROGRESS;
        let more = async {
            while self.shared.requests.load(Ordering::Relaxed) < until {
                tokio::time::sleep(PAUSE).await;
            }
        };
        tokio::time::timeout(super::PATIENCE, more)
            .await
            .expect("the load goes on");
    }

    /// Ends it; every request is answered first.
    pub async fn end(self) -> Done {
        self.shared.ends.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.expect("no panic");
        }
        let take = |texts: &Mutex<Vec<String>>| texts.lock().expect("whole").clone();
        Done {
            requests: self.shared.requests.load(Ordering::Relaxed),
            failures: take(&self.shared.failures),
            stay: self.shared.stay.lock().expect("whole").clone(),
            gone: take(&self.shared.gone),
        }
    }
}

// === impl Done ===

impl Done {
    /// Every pod that stays is there with its address, and none that is gone.
    pub async fn check(&self, client: &Client) {
        let mut there = BTreeMap::new();
        let mut page_token = String::new();
        loop {
            let request = ListAllocationsRequest {
                page_size: 500,
                page_token,
                ..ListAllocationsRequest::default()
            };
            let page = client.list_allocations(request).await.expect("read");
            for row in page.allocations {
                let container = row.attachment.unwrap_or_default().container_id;
                there.insert(container, row.addresses.join(","));
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert!(!self.stay.is_empty() && !self.gone.is_empty());
        assert_eq!(
            there, self.stay,
            "what was acknowledged is there, and nothing else"
        );
        let addresses: std::collections::BTreeSet<&String> = there.values().collect();
        assert_eq!(addresses.len(), there.len(), "no address twice");
    }
}

async fn call(client: Client, shared: Arc<Shared>, caller: u64) {
    let mut number: u64 = 0;
    while !shared.ends.load(Ordering::Relaxed) {
        number += 1;
        let container = format!("c{caller}-{number}");
        let answered = |failure: Option<String>| {
            shared.requests.fetch_add(1, Ordering::Relaxed);
            shared.failures.lock().expect("whole").extend(failure);
        };
        match client.allocate(add(&container)).await {
            Err(error) => answered(Some(format!("ADD {container}: {error}"))),
            Ok(response) => {
                answered(None);
                let ips: Vec<String> = addresses(&response);
                if number.is_multiple_of(STAYS) {
                    let mut stay = shared.stay.lock().expect("whole");
                    stay.insert(container.clone(), ips.join(","));
                } else {
                    let released = client.release(del(&container)).await;
                    let failure = released
                        .err()
                        .map(|error| format!("DEL {container}: {error}"));
                    answered(failure);
                    shared.gone.lock().expect("whole").push(container);
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn key(container: &str) -> AttachmentKey {
    AttachmentKey {
        cluster: "default".into(),
        network: "pods".into(),
        container_id: container.into(),
        interface: "eth0".into(),
    }
}

const NODE: &str = "worker-1";
const BOOT: &str = "boot-1";

fn add(container: &str) -> AllocateRequest {
    AllocateRequest {
        attachment: Some(key(container)),
        pod: Some(PodIdentity {
            namespace: "shop".into(),
            name: format!("pod-{container}"),
            uid: format!("uid-{container}"),
        }),
        node: NODE.into(),
        boot_id: BOOT.into(),
        invoked_at_ms: 1,
        ..AllocateRequest::default()
    }
}

fn del(container: &str) -> ReleaseRequest {
    ReleaseRequest {
        attachment: Some(key(container)),
        node: NODE.into(),
        boot_id: BOOT.into(),
        invoked_at_ms: 2,
        ..ReleaseRequest::default()
    }
}

fn addresses(response: &AllocateResponse) -> Vec<String> {
    let address = |assigned: &AssignedAddress| assigned.address.clone();
    response.addresses.iter().map(address).collect()
}
