//! The peers' view of this replica: [`Replica`] over the raft driver, the registry and the history.

use super::{Book, Greeting, Membership, Registry, Replica, Stranger, Vitals};
use crate::history::Query;
use crate::leader::Gate;
use crate::replica::Handle;
use crate::versions::CannotApply;
use berth_domain::id::{MemberId, Revision};
use berth_domain::version::VersionRange;
use berth_proto::peer::v1;
use berth_raft::log_store::SnapshotMeta;
use berth_raft::status::Sender;
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::{Notify, oneshot};
use tonic::Status;
use tracing::trace;

/// One per process.
pub struct PeerDoor {
    /// The raft driver.
    pub handle: Handle,
    /// Who is a member.
    pub registry: Arc<Registry>,
    /// Who becomes one.
    pub membership: Arc<Membership>,
    /// Reads.
    pub gate: Gate,
    /// How everybody is.
    pub book: Book,
    /// Told when this replica and another do not agree on who is a member.
    pub disagreed: Arc<Notify>,
}

#[tonic::async_trait]
impl Replica for PeerDoor {
    fn admit(&self, member: MemberId, store: [u8; 16]) -> Result<String, Stranger> {
        self.registry.admit(member, store)
    }

    fn applies(&self, member: MemberId, versions: VersionRange) -> Result<(), CannotApply> {
        self.gate.versions().admit(member, versions)
    }

    fn receive(&self, from: Greeting, messages: Vec<Bytes>) {
        let sender = Sender {
            member: from.from.0,
            store: from.store,
        };
        if self.handle.receive(sender, messages).is_err() {
            trace!(member = %from.from, "messages were dropped: the replica's inbox is full");
        }
    }

    fn vitals(&self) -> Vitals {
        self.book.own()
    }

    fn heard(&self, from: MemberId, vitals: Vitals) {
        self.book.heard(from, vitals);
    }

    fn unreachable(&self, to: MemberId) {
        if self.handle.unreachable(to.0).is_err() {
            trace!(member = %to, "the replica's inbox is full");
        }
    }

    fn disagrees(&self) {
        self.disagreed.notify_one();
    }

    async fn snapshot(&self, index: u64) -> Result<SnapshotMeta, Status> {
        let snapshot = self
            .gate
            .read_stale(|_, status| status.snapshot.clone())
            .await?;
        snapshot
            .filter(|snapshot| snapshot.index >= index)
            .ok_or_else(|| Status::not_found(format!("there is no snapshot at {index} or above")))
    }

    async fn snapshot_chunk(&self, to: MemberId, index: u64, number: u32) -> Result<Bytes, Status> {
        let (done, answer) = oneshot::channel();
        let told = Box::new(move |chunk| {
            // Whoever asked may have gone away.
            drop(done.send(chunk));
        });
        let busy = |_| Status::unavailable("the replica is busy");
        self.handle
            .read_chunk(to.0, index, number, told)
            .map_err(busy)?;
        let chunk = answer
            .await
            .map_err(|_| Status::unavailable("the replica is stopping"))?;
        chunk.map_err(|error| Status::not_found(error.to_string()))
    }

    async fn history(&self, after: u64, until: u64) -> Result<Vec<(u64, Bytes)>, Status> {
        if after >= until {
            return Ok(Vec::new());
        }
        let reader = self.gate.history();
        let groups = reader
            .encoded_after(Revision(after), Revision(until), Query::LIMIT_MAX)
            .await?;
        Ok(groups)
    }

    async fn join(&self, request: v1::JoinRequest) -> Result<v1::JoinResponse, Status> {
        self.membership.join(request).await
    }
}
