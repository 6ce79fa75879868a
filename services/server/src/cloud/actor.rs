//! The CloudActor: a thin shell around [`State`]. Performs what the state wants done.

use super::message::{Changed, End, LastAudit, Observe, Urgent};
use super::state::{Observation, Out, State};
use super::{Provision, Troubles};
use crate::failure::Failure;
use crate::feed;
use crate::journal::{Committed, Propose};
use crate::router::Term;
use berth_actors::{Actor, Context, Handler, OneTimer, Reply, Unanswered};
use berth_cloud::budget::Ticket;
use berth_cloud::{Call, Error, Order};
use berth_domain::id::{ClusterId, JobId, Revision};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tracing::Span;

/// All cloud calls of one term.
#[derive(Debug)]
pub struct CloudActor {
    cluster: ClusterId,
    provision: Provision,
    /// None until it has started.
    state: Option<State>,
    /// What has come up to here is in the state.
    seen: Revision,
    term: Rc<Term>,
    wake: OneTimer,
}

struct Answered {
    ticket: Ticket,
    answer: Result<berth_cloud::Reply, Error>,
}

struct Settled {
    job: JobId,
    committed: Committed,
}

// === impl CloudActor ===

impl CloudActor {
    /// Of a term whose view has all jobs.
    pub fn new(cluster: ClusterId, provision: Provision, term: Rc<Term>) -> Self {
        Self {
            cluster,
            provision,
            state: None,
            seen: Revision(0),
            term,
            wake: OneTimer::default(),
        }
    }

    /// Lets the state work, then does what it wants done.
    fn work(
        &mut self,
        context: &mut Context<Self>,
        work: impl FnOnce(&mut State, u64, &mut Troubles, &mut Vec<Out>),
    ) {
        let Some(state) = &mut self.state else {
            return;
        };
        let mut out = Vec::new();
        let term = Rc::clone(&self.term);
        work(
            state,
            context.now_ms(),
            &mut term.troubles.borrow_mut(),
            &mut out,
        );
        for out in out {
            self.perform(out, context);
        }
    }

    fn perform(&mut self, out: Out, context: &mut Context<Self>) {
        match out {
            Out::Send { ticket, call } => self.send(ticket, *call, context),
            Out::Propose { proposal, job } => {
                let address = context.address();
                let reply = Reply::call(move |answer: Result<Committed, Unanswered>| {
                    let committed = answer.unwrap_or(Err(Failure::Unknown {
                        reason: "the journal has ended",
                    }));
                    address.deliver(Settled { job, committed });
                });
                self.propose(Propose {
                    proposal,
                    span: Span::none(),
                    until_ms: None,
                    reply,
                });
            }
            Out::WakeAt(at_ms) => self.wake.at(at_ms, context, Self::on_alarm),
        }
    }

    fn propose(&self, propose: Propose) {
        if let Err(undelivered) = self.term.journal.try_send(propose) {
            undelivered.into_message().reply.answer(Err(Failure::Busy {
                what: "the journal",
                retry_after_ms: 50,
            }));
        }
    }

    fn send(&self, ticket: Ticket, call: Call, context: &mut Context<Self>) {
        let address = context.address();
        let leads = Arc::clone(&self.term.leads);
        let order = Order {
            call,
            still_wanted: Arc::new(move || leads.load(Ordering::Acquire)),
        };
        (self.provision.carrier)(
            order,
            Box::new(move |answer| address.deliver(Answered { ticket, answer })),
        );
    }

    fn on_alarm(&mut self, context: &mut Context<Self>) {
        self.wake.rang();
        self.work(context, State::on_wake);
    }
}

impl Actor for CloudActor {
    type Observation = Observation;

    fn started(&mut self, context: &mut Context<Self>) {
        let provided = (self.provision.limits.clone(), self.provision.makes_enis);
        let view = self.term.view.borrow();
        let (cluster, clock) = (self.cluster.clone(), self.term.clock);
        self.seen = view.revision();
        self.state = Some(State::new(
            cluster,
            clock,
            &view,
            provided,
            context.now_ms(),
        ));
        drop(view);
        self.work(context, State::on_wake);
    }

    fn observe(&self) -> Observation {
        let state = self.state.as_ref();
        state.map_or_else(Observation::default, State::observe)
    }
}

impl Handler<Changed> for CloudActor {
    fn handle(&mut self, Changed(changes): Changed, context: &mut Context<Self>) {
        let changes = feed::later(changes, self.seen);
        self.work(context, |state, now_ms, troubles, out| {
            state.on_changed(&changes, now_ms, troubles, out);
        });
    }
}

impl Handler<Urgent> for CloudActor {
    fn handle(&mut self, Urgent(job): Urgent, _: &mut Context<Self>) {
        if let Some(state) = &mut self.state {
            state.on_urgent(job);
        }
    }
}

impl Handler<Answered> for CloudActor {
    fn handle(&mut self, Answered { ticket, answer }: Answered, context: &mut Context<Self>) {
        self.work(context, |state, now_ms, troubles, out| {
            state.on_answer((ticket, answer), now_ms, troubles, out);
        });
    }
}

impl Handler<Settled> for CloudActor {
    fn handle(&mut self, Settled { job, committed }: Settled, context: &mut Context<Self>) {
        self.work(context, |state, now_ms, troubles, out| {
            state.on_committed((job, &committed), now_ms, troubles, out);
        });
    }
}

impl Handler<Observe> for CloudActor {
    fn handle(&mut self, Observe(reply): Observe, _: &mut Context<Self>) {
        let observed = self.state.as_mut().map(State::look);
        reply.answer(Ok(observed));
    }
}

impl Handler<LastAudit> for CloudActor {
    fn handle(&mut self, LastAudit(reply): LastAudit, context: &mut Context<Self>) {
        let now_ms = context.now_ms();
        let audit = self.state.as_ref().and_then(State::last_audit);
        let aged = audit.map(|audit| {
            let age_ms = now_ms.saturating_sub(audit.began_ms);
            (audit, age_ms)
        });
        reply.answer(Ok(aged));
    }
}

impl Handler<End> for CloudActor {
    fn handle(&mut self, _: End, context: &mut Context<Self>) {
        context.stop();
    }
}
