//! What the simulator saw and did, for tests to ask.

use std::collections::BTreeMap;
use std::net::IpAddr;

/// Everything since the start. Grows without bound: it is for tests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Calls by action, refused ones too.
    pub calls: BTreeMap<String, u64>,
    /// Effects in the order in which they happened.
    pub effects: Vec<Effect>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// When, ms since 1970.
    pub at_ms: u64,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// An ENI is in another state now; the last one is `Deleted`.
    Eni {
        /// Which.
        eni: String,
        /// As the wire has it.
        status: &'static str,
    },
    /// An address got a holder.
    Taken {
        /// Of which vSwitch.
        vswitch: String,
        /// Which.
        address: IpAddr,
        /// The ENI; none = somebody else.
        eni: Option<String>,
    },
    /// An address has no holder any more.
    Freed {
        /// Of which vSwitch.
        vswitch: String,
        /// Which.
        address: IpAddr,
    },
}

// === impl Ledger ===

impl Ledger {
    pub(super) fn saw(&mut self, action: &str) -> u64 {
        let calls = self.calls.entry(action.to_owned()).or_default();
        *calls += 1;
        *calls
    }

    pub(super) fn did(&mut self, at_ms: u64, what: What) {
        self.effects.push(Effect { at_ms, what });
    }

    /// Calls of one action.
    pub fn calls_of(&self, action: &str) -> u64 {
        self.calls.get(action).copied().unwrap_or(0)
    }

    /// Who held an address at a time: the outer none = nobody, the inner none = somebody who is no ENI here.
    pub fn holder(&self, vswitch: &str, address: IpAddr, at_ms: u64) -> Option<Option<&str>> {
        let mut holder = None;
        for effect in self
            .effects
            .iter()
            .take_while(|effect| effect.at_ms <= at_ms)
        {
            match &effect.what {
                What::Taken {
                    vswitch: of,
                    address: which,
                    eni,
                } if of == vswitch && *which == address => {
                    holder = Some(eni.as_deref());
                }
                What::Freed {
                    vswitch: of,
                    address: which,
                } if of == vswitch && *which == address => holder = None,
                _ => {}
            }
        }
        holder
    }
}
