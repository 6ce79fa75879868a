//! The rows of ENIs and jobs.

use super::{Error, Wire, eni, eni_text, list, required, wires};
use berth_domain::id::*;
use berth_domain::row::{Cause, Eni, EniKind, EniState, Job, Step, Work};
use berth_proto::log::v1;

/// Its place in the domain's list, from 1.
pub(super) fn numbered<T: PartialEq>(all: &[T], value: &T) -> u32 {
    // The lists name every variant, which a test shows.
    let place = all.iter().position(|one| one == value);
    place.map_or(0, |place| place as u32 + 1)
}

/// The one in that place of the domain's list.
pub(super) fn at<T: Copy>(all: &[T], number: u32, what: &'static str) -> Result<T, Error> {
    let place = (number as usize).checked_sub(1);
    let found = place.and_then(|place| all.get(place));
    found.copied().ok_or(Error::Unknown {
        what,
        number: u64::from(number),
    })
}

pub(super) fn groups(texts: &[String]) -> Result<Vec<SecurityGroup>, Error> {
    let groups = texts.iter().map(|text| Ok(SecurityGroup::new(text)?));
    groups.collect()
}

pub(super) fn group_texts(groups: &[SecurityGroup]) -> Vec<String> {
    groups.iter().map(ToString::to_string).collect()
}

// === impl Eni ===

impl Wire<v1::EniRow> for Eni {
    fn to_wire(&self) -> v1::EniRow {
        v1::EniRow {
            number: self.number.0,
            id: eni_text(&self.id),
            mac: self
                .mac
                .as_ref()
                .map_or_else(String::new, ToString::to_string),
            node: self.node.0,
            vswitch: self.vswitch.0,
            kind: numbered(&EniKind::ALL, &self.kind),
            security_groups: group_texts(&self.security_groups),
            primary: Some(self.primary.to_wire()),
            state: numbered(&EniState::ALL, &self.state),
        }
    }

    fn from_wire(message: v1::EniRow) -> Result<Self, Error> {
        let mac = match message.mac.as_str() {
            "" => None,
            mac => Some(MacAddress::new(mac)?),
        };
        Ok(Self {
            number: EniNumber(message.number),
            id: eni(&message.id)?,
            mac,
            node: NodeId(message.node),
            vswitch: VSwitchId(message.vswitch),
            kind: at(&EniKind::ALL, message.kind, "kind of ENI")?,
            security_groups: groups(&message.security_groups)?,
            primary: required(message.primary, "primary address")?,
            state: at(&EniState::ALL, message.state, "state of an ENI")?,
        })
    }
}

// === impl Job ===

impl Wire<v1::JobRow> for Job {
    fn to_wire(&self) -> v1::JobRow {
        v1::JobRow {
            id: self.id.0,
            node: self.node.0,
            vswitch: self.vswitch.0,
            eni: self.eni.0,
            work: numbered(&Work::ALL, &self.work),
            addresses: wires(&self.addresses),
            step: numbered(&Step::ALL, &self.step),
            attempt: self.attempt,
            began_ms: self.began_ms,
            step_since_ms: self.step_since_ms,
            doubt_until_ms: self.doubt_until_ms,
            trouble: self
                .trouble
                .map_or(0, |cause| numbered(&Cause::ALL, &cause)),
        }
    }

    fn from_wire(message: v1::JobRow) -> Result<Self, Error> {
        let trouble = match message.trouble {
            0 => None,
            number => Some(at(&Cause::ALL, number, "cause")?),
        };
        Ok(Self {
            id: JobId(message.id),
            node: NodeId(message.node),
            vswitch: VSwitchId(message.vswitch),
            eni: EniNumber(message.eni),
            work: at(&Work::ALL, message.work, "work of a job")?,
            addresses: list(message.addresses)?,
            step: at(&Step::ALL, message.step, "step of a job")?,
            attempt: message.attempt,
            began_ms: message.began_ms,
            step_since_ms: message.step_since_ms,
            doubt_until_ms: message.doubt_until_ms,
            trouble,
        })
    }
}
