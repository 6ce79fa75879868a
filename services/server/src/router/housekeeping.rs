//! What a leader does unasked: lets what is due expire, and ends claims whose pods are gone.

use super::Router;
use super::leading::Leading;
use crate::facts::Lookup;
use crate::journal::{Committed, Propose};
use crate::node::message::proposal;
use crate::node::{Caller, Request};
use crate::vswitch::state::EXPIRE_ROWS;
use berth_actors::{Context, Handler, Reply, Unanswered};
use berth_domain::command::{Command, DeleteClaim, Expire, FactsVersion, Proof, Release};
use berth_domain::id::{ClaimId, NodeId, Principal};
use berth_domain::outcome::{Answer, Outcome};
use berth_domain::row::{Claim, ClaimState};
use tracing::Span;

/// How often it looks.
const EVERY_MS: u64 = 1_000;
/// Claims looked at each time: all of a hundred thousand within minutes, at no cost that shows.
const CLAIMS_PER_LOOK: usize = 256;

/// See the module.
#[derive(Debug)]
pub(super) struct Housekeeping {
    /// The ledger time at which something is due next.
    pub due_ms: Option<u64>,
    expiring: bool,
    /// Claims up to here were looked at.
    claim: ClaimId,
}

pub(super) struct Expired {
    term: u64,
    committed: Option<Committed>,
}

// === impl Housekeeping ===

impl Housekeeping {
    pub fn new(due_ms: Option<u64>) -> Self {
        Self {
            due_ms,
            expiring: false,
            claim: ClaimId(0),
        }
    }
}

// === impl Router ===

impl Router {
    /// Now, and every second from now on.
    pub(super) fn keep_house(&mut self, context: &mut Context<Self>) {
        self.expire(context);
        if let Some(leading) = self.leading() {
            leading.end_fleeting_claims();
        }
        context.run_later(EVERY_MS, Self::keep_house);
    }

    fn expire(&mut self, context: &mut Context<Self>) {
        let (now_ms, address) = (context.now_ms(), context.address());
        let Some(leading) = self.leading() else {
            return;
        };
        let ledger_ms = leading.term.clock.ledger_ms(now_ms);
        let house = &mut leading.housekeeping;
        if house.expiring || house.due_ms.is_none_or(|due_ms| due_ms > ledger_ms) {
            return;
        }
        house.expiring = true;
        let term = leading.term.number;
        let reply = Reply::call(move |committed: Result<Committed, Unanswered>| {
            let committed = committed.ok();
            address.deliver(Expired { term, committed });
        });
        leading.propose(Command::Expire(Expire { limit: EXPIRE_ROWS }), None, reply);
    }

    /// A DEL of an attachment that is bound nowhere: success, and a tombstone.
    pub(super) fn release_unknown(&mut self, request: Request) {
        let (Some(leading), Request::Del { request, caller }) = (self.leading(), request) else {
            return; // the reply is dropped, which says that the outcome is not known
        };
        let release = Release {
            key: request.key,
            node: NodeId(0),
            boot: request.boot,
            invoked_at_ms: request.invoked_at_ms,
            generation: request.generation,
            proof: Proof::Del,
            pod_gone: false,
        };
        let proposal = proposal(
            &request.principal,
            request.trace_id,
            None,
            Command::Release(release),
        );
        let Caller { span, reply } = caller;
        let reply = reply.map(|committed: Committed| {
            committed.and_then(|answer| crate::node::released(&answer))
        });
        leading.term.journal.deliver(Propose {
            proposal,
            span,
            until_ms: None,
            reply,
        });
    }
}

impl Handler<Expired> for Router {
    fn handle(&mut self, expired: Expired, context: &mut Context<Self>) {
        let Some(leading) = self
            .leading()
            .filter(|leading| leading.term.number == expired.term)
        else {
            return;
        };
        leading.housekeeping.expiring = false;
        // A full step means that there is more.
        let is_full = matches!(
            expired.committed,
            Some(Ok(Answer { result: Ok(Outcome::Rows(rows)), .. })) if rows >= EXPIRE_ROWS
        );
        if is_full {
            self.expire(context);
        }
    }
}

// === impl Leading ===

impl Leading {
    /// A claim that ends with its pod ends when synced facts do not name the pod, provided that it had a holder:
    /// one that was made ahead of its pod waits for it.
    fn end_fleeting_claims(&mut self) {
        let claims = self
            .term
            .view
            .borrow()
            .fleeting_claims(self.housekeeping.claim, CLAIMS_PER_LOOK);
        self.housekeeping.claim = match claims.last() {
            Some(last) if claims.len() == CLAIMS_PER_LOOK => last.id,
            _ => ClaimId(0),
        };
        for claim in claims.iter().filter(|claim| had_a_holder(claim)) {
            let name = &claim.name;
            let Lookup::Gone(version) =
                self.term
                    .facts
                    .pod(&name.cluster, &name.namespace, &name.pod)
            else {
                continue;
            };
            let command = Command::DeleteClaim(DeleteClaim {
                claim: claim.id,
                override_holder: false,
                policy_fired: true,
            });
            // Looked at again later if it did not work.
            let reply = Reply::call(|_: Result<Committed, Unanswered>| {});
            self.propose(command, Some(version), reply);
        }
    }

    fn propose(&self, command: Command, facts: Option<FactsVersion>, reply: Reply<Committed>) {
        let principal = Principal::new("berthd/housekeeping").expect("plain"); // fixed text within the limit
        let span = Span::none();
        let proposal = proposal(&principal, None, facts, command);
        self.term.journal.deliver(Propose {
            proposal,
            span,
            until_ms: None,
            reply,
        });
    }
}

/// Certain if it was bound again after its making, or settled after a DEL. Where it is not certain the claim stays.
fn had_a_holder(claim: &Claim) -> bool {
    let settled = match claim.state {
        ClaimState::Held {
            since_ms,
            settled_at_ms,
            ..
        } => settled_at_ms > since_ms,
        ClaimState::Bound { .. } => true,
    };
    settled || claim.generation.0 != claim.id.0
}
