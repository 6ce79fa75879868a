//! The VSwitchActor: a thin shell around [`State`].

use super::message::{Ask, Changed, CreateClaim, Drawn, GiveBack, NodeEnded, Redraw};
use super::state::{Observation, Out, State, Tag};
use crate::failure::Failure;
use crate::feed::Dated;
use crate::journal::{Committed, Propose};
use crate::node::Yield;
use crate::router::{TakeBack, Term};
use berth_actors::{Actor, Context, Handler, OneTimer, Reply, Unanswered};
use berth_domain::id::{NodeId, VSwitchId};
use berth_domain::outcome::Refusal;
use berth_domain::row::{Change, VSwitch};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use tracing::Span;

/// After the raft thread had no time.
const DRAW_AGAIN_AFTER_MS: u64 = 10;

/// One vSwitch's free addresses, on the leader.
#[derive(Debug)]
pub struct VSwitchActor {
    state: State,
    id: VSwitchId,
    term: Rc<Term>,
    wake: OneTimer,
}

/// The term or the vSwitch is over.
#[derive(Clone, Debug)]
pub struct End(pub Failure);

struct Taken(bool);

struct Answered {
    tag: Tag,
    committed: Committed,
}

// === impl VSwitchActor ===

impl VSwitchActor {
    /// Draws its addresses from the ledger; what is asked meanwhile waits.
    pub fn new(row: Arc<VSwitch>, term: Rc<Term>) -> Self {
        Self {
            id: row.id,
            state: State::new(row, term.clock),
            term,
            wake: OneTimer::default(),
        }
    }

    fn draw(&mut self, context: &mut Context<Self>) {
        let address = context.address();
        self.term.draw.vswitch(
            self.id,
            Reply::call(move |drawn: Result<Drawn, Unanswered>| address.deliver(drawn)),
        );
    }

    fn work(
        &mut self,
        context: &mut Context<Self>,
        work: impl FnOnce(&mut State, u64, &mut Vec<Out>),
    ) {
        let mut out = Vec::new();
        work(&mut self.state, context.now_ms(), &mut out);
        if let Some(free) = self.state.free_sets() {
            self.term.free.borrow_mut().insert(self.id, free);
        }
        for out in out {
            match out {
                Out::Propose { proposal, tag } => {
                    let address = context.address();
                    let reply = Reply::call(move |answer: Result<Committed, Unanswered>| {
                        let committed = answer.unwrap_or(Err(Failure::Unknown {
                            reason: "the journal has ended",
                        }));
                        address.deliver(Answered { tag, committed });
                    });
                    let span = Span::none();
                    // Few of them, and each for many waiting requests: not to be refused for a full mailbox.
                    self.term.journal.deliver(Propose {
                        proposal,
                        span,
                        until_ms: None,
                        reply,
                    });
                }
                Out::Take { node, addresses } => self.take(node, addresses, context),
                Out::WakeAt(at_ms) => self.wake.at(at_ms, context, Self::on_alarm),
            }
        }
    }

    /// A node in a pool gives back through the cloud; from others it is a command.
    fn take(&mut self, node: NodeId, addresses: Vec<IpAddr>, context: &mut Context<Self>) {
        let pooled = self.term.pooled.borrow().get(&node).cloned();
        let Some(pooled) = pooled else {
            return self.work(context, |state, _, out| {
                state.reclaim_of(node, addresses, out)
            });
        };
        let address = context.address();
        let reply = Reply::call(move |some: Result<bool, Unanswered>| {
            address.deliver(Taken(some.unwrap_or(false)));
        });
        pooled.deliver(Yield {
            vswitch: self.id,
            sets: u32::try_from(addresses.len()).unwrap_or(u32::MAX),
            reply,
        });
    }

    fn drawn(&mut self, drawn: Drawn, context: &mut Context<Self>) {
        let mut is_there = true;
        self.work(context, |state, now_ms, out| {
            is_there = state.on_drawn(drawn, now_ms, out)
        });
        if !is_there {
            self.state.end(&Failure::Refused(Refusal::NotFound {
                what: "vSwitch",
                name: self.id.to_string(),
            }));
            context.stop();
        }
    }

    fn on_alarm(&mut self, context: &mut Context<Self>) {
        self.wake.rang();
        self.work(context, State::on_wake);
    }
}

impl Actor for VSwitchActor {
    type Observation = Observation;

    fn started(&mut self, context: &mut Context<Self>) {
        self.draw(context);
    }

    fn observe(&self) -> Observation {
        self.state.observe()
    }
}

impl Handler<Ask> for VSwitchActor {
    fn handle(&mut self, ask: Ask, context: &mut Context<Self>) {
        self.work(context, |state, now_ms, out| state.on_ask(ask, now_ms, out));
    }
}

impl Handler<CreateClaim> for VSwitchActor {
    fn handle(&mut self, create: CreateClaim, context: &mut Context<Self>) {
        self.work(context, |state, now_ms, out| {
            state.on_claim(create, now_ms, out)
        });
    }
}

impl Handler<TakeBack> for VSwitchActor {
    fn handle(&mut self, take: TakeBack, context: &mut Context<Self>) {
        self.work(context, |state, _, out| state.on_take_back(take, out));
    }
}

impl Handler<GiveBack> for VSwitchActor {
    fn handle(&mut self, back: GiveBack, context: &mut Context<Self>) {
        self.work(context, |state, now_ms, out| {
            state.on_give_back(back.node, &back.addresses, now_ms, out)
        });
    }
}

impl Handler<NodeEnded> for VSwitchActor {
    fn handle(&mut self, NodeEnded(node): NodeEnded, context: &mut Context<Self>) {
        self.work(context, |state, now_ms, out| {
            state.on_node_ended(node, now_ms, out)
        });
    }
}

impl Handler<Changed> for VSwitchActor {
    fn handle(&mut self, Changed(changes): Changed, context: &mut Context<Self>) {
        // Other addresses than those that were drawn.
        let is_set = |(_, change): &Dated| {
            matches!(
                change,
                Change::VSwitch {
                    before: Some(_),
                    after: Some(_),
                    ..
                }
            )
        };
        let is_set = changes.iter().any(is_set);
        self.work(context, |state, now_ms, out| {
            state.on_changed(changes, now_ms, out)
        });
        if is_set && self.state.redraw() {
            self.draw(context);
        }
    }
}

impl Handler<Answered> for VSwitchActor {
    fn handle(&mut self, Answered { tag, committed }: Answered, context: &mut Context<Self>) {
        self.work(context, |state, now_ms, out| {
            state.on_committed(tag, committed, now_ms, out)
        });
    }
}

impl Handler<Taken> for VSwitchActor {
    fn handle(&mut self, Taken(some): Taken, context: &mut Context<Self>) {
        self.work(context, |state, now_ms, out| {
            state.on_taken(some, now_ms, out)
        });
    }
}

impl Handler<Redraw> for VSwitchActor {
    fn handle(&mut self, _: Redraw, context: &mut Context<Self>) {
        if self.state.redraw() {
            self.draw(context);
        }
    }
}

impl Handler<Result<Drawn, Unanswered>> for VSwitchActor {
    fn handle(&mut self, drawn: Result<Drawn, Unanswered>, context: &mut Context<Self>) {
        match drawn {
            Ok(drawn) => self.drawn(drawn, context),
            Err(Unanswered) => {
                context.run_later(DRAW_AGAIN_AFTER_MS, Self::draw);
            }
        }
    }
}

impl Handler<End> for VSwitchActor {
    fn handle(&mut self, End(failure): End, context: &mut Context<Self>) {
        self.state.end(&failure);
        context.stop();
    }
}
