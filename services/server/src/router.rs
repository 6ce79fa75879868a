//! Finds the actor of each request, starts actors on demand, and keeps them in step with what is applied.
//!
//! One per process, through all terms: it begins a term once this leader has applied an entry of it, and ends all
//! actors with it. What raft says comes here first, so that an actor hears of a change before it hears an outcome
//! that rests on it.

mod draw;
mod handlers;
mod housekeeping;
mod leading;
mod message;
mod term;
mod view;

pub use draw::{Aside, Draw, Look, Start};
pub use leading::Mailboxes;
pub use message::{Admin, Observe, ObserveCloud, PutBack, Scheduled, TakeBack, Turn, Wanted};
pub use term::Term;
pub use view::View;

use crate::cloud::{self, Provision};
use crate::facts::Facts;
use crate::failure::Failure;
use crate::journal::{Begin, Journal, LedgerClock, Lose, Propose, Settle, Settled};
use crate::node::{self, Request};
use crate::replica::Effect;
use crate::versions;
use crate::vswitch::message::CreateClaim;
use crate::vswitch::{self, VSwitchActor};
use berth_actors::{Actor, Address, Context, Handler, Reply, Spawner, Unanswered, Undelivered};
use berth_domain::command::Command;
use berth_domain::id::{NodeId, Revision, VSwitchId};
use berth_domain::outcome::Refusal;
use berth_domain::row::VSwitch;
use berth_domain::version::{BASE, ClusterVersion};
use berth_raft::driver::event::Event;
use berth_raft::status::Role;
use housekeeping::Housekeeping;
use leading::Leading;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;

/// After the raft thread had no time.
const DRAW_AGAIN_AFTER_MS: u64 = 10;
/// An administrator who creates a claim waits so long for an address.
const CLAIM_DEADLINE_MS: u64 = 10_000;

/// See the module.
#[derive(Debug)]
pub struct Router {
    spawner: Spawner,
    journal: Address<Journal>,
    facts: Facts,
    draw: Draw,
    role: Role,
    /// Says `ready` only once the actors are there.
    announced: watch::Sender<Role>,
    first_version: ClusterVersion,
    provision: Option<Provision>,
    mailboxes: Mailboxes,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// It does not lead, or not yet.
    Idle,
    /// It leads; what its actors start from is on its way. Groups applied meanwhile are kept.
    Starting { number: u64, kept: Vec<Effect> },
    /// Its actors are there.
    Leading(Leading),
}

struct Started {
    number: u64,
    start: Result<Start, Unanswered>,
    asked_at_ms: u64,
}

struct Located {
    number: u64,
    request: Request,
    node: Option<NodeId>,
}

// === impl Router ===

impl Router {
    /// Leads nothing yet.
    pub fn new(
        spawner: Spawner,
        journal: Address<Journal>,
        facts: Facts,
        draw: Draw,
        announced: watch::Sender<Role>,
    ) -> Self {
        Self {
            spawner,
            journal,
            facts,
            draw,
            role: Role::default(),
            announced,
            first_version: BASE,
            provision: None,
            mailboxes: Mailboxes::default(),
            stage: Stage::Idle,
        }
    }

    /// What a new cluster begins at, if this replica is its first leader.
    pub fn with_first_version(mut self, version: ClusterVersion) -> Self {
        self.first_version = version;
        self
    }

    /// With a cloud to make ENIs in.
    pub fn with_cloud(mut self, provision: Option<Provision>) -> Self {
        self.provision = provision;
        self
    }

    /// Other bounds than usual.
    pub fn with_mailboxes(mut self, mailboxes: Mailboxes) -> Self {
        self.mailboxes = mailboxes;
        self
    }

    fn leading(&mut self) -> Option<&mut Leading> {
        match &mut self.stage {
            Stage::Leading(leading) => Some(leading),
            Stage::Idle | Stage::Starting { .. } => None,
        }
    }

    fn vswitch(&self, id: VSwitchId) -> Option<Address<VSwitchActor>> {
        match &self.stage {
            Stage::Leading(leading) => leading.term.vswitches.borrow().get(&id).cloned(),
            Stage::Idle | Stage::Starting { .. } => None,
        }
    }

    // === terms ===

    fn on_role(&mut self, role: Role, context: &mut Context<Self>) {
        self.role = role;
        let number = match &self.stage {
            Stage::Idle => None,
            Stage::Starting { number, .. } => Some(*number),
            Stage::Leading(leading) => Some(leading.term.number),
        };
        let leads = role.leads();
        if number.is_some_and(|number| !leads || number != role.term) {
            self.end_term();
        }
        if leads && role.ready && matches!(self.stage, Stage::Idle) {
            self.stage = Stage::Starting {
                number: role.term,
                kept: Vec::new(),
            };
            self.ask_for_start(role.term, context);
        }
        self.announce();
    }

    fn ask_for_start(&mut self, number: u64, context: &mut Context<Self>) {
        let address = context.address();
        let asked_at_ms = context.now_ms();
        let reply = Reply::call(move |start: Result<Start, Unanswered>| {
            address.deliver(Started {
                number,
                start,
                asked_at_ms,
            });
        });
        self.draw.start(reply);
    }

    fn begin_term(&mut self, start: Start, now_ms: u64) {
        let Stage::Starting { number, kept } = std::mem::replace(&mut self.stage, Stage::Idle)
        else {
            return;
        };
        // From now, not from when the ledger was frozen: late is allowed.
        let clock = LedgerClock::start(start.ledger_ms, now_ms);
        let seen = start.view.revision();
        self.journal.deliver(Begin {
            clock,
            wall_ms: start.wall_ms,
            version: start.version,
        });
        if seen == Revision::default() && start.version < self.first_version {
            versions::begin(self.first_version, &self.journal);
        }
        self.facts.lead(start.with_facts);
        let rows: Vec<Arc<VSwitch>> = start.view.vswitches().cloned().collect();
        let term = Rc::new(Term {
            number,
            clock,
            view: start.view.into(),
            vswitches: Default::default(),
            pooled: Default::default(),
            watchers: Default::default(),
            cloud: Default::default(),
            makes_enis: Cell::new(false),
            troubles: Default::default(),
            free: Default::default(),
            leads: Arc::new(AtomicBool::new(true)),
            journal: self.journal.clone(),
            facts: self.facts.clone(),
            draw: self.draw.clone(),
        });
        let mut leading = Leading {
            term,
            nodes: BTreeMap::new(),
            mailboxes: self.mailboxes,
            housekeeping: Housekeeping::new(start.next_due_ms),
            seen,
        };
        for row in rows {
            leading.start_vswitch(row, &self.spawner);
        }
        if let Some(provision) = &self.provision {
            leading.start_cloud(start.cluster, provision.clone(), &self.spawner);
        }
        tracing::info!(term = number, revision = %seen, "this replica leads and serves");
        self.stage = Stage::Leading(leading);
        self.apply(kept);
        self.announce();
    }

    fn end_term(&mut self) {
        let stage = std::mem::replace(&mut self.stage, Stage::Idle);
        self.journal.deliver(Lose);
        self.facts.resign();
        let Stage::Leading(leading) = stage else {
            return;
        };
        tracing::info!(term = leading.term.number, "this replica leads no more");
        let failure = Failure::NotLeader {
            leader_endpoint: None,
        };
        for address in leading.nodes.values() {
            address.deliver(node::End(failure.clone()));
        }
        leading.term.leads.store(false, Ordering::Release);
        // Taken out, so that the term and its actors do not keep each other.
        leading.term.pooled.take();
        if let Some(cloud) = leading.term.cloud.take() {
            cloud.deliver(cloud::End);
        }
        for (_, address) in leading.term.vswitches.take() {
            address.deliver(vswitch::End(failure.clone()));
        }
    }

    fn announce(&self) {
        let role = Role {
            ready: self.role.ready && matches!(self.stage, Stage::Leading(_)),
            ..self.role
        };
        self.announced
            .send_if_modified(|before| std::mem::replace(before, role) != role);
    }

    // === what was applied ===

    fn apply(&mut self, effects: Vec<Effect>) {
        let spawner = self.spawner.clone();
        match &mut self.stage {
            Stage::Idle => {}
            Stage::Starting { kept, .. } => kept.extend(effects),
            Stage::Leading(leading) => leading.apply(effects, &spawner),
        }
    }

    // === requests ===

    fn route(&mut self, request: Request, context: &mut Context<Self>) {
        let Some(leading) = self.leading() else {
            return request.refuse(Failure::NotLeader {
                leader_endpoint: None,
            });
        };
        let name = match &request {
            Request::Add { request, .. } => Some(&request.node),
            Request::Gc { request, .. } => Some(&request.node),
            Request::Del { request, .. } => request.node.as_ref(),
        };
        let known = name.and_then(|name| leading.term.view.borrow().node(name).map(|node| node.id));
        let unknown = name.map(|name| {
            format!("{name} (register it with `berthctl node register {name} --zone ZONE`)")
        });
        match (known, &request) {
            (Some(node), _) => self.send(node, request),
            (None, Request::Del { request: del, .. }) => {
                let key = del.key.clone();
                self.locate(key, request, context);
            }
            (None, _) => request.refuse(Failure::Refused(Refusal::NotFound {
                what: "node",
                name: unknown.unwrap_or_default(),
            })),
        }
    }

    fn send(&mut self, node: NodeId, request: Request) {
        let spawner = self.spawner.clone();
        let Some(leading) = self.leading() else {
            return request.refuse(Failure::NotLeader {
                leader_endpoint: None,
            });
        };
        if let Err(undelivered) = leading.node(node, &spawner).try_send(request) {
            let failure = match &undelivered {
                Undelivered::Busy(_) => Failure::Busy {
                    what: "the node",
                    retry_after_ms: 100,
                },
                Undelivered::Closed(_) => Failure::Unavailable {
                    reason: "the node's actor has ended, try again".into(),
                },
            };
            undelivered.into_message().refuse(failure);
        }
    }

    /// A DEL from a node that is not known goes to wherever its attachment is bound.
    fn locate(
        &mut self,
        key: berth_domain::id::AttachmentKey,
        request: Request,
        context: &mut Context<Self>,
    ) {
        let number = self.role.term;
        let address = context.address();
        let reply = Reply::call(move |node: Result<Option<NodeId>, Unanswered>| match node {
            Ok(node) => address.deliver(Located {
                number,
                request,
                node,
            }),
            Err(Unanswered) => request.refuse(Failure::Busy {
                what: "the replica",
                retry_after_ms: 50,
            }),
        });
        self.draw.node_of(key, reply);
    }

    fn admin(&mut self, admin: Admin, now_ms: u64) {
        let Some(leading) = self.leading() else {
            return admin.reply.answer(Err(Failure::NotLeader {
                leader_endpoint: None,
            }));
        };
        let Admin {
            proposal,
            span,
            reply,
        } = admin;
        let unchosen = match &proposal.command {
            Command::CreateClaim(create) if create.addresses.is_empty() => Some(create.vswitch),
            _ => None,
        };
        let Some(vswitch) = unchosen else {
            return leading.term.journal.deliver(Propose {
                proposal,
                span,
                until_ms: None,
                reply,
            });
        };
        let vswitches = leading.term.vswitches.borrow();
        match vswitches.get(&vswitch) {
            Some(address) => address.deliver(CreateClaim {
                proposal,
                give_up_at_ms: now_ms + CLAIM_DEADLINE_MS,
                reply,
            }),
            None => reply.answer(Err(Failure::Refused(Refusal::NotFound {
                what: "vSwitch",
                name: vswitch.to_string(),
            }))),
        }
    }
}

// === handlers ===

impl Actor for Router {
    type Observation = Role;

    fn started(&mut self, context: &mut Context<Self>) {
        self.keep_house(context);
    }

    fn observe(&self) -> Role {
        *self.announced.borrow()
    }
}

impl Handler<Turn> for Router {
    fn handle(&mut self, Turn(events): Turn, context: &mut Context<Self>) {
        let (mut effects, mut settled) = (Vec::new(), Vec::new());
        for event in events {
            match event {
                Event::Applied {
                    mut effect, index, ..
                } => {
                    settled.push(Settled::Applied {
                        leader_boot: effect.leader_boot,
                        batch: effect.batch,
                        index,
                        answers: std::mem::take(&mut effect.answers),
                    });
                    effects.push(effect);
                }
                Event::Dropped { data, reason } => settled.push(Settled::Dropped { data, reason }),
                Event::Role(role) => {
                    // What came before belongs to the term before.
                    self.apply(std::mem::take(&mut effects));
                    self.journal.deliver(Settle(std::mem::take(&mut settled)));
                    self.on_role(role, context);
                }
                Event::MembershipChanged { .. }
                | Event::SnapshotInstalled { .. }
                | Event::Stopped(_) => {}
            }
        }
        self.apply(effects);
        if !settled.is_empty() {
            self.journal.deliver(Settle(settled));
        }
    }
}

impl Handler<Started> for Router {
    fn handle(&mut self, started: Started, context: &mut Context<Self>) {
        match (&self.stage, started.start) {
            (Stage::Starting { number, .. }, Ok(start)) if *number == started.number => {
                self.begin_term(start, context.now_ms());
                let took_ms = context.now_ms().saturating_sub(started.asked_at_ms);
                tracing::debug!(took_ms, "the actors' views were drawn");
            }
            (Stage::Starting { number, .. }, Err(Unanswered)) if *number == started.number => {
                let number = started.number;
                context.run_later(DRAW_AGAIN_AFTER_MS, move |router, context| {
                    if matches!(&router.stage, Stage::Starting { number: now, .. } if *now == number) {
                        router.ask_for_start(number, context);
                    }
                });
            }
            _ => {}
        }
    }
}
