//! The histories and digests of all members, when nothing goes on any more.

use crate::ground::{Ground, Member, PATIENCE};
use crate::record::{Group, Record};
use berth_proto::v1::admin_client::AdminClient;
use berth_proto::v1::{LedgerDigestRequest, ListNodesRequest, WatchHistoryRequest};
use std::time::Duration;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

/// One question; a member that is stuck must not hold the others up.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// A broken cluster is not waited for as long as a whole one.
const BROKEN_PATIENCE: Duration = Duration::from_secs(10);

/// Fetches them into the record. All members must run, and must come to one end.
pub fn fetch(ground: &Ground, record: &mut Record) {
    try_fetch(ground, record, PATIENCE).unwrap_or_else(|why| panic!("{why}"));
}

/// The same of a cluster that may be broken for good; Err = how.
pub fn try_fetch(ground: &Ground, record: &mut Record, patience: Duration) -> Result<(), String> {
    let target = read_revision(ground, patience).ok_or("nobody answers a read")?;
    let are_there = ground.holds_within(patience, || {
        let mut views = ground.views().into_iter();
        views.all(|view| view.is_some_and(|view| view.history >= target))
    });
    if !are_there {
        return Err(format!(
            "not all members come to revision {target}: {:?}",
            ground.views()
        ));
    }
    for member in &ground.members {
        let groups = fetch_history(ground, member, target)?;
        record
            .histories
            .insert(format!("member {}", member.number()), groups);
    }
    // Housekeeping may go on; they are asked until they stand at the same entry.
    let agreed = ground.holds_within(patience, || {
        let endpoints = ground.members.iter().map(Member::endpoint).collect();
        let Ok(digests) = ground.network().ask(|| digests(endpoints)) else {
            return false;
        };
        let (index, _) = digests[0];
        let agreed = digests.iter().all(|(other, _)| *other == index);
        let named = (1..)
            .zip(digests)
            .map(|(number, digest)| (format!("member {number}"), digest));
        record.digests = named.collect();
        agreed
    });
    match agreed {
        true => Ok(()),
        false => Err(format!(
            "the members do not come to stand at one entry: {:?}",
            record.digests
        )),
    }
}

/// Of a cluster that is broken: the history of its leader, if that answers a read.
pub fn fetch_what_is_there(ground: &Ground, record: &mut Record) -> Result<(), String> {
    let target = read_revision(ground, BROKEN_PATIENCE).ok_or("nobody answers a read")?;
    let (number, _) = ground.leader().ok_or("nobody leads")?;
    let groups = fetch_history(ground, &ground.members[number - 1], target)?;
    record.histories.insert(format!("member {number}"), groups);
    Ok(())
}

/// What a read that asks a quorum says: a leader that has just been elected may not have applied all that is committed.
fn read_revision(ground: &Ground, patience: Duration) -> Option<u64> {
    let mut read = None;
    ground.holds_within(patience, || {
        let Some((leader, _)) = ground.leader() else {
            return false;
        };
        let endpoint = ground.members[leader - 1].endpoint();
        let answer = ground.network().ask(|| async {
            let question = async {
                let nodes = admin(endpoint)
                    .await?
                    .list_nodes(ListNodesRequest::default())
                    .await?;
                Ok::<_, Status>(nodes.into_inner().revision)
            };
            tokio::time::timeout(ANSWER_WITHIN, question).await
        });
        read = answer.ok().and_then(Result::ok);
        read.is_some()
    });
    read
}

fn fetch_history(ground: &Ground, member: &Member, target: u64) -> Result<Vec<Group>, String> {
    let endpoint = member.endpoint();
    let asked = ground.network().ask(|| async {
        let groups = history(endpoint, target);
        tokio::time::timeout(ANSWER_WITHIN, groups).await
    });
    let why = match asked {
        Ok(Ok(groups)) => return Ok(groups),
        Ok(Err(status)) => status.to_string(),
        Err(_) => "it does not end in time".to_owned(),
    };
    Err(format!(
        "the history of member {} up to {target}: {why}",
        member.number()
    ))
}

async fn admin(endpoint: String) -> Result<AdminClient<Channel>, Status> {
    let channel = Endpoint::from_shared(endpoint)
        .expect("an endpoint")
        .connect()
        .await;
    let channel = channel.map_err(|error| Status::unavailable(error.to_string()))?;
    Ok(AdminClient::new(channel).max_decoding_message_size(64 << 20))
}

/// From the first group to the target.
async fn history(endpoint: String, target: u64) -> Result<Vec<Group>, Status> {
    let mut admin = admin(endpoint).await?;
    let watch = admin
        .watch_history(WatchHistoryRequest { after_revision: 0 })
        .await?;
    let mut groups = Vec::new();
    let mut stream = watch.into_inner();
    while (groups.len() as u64) < target {
        match stream.message().await? {
            Some(group) => groups.push(Group::from(group)),
            None => break,
        }
    }
    Ok(groups)
}

async fn digests(endpoints: Vec<String>) -> Result<Vec<(u64, String)>, Status> {
    let mut digests = Vec::new();
    for endpoint in endpoints {
        let digest = admin(endpoint)
            .await?
            .ledger_digest(LedgerDigestRequest {})
            .await?;
        let digest = digest.into_inner();
        digests.push((digest.applied_index, digest.digest));
    }
    Ok(digests)
}
