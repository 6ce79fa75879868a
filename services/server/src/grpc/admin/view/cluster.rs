//! The replicas, seen from this one.

use crate::grpc::event::hex;
use berth_domain::Ledger;
use berth_domain::id::MemberId;
use berth_proto::v1;
use berth_raft::status::{Standing, Status};

pub(in crate::grpc::admin) fn cluster(
    ledger: &Ledger,
    status: &Status,
) -> v1::ClusterStatusResponse {
    let learners = &status.membership.learners;
    let ids = status.membership.voters.iter().chain(learners);
    v1::ClusterStatusResponse {
        cluster_id: ledger.cluster().to_string(),
        member_id: status.member,
        leader_id: status.role.leader.unwrap_or_default(),
        term: status.role.term,
        commit_index: status.commit,
        applied_index: status.applied,
        revision: ledger.revision().0,
        members: ids.map(|id| member(ledger, status, *id)).collect(),
        role: role(status, learners).into(),
        snapshot_index: status
            .snapshot
            .as_ref()
            .map_or(0, |snapshot| snapshot.index),
        first_index: status.first_index,
        history_through_revision: 0,
        version: String::new(),
        chain_head: hex(&ledger.chain().0),
        ledger_time_ms: ledger.ledger_time_ms(),
    }
}

fn role(status: &Status, learners: &[u64]) -> &'static str {
    match status.role.standing {
        Standing::Leader if status.role.ready => "leader",
        Standing::Leader => "leader, not ready",
        Standing::Candidate => "candidate",
        Standing::Follower if learners.contains(&status.member) => "learner",
        Standing::Follower => "follower",
    }
}

fn member(ledger: &Ledger, status: &Status, id: u64) -> v1::Member {
    let known = ledger.member(MemberId(id));
    let seen = status.members.iter().find(|seen| seen.member == id);
    let learner = status.membership.learners.contains(&id);
    v1::Member {
        id,
        name: known.map(|row| row.name.to_string()).unwrap_or_default(),
        client_endpoint: known
            .map(|row| row.client_endpoint.to_string())
            .unwrap_or_default(),
        peer_endpoint: known
            .map(|row| row.peer_endpoint.to_string())
            .unwrap_or_default(),
        role: if learner { "learner" } else { "voter" }.into(),
        matched_index: seen.map_or(0, |seen| seen.matched),
        recently_active: seen.is_some_and(|seen| seen.recent_active),
    }
}
