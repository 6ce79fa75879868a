//! The commands of jobs.

use super::eni::{at, group_texts, groups, numbered};
use super::{Error, Wire, list, wires};
use berth_domain::command::{AdvanceJob, BeginJob, NoteForeign, Plan, Report};
use berth_domain::id::*;
use berth_domain::row::{Cause, EniKind, Step};
use berth_proto::log::v1;
use berth_proto::log::v1::advance_job::Report as ReportPart;
use berth_proto::log::v1::begin_job::Plan as PlanPart;

// === impl BeginJob ===

impl Wire<v1::BeginJob> for BeginJob {
    fn to_wire(&self) -> v1::BeginJob {
        v1::BeginJob {
            node: self.node.0,
            plan: Some(plan(&self.plan)),
        }
    }

    fn from_wire(message: v1::BeginJob) -> Result<Self, Error> {
        let plan = match message.plan.ok_or(Error::Missing("plan"))? {
            PlanPart::CreateEni(asked) => Plan::CreateEni {
                vswitch: VSwitchId(asked.vswitch),
                kind: at(&EniKind::ALL, asked.kind, "kind of ENI")?,
                security_groups: groups(&asked.security_groups)?,
                addresses: list(asked.addresses)?,
            },
            PlanPart::Assign(asked) => Plan::Assign {
                eni: EniNumber(asked.eni),
                addresses: list(asked.addresses)?,
            },
            PlanPart::Unassign(asked) => Plan::Unassign {
                eni: EniNumber(asked.eni),
                addresses: list(asked.addresses)?,
            },
            PlanPart::DeleteEni(asked) => Plan::DeleteEni {
                eni: EniNumber(asked.eni),
                trunk_too: asked.trunk_too,
            },
        };
        Ok(Self {
            node: NodeId(message.node),
            plan,
        })
    }
}

fn plan(plan: &Plan) -> PlanPart {
    let on = |eni: &EniNumber, addresses: &[_]| v1::EniAddresses {
        eni: eni.0,
        addresses: wires(addresses),
    };
    match plan {
        Plan::CreateEni {
            vswitch,
            kind,
            security_groups,
            addresses,
        } => PlanPart::CreateEni(v1::CreateEni {
            vswitch: vswitch.0,
            kind: numbered(&EniKind::ALL, kind),
            security_groups: group_texts(security_groups),
            addresses: wires(addresses),
        }),
        Plan::Assign { eni, addresses } => PlanPart::Assign(on(eni, addresses)),
        Plan::Unassign { eni, addresses } => PlanPart::Unassign(on(eni, addresses)),
        Plan::DeleteEni { eni, trunk_too } => PlanPart::DeleteEni(v1::DeleteEni {
            eni: eni.0,
            trunk_too: *trunk_too,
        }),
    }
}

// === impl AdvanceJob ===

impl Wire<v1::AdvanceJob> for AdvanceJob {
    fn to_wire(&self) -> v1::AdvanceJob {
        v1::AdvanceJob {
            job: self.job.0,
            step: numbered(&Step::ALL, &self.step),
            attempt: self.attempt,
            report: Some(report(&self.report)),
        }
    }

    fn from_wire(message: v1::AdvanceJob) -> Result<Self, Error> {
        let report = match message.report.ok_or(Error::Missing("report"))? {
            ReportPart::Created(created) => Report::Created {
                eni: EniId::new(&created.eni)?,
                mac: MacAddress::new(&created.mac)?,
                addresses: list(created.addresses)?,
            },
            ReportPart::Accepted(_) => Report::Accepted,
            ReportPart::Attached(_) => Report::Attached,
            ReportPart::Assigned(assigned) => Report::Assigned {
                addresses: list(assigned.addresses)?,
            },
            ReportPart::Unassigned(_) => Report::Unassigned,
            ReportPart::Detached(_) => Report::Detached,
            ReportPart::Deleted(_) => Report::Deleted,
            ReportPart::Refused(refused) => Report::Refused {
                cause: at(&Cause::ALL, refused.cause, "cause")?,
                foreign: list(refused.foreign)?,
            },
            ReportPart::Unknown(_) => Report::Unknown,
        };
        Ok(Self {
            job: JobId(message.job),
            step: at(&Step::ALL, message.step, "step of a job")?,
            attempt: message.attempt,
            report,
        })
    }
}

fn report(report: &Report) -> ReportPart {
    match report {
        Report::Created {
            eni,
            mac,
            addresses,
        } => ReportPart::Created(v1::CreatedEni {
            eni: eni.to_string(),
            mac: mac.to_string(),
            addresses: wires(addresses),
        }),
        Report::Accepted => ReportPart::Accepted(true),
        Report::Attached => ReportPart::Attached(true),
        Report::Assigned { addresses } => ReportPart::Assigned(v1::Addresses {
            addresses: wires(addresses),
        }),
        Report::Unassigned => ReportPart::Unassigned(true),
        Report::Detached => ReportPart::Detached(true),
        Report::Deleted => ReportPart::Deleted(true),
        Report::Refused { cause, foreign } => ReportPart::Refused(v1::RefusedCall {
            cause: numbered(&Cause::ALL, cause),
            foreign: wires(foreign),
        }),
        Report::Unknown => ReportPart::Unknown(true),
    }
}

// === impl NoteForeign ===

impl Wire<v1::NoteForeign> for NoteForeign {
    fn to_wire(&self) -> v1::NoteForeign {
        v1::NoteForeign {
            vswitch: self.vswitch.0,
            come: wires(&self.come),
            gone: wires(&self.gone),
        }
    }

    fn from_wire(message: v1::NoteForeign) -> Result<Self, Error> {
        Ok(Self {
            vswitch: VSwitchId(message.vswitch),
            come: list(message.come)?,
            gone: list(message.gone)?,
        })
    }
}
