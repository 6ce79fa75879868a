//! `berthctl history`

use berth_proto::v1;
use berth_proto::v1::list_history_request::Subject;
use clap::Args;

use crate::allocation::pod::PodName;
use crate::error::Error;
use crate::freshness::Freshness;
use crate::moment::{self, Moment};
use crate::output::Document;
use crate::session::{PAGE_SIZE, Session};
use crate::view::event::Events;

const EXAMPLES: &str = "\
Examples:
  berthctl history --ip 10.0.3.7
  berthctl history --pod shop/db-0 --since '1h ago'
  berthctl history --node worker-1 --at 14:02:11
  berthctl history --limit 20
  berthctl history --all -o json > history.json";

/// What happened, oldest first: all of it, or to one address, pod, node, claim or vSwitch
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct History {
    /// Whose history; all of it without one.
    #[command(flatten)]
    pub subject: SubjectOption,
    /// Only what had happened until this moment; the last line is what was true then
    #[arg(long, value_name = "TIME", value_parser = moment::parse_past, conflicts_with = "until")]
    pub at: Option<Moment>,
    /// Nothing before this moment
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    pub since: Option<Moment>,
    /// Nothing after this moment
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    pub until: Option<Moment>,
    /// The newest so many, shown oldest first
    #[arg(long, value_name = "COUNT", default_value_t = 200, allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..=i64::from(PAGE_SIZE)))]
    pub limit: u32,
    /// Everything that matches, however much
    #[arg(long, conflicts_with = "limit")]
    pub all: bool,
    /// How fresh.
    #[command(flatten)]
    pub freshness: Freshness,
}

/// At most one of the five.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct SubjectOption {
    /// Of one address
    #[arg(long, value_name = "ADDRESS")]
    pub ip: Option<String>,
    /// Of one pod, as NAMESPACE/NAME
    #[arg(long, value_name = "POD")]
    pub pod: Option<PodName>,
    /// Of one node
    #[arg(long, value_name = "NAME")]
    pub node: Option<String>,
    /// Of one claim, as [CLUSTER/]NAMESPACE/POD
    #[arg(long, value_name = "NAME", value_parser = crate::claim::name::parse)]
    pub claim: Option<String>,
    /// Of one vSwitch
    #[arg(long, value_name = "NAME")]
    pub vswitch: Option<String>,
}

// === impl SubjectOption ===

impl SubjectOption {
    fn to_wire(&self) -> Option<Subject> {
        None.or_else(|| self.ip.clone().map(Subject::Address))
            .or_else(|| self.pod.as_ref().map(|pod| Subject::Pod(pod.to_string())))
            .or_else(|| self.node.clone().map(Subject::Node))
            .or_else(|| self.claim.clone().map(Subject::Claim))
            .or_else(|| self.vswitch.clone().map(Subject::Vswitch))
    }
}

impl SubjectOption {
    /// The row that a table shows of each event, for subjects that are a row.
    fn row(&self) -> Option<(&'static str, String)> {
        let address = self.ip.clone().map(|address| ("address", address));
        let claim = self.claim.clone().map(|claim| ("claim", claim));
        address.or(claim)
    }
}

// === impl History ===

impl History {
    /// The newest that match, or page after page from the oldest on.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        if self.all {
            return self.everything(session).await;
        }
        let request = v1::ListHistoryRequest {
            page_size: self.limit,
            newest_first: true,
            ..self.request()
        };
        let mut response = session.client().list_history(request).await?;
        response.groups.reverse();
        let mut events = Events::new(response.groups, response.more, response.revision);
        events.only = self.subject.row();
        Ok(Box::new(events))
    }

    async fn everything(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let mut request = self.request();
        let mut groups: Vec<v1::EventGroup> = Vec::new();
        loop {
            let response = session.client().list_history(request.clone()).await?;
            groups.extend(response.groups);
            let last = groups.last().map_or(0, |group| group.revision);
            if !response.more || last <= request.after_revision {
                let mut events = Events::new(groups, false, response.revision);
                events.only = self.subject.row();
                return Ok(Box::new(events));
            }
            request.after_revision = last;
        }
    }

    fn request(&self) -> v1::ListHistoryRequest {
        v1::ListHistoryRequest {
            subject: self.subject.to_wire(),
            from_wall_ms: self.since.map_or(0, |moment| moment.0),
            until_wall_ms: self.at.or(self.until).map_or(0, |moment| moment.0),
            after_revision: 0,
            page_size: PAGE_SIZE,
            newest_first: false,
            stale: self.freshness.stale,
        }
    }
}
