//! The facts service: one stream per source. Kept in the leader's memory, so only the leader takes them.

use crate::facts::Session;
use crate::failure::Failure;
use crate::grpc::decode;
use crate::leader::Gate;
use berth_proto::v1::facts_report::Report;
use berth_proto::v1::facts_server::Facts;
use berth_proto::v1::*;
use futures::stream::{self, BoxStream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

/// The facts' service.
#[derive(Clone)]
pub struct FactsService {
    gate: Gate,
}

/// One source's stream.
struct Source {
    gate: Gate,
    reports: Streaming<FactsReport>,
    session: Session,
}

// === impl FactsService ===

impl FactsService {
    /// Over this gate.
    pub fn new(gate: Gate) -> Self {
        Self { gate }
    }
}

#[tonic::async_trait]
impl Facts for FactsService {
    type ReportStream = BoxStream<'static, Result<FactsAck, Status>>;

    async fn report(
        &self,
        request: Request<Streaming<FactsReport>>,
    ) -> Result<Response<Self::ReportStream>, Status> {
        let mut reports = request.into_inner();
        let first = reports.message().await?.unwrap_or_default();
        let Some(Report::Begin(begin)) = &first.report else {
            let refusal = decode::invalid("report", "the first message of a stream must be begin");
            return Err(Failure::Refused(refusal).into());
        };
        // Whoever leads no more must not take facts: the new leader would wait for them.
        self.gate.read(|_| ()).await?;
        let session = self.gate.facts().begin(begin)?;
        let source = Source {
            gate: self.gate.clone(),
            reports,
            session,
        };
        let begun = stream::once(async move {
            Ok(FactsAck {
                version: first.version,
            })
        });
        let acks = stream::try_unfold(source, |mut source| async {
            match source.next().await? {
                Some(ack) => Ok::<_, Status>(Some((ack, source))),
                None => {
                    source.session.end();
                    Ok(None)
                }
            }
        });
        Ok(Response::new(begun.chain(acks).boxed()))
    }
}

// === impl Source ===

impl Source {
    /// One report taken in, and its acknowledgement; none = the source ended its stream.
    async fn next(&mut self) -> Result<Option<FactsAck>, Status> {
        let report = tokio::select! {
            report = self.reports.message() => report?,
            // A source that is silent for half a minute must not learn only then that another leads.
            failure = self.gate.deposed() => return Err(failure.into()),
        };
        let Some(report) = report else {
            return Ok(None);
        };
        let version = self.session.report(report)?;
        Ok(Some(FactsAck { version }))
    }
}
