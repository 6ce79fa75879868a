//! The replicas, seen from this one.

use crate::grpc::event::hex;
use crate::peer::Vitals;
use berth_domain::Ledger;
use berth_domain::id::MemberId;
use berth_domain::row::Member;
use berth_domain::version::APPLIES;
use berth_proto::v1;
use berth_raft::status::{Standing, Status};
use std::sync::Arc;

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
        cluster_version: ledger.version().0,
        lowest_version: APPLIES.lowest.0,
        highest_version: APPLIES.highest.0,
        member_versions: Vec::new(),
        version_waits_for: String::new(),
        changing: !status.membership.voters_outgoing.is_empty(),
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
    let row = ledger.member(MemberId(id)).map(|row| &**row);
    shown(row, status, id, None)
}

/// All that take part, then those that are registered only: they are about to take part, or to be forgotten.
pub(in crate::grpc::admin) fn members(
    rows: &[Arc<Member>],
    status: &Status,
    vitals: impl Fn(MemberId) -> Option<Vitals>,
) -> Vec<v1::Member> {
    let parts = &status.membership;
    let voters = parts.voters.iter().chain(&parts.learners).copied();
    let rest = rows.iter().map(|row| row.id.0);
    let rest = rest.filter(|id| !parts.voters.contains(id) && !parts.learners.contains(id));
    let row = |id| rows.iter().find(|row| row.id.0 == id).map(|row| &**row);
    voters
        .chain(rest)
        .map(|id| shown(row(id), status, id, vitals(MemberId(id))))
        .collect()
}

fn shown(row: Option<&Member>, status: &Status, id: u64, vitals: Option<Vitals>) -> v1::Member {
    let seen = status.members.iter().find(|seen| seen.member == id);
    let role = match (
        status.membership.voters.contains(&id),
        status.membership.learners.contains(&id),
    ) {
        (true, _) => "voter",
        (_, true) => "learner",
        _ => "registered",
    };
    let vitals = vitals.unwrap_or_default();
    let text = |of: fn(&Member) -> &str| row.map(of).unwrap_or_default().to_owned();
    v1::Member {
        id,
        name: text(|row| row.name.as_str()),
        client_endpoint: text(|row| row.client_endpoint.as_str()),
        peer_endpoint: text(|row| row.peer_endpoint.as_str()),
        role: role.into(),
        matched_index: seen.map_or(0, |seen| seen.matched),
        recently_active: seen.is_some_and(|seen| seen.recent_active),
        stays_learner: row.is_some_and(|row| row.stays_learner),
        sync_micros: vitals.sync_micros,
        history_revision: vitals.history.0,
    }
}
