//! What comes after a restore: its commands and rows.

use super::{Error, Wire, eni, eni_text, list, required, wires};
use berth_domain::command::{ConfirmNode, Live, Recover, Word};
use berth_domain::id::*;
use berth_domain::row::{Recovery, RecoveryKind, Stray, StrayCause};
use berth_proto::log::v1;

impl Wire<v1::Recover> for Recover {
    fn to_wire(&self) -> v1::Recover {
        v1::Recover {
            cluster_id: self.cluster.as_str().to_owned(),
            kind: kind_number(self.kind),
            revision_jump: self.revision_jump,
            unknown_nodes: self.unknown_nodes,
        }
    }

    fn from_wire(message: v1::Recover) -> Result<Self, Error> {
        Ok(Self {
            cluster: ClusterId::new(&message.cluster_id)?,
            kind: kind(message.kind)?,
            revision_jump: message.revision_jump,
            unknown_nodes: message.unknown_nodes,
        })
    }
}

impl Wire<v1::ConfirmNode> for ConfirmNode {
    fn to_wire(&self) -> v1::ConfirmNode {
        v1::ConfirmNode {
            node: self.node.0,
            word: match self.word {
                Word::Report => 0,
                Word::Admin => 1,
            },
            live: wires(&self.live),
        }
    }

    fn from_wire(message: v1::ConfirmNode) -> Result<Self, Error> {
        Ok(Self {
            node: NodeId(message.node),
            word: match message.word {
                0 => Word::Report,
                1 => Word::Admin,
                number => return Err(unknown("word", number)),
            },
            live: list(message.live)?,
        })
    }
}

impl Wire<v1::Live> for Live {
    fn to_wire(&self) -> v1::Live {
        v1::Live {
            key: Some(self.key.to_wire()),
            boot_id: self.boot.as_str().to_owned(),
            invoked_at_ms: self.invoked_at_ms,
            pod: Some(self.pod.to_wire()),
            eni: eni_text(&self.eni),
            addresses: wires(&self.addresses),
        }
    }

    fn from_wire(message: v1::Live) -> Result<Self, Error> {
        Ok(Self {
            key: required(message.key, "attachment key")?,
            boot: BootId::new(&message.boot_id)?,
            invoked_at_ms: message.invoked_at_ms,
            pod: required(message.pod, "pod")?,
            eni: eni(&message.eni)?,
            addresses: list(message.addresses)?,
        })
    }
}

impl Wire<v1::RecoveryRow> for Recovery {
    fn to_wire(&self) -> v1::RecoveryRow {
        v1::RecoveryRow {
            number: self.number,
            kind: kind_number(self.kind),
            former_cluster_id: self.former.as_str().to_owned(),
            cluster_id: self.cluster.as_str().to_owned(),
            follows: self.follows.0,
            began: self.began.0,
            began_ms: self.began_ms,
            began_wall_ms: self.began_wall_ms,
            ordered_by: self.ordered_by.as_str().to_owned(),
            reason: self.reason.as_str().to_owned(),
            waiting: self.waiting.iter().map(|node| node.0).collect(),
            closed: self.closed.map_or(0, |revision| revision.0),
        }
    }

    fn from_wire(message: v1::RecoveryRow) -> Result<Self, Error> {
        Ok(Self {
            number: message.number,
            kind: kind(message.kind)?,
            former: ClusterId::new(&message.former_cluster_id)?,
            cluster: ClusterId::new(&message.cluster_id)?,
            follows: Revision(message.follows),
            began: Revision(message.began),
            began_ms: message.began_ms,
            began_wall_ms: message.began_wall_ms,
            ordered_by: Principal::new(&message.ordered_by)?,
            reason: Reason::new(&message.reason)?,
            waiting: message.waiting.into_iter().map(NodeId).collect(),
            closed: (message.closed > 0).then_some(Revision(message.closed)),
        })
    }
}

impl Wire<v1::StrayRow> for Stray {
    fn to_wire(&self) -> v1::StrayRow {
        let cause = StrayCause::ALL
            .iter()
            .position(|cause| *cause == self.cause);
        v1::StrayRow {
            key: Some(self.key.to_wire()),
            node: self.node.0,
            boot_id: self.boot.as_str().to_owned(),
            invoked_at_ms: self.invoked_at_ms,
            pod: Some(self.pod.to_wire()),
            addresses: wires(&self.addresses),
            cause: cause.map_or(u32::MAX, |number| number as u32),
            since: self.since.0,
        }
    }

    fn from_wire(message: v1::StrayRow) -> Result<Self, Error> {
        let cause = StrayCause::ALL.get(message.cause as usize).copied();
        Ok(Self {
            key: required(message.key, "attachment key")?,
            node: NodeId(message.node),
            boot: BootId::new(&message.boot_id)?,
            invoked_at_ms: message.invoked_at_ms,
            pod: required(message.pod, "pod")?,
            addresses: list(message.addresses)?,
            cause: cause.ok_or_else(|| unknown("cause of a stray", message.cause))?,
            since: Revision(message.since),
        })
    }
}

fn kind_number(kind: RecoveryKind) -> u32 {
    match kind {
        RecoveryKind::Restored => 0,
        RecoveryKind::Forced => 1,
    }
}

fn kind(number: u32) -> Result<RecoveryKind, Error> {
    match number {
        0 => Ok(RecoveryKind::Restored),
        1 => Ok(RecoveryKind::Forced),
        number => Err(unknown("kind of recovery", number)),
    }
}

fn unknown(what: &'static str, number: u32) -> Error {
    Error::Unknown {
        what,
        number: number.into(),
    }
}
