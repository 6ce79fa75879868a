//! The look at everything of this cluster, once a minute: what the ledger does not know is watched, and goes at last.

use super::{Errand, NOBODY, Out, State};
use crate::cloud::compare::Audit;
use crate::cloud::troubles::Troubles;
use berth_cloud::Call;
use berth_cloud::budget::{Lane, Level};
use berth_cloud::call::{DescribeNetworkInterfaces, ENIS_PER_CALL};
use berth_cloud::conductor::{TAG_JOB, tags_of_cluster};
use berth_cloud::eni::{Eni as CloudEni, EniStatus};
use berth_cloud::id::EniId as CloudEniId;
use berth_domain::id::{EniNumber, JobId};
use berth_domain::row::Eni;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Between two audits.
const EVERY_MS: u64 = 60_000;
/// The first waits until what was under way has been resumed.
const FIRST_MS: u64 = 20_000;
/// An ENI that the ledger does not know is left alone for so long after it was first seen: no ENI that is younger is deleted.
const QUARANTINE_MS: u64 = 600_000;

/// Audits, and what they have shown.
#[derive(Debug, Default)]
pub(super) struct Audits {
    next_ms: u64,
    is_out: bool,
    /// Since the audit that is out began, or the last one.
    touched: BTreeSet<EniNumber>,
    /// Of the last one.
    last: Option<(u64, Vec<CloudEni>)>,
    orphans: BTreeMap<CloudEniId, u64>,
    untagged: BTreeSet<EniNumber>,
}

/// An audit under way.
#[derive(Debug)]
pub(super) struct Auditing {
    pub call: DescribeNetworkInterfaces,
    pub began_ms: u64,
    pub enis: Vec<CloudEni>,
    /// Those that the ledger has and the cluster's tag did not show: they are asked for by name.
    pub missing: Option<Vec<CloudEniId>>,
}

// === impl Audits ===

impl Audits {
    /// From now on; none = never.
    pub fn new(now_ms: Option<u64>) -> Self {
        Self {
            next_ms: now_ms.map_or(u64::MAX, |now_ms| now_ms + FIRST_MS),
            ..Self::default()
        }
    }

    pub fn touch(&mut self, eni: EniNumber) {
        self.touched.insert(eni);
    }

    pub fn due_ms(&self) -> Option<u64> {
        (!self.is_out && self.next_ms < u64::MAX).then_some(self.next_ms)
    }

    /// It failed: the next one is on its time.
    pub fn failed(&mut self) {
        self.is_out = false;
    }
}

// === impl State ===

impl State {
    /// Begins an audit if it is time and the cloud takes calls.
    pub(super) fn audit(&mut self, now_ms: u64) {
        if self.audits.is_out || now_ms < self.audits.next_ms {
            return;
        }
        self.audits.next_ms = now_ms + EVERY_MS;
        if self.budget.level() != Level::Normal {
            return;
        }
        self.audits.is_out = true;
        self.audits.touched = self.busy();
        let auditing = Auditing {
            call: DescribeNetworkInterfaces {
                tags: tags_of_cluster(self.cluster.as_str()),
                ..DescribeNetworkInterfaces::default()
            },
            began_ms: now_ms,
            enis: Vec::new(),
            missing: None,
        };
        self.ask(Errand::Audit(auditing), Lane::Look, NOBODY);
    }

    fn busy(&self) -> BTreeSet<EniNumber> {
        let jobs = self.conducting.values();
        jobs.map(|conducting| conducting.conductor.job().eni)
            .collect()
    }

    /// All pages of a call have come: those that it did not show are looked for by name, a hundred at a time.
    pub(super) fn audited(
        &mut self,
        mut auditing: Auditing,
        now_ms: u64,
        troubles: &mut Troubles,
        out: &mut Vec<Out>,
    ) {
        let mut missing = match auditing.missing.take() {
            Some(missing) => missing,
            None => self.missing(&auditing.enis),
        };
        if missing.is_empty() {
            return self.compared(auditing, now_ms, troubles, out);
        }
        let rest = missing.split_off(missing.len().min(ENIS_PER_CALL));
        auditing.call = DescribeNetworkInterfaces {
            enis: missing,
            ..DescribeNetworkInterfaces::default()
        };
        auditing.missing = Some(rest);
        self.ask(Errand::Audit(auditing), Lane::Look, NOBODY);
    }

    /// In the ledger, and not shown.
    fn missing(&self, shown: &[CloudEni]) -> Vec<CloudEniId> {
        let shown: BTreeSet<&str> = shown.iter().map(|eni| eni.id.as_str()).collect();
        let rows = self.enis.values().filter_map(|row| row.id.as_ref());
        let missing = rows.filter(|id| !shown.contains(id.as_str()));
        missing
            .filter_map(|id| CloudEniId::new(id.as_str()))
            .collect()
    }

    /// Those that lack a tag which they have to have.
    fn untagged(&self, shown: &[CloudEni]) -> BTreeSet<EniNumber> {
        let shown: BTreeMap<&str, &CloudEni> =
            shown.iter().map(|eni| (eni.id.as_str(), eni)).collect();
        let lacks = |row: &&Arc<Eni>| {
            let there = row.id.as_ref().and_then(|id| shown.get(id.as_str()));
            let mut needed = tags_of_cluster(self.cluster.as_str());
            needed.extend(self.tags(row.node));
            there.is_some_and(|there| {
                let has = |(key, value): (&String, &String)| there.tags.get(key) == Some(value);
                !needed.iter().all(has)
            })
        };
        let rows = self.enis.values().filter(lacks);
        rows.map(|row| row.number).collect()
    }

    fn compared(
        &mut self,
        auditing: Auditing,
        now_ms: u64,
        troubles: &mut Troubles,
        out: &mut Vec<Out>,
    ) {
        self.audits.is_out = false;
        self.audits.untagged = self.untagged(&auditing.enis);
        troubles.leave_alone(self.audits.untagged.clone());
        let known: BTreeSet<&str> = self
            .enis
            .values()
            .filter_map(|row| Some(row.id.as_ref()?.as_str()))
            .collect();
        let is_known = |eni: &CloudEni| known.contains(eni.id.as_str()) || self.is_being_made(eni);
        let unknown = auditing.enis.iter().filter(|eni| !is_known(eni));
        let since = |eni: &CloudEni| {
            let before = self.audits.orphans.get(&eni.id).copied();
            let since_ms = before.unwrap_or(auditing.began_ms);
            (eni.id.clone(), (since_ms, eni.status))
        };
        let orphans: BTreeMap<CloudEniId, (u64, EniStatus)> = unknown.map(since).collect();
        for (eni, (since_ms, status)) in &orphans {
            if !self.audits.orphans.contains_key(eni) {
                tracing::warn!(%eni, "an ENI of this cluster is in no ledger row");
            }
            if *status == EniStatus::Available && now_ms >= since_ms + QUARANTINE_MS {
                tracing::warn!(%eni, "it is on no machine, and deleted");
                let call = Call::DeleteNetworkInterface { eni: eni.clone() };
                self.ask(Errand::Remove(Box::new(call)), Lane::Reclaim, NOBODY);
            }
        }
        self.audits.orphans = orphans
            .into_iter()
            .map(|(eni, (since_ms, _))| (eni, since_ms))
            .collect();
        self.audits.last = Some((auditing.began_ms, auditing.enis));
        self.send(now_ms, out);
    }

    /// A job made it, and has not said so yet.
    fn is_being_made(&self, eni: &CloudEni) -> bool {
        let job = eni.tags.get(TAG_JOB).and_then(|text| text.parse().ok());
        job.is_some_and(|job| self.conducting.contains_key(&JobId(job)))
    }

    /// What the last audit showed; none = there was none yet.
    pub fn last_audit(&self) -> Option<Audit> {
        let (began_ms, enis) = self.audits.last.clone()?;
        Some(Audit {
            began_ms,
            enis,
            touched: self.audits.touched.clone(),
            untagged: self.audits.untagged.clone(),
            orphans: self.audits.orphans.clone(),
        })
    }
}
