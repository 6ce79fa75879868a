//! This replica's whole history, read again.

use crate::failure::Failure;
use crate::history::{Query, Reader, Walk};
use crate::leader::Gate;
use berth_domain::Ledger;
use berth_domain::id::Revision;
use berth_domain::invariant::Violation;
use berth_proto::v1::VerifyHistoryResponse;
use futures::stream::{BoxStream, StreamExt};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

/// Messages made and not yet sent.
const AHEAD: usize = 4;

type Sender = mpsc::Sender<Result<VerifyHistoryResponse, Failure>>;

pub(super) async fn verify(
    gate: &Gate,
    replay: bool,
) -> Result<BoxStream<'static, Result<VerifyHistoryResponse, Status>>, Failure> {
    let ledger = gate.read_stale(|ledger, _| ledger.clone()).await?;
    let history = gate.history().clone();
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        let verdict = walk(&ledger, &history, replay, &sender).await;
        if sender.send(verdict).await.is_err() {
            tracing::debug!("nobody waits for the history's verdict any more");
        }
    });
    let responses = ReceiverStream::new(receiver);
    let responses = responses.map(|response| response.map_err(Status::from));
    Ok(responses.boxed())
}

/// Up to the ledger's revision; the verdict.
async fn walk(
    ledger: &Ledger,
    history: &Reader,
    replay: bool,
    sender: &Sender,
) -> Result<VerifyHistoryResponse, Failure> {
    let until = ledger.revision();
    let first = history.whole_from(until).await?;
    let mut walk = Walk::new(first, replay.then(|| ledger.cluster().clone()));
    let mut after = Revision(first.0.saturating_sub(1));
    while after < until {
        let groups = history
            .encoded_after(after, until, Query::LIMIT_MAX)
            .await?;
        // Decoding, hashing and replaying take a processor that the door's thread has not.
        let walked = tokio::task::spawn_blocking(move || {
            let followed = groups.iter().try_for_each(|(revision, body)| {
                let group = Reader::decoded(*revision, body)?;
                Ok(walk.follow(&group)?)
            });
            followed.map(|()| walk)
        });
        walk = match walked.await.map_err(|error| Failure::Unavailable {
            reason: format!("the history was not read to its end: {error}"),
        })? {
            Ok(walk) => walk,
            Err(Wrong::Violation(violation)) => return Ok(verdict(until, violation)),
            Err(Wrong::Failure(failure)) => return Err(failure),
        };
        after = walk.reached().0;
        let progress = VerifyHistoryResponse {
            revision: after.0,
            until_revision: until.0,
            groups: walk.groups(),
            ..Default::default()
        };
        if sender.send(Ok(progress)).await.is_err() {
            // Whoever asked has gone.
            break;
        }
    }
    if walk.reached() != (until, ledger.chain()) {
        let (revision, _) = walk.reached();
        let what = format!("the history ends at {revision} with another hash than the ledger's");
        return Ok(verdict(until, Violation { id: "H3", what }));
    }
    let ledger = ledger.clone();
    let given = tokio::task::spawn_blocking(move || (walk.gives(&ledger), walk.groups()));
    let (given, groups) = given.await.map_err(|error| Failure::Unavailable {
        reason: format!("the replay was not compared: {error}"),
    })?;
    Ok(match given {
        Ok(replayed) => VerifyHistoryResponse {
            revision: until.0,
            until_revision: until.0,
            done: true,
            violations: Vec::new(),
            replayed,
            groups,
        },
        Err(violation) => verdict(until, violation),
    })
}

/// Why a walk ended early.
enum Wrong {
    Violation(Violation),
    Failure(Failure),
}

impl From<Violation> for Wrong {
    fn from(violation: Violation) -> Self {
        Self::Violation(violation)
    }
}

impl From<Failure> for Wrong {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

fn verdict(until: Revision, violation: Violation) -> VerifyHistoryResponse {
    VerifyHistoryResponse {
        until_revision: until.0,
        done: true,
        violations: vec![violation.to_string()],
        ..Default::default()
    }
}
