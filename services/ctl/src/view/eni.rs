//! An ENI as it is shown.

use berth_proto::v1;
use serde::Serialize;

use super::{Item, present, shown};
use crate::table;

/// An elastic network interface that Berth has made, or is about to make.
#[derive(Debug, Serialize)]
pub struct Eni {
    /// The ledger's number.
    pub number: u64,
    /// The cloud's name; null until it is made.
    pub id: Option<String>,
    /// Null until it is made.
    pub mac: Option<String>,
    /// Null if the node was removed.
    pub node: Option<String>,
    /// In which it is.
    pub vswitch: String,
    /// "secondary" or "trunk".
    pub kind: String,
    /// "planned", "available", "in use" or "leaving".
    pub state: String,
    /// Its primary address.
    pub primary: String,
    /// Its own.
    pub security_groups: Vec<String>,
    /// On it, or on their way onto or off it.
    pub addresses: Vec<String>,
    /// Of these: held by pods.
    pub bound: u32,
}

// === impl Eni ===

impl From<v1::Eni> for Eni {
    fn from(eni: v1::Eni) -> Self {
        Self {
            number: eni.number,
            id: present(eni.id),
            mac: present(eni.mac),
            node: present(eni.node),
            vswitch: eni.vswitch,
            kind: eni.kind,
            state: eni.state,
            primary: eni.primary,
            security_groups: eni.security_groups,
            addresses: eni.addresses,
            bound: eni.bound,
        }
    }
}

impl Item for Eni {
    const HEADER: &'static [&'static str] = &[
        "ENI",
        "NODE",
        "VSWITCH",
        "KIND",
        "STATE",
        "PRIMARY",
        "ADDRESSES",
        "BOUND",
    ];
    const NONE: &'static str =
        "no ENI of Berth; one is made when a pod of a node in a pool needs it";

    fn rows(&self) -> Vec<Vec<String>> {
        vec![vec![
            shown(&self.id),
            shown(&self.node),
            self.vswitch.clone(),
            self.kind.clone(),
            self.state.clone(),
            self.primary.clone(),
            self.addresses.len().to_string(),
            self.bound.to_string(),
        ]]
    }

    fn in_full(&self) -> String {
        table::fields(&[
            ("ENI", shown(&self.id)),
            ("number", self.number.to_string()),
            ("MAC", shown(&self.mac)),
            ("node", shown(&self.node)),
            ("vSwitch", self.vswitch.clone()),
            ("kind", self.kind.clone()),
            ("state", self.state.clone()),
            ("security groups", self.security_groups.join(", ")),
            ("primary", self.primary.clone()),
            ("addresses", self.addresses.join(", ")),
            ("bound", self.bound.to_string()),
        ])
    }
}
