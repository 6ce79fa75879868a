//! One look at all replicas.

use std::time::Duration;

use berth_client::Client;
use berth_proto::v1;

use super::Replicas;
use crate::error::Error;
use crate::session::Session;
use crate::view::check::{CheckReport, Observations};

/// How often replicas are asked until they have been seen at one index; under load they seldom stand together.
const ROUNDS_MAX: u32 = 40;
/// Between two rounds.
const PAUSE: Duration = Duration::from_millis(100);

/// Asks every replica how it stands and for its digest, again and again until they can be compared; then for one hash of
/// the history that all have.
pub(super) async fn look(session: &Session, replicas: &Replicas) -> Result<CheckReport, Error> {
    let mut seen = Observations::default();
    let endpoints = &replicas.endpoints;
    for member in &replicas.unknown {
        let why = "it has not said yet where clients reach it";
        seen.missed(member, why.to_owned());
    }
    for (endpoint, answer) in session.each(endpoints, status).await? {
        if let Ok(status) = answer {
            seen.stands(&endpoint, &status);
        }
    }
    see_freshly(session, &mut seen).await;
    for round in 0..ROUNDS_MAX {
        if round > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        for (endpoint, answer) in session.each(endpoints, digest).await? {
            match answer {
                Ok(answer) => seen.saw(&endpoint, answer),
                Err(error) => seen.missed(&endpoint, error.sentence()),
            }
        }
        if seen.is_enough() {
            break;
        }
    }
    compare_histories(session, endpoints, &mut seen).await?;
    Ok(seen.report())
}

/// A read through a quorum must see at least what any replica had applied before it was asked.
async fn see_freshly(session: &Session, seen: &mut Observations) {
    let request = v1::ListNodesRequest {
        page_size: 1,
        ..Default::default()
    };
    match session.client().list_nodes(request).await {
        Ok(answer) => seen.read_at(answer.revision),
        Err(error) => seen.no_read(Error::from(error).sentence()),
    }
}

/// At the newest revision that all have, all histories have one hash.
async fn compare_histories(
    session: &Session,
    endpoints: &[String],
    seen: &mut Observations,
) -> Result<(), Error> {
    let newest = v1::HashAtRequest { revision: 0 };
    let answers = session
        .each(endpoints, |client| hash(client, newest))
        .await?;
    // One that does not answer is found out otherwise, or is older than this question.
    let answered = answers.into_iter();
    let answered = answered.filter_map(|(endpoint, answer)| Some((endpoint, answer.ok()?)));
    let (endpoints, through): (Vec<String>, Vec<u64>) = answered
        .map(|(endpoint, answer)| (endpoint, answer.through_revision))
        .unzip();
    let Some(revision) = through.into_iter().min().filter(|revision| *revision > 0) else {
        return Ok(());
    };
    let request = v1::HashAtRequest { revision };
    let asked = session.each(&endpoints, |client| hash(client, request));
    for (endpoint, answer) in asked.await? {
        match answer {
            Ok(answer) => seen.hashed(&endpoint, revision, answer.chain),
            Err(error) => seen.not_hashed(&endpoint, revision, error.sentence()),
        }
    }
    Ok(())
}

async fn status(client: Client) -> Result<v1::ClusterStatusResponse, berth_client::Error> {
    client.cluster_status(v1::ClusterStatusRequest {}).await
}

async fn digest(client: Client) -> Result<v1::LedgerDigestResponse, berth_client::Error> {
    client.ledger_digest(v1::LedgerDigestRequest {}).await
}

async fn hash(
    client: Client,
    request: v1::HashAtRequest,
) -> Result<v1::HashAtResponse, berth_client::Error> {
    client.hash_at(request).await
}
