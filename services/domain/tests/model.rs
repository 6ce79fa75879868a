//! The ledger beside a naive model under random commands: every answer, every row, all rules after every command;
//! at the end the history, the snapshot and a second replica give the same state.

#[path = "model/generated.rs"]
mod generated;
#[path = "model/naive.rs"]
mod naive;
#[path = "model/recovery.rs"]
mod recovery;

use berth_domain::Ledger;
use berth_domain::command::{Command, Header};
use berth_domain::event::{Chain, EventGroup};
use berth_domain::id::*;
use berth_domain::invariant;
use berth_domain::outcome::{Answer, Outcome, Refusal};
use berth_domain::row::{Change, Phase};
use generated::{Generator, Raw};
use naive::{Model, Said};
use proptest::prelude::*;
use std::collections::{BTreeMap, VecDeque};

/// Commands in a case.
const LENGTH: usize = 200;

fn cluster() -> ClusterId {
    ClusterId::new("test").expect("cluster")
}

/// What an answer says, as the model says it.
fn said(answer: &Answer) -> Said {
    match &answer.result {
        Ok(Outcome::Bound {
            created,
            allocation,
        }) => Said::Bound(*created, allocation.addresses.clone()),
        Ok(Outcome::Released { released }) => Said::Released(*released),
        Ok(Outcome::Rows(rows)) => Said::Rows(*rows),
        Ok(Outcome::Confirmed {
            adopted,
            strays,
            waiting,
        }) => Said::Confirmed(*adopted, *strays, *waiting),
        Ok(_) => Said::Done,
        Err(refusal) => Said::Refused(variant(refusal)),
    }
}

fn variant(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Invalid { .. } => "Invalid",
        Refusal::NotFound { .. } => "NotFound",
        Refusal::AlreadyExists { .. } => "AlreadyExists",
        Refusal::Taken { .. } => "Taken",
        Refusal::AddressInUse { .. } => "AddressInUse",
        Refusal::OutOfRange { .. } => "OutOfRange",
        Refusal::ParametersChanged { .. } => "ParametersChanged",
        Refusal::Tombstone { .. } => "Tombstone",
        Refusal::HeldByLiveHolder { .. } => "HeldByLiveHolder",
        Refusal::StaleGeneration { .. } => "StaleGeneration",
        Refusal::NodeFull { .. } => "NodeFull",
        Refusal::Overlap { .. } => "Overlap",
        Refusal::InUse { .. } => "InUse",
        Refusal::VersionTooLow { .. } => "VersionTooLow",
        Refusal::VersionLowered { .. } => "VersionLowered",
        Refusal::NotBroken { .. } => "NotBroken",
        Refusal::Recovering { .. } => "Recovering",
        Refusal::JobMovedOn { .. } => "JobMovedOn",
        Refusal::NoEniSlot { .. } => "NoEniSlot",
        Refusal::EniFull { .. } => "EniFull",
    }
}

/// The revision of a command that takes effect.
fn next(ledger: &Ledger, command: &Command) -> Revision {
    let skipped = match command {
        Command::Recover(recover) => recover.revision_jump,
        _ => 0,
    };
    Revision(ledger.revision().0 + skipped + 1)
}

/// Runs one case; the history comes back.
fn run(steps: &[Raw], check: bool) -> (Ledger, Vec<EventGroup>) {
    let mut ledger = Ledger::new(cluster());
    let mut model = Model::default();
    let mut generator = Generator::default();
    let mut history = Vec::new();
    let mut frozen: VecDeque<(Ledger, [u8; 32])> = VecDeque::new();
    for raw in generator.opening().into_iter().chain(steps.iter().copied()) {
        let (header, proposal): (Header, _) = generator.next(raw, &model);
        let next = next(&ledger, &proposal.command);
        let expected = model.apply(&header, &proposal, next);
        let was = ledger.clone();
        let applied = ledger.apply(&header, vec![proposal.clone()]);
        let answer = &applied.answers[0];
        assert_eq!(
            said(answer),
            expected,
            "{proposal:?} at {header:?}: {:?}",
            answer.result
        );
        let took = u64::try_from(applied.groups.len()).expect("small");
        let reached = if took == 0 { was.revision() } else { next };
        assert_eq!(ledger.revision(), reached, "a revision per group");
        assert!(took <= 1, "a group per command");
        assert_eq!(answer.revision, ledger.revision());
        assert!(
            took == 0 || answer.result.is_ok(),
            "a refusal changed something: {proposal:?}"
        );
        if check {
            model.compare(&ledger);
            assert_eq!(invariant::check_all(&ledger), [], "after {proposal:?}");
            for group in &applied.groups {
                invariant::steps_allowed(group).expect("A3");
                invariant::cooled_down(group).expect("A11");
                invariant::nothing_given_out(&was, group).expect("A2");
                if let Command::Release(release) = &proposal.command {
                    invariant::released_its_own(release, group).expect("A7");
                    invariant::released_once(&ledger, &proposal).expect("A6");
                }
            }
        }
        history.extend(applied.groups);
        if check && history.len() % 16 == 0 {
            frozen.push_back((ledger.clone(), ledger.digest()));
            let oldest = if frozen.len() > 3 {
                frozen.pop_front()
            } else {
                None
            };
            oldest
                .into_iter()
                .for_each(|(clone, digest)| assert_eq!(clone.digest(), digest, "frozen"));
        }
    }
    (ledger, history)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Promise: under any commands the ledger answers and stands as a naive model does, every rule holds after each, and
    /// history (H1, H2, H3), snapshot and a second replica (A18) give the same state.
    #[test]
    fn equals_the_model(steps in proptest::collection::vec(any::<Raw>(), LENGTH)) {
        let (ledger, history) = run(&steps, true);
        let start = Ledger::new(cluster());
        let end = invariant::chain_follows((Revision(0), Chain::default()), &history).expect("H1, H3");
        prop_assert_eq!(end, (ledger.revision(), ledger.chain()));
        invariant::replays(&start, &history, &ledger).expect("H2");

        let restored = Ledger::from_records(ledger.records()).expect("its own records");
        invariant::same_apply(&restored, &ledger).expect("A18");
        prop_assert_eq!(invariant::check_all(&restored), []);
        let (second, again) = run(&steps, false);
        prop_assert!(second.digest() == ledger.digest() && again == history, "determinism");
    }

    /// Promise: a replica restored from a snapshot in the middle goes on exactly as the one that wrote it.
    #[test]
    fn a_restored_replica_goes_on_alike(steps in proptest::collection::vec(any::<Raw>(), LENGTH), at in 0..LENGTH) {
        let mut ledger = Ledger::new(cluster());
        let mut other = None;
        let mut model = Model::default();
        let mut generator = Generator::default();
        let all = generator.opening().into_iter().chain(steps.iter().copied());
        for (place, raw) in all.enumerate() {
            let (header, proposal) = generator.next(raw, &model);
            model.apply(&header, &proposal, next(&ledger, &proposal.command));
            if place == at {
                other = Some(Ledger::from_records(ledger.records()).expect("its own records"));
            }
            let applied = ledger.apply(&header, vec![proposal.clone()]);
            if let Some(other) = &mut other {
                prop_assert_eq!(other.apply(&header, vec![proposal]), applied);
            }
        }
        if let Some(other) = other {
            prop_assert_eq!(other.digest(), ledger.digest());
        }
    }
}

/// Promise (negative control): the comparison notices a ledger that forgot one release.
#[test]
fn a_ledger_that_differs_is_noticed() {
    let mut generator = Generator::default();
    let mut model = Model::default();
    let mut ledger = Ledger::new(cluster());
    for raw in generator.opening() {
        let (header, proposal) = generator.next(raw, &model);
        model.apply(&header, &proposal, next(&ledger, &proposal.command));
        ledger.apply(&header, vec![proposal]);
    }
    model.compare(&ledger);
    let (header, proposal) = generator.stock_one(&model);
    ledger.apply(&header, vec![proposal]);
    let noticed = std::panic::catch_unwind(|| model.compare(&ledger));
    assert!(noticed.is_err(), "the model does not see a difference");
}

/// Promise (negative control): random commands meet everything that can be answered, so that the comparison above is not
/// one of refusals with refusals.
#[test]
fn the_commands_meet_everything() {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let mut state = 1_u64;
    for _ in 0..300 {
        let mut ledger = Ledger::new(cluster());
        let mut model = Model::default();
        let mut generator = Generator::default();
        let mut steps = generator.opening();
        steps.resize_with(LENGTH, || {
            std::array::from_fn(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 56) as u8
            })
        });
        for raw in steps {
            let (header, proposal) = generator.next(raw, &model);
            model.apply(&header, &proposal, next(&ledger, &proposal.command));
            let applied = ledger.apply(&header, vec![proposal.clone()]);
            let answer = match said(&applied.answers[0]) {
                Said::Bound(created, _) => format!("bound, created {created}"),
                Said::Rows(rows) => format!("rows {}", rows.min(1)),
                Said::Confirmed(adopted, strays, waiting) => format!(
                    "confirmed, adopted {}, strays {}, waiting {}",
                    adopted.min(1),
                    strays.min(1),
                    waiting.min(1)
                ),
                other => format!("{other:?}"),
            };
            *seen
                .entry(format!("{}: {answer}", proposal.command.name()))
                .or_default() += 1;
            for change in applied.groups.iter().flat_map(|group| &group.changes) {
                if let Change::Address { before, after, .. } = change {
                    let (from, to) = (Phase::of(before.as_ref()), Phase::of(after.as_ref()));
                    *seen
                        .entry(format!("{} to {}", from.name(), to.name()))
                        .or_default() += 1;
                }
            }
        }
    }
    let seen_often: String = seen
        .iter()
        .filter(|(_, count)| **count >= 3)
        .map(|(what, _)| format!("{what}\n"))
        .collect();
    assert_eq!(seen_often, include_str!("model/seen.txt"), "all: {seen:#?}");
}
