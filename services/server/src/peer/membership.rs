//! Who takes part: the leader takes new members in, registers their stores and gives them their vote.
//!
//! A new member is registered, then a learner, then a voter; the one whose place it takes leaves in the same step.

mod asked;

use asked::UnderWay;
pub use asked::{Audit, Roll};

use super::{Book, Registry, Vitals};
use crate::failure::Failure;
use crate::leader::Gate;
use crate::replica::Handle;
use crate::versions::range;
use berth_domain::command::{Command, Proposal, RegisterMember, RemoveMember, Vote};
use berth_domain::id::*;
use berth_domain::outcome::{Outcome, Refusal};
use berth_proto::peer::v1::{JoinRequest, JoinResponse, PeerMember};
use berth_raft::log_store::Membership as Taking;
use berth_raft::replica::input::Change;
use berth_raft::replica::output::ChangeRefused;
use berth_raft::status::Status;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tonic::Status as Answer;
use tracing::{info, warn};

/// How often learners are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// One per process; it does something on the leader only.
pub struct Membership {
    gate: Gate,
    handle: Handle,
    registry: Arc<Registry>,
    cluster_id: ClusterId,
    book: Book,
    /// Learner → whose place it takes, as it said itself. A leader that was not asked goes by the name.
    replaces: Mutex<BTreeMap<u64, u64>>,
    /// One at a time: between its registration and its first part in the cluster a new member looks like a forgotten one.
    changing: tokio::sync::Mutex<()>,
    /// Held by the one administrator's change that is under way, and which that is.
    turn: tokio::sync::Mutex<()>,
    under_way: Mutex<UnderWay>,
    /// Where this replica's ledger was a look ago: whose history is shorter has not come along.
    seen: AtomicU64,
}

// === impl Membership ===

impl Membership {
    /// Over this replica.
    pub fn new(
        gate: Gate,
        handle: Handle,
        registry: Arc<Registry>,
        cluster_id: ClusterId,
        book: Book,
    ) -> Self {
        Self {
            gate,
            handle,
            registry,
            cluster_id,
            book,
            replaces: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            under_way: Mutex::default(),
            seen: AtomicU64::default(),
        }
    }

    /// Answers a member that asks which cluster this is, to be registered, or to take part.
    pub async fn join(&self, request: JoinRequest) -> Result<JoinResponse, Answer> {
        let status = self.gate.read_stale(|_, status| status.clone()).await?;
        if request.cluster_id.is_empty() {
            return Ok(self.described(true, ""));
        }
        if request.cluster_id != self.cluster_id.as_str() {
            let theirs = &request.cluster_id;
            let message = format!(
                "this is cluster {}, not {theirs}: check --join and --data-dir",
                self.cluster_id
            );
            return Err(Answer::permission_denied(message));
        }
        if !(status.role.leads() && status.role.ready) {
            return Ok(self.leader_hint(&status));
        }
        let member = read(&request, &self.cluster_id).map_err(Failure::Refused)?;
        let id = member.id;
        let applies = range(request.lowest_version, request.highest_version);
        let _joining = self.gate.versions().joining().await;
        let able = self.gate.versions().admit(id, applies);
        able.map_err(|reason| Answer::permission_denied(reason.to_string()))?;
        let _changing = self.changing.lock().await;
        let roll = match request.has_begun {
            true => Some(self.check_part(id).await?),
            false => None,
        };
        self.register(member).await.map_err(denied)?;
        if let Some(roll) = roll {
            return Ok(self.told(&roll));
        }
        if takes_part(&status.membership, id.0) {
            return Ok(self.described(true, ""));
        }
        if request.replaces > 0 {
            let mut replaces = self.replaces.lock().unwrap_or_else(PoisonError::into_inner);
            replaces.insert(id.0, request.replaces);
        }
        match self.change(Change::AddLearner { member: id.0 }).await {
            Ok(_) | Err(ChangeRefused::AlreadyMember(_)) => {
                info!(member = %id, name = request.name, replaces = request.replaces, "a new member takes part as a learner");
                Ok(self.described(true, ""))
            }
            Err(refused) => Ok(self.described(false, &refused.to_string())),
        }
    }

    /// Who has a past here and takes part no more was removed. A leader that was deposed may not know a newer member, so
    /// a quorum is asked before anybody is refused for good.
    async fn check_part(&self, id: MemberId) -> Result<Roll, Answer> {
        let roll = self.roll().await?;
        match takes_part(&roll.status.membership, id.0) {
            true => Ok(roll),
            false => Err(Answer::permission_denied(format!(
                "member {id} was removed from this cluster, and an id is used once: start it with --rejoin to join as a \
                 new member, or leave it ended"
            ))),
        }
    }

    /// Until the process ends: gives learners that have caught up their vote, and forgets whom they replaced.
    pub async fn supervise(&self) {
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            look.tick().await;
            // Before the look: what a joining member has changed meanwhile is in it.
            let _changing = self.changing.lock().await;
            let seen = self
                .gate
                .read_stale(|ledger, status| (status.clone(), ledger.revision()));
            let Ok((status, revision)) = seen.await else {
                continue;
            };
            if status.role.leads() && status.role.ready {
                self.give_votes(&status).await;
                self.forget(&status.membership).await;
            }
            self.seen.store(revision.0, Ordering::Release);
        }
    }

    async fn give_votes(&self, status: &Status) {
        for learner in status.membership.learners.clone() {
            if self.registry.stays_learner(MemberId(learner))
                || !self.has_history(MemberId(learner))
            {
                continue;
            }
            let replaces = self.replaced_by(learner, &status.membership.voters);
            let change = Change::Promote {
                member: learner,
                replaces,
            };
            match self.change(change).await {
                Ok(_) => info!(member = learner, replaces, "a learner has its vote"),
                Err(ChangeRefused::NotCaughtUp { .. } | ChangeRefused::Pending) => {}
                Err(refused) => {
                    warn!(member = learner, reason = %refused, "a learner waits for its vote")
                }
            }
        }
    }

    /// A member without the history would be no help to anybody who asks about the past, and if the others were lost
    /// with it the past would be too. Compared with where the leader was a look ago: what came since is on its way.
    fn has_history(&self, learner: MemberId) -> bool {
        let at_least = Revision(self.seen.load(Ordering::Acquire));
        is_whole(self.book.of(learner), at_least)
    }

    /// As the learner said, else the voter of the same name.
    fn replaced_by(&self, learner: u64, voters: &[u64]) -> Option<u64> {
        let said = self
            .replaces
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&learner)
            .copied();
        let addresses = self.registry.addresses();
        let name = |id: u64| {
            addresses
                .iter()
                .find(|address| address.member.0 == id)
                .map(|address| &address.name)
        };
        let same_name = || {
            voters
                .iter()
                .copied()
                .find(|voter| name(*voter) == name(learner))
        };
        said.filter(|id| voters.contains(id)).or_else(same_name)
    }

    /// Registered members that take part no more, because another took their place.
    async fn forget(&self, membership: &Taking) {
        let addresses = self.registry.addresses();
        for gone in addresses
            .iter()
            .filter(|address| !takes_part(membership, address.member.0))
        {
            // One that registers at this moment and is not a learner yet has nobody of its name beside it.
            let replaced = addresses.iter().any(|other| {
                other.name == gone.name && membership.voters.contains(&other.member.0)
            });
            if replaced {
                let command = Command::RemoveMember(RemoveMember { id: gone.member });
                match self.propose(command).await {
                    Ok(_) => {
                        info!(member = %gone.member, name = gone.name, "a replaced member is forgotten")
                    }
                    Err(failure) => {
                        warn!(member = %gone.member, reason = %failure, "a replaced member is still known")
                    }
                }
            }
        }
    }

    /// How a member is, as far as this replica knows.
    pub fn vitals(&self, status: &Status, member: MemberId) -> Option<super::Vitals> {
        match status.member == member.0 {
            true => Some(self.book.own()),
            false => self.book.of(member),
        }
    }

    /// Of which cluster.
    pub fn cluster(&self) -> &ClusterId {
        &self.cluster_id
    }

    /// Makes a member's store and endpoints known; the ledger refuses another store under a known id.
    pub async fn register(&self, member: RegisterMember) -> Result<(), Failure> {
        let known = self.registry.addresses();
        let id = member.id;
        let same = |address: &super::Address| {
            address.member == id && address.endpoint == member.peer_endpoint
        };
        let known_store = self.registry.stores().get(&id.0) == Some(&member.store);
        if known_store && known.iter().any(same) {
            return Ok(());
        }
        self.propose(Command::RegisterMember(member))
            .await
            .map(|_| ())
    }

    async fn propose(&self, command: Command) -> Result<Outcome, Failure> {
        let proposal = Proposal {
            principal: principal(),
            request_id: RequestId::new("").expect("allowed"), // the empty text is one of those allowed
            trace_id: None,
            reason: Reason::new("").expect("allowed"), // the empty text is one of those allowed
            facts: None,
            command,
        };
        Ok(self.gate.propose(proposal).await?.result?)
    }

    async fn change(&self, change: Change) -> Result<Taking, ChangeRefused> {
        let (done, answer) = oneshot::channel();
        let told = Box::new(move |result| {
            // Whoever asked may have gone away.
            drop(done.send(result));
        });
        if self.handle.change_membership(change, told).is_err() {
            return Err(ChangeRefused::Pending);
        }
        answer.await.unwrap_or(Err(ChangeRefused::Stopping))
    }

    fn leader_hint(&self, status: &Status) -> JoinResponse {
        let leader = status.role.leader.filter(|leader| *leader != status.member);
        let addresses = self.registry.addresses();
        let address =
            leader.and_then(|leader| addresses.iter().find(|address| address.member.0 == leader));
        JoinResponse {
            leader_peer_endpoint: address
                .map(|address| address.endpoint.to_string())
                .unwrap_or_default(),
            ..self.described(false, "no leader is known yet")
        }
    }

    fn described(&self, accepted: bool, reason: &str) -> JoinResponse {
        let members = self
            .registry
            .addresses()
            .into_iter()
            .map(|address| PeerMember {
                id: address.member.0,
                name: address.name,
                client_endpoint: self.registry.client_endpoint(address.member),
                peer_endpoint: address.endpoint.to_string(),
                store: Bytes::new(),
            });
        JoinResponse {
            accepted,
            reason: reason.into(),
            leader_peer_endpoint: String::new(),
            cluster_id: self.cluster_id.to_string(),
            members: members.collect(),
            revision: 0,
        }
    }

    /// For a member that may be behind: the members of the roll, with the stores that they may be believed by.
    fn told(&self, roll: &Roll) -> JoinResponse {
        let members = roll.rows.iter().map(|row| PeerMember {
            id: row.id.0,
            name: row.name.to_string(),
            client_endpoint: row.client_endpoint.to_string(),
            peer_endpoint: row.peer_endpoint.to_string(),
            store: row.store.to_vec().into(),
        });
        JoinResponse {
            members: members.collect(),
            revision: roll.revision.0,
            ..self.described(true, "")
        }
    }
}

fn takes_part(membership: &Taking, id: u64) -> bool {
    let lists = [
        &membership.voters,
        &membership.learners,
        &membership.voters_outgoing,
        &membership.learners_next,
    ];
    lists.iter().any(|list| list.contains(&id))
}

fn is_whole(said: Option<Vitals>, at_least: Revision) -> bool {
    said.is_some_and(|said| said.history.0 > 0 && said.history >= at_least)
}

/// What the ledger refuses here it refuses for good: another store under a known id.
fn denied(failure: Failure) -> Answer {
    match failure {
        // It will be allowed once the cluster version has risen.
        Failure::Refused(Refusal::VersionTooLow { .. }) => failure.into(),
        Failure::Refused(refusal) => Answer::permission_denied(format!(
            "{refusal}; if its data directory was wiped or copied, start it with --rejoin to join as a new member"
        )),
        failure => failure.into(),
    }
}

fn principal() -> Principal {
    Principal::new("berthd").expect("allowed") // a plain word is one of those allowed
}

fn read(
    request: &JoinRequest,
    cluster: &ClusterId,
) -> Result<RegisterMember, berth_domain::outcome::Refusal> {
    use crate::grpc::decode::{invalid, name};
    let vote = match request.stays_learner {
        true => Vote::Withheld,
        false => Vote::AsKnown,
    };
    let store = request.store.as_ref().try_into();
    if request.member_id == 0 {
        return Err(invalid("member_id", "is 0"));
    }
    Ok(RegisterMember {
        cluster: cluster.clone(),
        id: MemberId(request.member_id),
        name: name("name", &request.name, NodeName::new)?,
        client_endpoint: name("client_endpoint", &request.client_endpoint, Endpoint::new)?,
        peer_endpoint: name("peer_endpoint", &request.peer_endpoint, Endpoint::new)?,
        store: store.map_err(|_| invalid("store", "is not 16 bytes"))?,
        vote,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: nobody has the whole history who said nothing, who misses a part, or who ends before the leader's last look;
    /// who has come along does (the control).
    #[test]
    fn a_part_of_the_history_is_not_enough() {
        let said = |revision| {
            Some(Vitals {
                history: Revision(revision),
                ..Vitals::default()
            })
        };
        assert!(!is_whole(None, Revision(0)));
        assert!(!is_whole(said(0), Revision(0)), "a part is missing");
        assert!(!is_whole(said(6), Revision(7)), "it is behind");
        assert!(is_whole(said(7), Revision(7)) && is_whole(said(9), Revision(7)));
    }
}
