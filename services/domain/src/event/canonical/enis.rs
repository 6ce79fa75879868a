//! The bytes of ENIs and jobs.

use super::Writer;
use crate::row::{Cause, Eni, EniKind, EniState, Job, Step, Work};

// === impl Writer ===

impl Writer<'_> {
    pub(crate) fn eni_row(&mut self, row: &Eni) {
        self.u64(row.number.0);
        self.eni(row.id.as_ref());
        self.option(row.mac.as_ref(), |writer, mac| writer.text(mac.as_bytes()));
        self.u64(row.node.0);
        self.u64(row.vswitch.0);
        self.eni_kind(row.kind);
        self.list(&row.security_groups, |writer, group| {
            writer.text(group.as_bytes());
        });
        self.address(&row.primary);
        self.byte(match row.state {
            EniState::Planned => 0,
            EniState::Available => 1,
            EniState::InUse => 2,
            EniState::Leaving => 3,
        });
    }

    pub(crate) fn job(&mut self, row: &Job) {
        self.u64(row.id.0);
        self.u64(row.node.0);
        self.u64(row.vswitch.0);
        self.u64(row.eni.0);
        self.byte(match row.work {
            Work::CreateEni => 0,
            Work::Assign => 1,
            Work::Unassign => 2,
            Work::DeleteEni => 3,
        });
        self.list(&row.addresses, Self::address);
        self.step(row.step);
        self.u32(row.attempt);
        self.u64(row.began_ms);
        self.u64(row.step_since_ms);
        self.option(row.doubt_until_ms, Self::u64);
        self.option(row.trouble, Self::cause);
    }

    pub(crate) fn eni_kind(&mut self, value: EniKind) {
        self.byte(match value {
            EniKind::Secondary => 0,
            EniKind::Trunk => 1,
        });
    }

    pub(crate) fn step(&mut self, value: Step) {
        self.byte(match value {
            Step::Create => 0,
            Step::Attach => 1,
            Step::AwaitAttached => 2,
            Step::AssignIpv4 => 3,
            Step::AssignIpv6 => 4,
            Step::UnassignIpv4 => 5,
            Step::UnassignIpv6 => 6,
            Step::AwaitUnassigned => 7,
            Step::Detach => 8,
            Step::AwaitDetached => 9,
            Step::Delete => 10,
            Step::AwaitDeleted => 11,
        });
    }

    pub(crate) fn cause(&mut self, value: Cause) {
        self.byte(match value {
            Cause::Unknown => 0,
            Cause::AddressTaken => 1,
            Cause::VSwitchFull => 2,
            Cause::Quota => 3,
            Cause::SecurityGroup => 4,
            Cause::Elsewhere => 5,
            Cause::WrongState => 6,
            Cause::Credentials => 7,
            Cause::Other => 8,
        });
    }
}
