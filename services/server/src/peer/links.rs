//! To whom there are links. The raft thread puts messages in; the links' tasks carry them.

use super::link::Link;
use super::{Address, Myself, Replica};
use crate::config::Certificates;
use berth_domain::id::{Endpoint, MemberId};
use berth_raft::transport::Transport;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// Batches that wait for a link. Raft sends again what was dropped; a quarter of a second's worth is plenty.
pub(super) const QUEUE_BATCHES_MAX: usize = 256;

/// The links to all other replicas; clones share them.
#[derive(Clone, Default)]
pub struct Links {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Read by the raft thread on every send, written when the membership changes.
    outgoing: RwLock<BTreeMap<u64, Outgoing>>,
    dropped: AtomicU64,
}

struct Outgoing {
    address: Address,
    queue: mpsc::Sender<Vec<Bytes>>,
    task: AbortHandle,
}

/// Everything a link needs to greet and to report.
#[derive(Clone)]
pub(super) struct Context {
    pub myself: Myself,
    pub certificates: Option<Certificates>,
    pub replica: Arc<dyn Replica>,
}

/// The raft thread's side: never blocks, drops what does not fit.
pub struct PeerTransport {
    links: Links,
}

// === impl Links ===

impl Links {
    /// Links to exactly these members from now on: new ones are opened, changed ones opened anew, others closed.
    /// Must be called inside the runtime.
    pub fn update(
        &self,
        myself: &Myself,
        certificates: Option<&Certificates>,
        replica: &Arc<dyn Replica>,
        addresses: &[Address],
    ) {
        let context = Context {
            myself: myself.clone(),
            certificates: certificates.cloned(),
            replica: Arc::clone(replica),
        };
        let mut outgoing = self
            .shared
            .outgoing
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        outgoing.retain(|_, link| addresses.contains(&link.address));
        for address in addresses {
            if address.member != myself.member && !address.endpoint.as_str().is_empty() {
                outgoing
                    .entry(address.member.0)
                    .or_insert_with(|| Outgoing::open(context.clone(), address.clone()));
            }
        }
    }

    /// For the raft driver.
    pub fn transport(&self) -> PeerTransport {
        PeerTransport {
            links: self.clone(),
        }
    }

    /// Messages dropped because a queue was full or a member unknown, since the start.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// Where a member is reached, if there is a link to it.
    pub fn endpoint(&self, member: MemberId) -> Option<Endpoint> {
        let outgoing = self
            .shared
            .outgoing
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        outgoing
            .get(&member.0)
            .map(|link| link.address.endpoint.clone())
    }

    /// To whom there are links now.
    pub fn members(&self) -> Vec<MemberId> {
        let outgoing = self
            .shared
            .outgoing
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        outgoing.keys().copied().map(MemberId).collect()
    }

    fn put(&self, to: u64, messages: Vec<Bytes>) {
        let count = messages.len() as u64;
        let outgoing = self
            .shared
            .outgoing
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let put = outgoing
            .get(&to)
            .is_some_and(|link| link.queue.try_send(messages).is_ok());
        if !put {
            self.shared.dropped.fetch_add(count, Ordering::Relaxed);
        }
    }
}

// === impl Outgoing ===

impl Outgoing {
    fn open(context: Context, address: Address) -> Self {
        let (queue, batches) = mpsc::channel(QUEUE_BATCHES_MAX);
        let link = Link::new(context, address.clone(), batches);
        let task = tokio::spawn(link.run()).abort_handle();
        Self {
            address,
            queue,
            task,
        }
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        self.task.abort();
    }
}

// === impl PeerTransport ===

impl Transport for PeerTransport {
    fn send(&mut self, to: u64, messages: Vec<Bytes>) {
        self.links.put(to, messages);
    }
}
