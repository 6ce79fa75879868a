//! What was seen of all replicas, and what it says together.

use std::collections::BTreeMap;

use berth_proto::v1;

use super::{CheckReport, ReplicaCheck};

/// Answers gathered until every replica has been seen at an index where another was seen too.
#[derive(Debug, Default)]
pub struct Observations {
    /// Index → endpoint → what it said there.
    by_index: BTreeMap<u64, BTreeMap<String, (String, String)>>,
    last: BTreeMap<String, ReplicaCheck>,
    silent: BTreeMap<String, String>,
    /// Endpoint → what it says of leader and term.
    standing: BTreeMap<String, Standing>,
    /// The revision of a read through a quorum, or why there was none.
    read: Option<Result<u64, String>>,
    /// Endpoint → hash of its history at one revision, or why there was none.
    hashes: BTreeMap<String, (u64, Result<String, String>)>,
}

/// What a replica says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) member: u64,
    pub(super) term: u64,
    pub(super) leads: bool,
    pub(super) revision: u64,
}

// === impl Observations ===

impl Observations {
    /// One answer.
    pub fn saw(&mut self, endpoint: &str, answer: v1::LedgerDigestResponse) {
        let said = (answer.digest.clone(), answer.chain_head.clone());
        self.by_index
            .entry(answer.applied_index)
            .or_default()
            .insert(endpoint.to_owned(), said);
        self.silent.remove(endpoint);
        let check = ReplicaCheck {
            endpoint: endpoint.to_owned(),
            answered: true,
            applied_index: answer.applied_index,
            revision: answer.revision,
            digest: answer.digest,
            chain_head: answer.chain_head,
            violations: answer.violations,
        };
        self.last.insert(endpoint.to_owned(), check);
    }

    /// How a replica stands; before the read.
    pub fn stands(&mut self, endpoint: &str, status: &v1::ClusterStatusResponse) {
        let standing = Standing {
            member: status.member_id,
            term: status.term,
            leads: status.role == "leader",
            revision: status.revision,
        };
        self.standing.insert(endpoint.to_owned(), standing);
    }

    /// A read through a quorum was true at this revision.
    pub fn read_at(&mut self, revision: u64) {
        self.read = Some(Ok(revision));
    }

    /// Nobody answered a read through a quorum.
    pub fn no_read(&mut self, why: String) {
        self.read = Some(Err(why));
    }

    /// The hash of a replica's history at the revision that is compared.
    pub fn hashed(&mut self, endpoint: &str, revision: u64, chain: String) {
        self.hashes
            .insert(endpoint.to_owned(), (revision, Ok(chain)));
    }

    /// A replica that has no such hash.
    pub fn not_hashed(&mut self, endpoint: &str, revision: u64, why: String) {
        self.hashes
            .insert(endpoint.to_owned(), (revision, Err(why)));
    }

    /// No answer.
    pub fn missed(&mut self, endpoint: &str, why: String) {
        self.silent.insert(endpoint.to_owned(), why);
    }

    /// Whether each replica that answers has been compared with the first of them.
    pub fn is_enough(&self) -> bool {
        self.not_compared().is_empty()
    }

    /// Replicas never seen at an index where the first one was seen.
    fn not_compared(&self) -> Vec<&str> {
        let mut names = self.last.keys();
        let Some(first) = names.next() else {
            return Vec::new();
        };
        let met = |name: &String| {
            self.by_index
                .values()
                .any(|at| at.contains_key(first) && at.contains_key(name))
        };
        names
            .filter(|name| !met(name))
            .map(String::as_str)
            .collect()
    }

    fn differences(&self) -> Vec<String> {
        let mut findings = Vec::new();
        for (index, answers) in &self.by_index {
            let mut answers = answers.iter();
            let Some((first, said)) = answers.next() else {
                continue;
            };
            for (other, other_said) in answers.filter(|(_, other_said)| *other_said != said) {
                findings.push(format!(
                    "R5: {first} and {other} differ at index {index}: digest {} against {}, chain {} against {}",
                    said.0, other_said.0, said.1, other_said.1
                ));
            }
        }
        findings
    }

    /// R1: no term has two leaders.
    fn leaders(&self) -> Vec<String> {
        let mut leaders: BTreeMap<u64, &str> = BTreeMap::new();
        let mut findings = Vec::new();
        for (endpoint, standing) in self.standing.iter().filter(|(_, standing)| standing.leads) {
            let term = standing.term;
            if let Some(other) = leaders.insert(term, endpoint) {
                findings.push(format!("R1: {other} and {endpoint} both lead term {term}"));
            }
        }
        findings
    }

    /// R9: a read sees what was applied anywhere before it was asked; R11: somebody answers it.
    fn reads(&self) -> Option<String> {
        let newest = self
            .standing
            .iter()
            .max_by_key(|(_, standing)| standing.revision);
        match (&self.read, newest) {
            (Some(Err(why)), _) => Some(format!("R11: no read was answered by a quorum: {why}")),
            (Some(Ok(read)), Some((endpoint, standing))) if *read < standing.revision => {
                let revision = standing.revision;
                Some(format!(
                    "R9: {endpoint} had applied revision {revision}, and a read asked later saw only {read}"
                ))
            }
            _ => None,
        }
    }

    /// H3: at one revision all histories have one hash.
    fn histories(&self) -> Vec<String> {
        let mut findings = Vec::new();
        let mut first: Option<(&str, &str)> = None;
        for (endpoint, (revision, answer)) in &self.hashes {
            match (answer, first) {
                (Err(why), _) => findings.push(format!(
                    "H1: {endpoint} has no revision {revision} in its history: {why}"
                )),
                (Ok(chain), None) => first = Some((endpoint, chain)),
                (Ok(chain), Some((other, known))) if chain != known => findings.push(format!(
                    "H3: the histories of {other} and {endpoint} differ at revision {revision}: {known} against {chain}"
                )),
                _ => {}
            }
        }
        findings
    }

    /// The verdict over all that was seen.
    pub fn report(self) -> CheckReport {
        let mut findings = self.leaders();
        findings.extend(self.differences());
        findings.extend(self.reads());
        findings.extend(self.histories());
        for name in self.not_compared() {
            findings.push(format!("{name} was never seen at the same index as the others; run it again when less is going on"));
        }
        findings.extend(
            self.silent
                .iter()
                .map(|(name, why)| format!("{name} did not answer: {why}")),
        );
        for check in self.last.values() {
            findings.extend(
                check
                    .violations
                    .iter()
                    .map(|rule| format!("{}: {rule}", check.endpoint)),
            );
        }
        let mut replicas: Vec<ReplicaCheck> = self.last.into_values().collect();
        let silent = self
            .silent
            .into_keys()
            .filter(|name| replicas.iter().all(|check| check.endpoint != *name));
        let silent: Vec<ReplicaCheck> = silent.map(ReplicaCheck::silent).collect();
        replicas.extend(silent);
        CheckReport {
            holds: findings.is_empty(),
            replicas,
            histories: Vec::new(),
            findings,
            standing: self.standing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Observations, v1};

    fn answer(applied_index: u64, digest: &str) -> v1::LedgerDigestResponse {
        v1::LedgerDigestResponse {
            applied_index,
            digest: digest.to_owned(),
            ..Default::default()
        }
    }

    /// Promise: replicas seen at one index with one digest agree, even if they were never at rest together.
    #[test]
    fn agreement_is_found_while_replicas_move() {
        let mut seen = Observations::default();
        seen.saw("a", answer(5, "five"));
        seen.saw("b", answer(4, "four"));
        assert!(!seen.is_enough());
        seen.saw("b", answer(5, "five"));
        seen.saw("a", answer(6, "six"));
        assert!(seen.is_enough());
        assert!(seen.report().holds);
    }

    /// Promise (negative control): a different digest, a broken rule, a silent or uncompared replica never passes.
    #[test]
    fn nothing_bad_passes() {
        let mut differ = Observations::default();
        differ.saw("a", answer(5, "five"));
        differ.saw("b", answer(5, "FIVE"));
        let mut broken = Observations::default();
        broken.saw(
            "a",
            v1::LedgerDigestResponse {
                violations: vec!["A1: two holders".to_owned()],
                ..answer(5, "x")
            },
        );
        let mut silent = Observations::default();
        silent.saw("a", answer(5, "x"));
        silent.missed("b", "refused".to_owned());
        let mut uncompared = Observations::default();
        uncompared.saw("a", answer(5, "x"));
        uncompared.saw("b", answer(6, "y"));
        for seen in [differ, broken, silent, uncompared] {
            let report = seen.report();
            assert!(!report.holds && report.findings.len() == 1, "{report:?}");
        }
    }
}
