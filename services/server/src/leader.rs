//! The gate: everything the door may ask of the replicated path. Admits or refuses, and waits for the answer.
//!
//! Knows nothing of gRPC. Refuses before anything starts: where nobody leads, where the deadline is too short, where the
//! disk or the history cannot follow, where too much is under way.

mod admission;
mod disk;
mod repeat;
mod report;
mod take_back;

pub(crate) use admission::Admission;
pub use admission::{DEADLINE_MS_MIN, REQUESTS_MAX};
pub use disk::Disk;
pub use report::Report;

use crate::cloud;
use crate::facts::{Facts, Lookup};
use crate::failure::Failure;
use crate::history;
use crate::node::{Allocate, Allocated, Caller, Collect, Collected, Release, Released, Request};
use crate::planted::{self, Planted};
use crate::replica::{Handle, LedgerMachine, ReplicaStatus};
use crate::router::{Admin, ObserveCloud, Router};
use crate::versions::Versions;
use admission::Effort;
use berth_actors::{Address, AskError};
use berth_domain::Ledger;
use berth_domain::command::{Command, Proposal};
use berth_domain::id::{ClusterName, Endpoint, MemberId, Namespace, PodName};
use berth_domain::outcome::Answer;
use berth_raft::replica::output::{ReadRefused, TransferRefused};
use berth_raft::status::Role;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tracing::Span;

/// How long an administrator's command may take: an election and a half.
const PROPOSE_PATIENCE_MS: u64 = 15_000;
/// When a caller that found the replica's inbox full should come again.
const RETRY_AFTER_MS: u64 = 50;

/// Where each member listens for clients.
pub type ClientEndpoints = Arc<RwLock<BTreeMap<MemberId, Endpoint>>>;

/// The door's only way in. Cheap to clone; Send and Sync.
#[derive(Clone)]
pub struct Gate {
    parts: Arc<Parts>,
}

/// What a gate is made of.
pub(crate) struct Parts {
    pub router: Address<Router>,
    pub handle: Handle,
    pub role: watch::Receiver<Role>,
    pub endpoints: ClientEndpoints,
    pub history: history::Reader,
    pub progress: Arc<history::Progress>,
    pub facts: Facts,
    pub disk: Disk,
    pub versions: Versions,
    pub admission: Admission,
}

// === impl Gate ===

impl Gate {
    pub(crate) fn new(parts: Parts) -> Self {
        let parts = Arc::new(parts);
        Self { parts }
    }

    /// ADD. Answered before the caller's deadline.
    pub async fn allocate(&self, request: Allocate) -> Result<Allocated, Failure> {
        let _admitted = self.admit(Effort::Allocate, request.deadline_ms)?;
        match request.requested.is_empty() {
            true => self.allocate_once(request).await,
            false => self.allocate_requested(request).await,
        }
    }

    async fn allocate_once(&self, request: Allocate) -> Result<Allocated, Failure> {
        let deadline_ms = request.deadline_ms;
        let span = Span::current();
        let asked = self.parts.router.ask(|reply| Request::Add {
            request,
            caller: Caller { span, reply },
        });
        self.answer(deadline_ms, asked).await
    }

    /// DEL. Of an unknown attachment: success.
    pub async fn release(&self, request: Release) -> Result<Released, Failure> {
        let deadline_ms = request.deadline_ms;
        let _admitted = self.admit(Effort::Release, deadline_ms)?;
        let span = Span::current();
        let asked = self.parts.router.ask(|reply| Request::Del {
            request,
            caller: Caller { span, reply },
        });
        self.answer(deadline_ms, asked).await
    }

    /// GC.
    pub async fn collect(&self, request: Collect) -> Result<Collected, Failure> {
        let deadline_ms = request.deadline_ms;
        let _admitted = self.admit(Effort::Release, deadline_ms)?;
        let span = Span::current();
        let asked = self.parts.router.ask(|reply| Request::Gc {
            request,
            caller: Caller { span, reply },
        });
        self.answer(deadline_ms, asked).await
    }

    /// An administrator's command, answered after its commit. For CreateClaim without addresses the gate chooses them.
    pub async fn propose(&self, proposal: Proposal) -> Result<Answer, Failure> {
        let effort = match &proposal.command {
            // The cluster must be able to change its members on a full disk.
            Command::RegisterMember(_) | Command::RemoveMember(_) => Effort::Release,
            _ => Effort::Allocate,
        };
        let _admitted = self.admit(effort, PROPOSE_PATIENCE_MS)?;
        self.propose_repeatable(proposal, PROPOSE_PATIENCE_MS).await
    }

    async fn propose_once(&self, proposal: Proposal, patience_ms: u64) -> Result<Answer, Failure> {
        let span = Span::current();
        let asked = self.parts.router.ask(|reply| Admin {
            proposal,
            span,
            reply,
        });
        self.answer(patience_ms, asked).await
    }

    /// A linearizable read on the leader; the closure runs on the replica's thread: keep it short, page long lists.
    pub async fn read<R: Send + 'static>(
        &self,
        query: impl FnOnce(&Ledger) -> R + Send + 'static,
    ) -> Result<R, Failure> {
        if planted::has(Planted::StaleRead) {
            return self.read_stale(|ledger, _| query(ledger)).await;
        }
        self.read_machine(|machine| query(machine.ledger())).await
    }

    async fn read_machine<R: Send + 'static>(
        &self,
        query: impl FnOnce(&LedgerMachine) -> R + Send + 'static,
    ) -> Result<R, Failure> {
        let (done, answer) = oneshot::channel();
        let asked = self.parts.handle.read(Box::new(move |machine| {
            // Whoever asked may have gone away.
            drop(done.send(machine.map(query)));
        }));
        asked.map_err(|_| inbox_full())?;
        match answer.await {
            Ok(Ok(read)) => Ok(read),
            Ok(Err(refused)) => Err(self.read_refused(refused)),
            Err(_) => Err(stopping()),
        }
    }

    /// This replica's applied state, perhaps stale; for status and metrics. As short as [`Gate::read`]'s.
    pub async fn read_stale<R: Send + 'static>(
        &self,
        query: impl FnOnce(&Ledger, &ReplicaStatus) -> R + Send + 'static,
    ) -> Result<R, Failure> {
        let (done, answer) = oneshot::channel();
        let asked = self.parts.handle.inspect(Box::new(move |machine, status| {
            // Whoever asked may have gone away.
            drop(done.send(query(machine.ledger(), status)));
        }));
        asked.map_err(|_| inbox_full())?;
        answer.await.map_err(|_| stopping())
    }

    /// The whole state, frozen, after a linearizable read: what a backup is made of.
    pub async fn freeze(&self) -> Result<(Ledger, BTreeSet<ClusterName>), Failure> {
        self.read_machine(|machine| (machine.ledger().clone(), machine.with_facts().clone()))
            .await
    }

    /// What this leader asks of the cloud; none = it was told of none.
    pub async fn cloud(&self) -> Result<Option<cloud::state::Observation>, Failure> {
        if !self.role().leads() {
            return Err(self.not_leader());
        }
        let asked = self.parts.router.ask(ObserveCloud);
        asked.await.map_err(|_| stopping())?
    }

    /// What the cloud has of this cluster, by the leader's last look at everything, and how old it is; none = it has not looked.
    pub async fn last_audit(&self) -> Result<Option<(cloud::compare::Audit, u64)>, Failure> {
        if !self.role().leads() {
            return Err(self.not_leader());
        }
        let asked = self.parts.router.ask(cloud::LastAudit);
        asked.await.map_err(|_| stopping())?
    }

    /// This replica's history store.
    pub fn history(&self) -> &history::Reader {
        &self.parts.history
    }

    /// The leader's memory of facts.
    pub fn facts(&self) -> &Facts {
        &self.parts.facts
    }

    /// Which cluster versions the members can apply.
    pub fn versions(&self) -> &Versions {
        &self.parts.versions
    }

    /// What Kubernetes says of a pod, as the leader's memory has it now.
    pub fn pod_facts(
        &self,
        cluster: &ClusterName,
        namespace: &Namespace,
        name: &PodName,
    ) -> Lookup {
        self.parts.facts.pod(cluster, namespace, name)
    }

    /// Who leads; `ready` once its actors are there.
    pub fn role(&self) -> Role {
        *self.parts.role.borrow()
    }

    /// Waits until this replica leads no more; what to tell whoever was served because it led.
    pub async fn deposed(&self) -> Failure {
        let mut role = self.parts.role.clone();
        match role.wait_for(|role| !role.leads()).await {
            Ok(_) => self.not_leader(),
            Err(_) => stopping(),
        }
    }

    /// Hands leadership to a member, or to the one with the longest log; who leads then.
    pub async fn transfer_leadership(&self, to: Option<MemberId>) -> Result<MemberId, Failure> {
        let (done, answer) = oneshot::channel();
        let told = Box::new(move |result| {
            if done.send(result).is_err() {
                tracing::debug!("whoever asked for the hand-over has gone away");
            }
        });
        let asked = self
            .parts
            .handle
            .transfer_leadership(to.map(|member| member.0), told);
        asked.map_err(|_| inbox_full())?;
        match answer.await {
            Ok(Ok(leader)) => Ok(MemberId(leader)),
            Ok(Err(TransferRefused::NotLeader)) => Err(self.not_leader()),
            Ok(Err(refused)) => Err(Failure::Unavailable {
                reason: refused.to_string(),
            }),
            Err(_) => Err(stopping()),
        }
    }

    fn admit(&self, effort: Effort, deadline_ms: u64) -> Result<admission::Admitted<'_>, Failure> {
        let role = self.role();
        if !role.leads() {
            return Err(self.not_leader());
        }
        if !role.ready {
            return Err(Failure::Unavailable {
                reason: "the leader is starting, try again".into(),
            });
        }
        let parts = &self.parts;
        parts
            .admission
            .admit(effort, deadline_ms, &parts.disk, &parts.progress)
    }

    /// What the actors answered, or what there is to say instead.
    async fn answer<T>(
        &self,
        deadline_ms: u64,
        asked: impl Future<Output = Result<Result<T, Failure>, AskError>>,
    ) -> Result<T, Failure> {
        let answer = tokio::time::timeout(Duration::from_millis(deadline_ms), asked).await;
        match answer {
            Ok(Ok(Err(Failure::NotLeader {
                leader_endpoint: None,
            }))) => Err(self.not_leader()),
            Ok(Ok(answer)) => answer,
            Ok(Err(AskError::Busy)) => Err(inbox_full()),
            Ok(Err(AskError::Closed)) => Err(stopping()),
            Ok(Err(AskError::Unanswered(_))) => Err(Failure::Unknown {
                reason: "the leadership was lost",
            }),
            Err(_) => Err(Failure::Unknown {
                reason: "the deadline has passed",
            }),
        }
    }

    fn read_refused(&self, refused: ReadRefused) -> Failure {
        match refused {
            ReadRefused::NotLeader | ReadRefused::LeadershipLost => self.not_leader(),
            ReadRefused::NotReady => Failure::Unavailable {
                reason: "the leader is starting, try again".into(),
            },
            ReadRefused::Busy => inbox_full(),
            ReadRefused::Stopping => stopping(),
        }
    }

    /// With where the leader is, if that is known and it is not this one.
    pub(crate) fn not_leader(&self) -> Failure {
        let role = self.role();
        let endpoints = self
            .parts
            .endpoints
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let leader = role.leader.filter(|_| !role.leads()).map(MemberId);
        let endpoint = leader.and_then(|leader| endpoints.get(&leader));
        Failure::NotLeader {
            leader_endpoint: endpoint
                .map(ToString::to_string)
                .filter(|text| !text.is_empty()),
        }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Gate")
            .field("role", &self.role())
            .finish_non_exhaustive()
    }
}

fn inbox_full() -> Failure {
    Failure::Busy {
        what: "the replica",
        retry_after_ms: RETRY_AFTER_MS,
    }
}

fn stopping() -> Failure {
    Failure::Unavailable {
        reason: "the replica is stopping, ask another".into(),
    }
}
