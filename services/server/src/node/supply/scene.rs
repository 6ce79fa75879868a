//! What a plan is made of.

use super::Beginning;
use berth_domain::id::*;
use berth_domain::row::{Eni, EniState, VSwitchChoice};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

/// What there is, what is under way and what is needed.
#[derive(Debug, Default)]
pub(in crate::node) struct Scene {
    /// ENI slots of the node for pods.
    pub eni_slots: u32,
    /// Sets that fit on each.
    pub sets_per_eni: u32,
    /// The node's ENIs, in the order of their planning.
    pub enis: Vec<EniScene>,
    /// What was begun and is not in the ledger yet.
    pub beginning: Vec<Beginning>,
    /// Who needs how much, those who wait first.
    pub needs: Vec<Group>,
    /// Where new ones may come from: the pool's of the node's zone, in the order of choice.
    pub vswitches: Vec<VSwitchId>,
    /// How a vSwitch is chosen.
    pub choice: VSwitchChoice,
    /// How many addresses each still has.
    pub free: BTreeMap<VSwitchId, u64>,
    /// Those of them that have none, or that the cloud takes nothing from.
    pub dry: BTreeSet<VSwitchId>,
    /// Those of them that cannot even be filled from others' warm ones.
    pub hopeless: BTreeSet<VSwitchId>,
    /// Nothing comes onto this node for now.
    pub is_blocked: bool,
    /// No ENI is made for this node for now.
    pub no_more_enis: bool,
    /// The next ENI is a trunk.
    pub wants_trunk: bool,
    /// Nothing goes back for now.
    pub keeps_all: bool,
    /// Warm sets that go back now.
    pub surplus: u32,
}

/// One ENI.
#[derive(Clone, Debug)]
pub(in crate::node) struct EniScene {
    /// Its row.
    pub row: Arc<Eni>,
    /// Sets on it, or on their way there.
    pub load: u32,
    /// Sets of them that are on their way there.
    pub coming: u32,
    /// Sets that are warm and not promised.
    pub idle: u32,
    /// One address of each of these.
    pub warm: Vec<IpAddr>,
    /// The addresses of these, without the primary one.
    pub removable: Vec<IpAddr>,
    /// A job works on it.
    pub is_busy: bool,
    /// Nothing new comes onto it: it is blocked, or its vSwitch is drained or not the pool's.
    pub is_closed: bool,
    /// It has lost its tags, and is not Berth's to change.
    pub is_left_alone: bool,
    /// Nothing but warm addresses is on it.
    pub is_unused: bool,
    /// It may be deleted by its age.
    pub is_old: bool,
}

/// So many sets of any of these vSwitches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::node) struct Group {
    /// Which would do.
    pub vswitches: Vec<VSwitchId>,
    /// How many.
    pub sets: u32,
    /// Pods wait for them.
    pub urgent: bool,
}

// === impl EniScene ===

impl EniScene {
    /// Whether addresses can be assigned to it now.
    pub fn is_open(&self) -> bool {
        self.row.state == EniState::InUse && !self.is_busy && !self.is_closed
    }

    /// Whether it will be open: it is being made, or something comes onto it.
    pub fn will_be_open(&self) -> bool {
        let comes = matches!(
            self.row.state,
            EniState::Planned | EniState::Available | EniState::InUse
        );
        comes && self.is_busy && !self.is_closed
    }
}
