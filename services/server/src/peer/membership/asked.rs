//! What administrators ask: who takes part, a vote for a learner, the end of a member.
//!
//! A change is made in raft and noted in the ledger, with who asked and why. What was done and not noted, because the
//! leader was lost in between, is noted when the call is repeated.

use super::{Membership, takes_part};
use crate::failure::Failure;
use berth_domain::command::{Command, Proposal, RegisterMember, RemoveMember, Vote};
use berth_domain::id::{MemberId, Principal, Reason, RequestId, Revision};
use berth_domain::outcome::{Outcome, Refusal};
use berth_domain::row::Member;
use berth_raft::replica::input::Change;
use berth_raft::replica::output::ChangeRefused;
use berth_raft::status::Status;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::MutexGuard;
use tokio::time::timeout;
use tracing::info;

/// Who asks, and why.
#[derive(Clone, Debug)]
pub struct Audit {
    /// Who.
    pub principal: Principal,
    /// The caller's id of this request.
    pub request_id: RequestId,
    /// The trace it belongs to.
    pub trace_id: Option<[u8; 16]>,
    /// Why.
    pub reason: Reason,
}

/// The change that holds the turn.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    what: String,
    request_id: Option<RequestId>,
}

/// No other administrator's change, and nobody joins or gets a vote by itself, as long as it lives.
type Turn<'a> = (MutexGuard<'a, ()>, MutexGuard<'a, ()>);

/// A joining or a vote is one commit; with a quorum that takes milliseconds, and without one it ends with the leadership.
const HOUSEKEEPING_PATIENCE: Duration = Duration::from_secs(3);

/// Everybody, at one revision.
#[derive(Clone, Debug)]
pub struct Roll {
    /// As registered.
    pub rows: Vec<Arc<Member>>,
    /// As raft sees them on the leader.
    pub status: Status,
    /// When this was true.
    pub revision: Revision,
}

// === impl Membership ===

impl Membership {
    /// Who takes part, as of now: the leader asks a quorum first.
    pub async fn roll(&self) -> Result<Roll, Failure> {
        let read = self
            .gate
            .read(|ledger| (ledger.members().cloned().collect(), ledger.revision()));
        let (rows, revision) = read.await?;
        let status = self.gate.read_stale(|_, status| status.clone()).await?;
        Ok(Roll {
            rows,
            status,
            revision,
        })
    }

    /// Who takes part, as far as this replica has heard.
    pub async fn roll_stale(&self) -> Result<Roll, Failure> {
        let read = self.gate.read_stale(|ledger, status| Roll {
            rows: ledger.members().cloned().collect(),
            status: status.clone(),
            revision: ledger.revision(),
        });
        read.await
    }

    /// Gives a learner its vote; who is replaced leaves in the same step. Done already is done.
    pub async fn promote(
        &self,
        member: &str,
        replaces: Option<&str>,
        audit: Audit,
    ) -> Result<Revision, Failure> {
        let _turn = self
            .begin(format!("the promotion of {member}"), &audit)
            .await?;
        let roll = self.roll().await?;
        let row = roll.find(member)?;
        let old = match replaces.map(|name| roll.find(name)) {
            Some(Ok(row)) => Some(row.id.0),
            Some(Err(missing)) => return self.repeated(&audit, missing).await,
            None => None,
        };
        let membership = &roll.status.membership;
        let voters = &membership.voters;
        let done = voters.contains(&row.id.0) && old.is_none_or(|old| !takes_part(membership, old));
        if !done {
            if !self.has_history(row.id) {
                return Err(Failure::Membership {
                    reason: format!(
                        "{member} has not yet fetched the whole history; wait until it has"
                    ),
                });
            }
            let change = Change::Promote {
                member: row.id.0,
                replaces: old,
            };
            self.made(change).await?;
            info!(%member, replaces, principal = %audit.principal, reason = %audit.reason, "a learner was given its vote on request");
        }
        let vote = Command::RegisterMember(RegisterMember {
            cluster: self.cluster_id.clone(),
            id: row.id,
            name: row.name.clone(),
            client_endpoint: row.client_endpoint.clone(),
            peer_endpoint: row.peer_endpoint.clone(),
            store: row.store,
            // Said only where it changes something: the cluster version may not allow it yet.
            vote: match row.stays_learner {
                true => Vote::Given,
                false => Vote::AsKnown,
            },
        });
        let old = old.map(|id| Command::RemoveMember(RemoveMember { id: MemberId(id) }));
        match old {
            None => self.noted(vote, &audit).await,
            Some(old) => {
                let unnamed = Audit {
                    request_id: RequestId::new("").expect("allowed"), // the empty text is one of those allowed
                    ..audit.clone()
                };
                self.noted(vote, &unnamed).await?;
                // The last step bears the request's id: a repeat that finds it finds everything done.
                self.noted(old, &audit).await
            }
        }
    }

    /// Whom a call names is no member: it may be the repeat of the one that ended it, which is told the same as that.
    async fn repeated(&self, audit: &Audit, missing: Refusal) -> Result<Revision, Failure> {
        let before = self
            .gate
            .answered_before(&audit.principal, &audit.request_id);
        match before.await? {
            Some((Outcome::Done, revision)) => Ok(revision),
            _ => Err(missing.into()),
        }
    }

    /// Ends a member's part. Who leads hands over first and is to be asked again.
    pub async fn remove(
        &self,
        member: &str,
        forced: bool,
        audit: Audit,
    ) -> Result<Revision, Failure> {
        let _turn = self
            .begin(format!("the removal of {member}"), &audit)
            .await?;
        let roll = self.roll().await?;
        let id = match roll.find(member) {
            Ok(row) => row.id,
            Err(missing) => return self.repeated(&audit, missing).await,
        };
        if takes_part(&roll.status.membership, id.0) {
            let change = Change::Remove {
                member: id.0,
                forced,
            };
            self.made(change).await?;
            info!(%member, principal = %audit.principal, reason = %audit.reason, "a member was removed on request");
        }
        self.noted(Command::RemoveMember(RemoveMember { id }), &audit)
            .await
    }

    /// One administrator's change at a time: a second one is refused, so that nobody decides on a membership that is about
    /// to change. A repeat of the one under way, as a client makes that lost its connection, waits for it.
    async fn begin(&self, what: String, audit: &Audit) -> Result<Turn<'_>, Failure> {
        let asked = match self.turn.try_lock() {
            Ok(turn) => turn,
            Err(_) => {
                self.under_way().check_repeat(audit)?;
                self.turn.lock().await
            }
        };
        *self.under_way() = UnderWay {
            what,
            request_id: Some(audit.request_id.clone()),
        };
        let joining = timeout(HOUSEKEEPING_PATIENCE, self.changing.lock()).await;
        match joining {
            Ok(changing) => Ok((asked, changing)),
            Err(_) => Err(under_way("a member's joining, or its vote,")),
        }
    }

    fn under_way(&self) -> std::sync::MutexGuard<'_, UnderWay> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn made(&self, change: Change) -> Result<(), Failure> {
        let refused = match self.change(change).await {
            Ok(_) => return Ok(()),
            Err(refused) => refused,
        };
        let reason = refused.to_string();
        Err(match refused {
            ChangeRefused::NotLeader => self.gate.not_leader(),
            // Asked again in a moment there is a leader that can do it.
            ChangeRefused::NotReady | ChangeRefused::HandingOver | ChangeRefused::Stopping => {
                Failure::Unavailable { reason }
            }
            ChangeRefused::Unknown => Failure::Unknown {
                reason: "the leadership was lost",
            },
            _ => Failure::Membership { reason },
        })
    }

    async fn noted(&self, command: Command, audit: &Audit) -> Result<Revision, Failure> {
        let proposal = Proposal {
            principal: audit.principal.clone(),
            request_id: audit.request_id.clone(),
            trace_id: audit.trace_id,
            reason: audit.reason.clone(),
            facts: None,
            command,
        };
        // In raft it is done by now.
        let answer = self.gate.propose(proposal).await;
        let answer = answer.map_err(Failure::after_it_was_done)?;
        match answer.result {
            // A repeat of this call, or the leader's own housekeeping, was faster.
            Ok(_) | Err(Refusal::NotFound { .. }) => Ok(answer.revision),
            Err(refusal) => Err(refusal.into()),
        }
    }
}

// === impl UnderWay ===

impl UnderWay {
    fn check_repeat(&self, audit: &Audit) -> Result<(), Failure> {
        let is_named = !audit.request_id.as_str().is_empty();
        match is_named && self.request_id.as_ref() == Some(&audit.request_id) {
            true => Ok(()),
            false => Err(under_way(&self.what)),
        }
    }
}

fn under_way(what: &str) -> Failure {
    let reason =
        format!("{what} is under way; wait until it is done, look at the members, and ask again");
    Failure::Membership { reason }
}

// === impl Roll ===

impl Roll {
    /// By name, or by id.
    pub fn find(&self, member: &str) -> Result<&Arc<Member>, Refusal> {
        let id = member.parse().ok().map(MemberId);
        let takes_part = |row: &&Arc<Member>| takes_part(&self.status.membership, row.id.0);
        let named = || {
            self.rows
                .iter()
                .filter(|row| row.name.as_str() == member || Some(row.id) == id)
        };
        // Of two of one name the one that takes part is meant: the other is about to be forgotten.
        let found = named().find(takes_part).or_else(|| named().next());
        found.ok_or_else(|| Refusal::NotFound {
            what: "member",
            name: member.to_owned(),
        })
    }
}
