//! `berthctl check`

mod cloud;
mod history;
mod observe;
mod repair;
mod watch;

use std::time::Duration;

use berth_client::Client;
use berth_proto::v1;
use clap::Args;

use crate::change::Change;
use crate::error::Error;
use crate::moment;
use crate::output::Document;
use crate::session::Session;

const EXAMPLES: &str = "\
Examples:
  berthctl check
  berthctl check --watch --every 10s
  berthctl check --history
  berthctl check --cloud
  berthctl check --repair --dry-run
  berthctl check --repair --reason 'left over from the outage'

What is looked at, by the ids of the rules: one leader per term (R1), terms that never fall (R6), equal ledgers at equal places of the log
(R5), equal histories (H3), reads that see what was there before them (R9, R11), and on each replica every rule of its ledger (A1 to A17).
With --history also that each replica's history is gap-free, hashes (H1, H3) and gives its ledger (H2).";

/// Look whether what must always hold does, on every replica; and mend what can be mended
///
/// Exit status 1 if something does not hold.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Check {
    /// Only the endpoints given, not the other members that they name
    #[arg(long)]
    pub only_given: bool,
    /// Look again and again, and compare each time with the last; a line each time, until it is interrupted
    #[arg(long, conflicts_with_all = ["history", "repair"])]
    pub watch: bool,
    /// Between two looks of --watch
    #[arg(long, default_value = "5s", value_parser = moment::parse_distance, value_name = "TIME", requires = "watch")]
    pub every: Duration,
    /// End --watch after so many looks
    #[arg(long, value_name = "COUNT", requires = "watch", value_parser = clap::value_parser!(u64).range(1..))]
    pub looks: Option<u64>,
    /// Read every replica's whole history as well, and replay it; takes a minute for a million changes
    #[arg(long, conflicts_with = "repair")]
    pub history: bool,
    /// Compare the cloud with the ledger, by the leader's last look; each difference with what is safe to do
    #[arg(long, conflicts_with_all = ["history", "repair", "watch"])]
    pub cloud: bool,
    /// Mend what is wrong or kept for nobody, one thing after the other; look with --dry-run first
    #[arg(long)]
    pub repair: bool,
    /// Only show what --repair would do
    #[arg(long, requires = "repair")]
    pub dry_run: bool,
    /// Why, of a repair.
    #[command(flatten)]
    pub change: Change,
}

/// Whom to ask.
struct Replicas {
    endpoints: Vec<String>,
    /// Members that have not said yet where clients reach them.
    unknown: Vec<String>,
}

// === impl Check ===

impl Check {
    /// Looks, or mends.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        if self.cloud {
            return cloud::compare(session).await;
        }
        if self.repair {
            return repair::repair(session, &self.change, self.dry_run).await;
        }
        let replicas = self.replicas(session).await?;
        if self.watch {
            return watch::watch(session, &replicas, self.every, self.looks).await;
        }
        let mut report = observe::look(session, &replicas).await?;
        if self.history {
            report.add(history::verify(session, &replicas.endpoints).await?);
        }
        Ok(Box::new(report))
    }

    /// The endpoints given, or those of all members that the cluster knows.
    async fn replicas(&self, session: &Session) -> Result<Replicas, Error> {
        let given = || Replicas {
            endpoints: session.endpoints().to_vec(),
            unknown: Vec::new(),
        };
        if self.only_given {
            return Ok(given());
        }
        let status = session.client().cluster_status(Default::default()).await?;
        let mut members = status.members;
        fill_in(session, &mut members).await?;
        let (known, unknown): (Vec<_>, Vec<_>) = members
            .into_iter()
            .partition(|member| !member.client_endpoint.is_empty());
        if known.is_empty() {
            return Ok(given());
        }
        let endpoints = known.into_iter().map(|member| member.client_endpoint);
        Ok(Replicas {
            endpoints: endpoints.collect(),
            unknown: unknown
                .into_iter()
                .map(|member| format!("member {}", member.id))
                .collect(),
        })
    }
}

/// Who answered may be behind and not have heard yet where the others are: those who can be reached are asked, too.
async fn fill_in(session: &Session, members: &mut [v1::Member]) -> Result<(), Error> {
    if members
        .iter()
        .all(|member| !member.client_endpoint.is_empty())
    {
        return Ok(());
    }
    let known = members.iter().map(|member| member.client_endpoint.clone());
    let mut asked: Vec<String> = known.chain(session.endpoints().iter().cloned()).collect();
    asked.retain(|endpoint| !endpoint.is_empty());
    asked.sort();
    asked.dedup();
    let status = |client: Client| async move { client.cluster_status(Default::default()).await };
    for (_, answer) in session.each(&asked, status).await? {
        let others = answer.map(|status| status.members).unwrap_or_default();
        for member in members.iter_mut() {
            let same = others.iter().find(|other| other.id == member.id);
            if let (true, Some(same)) = (member.client_endpoint.is_empty(), same) {
                member.client_endpoint.clone_from(&same.client_endpoint);
            }
        }
    }
    Ok(())
}
