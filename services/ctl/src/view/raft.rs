//! The replicas as they are shown.

use berth_proto::v1;
use serde::Serialize;

use super::present;
use crate::error::Error;
use crate::output::Document;
use crate::table;

/// What every endpoint said of itself, and what the leader said of all.
#[derive(Debug, Serialize)]
pub struct RaftStatus {
    /// Registered in the ledger.
    pub cluster_id: String,
    /// Null while there is none.
    pub leader_id: Option<u64>,
    /// Null while there is none, or it is not known.
    pub leader_endpoint: Option<String>,
    /// The highest term seen.
    pub term: u64,
    /// As the leader, else the first endpoint, knows them.
    pub members: Vec<Member>,
    /// One entry per endpoint that answered.
    pub replicas: Vec<Replica>,
    /// Endpoints that did not answer, and why.
    pub unreachable: Vec<Unreachable>,
}

/// A member of the cluster.
#[derive(Debug, Serialize)]
pub struct Member {
    /// The raft id.
    pub id: u64,
    /// As configured.
    pub name: String,
    /// "voter" or "learner".
    pub role: String,
    /// Where clients reach it.
    pub client_endpoint: String,
    /// Where replicas reach it.
    pub peer_endpoint: String,
    /// How far its log is known to be; null unless the leader said so.
    pub matched_index: Option<u64>,
    /// Whether the leader heard of it lately; null unless the leader said so.
    pub recently_active: Option<bool>,
}

/// A replica's own view.
#[derive(Debug, Serialize)]
pub struct Replica {
    /// The endpoint asked.
    pub endpoint: String,
    /// Its raft id.
    pub member_id: u64,
    /// "leader", "follower", "candidate", "learner".
    pub role: String,
    /// Its term.
    pub term: u64,
    /// First index still in its log.
    pub first_index: u64,
    /// Last index of its newest snapshot.
    pub snapshot_index: u64,
    /// Known to be on a quorum.
    pub commit_index: u64,
    /// In its ledger.
    pub applied_index: u64,
    /// Its ledger's revision.
    pub revision: u64,
    /// Its history is durable up to this revision.
    pub history_through_revision: u64,
    /// The replicated clock.
    pub ledger_time_ms: u64,
    /// Of the history, hex.
    pub chain_head: String,
    /// Its program's version.
    pub version: String,
}

/// An endpoint that did not answer.
#[derive(Debug, Serialize)]
pub struct Unreachable {
    /// The endpoint asked.
    pub endpoint: String,
    /// One sentence.
    pub why: String,
}

/// `{"leader_id": 2}`
#[derive(Debug, Serialize)]
pub struct NewLeader {
    /// Who leads now.
    pub leader_id: u64,
}

// === impl RaftStatus ===

impl RaftStatus {
    /// Put together; the view of the newest term says who leads.
    pub fn new(
        views: Vec<(String, v1::ClusterStatusResponse)>,
        unreachable: Vec<(String, Error)>,
    ) -> Self {
        let newest = views
            .iter()
            .max_by_key(|(_, view)| {
                (
                    view.term,
                    view.leader_id != 0,
                    view.leader_id == view.member_id,
                )
            })
            .map(|(_, view)| view.clone())
            .unwrap_or_default();
        let from_leader = newest.leader_id != 0 && newest.leader_id == newest.member_id;
        let leader = newest
            .members
            .iter()
            .find(|member| newest.leader_id != 0 && member.id == newest.leader_id);
        Self {
            leader_id: (newest.leader_id != 0).then_some(newest.leader_id),
            leader_endpoint: leader.and_then(|member| present(member.client_endpoint.clone())),
            term: newest.term,
            cluster_id: newest.cluster_id,
            members: newest
                .members
                .into_iter()
                .map(|member| Member::new(member, from_leader))
                .collect(),
            replicas: views
                .into_iter()
                .map(|(endpoint, view)| Replica::new(endpoint, view))
                .collect(),
            unreachable: unreachable
                .into_iter()
                .map(|(endpoint, error)| Unreachable {
                    endpoint,
                    why: error.sentence(),
                })
                .collect(),
        }
    }

    fn members_text(&self) -> String {
        let optional = |value: Option<String>| value.unwrap_or_default();
        let rows = self.members.iter().map(|member| {
            let leads = if self.leader_id == Some(member.id) {
                "leader"
            } else {
                ""
            };
            vec![
                member.id.to_string(),
                member.name.clone(),
                if leads.is_empty() {
                    member.role.clone()
                } else {
                    leads.to_owned()
                },
                member.client_endpoint.clone(),
                member.peer_endpoint.clone(),
                optional(member.matched_index.map(|index| index.to_string())),
                optional(member.recently_active.map(|active| {
                    if active {
                        "yes".to_owned()
                    } else {
                        "no".to_owned()
                    }
                })),
            ]
        });
        table::columns(
            &[
                "ID", "NAME", "ROLE", "CLIENTS", "PEERS", "MATCHED", "ACTIVE",
            ],
            rows,
        )
    }

    fn replicas_text(&self) -> String {
        let rows = self.replicas.iter().map(|replica| {
            vec![
                replica.endpoint.clone(),
                replica.member_id.to_string(),
                replica.role.clone(),
                replica.term.to_string(),
                format!("{}..{}", replica.first_index, replica.commit_index),
                replica.applied_index.to_string(),
                replica.snapshot_index.to_string(),
                replica.revision.to_string(),
                replica.history_through_revision.to_string(),
                replica.version.clone(),
            ]
        });
        let header = [
            "ASKED", "ID", "ROLE", "TERM", "LOG", "APPLIED", "SNAPSHOT", "REVISION", "HISTORY",
            "VERSION",
        ];
        table::columns(&header, rows)
    }
}

impl Document for RaftStatus {
    fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn text(&self) -> String {
        let leader = self
            .leader_id
            .map_or("none".to_owned(), |id| id.to_string());
        let head = format!(
            "cluster {}, leader {leader}, term {}",
            self.cluster_id, self.term
        );
        let mut parts = vec![head, self.members_text(), self.replicas_text()];
        parts.extend(
            self.unreachable
                .iter()
                .map(|one| format!("{} did not answer: {}", one.endpoint, one.why)),
        );
        parts.join("\n\n")
    }
}

// === impl Member ===

impl Member {
    fn new(member: v1::Member, from_leader: bool) -> Self {
        Self {
            id: member.id,
            name: member.name,
            role: member.role,
            client_endpoint: member.client_endpoint,
            peer_endpoint: member.peer_endpoint,
            matched_index: from_leader.then_some(member.matched_index),
            recently_active: from_leader.then_some(member.recently_active),
        }
    }
}

// === impl Replica ===

impl Replica {
    fn new(endpoint: String, view: v1::ClusterStatusResponse) -> Self {
        Self {
            endpoint,
            member_id: view.member_id,
            role: view.role,
            term: view.term,
            first_index: view.first_index,
            snapshot_index: view.snapshot_index,
            commit_index: view.commit_index,
            applied_index: view.applied_index,
            revision: view.revision,
            history_through_revision: view.history_through_revision,
            ledger_time_ms: view.ledger_time_ms,
            chain_head: view.chain_head,
            version: view.version,
        }
    }
}

// === impl NewLeader ===

impl Document for NewLeader {
    fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn text(&self) -> String {
        format!("member {} leads", self.leader_id)
    }
}
