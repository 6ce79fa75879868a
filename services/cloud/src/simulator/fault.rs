//! What goes wrong: with a chance for each call of an action, or at a call that a script names.

use crate::simulator::random::Random;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One thing that goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// `InternalError`; nothing was done.
    ErrorBefore,
    /// `InternalError`; it was done.
    ErrorAfter,
    /// No answer; nothing was done.
    LostBefore,
    /// No answer; it was done.
    LostAfter,
    /// `Throttling.User`; nothing was done.
    Throttled,
    /// `Operation.Conflict`; nothing was done.
    Conflict,
    /// Of the addresses asked for only the first half, rounded up, is assigned. Concerns assigning only.
    Partial,
}

/// Chances in a thousand for each call of one action. They are looked at in this order; the first that happens is it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Chances {
    /// See [`Fault::ErrorBefore`].
    pub error_before: u32,
    /// See [`Fault::ErrorAfter`].
    pub error_after: u32,
    /// See [`Fault::LostBefore`].
    pub lost_before: u32,
    /// See [`Fault::LostAfter`].
    pub lost_after: u32,
    /// See [`Fault::Throttled`].
    pub throttled: u32,
    /// See [`Fault::Conflict`].
    pub conflict: u32,
    /// See [`Fault::Partial`].
    pub partial: u32,
}

/// A fault at one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scripted {
    /// Of which action.
    pub action: String,
    /// Its how many-th call, counted from 1.
    pub call: u64,
    /// What happens.
    pub fault: Fault,
}

/// All that goes wrong. The default: nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FaultPlan {
    /// By action; `*` = those not named.
    pub chances: BTreeMap<String, Chances>,
    /// These come before chances.
    pub script: Vec<Scripted>,
    /// In a thousand: somebody else takes an address that has just become free.
    pub foreign_grab: u32,
    /// How long somebody else keeps it, in ms.
    pub foreign_hold_ms: u64,
    /// In a thousand: a look shows the state before the last change, if that is not older than `stale_ms`.
    pub stale: u32,
}

// === impl FaultPlan ===

impl FaultPlan {
    /// What happens to this call of the action.
    pub(super) fn of(&self, action: &str, call: u64, random: &mut Random) -> Option<Fault> {
        let here = |scripted: &&Scripted| scripted.action == action && scripted.call == call;
        if let Some(scripted) = self.script.iter().find(here) {
            return Some(scripted.fault);
        }
        let chances = self.chances.get(action).or_else(|| self.chances.get("*"))?;
        let each = [
            (chances.error_before, Fault::ErrorBefore),
            (chances.error_after, Fault::ErrorAfter),
            (chances.lost_before, Fault::LostBefore),
            (chances.lost_after, Fault::LostAfter),
            (chances.throttled, Fault::Throttled),
            (chances.conflict, Fault::Conflict),
            (chances.partial, Fault::Partial),
        ];
        let mut happens = |&(chance, _): &(u32, Fault)| random.chance(chance);
        each.into_iter()
            .find(|row| happens(row))
            .map(|(_, fault)| fault)
    }
}
