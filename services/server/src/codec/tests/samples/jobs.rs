//! ENIs, jobs and their commands.

use super::{address, addresses, eni};
use berth_domain::command::*;
use berth_domain::id::*;
use berth_domain::row::*;
use proptest::option;
use proptest::prelude::*;

fn group() -> impl Strategy<Value = SecurityGroup> {
    "sg-[a-z0-9]{1,8}".prop_map(|text: String| SecurityGroup::new(&text).expect("allowed"))
}

pub(super) fn groups() -> impl Strategy<Value = Vec<SecurityGroup>> {
    prop::collection::vec(group(), 0..3)
}

fn mac() -> impl Strategy<Value = MacAddress> {
    "([0-9a-f]{2}:){5}[0-9a-f]{2}".prop_map(|text: String| MacAddress::new(&text).expect("allowed"))
}

pub(super) fn one_of<T: Copy + std::fmt::Debug + 'static>(
    all: &[T],
) -> impl Strategy<Value = T> + use<T> {
    prop::sample::select(all.to_vec())
}

pub fn eni_row() -> impl Strategy<Value = Eni> {
    let names = (option::of(eni()), option::of(mac()), groups(), address());
    let kinds = (one_of(&EniKind::ALL), one_of(&EniState::ALL));
    (any::<[u64; 3]>(), names, kinds).prop_map(
        |(numbers, (id, mac, security_groups, primary), (kind, state))| Eni {
            number: EniNumber(numbers[0]),
            id,
            mac,
            node: NodeId(numbers[1]),
            vswitch: VSwitchId(numbers[2]),
            kind,
            security_groups,
            primary,
            state,
        },
    )
}

pub fn job_row() -> impl Strategy<Value = Job> {
    let kinds = (
        one_of(&Work::ALL),
        one_of(&Step::ALL),
        option::of(one_of(&Cause::ALL)),
    );
    let rest = (any::<u32>(), option::of(any::<u64>()), addresses());
    (any::<[u64; 6]>(), kinds, rest).prop_map(
        |(numbers, (work, step, trouble), (attempt, doubt_until_ms, addresses))| Job {
            id: JobId(numbers[0]),
            node: NodeId(numbers[1]),
            vswitch: VSwitchId(numbers[2]),
            eni: EniNumber(numbers[3]),
            work,
            addresses,
            step,
            attempt,
            began_ms: numbers[4],
            step_since_ms: numbers[5],
            doubt_until_ms,
            trouble,
        },
    )
}

fn plan() -> impl Strategy<Value = Plan> {
    let create = (any::<u64>(), one_of(&EniKind::ALL), groups(), addresses());
    prop_oneof![
        create.prop_map(
            |(vswitch, kind, security_groups, addresses)| Plan::CreateEni {
                vswitch: VSwitchId(vswitch),
                kind,
                security_groups,
                addresses,
            }
        ),
        (any::<u64>(), addresses()).prop_map(|(eni, addresses)| Plan::Assign {
            eni: EniNumber(eni),
            addresses,
        }),
        (any::<u64>(), addresses()).prop_map(|(eni, addresses)| Plan::Unassign {
            eni: EniNumber(eni),
            addresses,
        }),
        any::<(u64, bool)>().prop_map(|(eni, trunk_too)| Plan::DeleteEni {
            eni: EniNumber(eni),
            trunk_too,
        }),
    ]
}

fn report() -> impl Strategy<Value = Report> {
    prop_oneof![
        (eni(), mac(), addresses()).prop_map(|(eni, mac, addresses)| Report::Created {
            eni,
            mac,
            addresses,
        }),
        one_of(&[Said::Accepted, Said::Attached, Said::Unassigned]).prop_map(Said::report),
        one_of(&[Said::Detached, Said::Deleted, Said::Unknown]).prop_map(Said::report),
        addresses().prop_map(|addresses| Report::Assigned { addresses }),
        (one_of(&Cause::ALL), addresses())
            .prop_map(|(cause, foreign)| Report::Refused { cause, foreign }),
    ]
}

/// The reports that are one word.
#[derive(Clone, Copy, Debug)]
enum Said {
    Accepted,
    Attached,
    Unassigned,
    Detached,
    Deleted,
    Unknown,
}

// === impl Said ===

impl Said {
    fn report(self) -> Report {
        match self {
            Self::Accepted => Report::Accepted,
            Self::Attached => Report::Attached,
            Self::Unassigned => Report::Unassigned,
            Self::Detached => Report::Detached,
            Self::Deleted => Report::Deleted,
            Self::Unknown => Report::Unknown,
        }
    }
}

/// Any command of a job.
pub fn job_command() -> impl Strategy<Value = Command> {
    let advance = (any::<(u64, u32)>(), one_of(&Step::ALL), report());
    prop_oneof![
        (any::<u64>(), plan()).prop_map(|(node, plan)| Command::BeginJob(BeginJob {
            node: NodeId(node),
            plan,
        })),
        advance.prop_map(
            |((job, attempt), step, report)| Command::AdvanceJob(AdvanceJob {
                job: JobId(job),
                step,
                attempt,
                report,
            })
        ),
        (any::<u64>(), addresses(), addresses()).prop_map(|(vswitch, come, gone)| {
            Command::NoteForeign(NoteForeign {
                vswitch: VSwitchId(vswitch),
                come,
                gone,
            })
        }),
    ]
}
