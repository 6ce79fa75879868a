//! Clients that ask for addresses all the time and keep count of what they were told.

use crate::harness::*;
use berth_client::{Client, Options};
use berth_proto::v1;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// Each asks, waits for the answer, and asks again.
const CLIENTS: usize = 3;
/// Between two questions of one client: the processes of a debug build share a core or two.
const PAUSE: Duration = Duration::from_millis(5);
/// What a runtime gives an ADD at least; clients repeat within it.
const DEADLINE: Duration = Duration::from_secs(15);

/// A running load.
pub struct Load {
    is_over: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    clients: Vec<JoinHandle<Told>>,
    endpoints: Vec<String>,
}

/// What one client was told.
#[derive(Debug, Default)]
pub struct Told {
    /// Sandbox → its addresses.
    pub held: BTreeMap<String, Vec<String>>,
    /// What did not succeed within the deadline.
    pub failed: Vec<String>,
    /// The longest wait for an answer.
    pub longest: Duration,
}

// === impl Load ===

impl Load {
    /// Begins, over all of these endpoints. The world has to be there.
    pub fn begin(endpoints: &[String]) -> Self {
        let (is_over, answered) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let clients = (0..CLIENTS)
            .map(|number| {
                let asking = ask(
                    number,
                    client(endpoints),
                    Arc::clone(&is_over),
                    Arc::clone(&answered),
                );
                tokio::spawn(asking)
            })
            .collect();
        Self {
            is_over,
            answered,
            clients,
            endpoints: endpoints.to_vec(),
        }
    }

    /// Waits until so many more requests were answered: what is going on goes on under load.
    pub async fn goes_on(&self, requests: u64) {
        let (from, end) = (
            self.answered.load(Ordering::SeqCst),
            Instant::now() + PATIENCE,
        );
        while self.answered.load(Ordering::SeqCst) < from + requests {
            assert!(Instant::now() < end, "the load stands still");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Ends the load and asks again for everything that was acknowledged. Panics if anything failed, was lost, or is held
    /// twice. What all clients were told together.
    pub async fn end(self) -> Told {
        self.is_over.store(true, Ordering::SeqCst);
        let mut all = Told::default();
        for client in self.clients {
            let told = client.await.expect("it ends");
            all.held.extend(told.held);
            all.failed.extend(told.failed);
            all.longest = all.longest.max(told.longest);
        }
        assert!(all.failed.is_empty(), "{:?}", all.failed);
        assert_eq!(shared(&all.held), None, "an address is held twice");
        let client = client(&self.endpoints);
        let mut lost = Vec::new();
        for (container, addresses) in &all.held {
            let again = client.allocate(add(container)).await.expect("an answer");
            if !kept(&again, addresses) {
                lost.push(container);
            }
        }
        assert!(lost.is_empty(), "{lost:?} were acknowledged and are lost");
        all
    }
}

fn client(endpoints: &[String]) -> Client {
    let options = Options {
        deadline: DEADLINE,
        ..Options::endpoints(endpoints)
    };
    Client::new(options).expect("endpoints")
}

async fn ask(
    number: usize,
    client: Client,
    is_over: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
) -> Told {
    let mut told = Told::default();
    for turn in 0.. {
        if is_over.load(Ordering::SeqCst) {
            break;
        }
        let container = format!("load-{number}-{turn}");
        let begun = Instant::now();
        match client.allocate(add(&container)).await {
            Ok(response) => {
                told.held.insert(container, texts(&response));
            }
            Err(error) => told.failed.push(format!("{container}: {error}")),
        }
        told.longest = told.longest.max(begun.elapsed());
        answered.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(PAUSE).await;
    }
    told
}

fn texts(response: &v1::AllocateResponse) -> Vec<String> {
    let addresses = response.addresses.iter();
    addresses.map(|assigned| assigned.address.clone()).collect()
}

/// Whether a repeat was answered with what was acknowledged before.
fn kept(again: &v1::AllocateResponse, addresses: &[String]) -> bool {
    !again.created && texts(again) == addresses
}

/// An address that two were told.
fn shared(held: &BTreeMap<String, Vec<String>>) -> Option<&String> {
    let mut seen = BTreeSet::new();
    held.values()
        .flatten()
        .find(|address| !seen.insert(*address))
}

/// Promise: the count finds an address that two hold (the negative control of the tests under load).
#[test]
fn a_shared_address_would_be_found() {
    let one = |container: &str, address: &str| (container.to_owned(), vec![address.to_owned()]);
    let mut held = BTreeMap::from([one("a", "10.0.0.1"), one("b", "10.0.0.2")]);
    assert_eq!(shared(&held), None);
    held.extend([one("c", "10.0.0.1")]);
    assert_eq!(shared(&held).map(String::as_str), Some("10.0.0.1"));
}

/// Promise: the count finds an acknowledged address that was lost: given anew, or another one (the negative control, as above).
#[test]
fn a_lost_address_would_be_found() {
    let again = |created, address: &str| v1::AllocateResponse {
        created,
        addresses: vec![v1::AssignedAddress {
            address: address.into(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let told = ["10.0.0.1/24".to_owned()];
    assert!(kept(&again(false, "10.0.0.1/24"), &told));
    assert!(!kept(&again(true, "10.0.0.1/24"), &told));
    assert!(!kept(&again(false, "10.0.0.2/24"), &told));
}
