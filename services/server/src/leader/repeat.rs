//! Repeats of an administrator's request whose first try left something to be chosen, or nothing to be found.
//!
//! The ledger knows a repeat by its request id and the digest of its command. A claim's addresses are chosen anew for each
//! try, so a repeat has to ask with those of the first; a deletion's repeat does not find what the first has ended.

use super::Gate;
use crate::failure::Failure;
use berth_domain::command::{Command, Proposal};
use berth_domain::id::{Principal, RequestId, Revision};
use berth_domain::outcome::{Answer, Outcome, Refusal};

// === impl Gate ===

impl Gate {
    /// An administrator's command. A repeat of a claim's creation that the first overtook asks once more, by then with
    /// the first's addresses.
    pub(super) async fn propose_repeatable(
        &self,
        proposal: Proposal,
        patience_ms: u64,
    ) -> Result<Answer, Failure> {
        let first = self.with_addresses(proposal.clone()).await?;
        let was_filled = first != proposal;
        let answer = self.propose_requested(first, patience_ms).await?;
        let overtaken =
            matches!(&answer.result, Err(Refusal::Invalid { field, .. }) if *field == "request_id");
        if !overtaken || was_filled {
            return Ok(answer);
        }
        let again = self.with_addresses(proposal.clone()).await?;
        match again == proposal {
            true => Ok(answer),
            false => self.propose_requested(again, patience_ms).await,
        }
    }

    /// A claim's creation that leaves the addresses to us gets those of its first try, if there was one.
    async fn with_addresses(&self, mut proposal: Proposal) -> Result<Proposal, Failure> {
        let Command::CreateClaim(create) = &mut proposal.command else {
            return Ok(proposal);
        };
        if create.addresses.is_empty()
            && let Some((Outcome::Claim { addresses, .. }, _)) = self
                .answered_before(&proposal.principal, &proposal.request_id)
                .await?
        {
            create.addresses = addresses;
        }
        Ok(proposal)
    }

    /// What this caller's request of this id was answered, and the revision now; none if it is not remembered.
    pub async fn answered_before(
        &self,
        principal: &Principal,
        request_id: &RequestId,
    ) -> Result<Option<(Outcome, Revision)>, Failure> {
        if request_id.as_str().is_empty() {
            return Ok(None);
        }
        let (principal, request_id) = (principal.clone(), request_id.clone());
        self.read(move |ledger| {
            let seen = ledger.request(&principal, &request_id)?;
            Some((seen.outcome.clone(), ledger.revision()))
        })
        .await
    }
}
