//! Questions to this replica's history store; every answer is complete up to the revision asked for.

use super::posting;
use super::progress::Progress;
use super::who_has::WhoHas;
use crate::codec::decode_group;
use crate::failure::Failure;
use berth_domain::event::{Chain, EventGroup};
use berth_domain::id::*;
use berth_domain::outcome::Refusal;
use berth_domain::row::{Change, VSwitch};
use berth_store::history::{self, HistoryReader, Order, Record};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

/// What event groups are asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Everything.
    All,
    /// One address's timeline.
    Address(IpAddr),
    /// One pod's, incarnation after incarnation.
    Pod {
        /// Its namespace.
        namespace: Namespace,
        /// Its name.
        name: PodName,
    },
    /// One node's, by name; all nodes that ever had it.
    Node(NodeName),
    /// One claim's.
    Claim(ClaimName),
    /// One vSwitch's own rows (not its addresses').
    VSwitch(VSwitchName),
    /// All vSwitches' own rows.
    VSwitches,
}

/// Which event groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// About what.
    pub subject: Subject,
    /// Wall clock, ms since 1970, included; none = no bound.
    pub from_wall_ms: Option<u64>,
    /// Wall clock, ms since 1970, included; none = no bound.
    pub until_wall_ms: Option<u64>,
    /// Revisions after this one; if the newest come first and this is not 0, before it.
    pub after: Revision,
    /// At most so many, 1 to [`Query::LIMIT_MAX`].
    pub limit: usize,
    /// The newest first.
    pub newest_first: bool,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// In the order asked for.
    pub groups: Vec<EventGroup>,
    /// Whether there are more.
    pub more: bool,
    /// The history is complete up to here.
    pub revision: Revision,
}

/// Reads one replica's history. Cheap to clone; Send and Sync.
#[derive(Clone, Debug)]
pub struct Reader {
    store: HistoryReader,
    progress: Arc<Progress>,
}

// === impl Query ===

impl Query {
    /// A page that fits a gRPC message with room.
    pub const LIMIT_MAX: usize = 500;

    fn bounds(&self) -> history::Query {
        let after = self.after.0;
        let (first_revision, last_revision) = match (self.newest_first, after) {
            (false, _) => (after + 1, u64::MAX),
            (true, 0) => (1, u64::MAX),
            (true, _) => (1, after - 1),
        };
        history::Query {
            first_revision,
            last_revision,
            first_wall_ms: self.from_wall_ms.unwrap_or(0),
            last_wall_ms: self.until_wall_ms.unwrap_or(u64::MAX),
            order: match self.newest_first {
                true => Order::NewestFirst,
                false => Order::OldestFirst,
            },
            limit: self.limit.clamp(1, Self::LIMIT_MAX),
        }
    }
}

// === impl Reader ===

impl Reader {
    /// Over a store whose writer tells `progress`.
    pub fn new(store: HistoryReader, progress: Arc<Progress>) -> Self {
        Self { store, progress }
    }

    /// Durable up to here on this replica.
    pub fn through(&self) -> Revision {
        self.progress.through()
    }

    /// Durable up to here without a gap; 0 = this replica still has to fetch a part.
    pub fn whole_through(&self) -> Revision {
        match self.store.gaps().is_empty() {
            true => self.through(),
            false => Revision(0),
        }
    }

    /// The oldest revision that is kept.
    pub fn floor(&self) -> Revision {
        Revision(self.store.floor())
    }

    /// Waits until everything up to `at_least` is durable here; the oldest revision that is kept. Refused while anything is
    /// still being fetched.
    pub async fn whole_from(&self, at_least: Revision) -> Result<Revision, Failure> {
        self.complete(at_least, Revision(0)).await?;
        Ok(self.floor())
    }

    /// The chain after a revision; none = it is not kept here, is still to be fetched, or never was.
    pub async fn chain_at(&self, revision: Revision) -> Result<Option<Chain>, Failure> {
        let store = self.store.clone();
        blocking(move || {
            let record = store.record(revision.0).map_err(unreadable)?;
            Ok(record.map(|record| Chain(record.chain)))
        })
        .await
    }

    /// Matching groups, complete up to `at_least`; the writer is waited for.
    pub async fn list(&self, query: Query, at_least: Revision) -> Result<Page, Failure> {
        let revision = self.complete(at_least, Revision(0)).await?;
        let store = self.store.clone();
        blocking(move || {
            let bounds = query.bounds();
            let (records, more) = find(&store, &query.subject, &bounds)?;
            let groups = decode(&records)?;
            Ok(Page {
                groups,
                more,
                revision,
            })
        })
        .await
    }

    /// Who held an address at that wall time (ms since 1970): by its last change at or before it.
    pub async fn who_has(
        &self,
        address: IpAddr,
        at_wall_ms: u64,
        at_least: Revision,
    ) -> Result<WhoHas, Failure> {
        let query = Query {
            subject: Subject::Address(address),
            from_wall_ms: None,
            until_wall_ms: Some(at_wall_ms),
            after: Revision(0),
            limit: 1,
            newest_first: true,
        };
        let page = self.list(query, at_least).await?;
        Ok(match page.groups.first() {
            Some(group) => WhoHas::after(group, address, page.revision),
            None => WhoHas {
                revision: page.revision,
                ..WhoHas::default()
            },
        })
    }

    /// In which vSwitch's CIDR an address lay at that wall time (ms since 1970), also one that is gone by now.
    pub async fn vswitch_of(
        &self,
        address: IpAddr,
        at_wall_ms: u64,
        at_least: Revision,
    ) -> Result<Option<Arc<VSwitch>>, Failure> {
        let mut query = Query {
            subject: Subject::VSwitches,
            from_wall_ms: None,
            until_wall_ms: Some(at_wall_ms),
            after: Revision(0),
            limit: Query::LIMIT_MAX,
            newest_first: true,
        };
        loop {
            let page = self.list(query.clone(), at_least).await?;
            let changes = page
                .groups
                .iter()
                .flat_map(|group| group.changes.iter().rev());
            // The newest that made or ended one with the address decides.
            if let Some(known) = changes.into_iter().find_map(|row| lay_in(row, address)) {
                return Ok(known);
            }
            match page.groups.last() {
                Some(last) if page.more => query.after = last.revision,
                _ => return Ok(None),
            }
        }
    }

    /// A group as it is stored, decoded.
    ///
    /// # Errors
    /// `Unavailable` if this version cannot read it.
    pub fn decoded(revision: u64, body: &Bytes) -> Result<EventGroup, Failure> {
        group(revision, body)
    }

    /// Up to `limit` groups after a revision, gap-free; waits until there is one. A revision below the floor is refused.
    pub async fn after(&self, after: Revision, limit: usize) -> Result<Vec<EventGroup>, Failure> {
        let bodies = self.encoded_after(after, Revision(u64::MAX), limit).await?;
        let groups = bodies.iter().map(|(revision, body)| group(*revision, body));
        groups.collect()
    }

    /// As [`Reader::after`], each with its revision, encoded as it is stored, and up to `until`: for sending them to another
    /// replica.
    pub async fn encoded_after(
        &self,
        after: Revision,
        until: Revision,
        limit: usize,
    ) -> Result<Vec<(u64, Bytes)>, Failure> {
        let first = after.0 + 1;
        self.complete(Revision(first), Revision(first)).await?;
        let floor = self.store.floor();
        if first < floor {
            return Err(Failure::Refused(Refusal::Invalid {
                field: "after_revision",
                reason: format!("{after} is below what is kept: the oldest revision is {floor}"),
            }));
        }
        let store = self.store.clone();
        let bounds = history::Query {
            first_revision: first,
            last_revision: until.0,
            order: Order::OldestFirst,
            limit: limit.clamp(1, Query::LIMIT_MAX),
            ..history::Query::default()
        };
        let records = blocking(move || {
            store
                .range(&bounds)
                .map(|page| page.records)
                .map_err(unreadable)
        })
        .await?;
        let groups = records
            .into_iter()
            .map(|record| (record.revision, record.body));
        Ok(groups.collect())
    }

    /// Waits until a revision is durable here; how far the history is complete then. What lies before `from` may be missing.
    async fn complete(&self, at_least: Revision, from: Revision) -> Result<Revision, Failure> {
        if !self.progress.reached(at_least).await {
            return Err(unavailable("the history has stopped".into()));
        }
        match self.store.gaps().iter().find(|gap| gap.last >= from.0) {
            Some(gap) => Err(unavailable(format!(
                "revisions {} to {} of the history are still being fetched from another replica",
                gap.first, gap.last
            ))),
            None => Ok(self.progress.through()),
        }
    }
}

/// What a change says of where an address lies from then on; none = nothing.
fn lay_in(change: &Change, address: IpAddr) -> Option<Option<Arc<VSwitch>>> {
    let Change::VSwitch { before, after, .. } = change else {
        return None;
    };
    let has = |row: &&Arc<VSwitch>| row.contains(address);
    match (before.as_ref().filter(has), after.as_ref().filter(has)) {
        (None, None) => None,
        (_, after) => Some(after.cloned()),
    }
}

/// Records about a subject, and whether there are more.
fn find(
    store: &HistoryReader,
    subject: &Subject,
    bounds: &history::Query,
) -> Result<(Vec<Record>, bool), Failure> {
    let page = match (posting::of_subject(subject), subject) {
        (Some(key), _) => store.by_key(&key, bounds),
        (None, Subject::Node(name)) => return find_node(store, name, bounds),
        (None, _) => store.range(bounds),
    };
    let page = page.map_err(unreadable)?;
    Ok((page.records, page.next.is_some()))
}

/// A name leads to the ids of all nodes that ever had it, and those to their groups.
fn find_node(
    store: &HistoryReader,
    name: &NodeName,
    bounds: &history::Query,
) -> Result<(Vec<Record>, bool), Failure> {
    let everything = history::Query {
        limit: Query::LIMIT_MAX,
        ..history::Query::default()
    };
    let named = store
        .by_key(&posting::node_name(name), &everything)
        .map_err(unreadable)?;
    let mut ids = BTreeSet::new();
    for group in decode(&named.records)? {
        ids.extend(group.changes.iter().filter_map(|change| match change {
            Change::Node { id, before, after } => {
                let rows = [before, after].into_iter().flatten();
                rows.into_iter().any(|row| row.name == *name).then_some(*id)
            }
            _ => None,
        }));
    }
    let mut found: BTreeMap<u64, Record> = BTreeMap::new();
    let mut more = false;
    for id in ids {
        let page = store
            .by_key(&posting::node(id), bounds)
            .map_err(unreadable)?;
        more |= page.next.is_some();
        found.extend(
            page.records
                .into_iter()
                .map(|record| (record.revision, record)),
        );
    }
    let mut records: Vec<Record> = found.into_values().collect();
    if bounds.order == Order::NewestFirst {
        records.reverse();
    }
    more |= records.len() > bounds.limit;
    records.truncate(bounds.limit);
    Ok((records, more))
}

fn decode(records: &[Record]) -> Result<Vec<EventGroup>, Failure> {
    records
        .iter()
        .map(|record| group(record.revision, &record.body))
        .collect()
}

fn group(revision: u64, body: &[u8]) -> Result<EventGroup, Failure> {
    decode_group(body)
        .map_err(|error| unavailable(format!("event group {revision} cannot be read: {error}")))
}

/// Reading the disk blocks; the door's thread must not.
async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let result = tokio::task::spawn_blocking(read).await;
    result.unwrap_or_else(|error| Err(unavailable(format!("reading the history failed: {error}"))))
}

fn unreadable(error: berth_store::Error) -> Failure {
    unavailable(format!("the history cannot be read: {error}"))
}

fn unavailable(reason: String) -> Failure {
    Failure::Unavailable { reason }
}
