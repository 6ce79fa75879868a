//! Specific addresses: one that is only warm on some node is taken back for whoever asks for it by name.
//!
//! Without an agent on the node the servers' word is enough (design §4): only they bind there.

use super::Gate;
use crate::failure::Failure;
use crate::node::{Allocate, Allocated};
use crate::router::{PutBack, Router, TakeBack};
use berth_actors::Address;
use berth_domain::Ledger;
use berth_domain::command::{Command, Proposal};
use berth_domain::id::VSwitchId;
use berth_domain::outcome::{Answer, Refusal};
use berth_domain::row::AddressState;
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Addresses taken back for one request: one of each family, and once more each if somebody was quicker.
const TAKEN_BACK_MAX: usize = 4;

/// Kept from everybody else while this lives, so that it is still there for the request's next try.
struct TakenBack {
    router: Address<Router>,
    vswitch: VSwitchId,
    address: IpAddr,
}

// === impl TakenBack ===

impl Drop for TakenBack {
    fn drop(&mut self) {
        // If it was bound meanwhile it is no promise any more, and this does nothing.
        self.router.deliver(PutBack {
            vswitch: self.vswitch,
            address: self.address,
        });
    }
}

// === impl Gate ===

impl Gate {
    /// An ADD that asks for specific addresses.
    pub(super) async fn allocate_requested(
        &self,
        mut request: Allocate,
    ) -> Result<Allocated, Failure> {
        let end = Instant::now() + Duration::from_millis(request.deadline_ms);
        let mut kept = Vec::new();
        loop {
            let answer = self.allocate_once(request.clone()).await;
            let address = match answer {
                Err(Failure::Refused(Refusal::Taken { address }))
                    if request.requested.contains(&address) =>
                {
                    address
                }
                answer => return answer,
            };
            if kept.len() >= TAKEN_BACK_MAX {
                return Err(self.who_has(address).await);
            }
            match self.take_back(address, end).await {
                Some(taken) => kept.push(taken),
                None => return Err(self.who_has(address).await),
            }
            let left = end.saturating_duration_since(Instant::now()).as_millis();
            request.deadline_ms = u64::try_from(left).unwrap_or(request.deadline_ms);
        }
    }

    /// An administrator's command; a claim that names addresses gets them like an ADD.
    pub(super) async fn propose_requested(
        &self,
        proposal: Proposal,
        patience_ms: u64,
    ) -> Result<Answer, Failure> {
        let end = Instant::now() + Duration::from_millis(patience_ms);
        let names_addresses = matches!(&proposal.command, Command::CreateClaim(_));
        let mut kept = Vec::new();
        loop {
            let answer = self.propose_once(proposal.clone(), patience_ms).await?;
            let in_use = match &answer.result {
                Err(Refusal::AddressInUse { address, .. }) => Some(*address),
                _ => None,
            };
            let wanted = in_use.filter(|_| names_addresses && kept.len() < TAKEN_BACK_MAX);
            let Some(address) = wanted else {
                return Ok(answer);
            };
            match self.take_back(address, end).await {
                Some(taken) => kept.push(taken),
                None => return Ok(answer),
            }
        }
    }

    /// None = it is not a warm one, or was bound meanwhile.
    async fn take_back(&self, address: IpAddr, end: Instant) -> Option<TakenBack> {
        let warm = move |ledger: &Ledger| match ledger.address_state(address) {
            Some(AddressState::Idle { node, .. }) => {
                let vswitch = ledger.vswitch_containing(address)?.id;
                Some((vswitch, node))
            }
            _ => None,
        };
        let (vswitch, node) = self.read(warm).await.ok()??;
        let router = &self.parts.router;
        // Made first: whoever gives up while it is on its way back gives it back too.
        let taken = TakenBack {
            router: router.clone(),
            vswitch,
            address,
        };
        let asked = router.ask(|reply| TakeBack {
            vswitch,
            node,
            address,
            reply,
        });
        let is_back = timeout_at(end, asked).await.ok()?.ok()?;
        is_back.then_some(taken)
    }

    /// Why a specific address was not to be had.
    async fn who_has(&self, address: IpAddr) -> Failure {
        match self.read(move |ledger| ledger.in_use(address)).await {
            Ok(Some(refusal)) => Failure::Refused(refusal),
            Ok(None) => Failure::Unavailable {
                reason: format!("{address} was in use and is free by now, try again"),
            },
            Err(failure) => failure,
        }
    }
}
