//! `berthctl check`

use std::time::Duration;

use clap::Args;

use crate::error::Error;
use crate::output::Document;
use crate::session::Session;
use crate::view::check::Observations;

/// How often replicas are asked until they have been seen at one index; under load they seldom stand together.
const ROUNDS_MAX: u32 = 40;
/// Between two rounds.
const PAUSE: Duration = Duration::from_millis(100);

/// Compare the ledgers of all replicas, and evaluate every rule that must hold on each of them
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  berthctl check --endpoint http://10.0.0.1:7400,http://10.0.0.2:7400,http://10.0.0.3:7400"
)]
pub struct Check {
    /// Only the endpoints given, not the other members that they name
    #[arg(long)]
    pub only_given: bool,
}

// === impl Check ===

impl Check {
    /// Asks every replica for its digest, again and again until they can be compared.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let endpoints = self.replicas(session).await?;
        let mut seen = Observations::default();
        for round in 0..ROUNDS_MAX {
            if round > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            for (endpoint, answer) in session.each_ledger_digest(&endpoints).await? {
                match answer {
                    Ok(answer) => seen.saw(&endpoint, answer),
                    Err(error) => seen.missed(&endpoint, error.sentence()),
                }
            }
            if seen.is_enough() {
                break;
            }
        }
        Ok(Box::new(seen.report()))
    }

    /// The endpoints given, or those of all members that the cluster knows.
    async fn replicas(&self, session: &Session) -> Result<Vec<String>, Error> {
        if self.only_given {
            return Ok(session.endpoints().to_vec());
        }
        let status = session.client().cluster_status(Default::default()).await?;
        let known: Vec<String> = status
            .members
            .into_iter()
            .map(|member| member.client_endpoint)
            .filter(|endpoint| !endpoint.is_empty())
            .collect();
        Ok(if known.is_empty() {
            session.endpoints().to_vec()
        } else {
            known
        })
    }
}
