//! The NodeActor: a thin shell around [`State`]. Performs what the state wants done.

use super::granted::Granted;
use super::message::{Allocate, Collect, Release, Yield};
use super::request::{Allocating, Caller, Collecting, Releasing};
use super::state::{CloudWorld, Observation, Out, Seed, State, Tag, World};
use crate::cloud;
use crate::failure::Failure;
use crate::feed::{self, Dated};
use crate::journal::{Committed, Propose};
use crate::router::Term;
use crate::vswitch::message::{Ask, GiveBack, Grant, Purpose, Redraw};
use berth_actors::{Actor, Context, Handler, OneTimer, Reply, Unanswered};
use berth_domain::choose::Families;
use berth_domain::id::{NodeId, Revision, VSwitchId};
use berth_domain::outcome::Refusal;
use std::rc::Rc;

/// One node's attachments, on the leader.
#[derive(Debug)]
pub struct NodeActor {
    node: NodeId,
    /// None until it is drawn from the ledger.
    state: Option<State>,
    /// What changed since a draw was asked for.
    kept: Vec<Dated>,
    is_drawing: bool,
    /// What has come up to here is in the state.
    seen: Revision,
    /// Requests that came before the state.
    waiting: Vec<Request>,
    term: Rc<Term>,
    wake: OneTimer,
    /// A look is due because pods were scheduled, or wait.
    will_look: bool,
}

/// After the raft thread had no time.
const DRAW_AGAIN_AFTER_MS: u64 = 10;
/// A scheduler binds many pods in a moment; a kubelet takes longer to call for them.
const GATHER_MS: u64 = 20;

/// A caller's request, on its way to its node.
#[derive(Debug)]
pub enum Request {
    /// An ADD.
    Add {
        /// What is asked.
        request: Allocate,
        /// Who is told.
        caller: Caller<Allocating>,
    },
    /// A DEL.
    Del {
        /// What is asked.
        request: Release,
        /// Who is told.
        caller: Caller<Releasing>,
    },
    /// A GC.
    Gc {
        /// What is asked.
        request: Collect,
        /// Who is told.
        caller: Caller<Collecting>,
    },
}

/// Applied changes of this node, in order.
#[derive(Debug)]
pub struct Changed(pub Vec<Dated>);

/// A claim that was waited for changed, or facts arrived.
#[derive(Clone, Copy, Debug)]
pub struct Wake;

/// A pod was scheduled to the node: it will want an address soon.
#[derive(Clone, Copy, Debug)]
pub struct Scheduled;

/// The term or the node is over.
#[derive(Clone, Debug)]
pub struct End(pub Failure);

struct Answered {
    tag: Tag,
    committed: Committed,
}

struct Flush;

struct Drawn(Result<Option<Seed>, Unanswered>);

// === impl Request ===

impl Request {
    /// Tells whoever waits that it cannot be.
    pub fn refuse(self, failure: Failure) {
        match self {
            Self::Add { caller, .. } => caller.reply.answer(Err(failure)),
            Self::Del { caller, .. } => caller.reply.answer(Err(failure)),
            Self::Gc { caller, .. } => caller.reply.answer(Err(failure)),
        }
    }
}

// === impl NodeActor ===

impl NodeActor {
    /// Draws its state from the ledger; what is asked meanwhile waits.
    pub fn new(node: NodeId, term: Rc<Term>) -> Self {
        Self {
            node,
            state: None,
            kept: Vec::new(),
            is_drawing: false,
            seen: Revision(0),
            waiting: Vec::new(),
            term,
            wake: OneTimer::default(),
            will_look: false,
        }
    }

    fn draw(&mut self, context: &mut Context<Self>) {
        self.is_drawing = true;
        let address = context.address();
        let reply =
            Reply::call(move |seed: Result<Option<Seed>, Unanswered>| address.deliver(Drawn(seed)));
        self.term.draw.node(self.node, reply);
    }

    /// The state as the ledger had it, brought up to date.
    fn drawn(&mut self, seed: Seed, context: &mut Context<Self>) {
        self.is_drawing = false;
        self.seen = seed.revision;
        let state = match self.state.take() {
            None => State::new(seed),
            Some(mut state) => {
                state.refresh(seed);
                state
            }
        };
        let state = self.state.insert(state);
        state.on_changed(&feed::later(std::mem::take(&mut self.kept), self.seen));
        for request in std::mem::take(&mut self.waiting) {
            self.request(request, context);
        }
        self.work(context, State::restock);
    }

    fn request(&mut self, request: Request, context: &mut Context<Self>) {
        self.work(context, |state, world, out| match request {
            Request::Add { request, caller } => state.on_add(request, caller, world, out),
            Request::Del { request, caller } => state.on_del(request, caller, world, out),
            Request::Gc { request, caller } => state.on_collect(request, caller, world, out),
        });
    }

    fn end(&mut self, failure: &Failure, context: &mut Context<Self>) {
        for request in self.waiting.drain(..) {
            request.refuse(failure.clone());
        }
        if let Some(state) = &mut self.state {
            state.end(failure);
        }
        context.stop();
    }

    /// Lets the state work, then does what it wants done.
    fn work(
        &mut self,
        context: &mut Context<Self>,
        work: impl FnOnce(&mut State, World<'_>, &mut Vec<Out>),
    ) {
        let Some(state) = &mut self.state else {
            return;
        };
        let mut out = Vec::new();
        let view = self.term.view.borrow();
        let has_cloud = self.term.makes_enis.get();
        let (troubles, free) = (self.term.troubles.borrow(), self.term.free.borrow());
        let world = World {
            now_ms: context.now_ms(),
            clock: self.term.clock,
            view: &view,
            facts: &self.term.facts,
            cloud: has_cloud.then_some(CloudWorld {
                troubles: &troubles,
                free: &free,
            }),
        };
        work(state, world, &mut out);
        drop((view, troubles, free));
        for out in out {
            self.perform(out, context);
        }
    }

    fn perform(&mut self, out: Out, context: &mut Context<Self>) {
        match out {
            Out::Propose {
                proposal,
                span,
                until_ms,
                tag,
            } => {
                let address = context.address();
                let reply = Reply::call(move |answer: Result<Committed, Unanswered>| {
                    let committed = answer.unwrap_or(Err(Failure::Unknown {
                        reason: "the journal has ended",
                    }));
                    address.deliver(Answered { tag, committed });
                });
                self.propose(Propose {
                    proposal,
                    span,
                    until_ms,
                    reply,
                });
            }
            Out::Ask {
                number,
                vswitch,
                families,
                count,
                purpose,
                give_up_at_ms,
            } => self.ask(
                number,
                vswitch,
                (families, count, purpose, give_up_at_ms),
                context,
            ),
            Out::GiveBack { vswitch, addresses } => {
                if let Some(address) = self.term.vswitches.borrow().get(&vswitch) {
                    let node = self.node;
                    address.deliver(GiveBack { node, addresses });
                }
            }
            Out::Urgent(job) => {
                if let Some(cloud) = self.term.cloud.borrow().as_ref() {
                    cloud.deliver(cloud::Urgent(job));
                }
            }
            Out::WakeAt(at_ms) => self.wake.at(at_ms, context, Self::on_alarm),
            Out::Watch(claim) => self.term.watch(claim, self.node),
            Out::FlushSoon => context.address().deliver(Flush),
            Out::Gather => self.gather(context),
            Out::Refresh(vswitch) => {
                if let Some(address) = self.term.vswitches.borrow().get(&vswitch) {
                    address.deliver(Redraw);
                }
                if !self.is_drawing {
                    self.draw(context);
                }
            }
        }
    }

    /// Many pods come at once: one look for all that have come by then.
    fn gather(&mut self, context: &mut Context<Self>) {
        if !std::mem::replace(&mut self.will_look, true) {
            context.run_later(GATHER_MS, |actor, context| {
                actor.will_look = false;
                actor.work(context, State::restock);
            });
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

    fn ask(
        &self,
        number: u64,
        vswitch: VSwitchId,
        (families, count, purpose, give_up_at_ms): (Families, u32, Purpose, u64),
        context: &mut Context<Self>,
    ) {
        let address = context.address();
        let node = self.node;
        let home = self.term.vswitches.borrow().get(&vswitch).cloned();
        let give_back = move |addresses| {
            if let Some(home) = home {
                home.deliver(GiveBack { node, addresses });
            }
        };
        let reply = Reply::call(move |answer: Result<Grant, Unanswered>| {
            let grant = answer.unwrap_or_else(|_| dry("the vSwitch's actor has ended, try again"));
            address.deliver(Granted::new(number, grant, give_back));
        });
        let ask = Ask {
            node: self.node,
            families,
            count,
            purpose,
            give_up_at_ms,
            reply,
        };
        let vswitches = self.term.vswitches.borrow();
        let Some(address) = vswitches.get(&vswitch) else {
            return ask.reply.answer(Grant {
                sets: Vec::new(),
                dry: Some(Failure::Refused(Refusal::NotFound {
                    what: "vSwitch",
                    name: vswitch.to_string(),
                })),
            });
        };
        if let Err(undelivered) = address.try_send(ask) {
            undelivered.into_message().reply.answer(Grant {
                sets: Vec::new(),
                dry: Some(Failure::Busy {
                    what: "the vSwitch",
                    retry_after_ms: 50,
                }),
            });
        }
    }

    fn on_alarm(&mut self, context: &mut Context<Self>) {
        self.wake.rang();
        self.work(context, State::on_wake);
    }
}

fn dry(reason: &str) -> Grant {
    Grant {
        sets: Vec::new(),
        dry: Some(Failure::Unavailable {
            reason: reason.into(),
        }),
    }
}

impl Actor for NodeActor {
    type Observation = Observation;

    fn started(&mut self, context: &mut Context<Self>) {
        self.draw(context);
    }

    fn observe(&self) -> Observation {
        let view = self.term.view.borrow();
        let state = self.state.as_ref();
        state.map_or_else(Observation::default, |state| state.observe(&view))
    }
}

impl Handler<Request> for NodeActor {
    fn handle(&mut self, request: Request, context: &mut Context<Self>) {
        match self.state {
            Some(_) => self.request(request, context),
            // Bounded by what the gate admits.
            None => self.waiting.push(request),
        }
    }
}

impl Handler<Drawn> for NodeActor {
    fn handle(&mut self, Drawn(seed): Drawn, context: &mut Context<Self>) {
        match seed {
            Ok(Some(seed)) => self.drawn(seed, context),
            Ok(None) => {
                let name = format!("{} (it was removed)", self.node);
                self.end(
                    &Failure::Refused(Refusal::NotFound { what: "node", name }),
                    context,
                );
            }
            Err(Unanswered) => {
                context.run_later(DRAW_AGAIN_AFTER_MS, Self::draw);
            }
        }
    }
}

impl Handler<Answered> for NodeActor {
    fn handle(&mut self, Answered { tag, committed }: Answered, context: &mut Context<Self>) {
        self.work(context, |state, world, out| {
            state.on_committed(tag, committed, world, out)
        });
    }
}

impl Handler<Granted> for NodeActor {
    fn handle(&mut self, granted: Granted, context: &mut Context<Self>) {
        let (number, grant) = granted.take();
        self.work(context, |state, world, out| {
            state.on_granted(number, grant, world, out)
        });
    }
}

impl Handler<Changed> for NodeActor {
    fn handle(&mut self, Changed(changes): Changed, context: &mut Context<Self>) {
        if self.is_drawing {
            self.kept.extend_from_slice(&changes);
        }
        let changes = feed::later(changes, self.seen);
        self.work(context, |state, world, out| {
            state.on_changed(&changes);
            state.restock(world, out);
        });
    }
}

impl Handler<Wake> for NodeActor {
    fn handle(&mut self, _: Wake, context: &mut Context<Self>) {
        self.work(context, State::on_wake);
    }
}

impl Handler<Yield> for NodeActor {
    fn handle(&mut self, asked: Yield, context: &mut Context<Self>) {
        let mut some = false;
        self.work(context, |state, world, out| {
            some = state.on_yield(asked.vswitch, asked.sets, world, out);
        });
        asked.reply.answer(some);
    }
}

impl Handler<Scheduled> for NodeActor {
    fn handle(&mut self, _: Scheduled, context: &mut Context<Self>) {
        self.gather(context);
    }
}

impl Handler<Flush> for NodeActor {
    fn handle(&mut self, _: Flush, context: &mut Context<Self>) {
        self.work(context, State::flush);
    }
}

impl Handler<End> for NodeActor {
    fn handle(&mut self, End(failure): End, context: &mut Context<Self>) {
        self.end(&failure, context);
    }
}
