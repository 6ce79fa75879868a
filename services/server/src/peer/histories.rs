//! Fetches event groups that this replica's history lacks, from whichever other replica has them.

use super::{Links, Myself, channel};
use crate::codec::decode_group;
use crate::config::Certificates;
use crate::history::{Fetched, Source};
use berth_domain::id::{Endpoint, MemberId, Revision};
use berth_proto::peer::v1::peer_client::PeerClient;
use berth_proto::peer::v1::{FetchHistoryRequest, HistoryPart};
use std::error::Error as StdError;
use std::time::Duration;
use tokio::time::timeout;

/// Over the links' address book.
pub struct PeerHistories {
    myself: Myself,
    certificates: Option<Certificates>,
    links: Links,
    /// Asked first: who answered last.
    preferred: Option<MemberId>,
}

/// Nobody had them.
#[derive(Debug, thiserror::Error)]
#[error("no other replica gave event groups {first} to {last}; the last answer was: {reason}")]
struct NobodyHasThem {
    first: u64,
    last: u64,
    reason: String,
}

/// Groups of one fetch: some MiB at most, stored before the next is fetched.
const GROUPS_MAX: usize = 4_096;
/// Who does not bring a part in this time has it not, or is drowning.
const PART_PATIENCE: Duration = Duration::from_secs(10);

type Failure = Box<dyn StdError + Send + Sync>;

// === impl PeerHistories ===

impl PeerHistories {
    /// For the history's thread.
    pub fn new(myself: Myself, certificates: Option<Certificates>, links: Links) -> Self {
        Self {
            myself,
            certificates,
            links,
            preferred: None,
        }
    }

    async fn some(&mut self, first: u64, last: u64) -> Result<Fetched, Failure> {
        let mut reason = String::from("there is no other replica");
        let others = self.links.members();
        for member in self.preferred.into_iter().chain(others) {
            let Some(endpoint) = self.links.endpoint(member) else {
                continue;
            };
            match self.of(&endpoint, first, last).await {
                Ok(fetched) if !fetched.groups.is_empty() => {
                    self.preferred = Some(member);
                    return Ok(fetched);
                }
                Ok(_) => reason = format!("member {member} has none"),
                Err(error) => reason = format!("member {member}: {error}"),
            }
        }
        self.preferred = None;
        Err(Box::new(NobodyHasThem {
            first,
            last,
            reason,
        }))
    }

    async fn of(&self, endpoint: &Endpoint, first: u64, last: u64) -> Result<Fetched, Failure> {
        let channel = channel(endpoint, self.certificates.as_ref())?
            .connect()
            .await?;
        let mut client =
            PeerClient::new(channel).max_decoding_message_size(super::MESSAGE_BYTES_MAX);
        let request = FetchHistoryRequest {
            cluster_id: self.myself.cluster_id.clone(),
            from: self.myself.member.0,
            after_revision: first.saturating_sub(1),
            until_revision: last,
        };
        let mut parts = timeout(PART_PATIENCE, client.fetch_history(request))
            .await??
            .into_inner();
        let mut fetched = Fetched::default();
        while fetched.groups.len() < GROUPS_MAX {
            let Some(part) = timeout(PART_PATIENCE, parts.message()).await?? else {
                break;
            };
            let last = fetched.groups.last().map(|(revision, _)| *revision);
            let expected = last.map_or(first, |last| last + 1);
            if part.first_revision != expected && !skips(&part, expected)? {
                return Err(format!(
                    "revision {expected} was due, but {} came",
                    part.first_revision
                )
                .into());
            }
            fetched
                .groups
                .extend((part.first_revision..).zip(part.groups));
        }
        Ok(fetched)
    }
}

/// Revisions that a recovery skipped have no group; the one behind them says so.
fn skips(part: &HistoryPart, expected: u64) -> Result<bool, Failure> {
    let Some(first) = part.groups.first() else {
        return Ok(false);
    };
    let group = decode_group(first)?;
    Ok(group.revision.0 == part.first_revision && group.follows(Revision(expected - 1)))
}

impl Source for PeerHistories {
    fn fetch(&mut self, first: u64, last: u64) -> Result<Fetched, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(self.some(first, last))
    }
}
