//! The facts service: a source's list, then changes, decide what an ADD becomes.

use crate::harness::*;
use berth_proto::v1::facts_client::FactsClient;
use berth_proto::v1::facts_report::Report;
use berth_proto::v1::{self, FactsReport, RefusalCode};
use futures::channel::mpsc;
use tonic::{Code, Streaming};

/// One source's stream.
struct Source {
    reports: mpsc::UnboundedSender<FactsReport>,
    acks: Streaming<v1::FactsAck>,
    version: u64,
}

// === impl Source ===

impl Source {
    async fn begin(berthd: &Berthd, epoch: u64) -> Result<Self, tonic::Status> {
        let (reports, sent) = mpsc::unbounded();
        let begin = v1::FactsBegin {
            cluster: "main".into(),
            source: "test".into(),
            epoch,
        };
        let first = FactsReport {
            version: 1,
            report: Some(Report::Begin(begin)),
        };
        reports.unbounded_send(first).expect("open");
        let mut client = FactsClient::new(berthd.channel().await);
        let acks = client.report(sent).await?.into_inner();
        let mut source = Self {
            reports,
            acks,
            version: 1,
        };
        source.acknowledged().await?;
        Ok(source)
    }

    async fn say(&mut self, report: Report) -> Result<(), tonic::Status> {
        self.version += 1;
        let report = FactsReport {
            version: self.version,
            report: Some(report),
        };
        self.reports.unbounded_send(report).expect("open");
        self.acknowledged().await
    }

    async fn acknowledged(&mut self) -> Result<(), tonic::Status> {
        let ack = self.acks.message().await?.expect("an acknowledgement");
        assert_eq!(ack.version, self.version);
        Ok(())
    }
}

fn pod(name: &str, policy: &str) -> Report {
    let mut annotations = std::collections::HashMap::new();
    if !policy.is_empty() {
        annotations.insert("berth.io/static-address".to_owned(), policy.to_owned());
    }
    Report::Pod(v1::PodFact {
        namespace: "web".into(),
        name: name.into(),
        uid: format!("uid-of-{name}"),
        node: "worker-1".into(),
        annotations,
        ..Default::default()
    })
}

/// Promise: a pod whose annotation asks for it gets a claim with its first ADD; before the list is complete the ADD waits.
#[tokio::test]
async fn an_annotation_makes_a_claim() {
    let directory = directory();
    let berthd = Berthd::dev(directory.path(), &[]);
    let (mut admin, mut allocator) = (berthd.admin().await, berthd.allocator().await);
    world(&mut admin, "10.0.3.0/24").await;
    let mut source = Source::begin(&berthd, 1).await.expect("begun");
    source.say(pod("web-0", "never")).await.expect("taken");
    source.say(pod("plain", "")).await.expect("taken");

    let mut hasty = add("web-0");
    hasty.deadline_ms = 1_000;
    let status = allocator
        .allocate(hasty)
        .await
        .expect_err("the list is not complete");
    assert_eq!(
        refusal(&status).code(),
        RefusalCode::FactsMissing,
        "{status:?}"
    );

    let waiting = tokio::spawn({
        let mut allocator = allocator.clone();
        async move { allocator.allocate(add("web-0")).await }
    });
    source
        .say(Report::Synced(v1::FactsSynced {}))
        .await
        .expect("taken");
    let given = waiting
        .await
        .expect("it ran")
        .expect("an address")
        .into_inner();
    assert_eq!(given.claim, "main/web/web-0");
    let plain = allocator
        .allocate(add("plain"))
        .await
        .expect("an address")
        .into_inner();
    assert_eq!(plain.claim, "");
    let claim = v1::GetClaimRequest {
        stale: false,
        name: "main/web/web-0".into(),
    };
    let claim = admin.get_claim(claim).await.expect("made").into_inner();
    assert_eq!(
        (claim.policy.as_str(), claim.state.as_str()),
        ("never", "bound")
    );
}

/// Promise: a stream that does not begin, an older epoch and a version that does not grow are refused by field.
#[tokio::test]
async fn a_confused_source_is_refused() {
    let directory = directory();
    let berthd = Berthd::dev(directory.path(), &[]);
    let mut client = FactsClient::new(berthd.channel().await);
    let heartbeat = FactsReport {
        version: 1,
        report: Some(Report::Heartbeat(v1::FactsHeartbeat {})),
    };
    let status = client
        .report(futures::stream::iter([heartbeat]))
        .await
        .expect_err("no begin");
    assert_eq!(
        (status.code(), refusal(&status).field.as_str()),
        (Code::InvalidArgument, "report")
    );

    let mut source = Source::begin(&berthd, 7).await.expect("begun");
    let older = Source::begin(&berthd, 6)
        .await
        .err()
        .expect("an older epoch");
    assert_eq!(refusal(&older).field, "begin.epoch");
    source.say(pod("web-0", "")).await.expect("taken");
    source.version -= 1;
    let status = source
        .say(pod("web-0", ""))
        .await
        .expect_err("the version does not grow");
    assert_eq!(refusal(&status).field, "version");
}
