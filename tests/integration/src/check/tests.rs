//! The checker against itself: a good run has no violation, and each bent fact is found under its rule.

mod story;

use super::check;
use crate::record::*;
use story::{COOLING_MS, Story, add, attachment, key};

/// Two dynamic pods, a static one that moves, an address used again, and questions in between.
fn good() -> Story {
    let mut story = Story::new();
    story.claim("db-0", "10.9.0.6");
    story.add("one", "web-1", "10.9.0.1");
    story.add("two", "web-2", "10.9.0.2");
    story.add("three", "db-0", "10.9.0.6");
    let revision = story.revision();
    let held = Answer::Held {
        revision,
        addresses: vec!["10.9.0.2".into()],
    };
    let read = Read::Check {
        key: key("two"),
        addresses: vec!["10.9.0.2".into()],
    };
    story.read(read, held);
    story.delete("one", "web-1", "10.9.0.1");
    let counts = Counts {
        size: 8,
        free: 3,
        bound: 2,
        cooling: 1,
        excluded: 2,
        ..Counts::default()
    };
    let counted = Answer::Counted {
        revision: story.revision(),
        counts,
    };
    story.read(
        Read::VSwitch {
            name: "pods".into(),
        },
        counted,
    );
    story.delete("three", "db-0", "10.9.0.6");
    let tombstone = Answer::Refused {
        code: "TOMBSTONE".into(),
        message: String::new(),
    };
    story.call(add("one", "web-1"), tombstone);
    story.pass(2_000);
    story.expire("10.9.0.1");
    story.add("four", "web-4", "10.9.0.1");
    story.add("five", "db-0", "10.9.0.6");
    story
}

fn rules(record: &Record) -> Vec<&'static str> {
    let mut rules: Vec<_> = check(record)
        .violations
        .iter()
        .map(|violation| violation.rule)
        .collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

#[track_caller]
fn finds(record: &Record, rule: &str) {
    let found = rules(record);
    let is_found = found.iter().any(|one| one.starts_with(rule));
    assert!(is_found, "{rule} is not among {found:?}");
}

fn everywhere(record: &mut Record, bend: impl Fn(&mut Vec<Group>)) {
    record.histories.values_mut().for_each(bend);
}

/// Promise: a run in which all went well has no violation, and comes back from its file as it was.
#[test]
fn a_good_run_is_good() {
    let record = good().told();
    let verdict = check(&record);
    assert!(verdict.violations.is_empty(), "{verdict}");
    assert_eq!((verdict.revisions, verdict.unknown), (10, 0));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE_NAME);
    save(&record, &path).expect("written");
    assert_eq!(load(&path).expect("read"), record);
}

/// Promise (negative control): an acknowledged bind that is not in the history is lost, at its end as in its middle.
#[test]
fn a_lost_acknowledgement_is_found() {
    let mut record = good().told();
    everywhere(&mut record, |groups| drop(groups.pop()));
    finds(&record, "R3");
    finds(&record, "A2");
    let mut story = good();
    let revision = story.revision();
    let answer = Answer::Bound {
        addresses: vec!["10.9.0.3".into()],
        generation: revision,
        revision,
        created: true,
        claim: String::new(),
    };
    story.call(add("six", "web-6"), answer);
    finds(&story.told(), "R3");
}

/// Promise (negative control): a call that was refused for good, and one that nobody made, must not be in the history.
#[test]
fn a_phantom_is_found() {
    for answer in [
        Answer::Refused {
            code: "NOT_LEADER".into(),
            message: String::new(),
        },
        Answer::Refused {
            code: "BUSY".into(),
            message: String::new(),
        },
    ] {
        let mut story = good();
        story.add("six", "web-6", "10.9.0.3");
        let last = story.record.operations.last_mut().expect("the ADD");
        last.answer = answer;
        let bent = story.told();
        finds(&bent, "L1");
    }
    let mut story = good();
    story.add("six", "web-6", "10.9.0.3");
    story.record.operations.pop();
    finds(&story.told(), "L1");
    // The same call with an unknown outcome may be there.
    let mut story = good();
    story.add("six", "web-6", "10.9.0.3");
    let last = story.record.operations.last_mut().expect("the ADD");
    last.answer = Answer::Unknown { why: "cut".into() };
    assert_eq!(rules(&story.told()), Vec::<&str>::new());
}

/// Promise (negative control): an effect before its call began is a phantom too.
#[test]
fn an_effect_before_its_call_is_found() {
    let mut story = good();
    story.add("six", "web-6", "10.9.0.3");
    let bind = story.record.operations.pop().expect("the ADD");
    story.record.uses.pop();
    let revision = story.revision();
    let read = Read::Check {
        key: key("six"),
        addresses: vec!["10.9.0.3".into()],
    };
    story.read(
        read,
        Answer::Held {
            revision,
            addresses: vec!["10.9.0.3".into()],
        },
    );
    let operation = story.call(bind.call, Answer::Unknown { why: "cut".into() });
    operation.ended_us = None;
    finds(&story.told(), "L1");
}

/// Promise (negative control): a read that does not see what was answered before it began is stale, whatever it says of itself.
#[test]
fn a_stale_read_is_found() {
    let mut story = good();
    let old = 5;
    let held = Answer::Held {
        revision: old,
        addresses: vec!["10.9.0.2".into()],
    };
    let read = Read::Check {
        key: key("two"),
        addresses: vec!["10.9.0.2".into()],
    };
    story.read(read, held);
    finds(&story.told(), "R9 a read sees");
    // The same of a member that was asked for its own view is none.
    let mut story = good();
    let chain = format!("chain {old}");
    story.read(
        Read::Stale,
        Answer::Stale {
            revision: old,
            chain,
        },
    );
    assert_eq!(rules(&story.told()), Vec::<&str>::new());
}

/// Promise (negative control): a write that is older than what was answered before it began breaks the order.
#[test]
fn a_write_out_of_order_is_found() {
    let mut record = good().told();
    let operations = &mut record.operations;
    let (first, second) = (operations[2].clone(), operations[3].clone());
    (operations[2].began_us, operations[2].ended_us) = (second.began_us, second.ended_us);
    (operations[3].began_us, operations[3].ended_us) = (first.began_us, first.ended_us);
    finds(&record, "R9 real time");
}

/// Promise (negative control): an answer that says other than its revision is found, for each question.
#[test]
fn a_wrong_answer_is_found() {
    let wrong_counts = Counts {
        size: 8,
        free: 2,
        bound: 3,
        cooling: 0,
        held: 1,
        excluded: 2,
        idle: 0,
    };
    for (read, answer) in [
        (
            Read::Check {
                key: key("two"),
                addresses: vec!["10.9.0.3".into()],
            },
            Answer::Held {
                revision: 10,
                addresses: vec!["10.9.0.3".into()],
            },
        ),
        (
            Read::VSwitch {
                name: "pods".into(),
            },
            Answer::Counted {
                revision: 10,
                counts: wrong_counts,
            },
        ),
        (
            Read::Claim {
                name: "default/shop/db-0".into(),
            },
            Answer::Claim {
                revision: 10,
                addresses: vec!["10.9.0.6".into()],
                bound: false,
            },
        ),
        (
            Read::Allocations {
                node: "worker-1".into(),
            },
            Answer::Listed {
                revision: 10,
                allocations: Vec::new(),
            },
        ),
        (
            Read::WhoHas {
                address: "10.9.0.2".into(),
            },
            Answer::Has {
                revision: 10,
                state: "free".into(),
                key: String::new(),
            },
        ),
        (
            Read::Stale,
            Answer::Stale {
                revision: 3,
                chain: "another".into(),
            },
        ),
    ] {
        let mut story = good();
        story.read(read, answer);
        finds(&story.told(), "R9 an answer");
    }
}

/// Promise (negative control): a refusal whose reason was true at no revision that real time allows is found.
#[test]
fn a_refusal_without_its_reason_is_found() {
    let refused = |code: &str| Answer::Refused {
        code: code.into(),
        message: String::new(),
    };
    for (call, code) in [
        (add("six", "web-6"), "TOMBSTONE"),
        (add("six", "web-6"), "EXHAUSTED"),
        (add("six", "web-6"), "PARAMETERS_CHANGED"),
        (add("six", "web-6"), "HELD_BY_LIVE_HOLDER"),
        (add("six", "web-6"), "NOT_FOUND"),
        (
            Call::Read(Read::Check {
                key: key("two"),
                addresses: vec!["10.9.0.2".into()],
            }),
            "NOT_FOUND",
        ),
        (
            Call::Read(Read::Claim {
                name: "default/shop/db-0".into(),
            }),
            "NOT_FOUND",
        ),
    ] {
        let mut story = good();
        story.call(call, refused(code));
        finds(&story.told(), "A15");
    }
}

/// Promise (negative control): one address with two holders is found in the history, and with two users in real time.
#[test]
fn a_doubled_address_is_found() {
    let mut story = good();
    story.add("six", "web-6", "10.9.0.2");
    let record = story.told();
    finds(&record, "A1 one holder");
    finds(&record, "A1 one user");
}

/// Promise (negative control): a retried ADD with two effects is found.
#[test]
fn a_doubled_effect_is_found() {
    let mut story = good();
    story.delete("four", "web-4", "10.9.0.1");
    story.add("four", "web-4", "10.9.0.3");
    finds(&story.told(), "A4");
}

/// Promise (negative control): an address that is used again too soon is found in ledger time and in real time.
#[test]
fn a_skipped_cooling_is_found() {
    let mut story = good();
    story.delete("four", "web-4", "10.9.0.1");
    story.pass(COOLING_MS / 2);
    story.expire("10.9.0.1");
    story.add("six", "web-6", "10.9.0.1");
    let record = story.told();
    let cooling = check(&record).violations;
    assert_eq!(
        cooling
            .iter()
            .filter(|one| one.rule.starts_with("A11"))
            .count(),
        2,
        "{cooling:?}"
    );
}

/// Promise (negative control): a static address that goes to another pod, or to its own pod's next sandbox too soon, is found.
#[test]
fn a_moved_static_address_is_found() {
    let mut story = good();
    story.delete("five", "db-0", "10.9.0.6");
    story.add("six", "web-6", "10.9.0.6");
    finds(&story.told(), "A3 a static address has one identity");
    let mut story = good();
    story.delete("five", "db-0", "10.9.0.6");
    story.add("six", "db-0", "10.9.0.6");
    finds(&story.told(), "A3 a static address settles");
}

/// Promise (negative control): members that tell different histories or end in different ledgers, and gaps, are found.
#[test]
fn members_that_differ_are_found() {
    let mut record = good().told();
    record.histories.get_mut("b").expect("told")[4].chain = "another".into();
    finds(&record, "H3 one history");
    let mut record = good().told();
    record.digests.insert("c".into(), (9, "another".into()));
    finds(&record, "R5");
    let mut record = good().told();
    everywhere(&mut record, |groups| drop(groups.remove(4)));
    finds(&record, "H1");
    let mut record = good().told();
    everywhere(&mut record, |groups| {
        groups[6].rows[0].before = "another".into()
    });
    finds(&record, "H2");
    let mut record = good().told();
    everywhere(&mut record, |groups| groups[8].wall_time_ms = 0);
    finds(&record, "H6");
}

/// Promise (negative control): a DEL that ends another's sandbox is found.
#[test]
fn a_release_of_anothers_is_found() {
    let mut story = good();
    story.delete("four", "web-4", "10.9.0.1");
    let last = story.record.operations.last_mut().expect("the DEL");
    last.call = Call::Delete {
        attachment: attachment("two", "web-2"),
    };
    let record = story.told();
    finds(&record, "L1");
    finds(&record, "R3");
}
