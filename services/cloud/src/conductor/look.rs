//! What to look at, and what a look shows of a step.

use super::naming::TAG_JOB;
use super::{Conductor, Why};
use crate::call::DescribeNetworkInterfaces;
use crate::eni::{Eni, EniStatus, Tags};
use crate::id::{CloudVSwitchId, EniId, InstanceId};
use berth_domain::command::Report;
use berth_domain::id::{EniId as LedgerEniId, MacAddress};
use berth_domain::row::Step;
use std::net::IpAddr;

/// Which ENIs to list, all pages. Whoever carries it out may look at many in one call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Look {
    /// This one.
    Eni(EniId),
    /// Those that a job has made.
    Tagged(Tags),
    /// All of a vSwitch: who has its addresses.
    VSwitch(CloudVSwitchId),
}

/// What a look shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// The step is done.
    Done(Report),
    /// It is done, as far as is shown: not all addresses are there.
    Part(Report),
    /// None of the addresses is on the ENI.
    Gone,
    /// It was begun.
    UnderWay,
    /// Nothing of it.
    Not,
    /// The ENI is not there.
    Absent,
}

// === impl Look ===

impl Look {
    /// The call for it; a vSwitch may have more pages than one.
    pub fn filter(&self) -> DescribeNetworkInterfaces {
        match self {
            Self::Eni(eni) => DescribeNetworkInterfaces {
                enis: vec![eni.clone()],
                ..DescribeNetworkInterfaces::default()
            },
            Self::Tagged(tags) => DescribeNetworkInterfaces {
                tags: tags.clone(),
                ..DescribeNetworkInterfaces::default()
            },
            Self::VSwitch(vswitch) => DescribeNetworkInterfaces {
                vswitch: Some(vswitch.clone()),
                ..DescribeNetworkInterfaces::default()
            },
        }
    }
}

// === impl Conductor ===

impl Conductor {
    pub(super) fn look(&self, why: Why) -> Look {
        match (why, self.job.step) {
            (Why::WhoHasThem, _) => Look::VSwitch(self.setting.vswitch.clone()),
            (_, Step::Create) => Look::Tagged(self.tags()),
            _ => Look::Eni(self.cloud_eni()),
        }
    }

    /// The job's ENI among those listed.
    pub(super) fn own<'a>(&self, enis: &'a [Eni]) -> Option<&'a Eni> {
        let job = self.job.id.to_string();
        let by_job = |eni: &&Eni| eni.tags.get(TAG_JOB) == Some(&job);
        match self.job.step {
            Step::Create => enis.iter().find(by_job),
            _ => {
                let id = self.cloud_eni();
                enis.iter().find(|eni| eni.id == id)
            }
        }
    }

    pub(super) fn shown(&self, own: Option<&Eni>) -> Shown {
        let Some(own) = own else {
            return match self.job.step {
                Step::Create => Shown::Not,
                _ => Shown::Absent,
            };
        };
        match self.job.step {
            Step::Create => match self.created(own) {
                Some(report) if self.is_whole(own) => Shown::Done(report),
                Some(report) => Shown::Part(report),
                None => Shown::UnderWay,
            },
            Step::Attach | Step::AwaitAttached => self.attached(own),
            Step::AssignIpv4 | Step::AssignIpv6 => match self.on_it(own) {
                there if there.len() == self.of_step().len() => {
                    Shown::Done(Report::Assigned { addresses: there })
                }
                _ => Shown::Not,
            },
            Step::UnassignIpv4 | Step::UnassignIpv6 | Step::AwaitUnassigned => self.unassigned(own),
            Step::Detach | Step::AwaitDetached => match own.status {
                EniStatus::Available | EniStatus::Deleting => Shown::Done(Report::Detached),
                EniStatus::Detaching => Shown::UnderWay,
                _ => Shown::Not,
            },
            Step::Delete | Step::AwaitDeleted => match own.status {
                EniStatus::Deleting => Shown::UnderWay,
                _ => Shown::Not,
            },
        }
    }

    /// None while the cloud does not say everything of it.
    pub(super) fn created(&self, eni: &Eni) -> Option<Report> {
        let there = self.job.addresses.iter().copied();
        Some(Report::Created {
            eni: LedgerEniId::new(eni.id.as_str()).ok()?,
            mac: MacAddress::new(&eni.mac).ok()?,
            addresses: there.filter(|at| has(eni, *at)).collect(),
        })
    }

    /// Whether all of the job's addresses are on it.
    pub(super) fn is_whole(&self, eni: &Eni) -> bool {
        self.job.addresses.iter().all(|at| has(eni, *at))
    }

    fn attached(&self, eni: &Eni) -> Shown {
        let is_here = on(eni) == Some(&self.setting.instance);
        match eni.status {
            EniStatus::InUse if is_here => Shown::Done(Report::Attached),
            EniStatus::Attaching if is_here => Shown::UnderWay,
            _ => Shown::Not,
        }
    }

    fn unassigned(&self, eni: &Eni) -> Shown {
        let any = |addresses: &[IpAddr]| addresses.iter().any(|at| has(eni, *at));
        match (any(&self.job.addresses), any(&self.of_step())) {
            (false, _) => Shown::Gone,
            // This family is gone, by an earlier call; the other one is not. A look at the end will show both.
            (true, false) => Shown::Done(Report::Accepted),
            (true, true) => Shown::Not,
        }
    }

    /// Of the step's addresses, those that are on the ENI.
    pub(super) fn on_it(&self, eni: &Eni) -> Vec<IpAddr> {
        let asked = self.of_step().into_iter();
        asked.filter(|at| has(eni, *at)).collect()
    }
}

/// Whether the ENI has the address.
pub(super) fn has(eni: &Eni, address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => eni.primary == address || eni.secondary.contains(&address),
        IpAddr::V6(address) => eni.ipv6.contains(&address),
    }
}

/// What it is on.
pub(super) fn on(eni: &Eni) -> Option<&InstanceId> {
    eni.attachment
        .as_ref()
        .map(|attachment| &attachment.instance)
}
