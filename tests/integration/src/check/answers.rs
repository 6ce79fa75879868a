//! Each answer is what the replayed history says of its revision; a refusal, of some revision at which it can have been given.

use super::Violation;
use super::order::Order;
use crate::record::{Answer, Call, Counts, Listed, Operation, Read, Record, Write};
use crate::replay::{Replay, Rules, Timeline};

const WRONG: &str = "R9 an answer is what its revision says";
const REFUSED: &str = "A15 a refusal has its reason";

struct Answers<'a> {
    record: &'a Record,
    replay: &'a Replay,
    order: &'a Order,
    rules: Rules,
}

pub(super) fn check(
    record: &Record,
    replay: &Replay,
    order: &Order,
    violations: &mut Vec<Violation>,
) {
    let rules = Rules::of(&record.operations);
    let answers = Answers {
        record,
        replay,
        order,
        rules,
    };
    for operation in &record.operations {
        let (is_right, rule) = match &operation.answer {
            Answer::Refused { code, .. } => (answers.refusal(operation, code), REFUSED),
            _ => (answers.is_right(operation), WRONG),
        };
        if !is_right {
            let truth = answers.truth(operation);
            violations.push(Violation::new(rule, format!("{operation:?}; {truth}")));
        }
    }
}

// === impl Answers ===

impl Answers<'_> {
    fn is_right(&self, operation: &Operation) -> bool {
        let replay = self.replay;
        match (&operation.call, &operation.answer) {
            (
                Call::Add { attachment, .. },
                Answer::Bound {
                    addresses,
                    revision,
                    claim,
                    ..
                },
            ) => {
                let own = claim_of(&attachment.key, &attachment.pod);
                let known = replay.claims.get(&own).and_then(|line| line.at(*revision));
                match known.and_then(Option::as_ref) {
                    Some(known) => known.addresses == *addresses && *claim == own,
                    None => claim.is_empty(),
                }
            }
            (Call::Read(read), answer) => self.read_is_right(read, answer),
            _ => true,
        }
    }

    fn read_is_right(&self, read: &Read, answer: &Answer) -> bool {
        let replay = self.replay;
        match (read, answer) {
            (
                Read::Check { key, .. },
                Answer::Held {
                    revision,
                    addresses,
                },
            ) => {
                let held = replay.allocation(key, *revision);
                held.is_some_and(|held| held.addresses == *addresses)
            }
            (
                Read::Claim { name },
                Answer::Claim {
                    revision,
                    addresses,
                    bound,
                },
            ) => {
                let known = replay.claims.get(name).and_then(|line| line.at(*revision));
                let known = known.and_then(Option::as_ref);
                known.is_some_and(|known| known.addresses == *addresses && known.bound == *bound)
            }
            (Read::VSwitch { name }, Answer::Counted { revision, counts }) => {
                let known = replay.counts.get(name).and_then(|line| line.at(*revision));
                known == Some(counts) && adds_up(counts)
            }
            (
                Read::Allocations { node },
                Answer::Listed {
                    revision,
                    allocations,
                },
            ) => {
                let mut listed = allocations.clone();
                listed.sort_unstable();
                listed == self.allocations(node, *revision)
            }
            (
                Read::WhoHas { address },
                Answer::Has {
                    revision,
                    state,
                    key,
                },
            ) => {
                let known = replay
                    .addresses
                    .get(address)
                    .and_then(|line| line.at(*revision));
                let known = known.map_or("free", String::as_str);
                let known = if known == "never used" { "free" } else { known };
                let held = replay.allocation(key, *revision);
                let holds = held.is_some_and(|held| held.addresses.contains(address));
                known == state && holds == (state == "bound")
            }
            (Read::Stale, Answer::Stale { revision, chain }) => {
                let group = replay.group(*revision);
                *revision == 0 || group.is_some_and(|group| group.chain == *chain)
            }
            _ => true,
        }
    }

    fn allocations(&self, node: &str, revision: u64) -> Vec<Listed> {
        let now = self.replay.allocations.iter().filter_map(|(key, line)| {
            let held = line
                .at(revision)?
                .as_ref()
                .filter(|held| held.node == node)?;
            Some(Listed {
                key: key.clone(),
                addresses: held.addresses.clone(),
                generation: held.generation,
            })
        });
        now.collect()
    }

    /// Whether there is a revision, among those that real time allows, at which this could be said.
    fn refusal(&self, operation: &Operation, code: &str) -> bool {
        let (low, high) = self.window(operation);
        let is_so = |found: Option<u64>| found.is_some();
        match (&operation.call, code) {
            // Nothing was looked at: another leads, or there is no room for the work now.
            (
                _,
                "NOT_LEADER" | "BUSY" | "UNAVAILABLE" | "DEADLINE_TOO_SHORT" | "DISK_LOW" | "TAKEN",
            ) => true,
            (Call::Add { attachment, .. }, "TOMBSTONE") => {
                let line = self.replay.tombstones.get(&attachment.key);
                let remembered =
                    line.and_then(|line| line.first(low..=high, |there| there == Some(&true)));
                is_so(remembered) || self.is_deleted_meanwhile(operation, &attachment.key)
            }
            (Call::Add { attachment, .. }, "PARAMETERS_CHANGED") => {
                is_so(self.held(&attachment.key, low, high, |held| held))
            }
            (Call::Add { attachment, .. }, "HELD_BY_LIVE_HOLDER") => {
                let own = claim_of(&attachment.key, &attachment.pod);
                // It may have ended so shortly before that it still settles, which no revision shows.
                self.replay.claims.get(&own).is_some_and(|line| {
                    line.changes().any(|(from, claim)| {
                        from <= high && claim.as_ref().is_some_and(|claim| claim.bound)
                    })
                })
            }
            (Call::Add { .. }, "EXHAUSTED" | "COOLING") => self.is_dry(operation, low, high),
            (Call::Read(Read::Check { key, .. }), "NOT_FOUND") => {
                is_so(self.held(key, low, high, |held| !held))
            }
            (Call::Read(Read::Check { key, addresses }), "PARAMETERS_CHANGED") => {
                let line = self.replay.allocations.get(key);
                let other = |line: &Timeline<_>| {
                    line.first(
                        low..=high,
                        |now: Option<&Option<crate::replay::Allocation>>| {
                            now.and_then(Option::as_ref)
                                .is_some_and(|held| held.addresses != *addresses)
                        },
                    )
                };
                is_so(line.and_then(other))
            }
            (Call::Read(Read::Claim { name }), "NOT_FOUND")
            | (
                Call::Change {
                    write: Write::DeleteClaim { name },
                    ..
                },
                "NOT_FOUND",
            ) => is_so(self.claimed(name, low, high, |there| !there)),
            (
                Call::Change {
                    write: Write::DeleteClaim { name },
                    ..
                },
                "HELD_BY_LIVE_HOLDER" | "IN_USE",
            ) => is_so(self.claimed(name, low, high, |there| there)),
            (
                Call::Change {
                    write: Write::CreateClaim { name, .. },
                    ..
                },
                "ALREADY_EXISTS",
            ) => is_so(self.claimed(name, low, high, |there| there)),
            (
                Call::Change {
                    write: Write::CreateClaim { addresses, .. },
                    ..
                },
                "ADDRESS_IN_USE",
            ) => addresses
                .iter()
                .any(|address| is_so(self.in_use(address, low, high))),
            (
                Call::Change {
                    write: Write::CreateClaim { .. },
                    ..
                },
                "EXHAUSTED" | "COOLING",
            ) => self.is_dry(operation, low, high),
            _ => false,
        }
    }

    fn window(&self, operation: &Operation) -> (u64, u64) {
        let last = self.replay.last();
        (
            self.order.floor(operation),
            self.order.ceiling(operation, last),
        )
    }

    fn held(&self, key: &str, low: u64, high: u64, wanted: impl Fn(bool) -> bool) -> Option<u64> {
        match self.replay.allocations.get(key) {
            Some(line) => line.first(low..=high, |now| wanted(now.is_some_and(Option::is_some))),
            None => wanted(false).then_some(low),
        }
    }

    fn claimed(
        &self,
        name: &str,
        low: u64,
        high: u64,
        wanted: impl Fn(bool) -> bool,
    ) -> Option<u64> {
        match self.replay.claims.get(name) {
            Some(line) => line.first(low..=high, |now| wanted(now.is_some_and(Option::is_some))),
            None => wanted(false).then_some(low),
        }
    }

    fn in_use(&self, address: &str, low: u64, high: u64) -> Option<u64> {
        let line = self.replay.addresses.get(address)?;
        line.first(low..=high, |now| {
            now.is_some_and(|state| state != "free" && state != "never used")
        })
    }

    /// A DEL ends at once an ADD that waits; its own revision comes a moment later.
    fn is_deleted_meanwhile(&self, operation: &Operation, own: &str) -> bool {
        let ended = operation.ended_us.unwrap_or(u64::MAX);
        self.record
            .operations
            .iter()
            .any(|other| match &other.call {
                Call::Delete { attachment } => attachment.key == own && other.began_us <= ended,
                _ => false,
            })
    }

    /// Free addresses are promised to others whose ADD is under way, or was when the leader's outcome became unknown.
    fn is_dry(&self, operation: &Operation, low: u64, high: u64) -> bool {
        let ended = operation.ended_us.unwrap_or(u64::MAX);
        let promised = self.record.operations.iter().filter(|other| {
            let is_add = matches!(other.call, Call::Add { .. });
            let is_open = matches!(other.answer, Answer::Unknown { .. })
                || other.ended_us.is_none_or(|at| at >= operation.began_us);
            is_add && is_open && other.began_us <= ended
        });
        let promised = promised.count() as u64;
        self.rules.vswitches.iter().all(|vswitch| {
            let line = self.replay.counts.get(&vswitch.name);
            let dry = |line: &Timeline<Counts>| {
                line.first(low..=high, |now| {
                    now.is_some_and(|counts| counts.free <= promised)
                })
            };
            line.and_then(dry).is_some()
        })
    }

    /// What the history says instead, for whoever reads the violation.
    fn truth(&self, operation: &Operation) -> String {
        let (low, high) = self.window(operation);
        let at = operation.revision().unwrap_or(high);
        let known = match &operation.call {
            Call::Read(Read::VSwitch { name }) => format!(
                "{:?}",
                self.replay.counts.get(name).and_then(|line| line.at(at))
            ),
            Call::Read(Read::Allocations { node }) => format!("{:?}", self.allocations(node, at)),
            Call::Read(Read::WhoHas { address }) => format!(
                "{:?}",
                self.replay
                    .addresses
                    .get(address)
                    .and_then(|line| line.at(at))
            ),
            Call::Read(Read::Claim { name }) => format!(
                "{:?}",
                self.replay.claims.get(name).and_then(|line| line.at(at))
            ),
            Call::Read(Read::Check { key, .. }) => format!("{:?}", self.replay.allocation(key, at)),
            Call::Add { attachment, .. } | Call::Delete { attachment } => {
                format!("{:?}", self.replay.allocation(&attachment.key, at))
            }
            _ => String::new(),
        };
        format!("allowed {low} to {high}; at {at}: {known}")
    }
}

fn adds_up(counts: &Counts) -> bool {
    let Counts {
        size,
        free,
        idle,
        bound,
        cooling,
        held,
        excluded,
    } = *counts;
    free + idle + bound + cooling + held + excluded == size
}

/// The claim of an attachment's pod: "cluster/namespace/name".
fn claim_of(key: &str, pod: &str) -> String {
    let cluster = key.split('/').next().unwrap_or_default();
    format!("{cluster}/{pod}")
}
