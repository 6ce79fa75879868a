//! One node's state, the ledger that decides, and a VSwitchActor played by the test.

use crate::engine::samples::*;
use crate::facts::{Facts, Session};
use crate::failure::Failure;
use crate::feed::Batches;
use crate::journal::LedgerClock;
use crate::node::state::{Out, Seed, State, Tag, World};
use crate::node::{Allocate, Allocating, Caller, Collect, Collecting, Release, Releasing};
use crate::router::View;
use crate::vswitch::message::Grant;
use berth_actors::{ManualClock, Reply, Waiting};
use berth_domain::Ledger;
use berth_domain::choose::NodeStock;
use berth_domain::command::{Command, Header, Proposal};
use berth_domain::id::*;
use berth_domain::outcome::{Answer, Refusal};
use berth_proto::v1;
use berth_proto::v1::facts_report::Report;
use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{self, Poll};
use tracing::Span;

pub struct Play {
    pub ledger: Ledger,
    pub state: State,
    pub view: View,
    pub facts: Facts,
    pub clock: Arc<ManualClock>,
    pub out: Vec<Out>,
    node: NodeId,
    version: u64,
}

impl Play {
    /// vSwitches a (10.0.0.0/24) and b (10.0.1.0/24), nodes n2 and n1 (the one that is played), which begins with a.
    pub fn new() -> Self {
        Self::with_slots(0, 0)
    }

    /// The same, with ENI slots on n1; 0 = no limit.
    pub fn with_slots(eni_slots: u32, addresses_per_eni: u32) -> Self {
        let mut ledger = Ledger::new(ClusterId::new("test").expect("a name"));
        let commands = vec![
            create_vswitch("a", "10.0.0.0/24", 1_000),
            create_vswitch("b", "10.0.1.0/24", 1_000),
            register_node("n2", 0),
            with_slots(register_node("n1", 0), eni_slots, addresses_per_eni),
        ];
        let applied = ledger.apply(&header(0), commands);
        assert!(
            applied.answers.iter().all(|answer| answer.result.is_ok()),
            "{applied:?}"
        );
        let node = ledger
            .node_named(&NodeName::new("n1").expect("a name"))
            .expect("there")
            .id;
        let clock = Arc::new(ManualClock::default());
        let facts = Facts::new(clock.clone());
        facts.lead([]);
        Self {
            state: State::new(seed(&ledger, node)),
            view: View::of(&ledger),
            ledger,
            facts,
            clock,
            out: Vec::new(),
            node,
            version: 0,
        }
    }

    pub fn now_ms(&self) -> u64 {
        use berth_actors::Clock;
        self.clock.now_ms()
    }

    fn play<R>(&mut self, play: impl FnOnce(&mut State, World<'_>, &mut Vec<Out>) -> R) -> R {
        let world = World {
            now_ms: {
                use berth_actors::Clock;
                self.clock.now_ms()
            },
            clock: LedgerClock::start(0, 0),
            view: &self.view,
            facts: &self.facts,
            cloud: None,
        };
        play(&mut self.state, world, &mut self.out)
    }

    pub fn add(&mut self, request: Allocate) -> Waiting<Allocating> {
        let (reply, waiting) = Reply::new();
        self.play(|state, world, out| state.on_add(request, caller(reply), world, out));
        waiting
    }

    pub fn del(&mut self, request: Release) -> Waiting<Releasing> {
        let (reply, waiting) = Reply::new();
        self.play(|state, world, out| state.on_del(request, caller(reply), world, out));
        waiting
    }

    pub fn collect(&mut self, request: Collect) -> Waiting<Collecting> {
        let (reply, waiting) = Reply::new();
        self.play(|state, world, out| state.on_collect(request, caller(reply), world, out));
        waiting
    }

    pub fn wake(&mut self) {
        self.play(State::on_wake);
    }

    /// Sends what is wanted to the VSwitchActors; the asks, by number, vSwitch and count.
    pub fn asks(&mut self) -> Vec<(u64, VSwitchId, u32)> {
        self.play(State::flush);
        let mut asks = Vec::new();
        self.out.retain(|out| match out {
            Out::Ask {
                number,
                vswitch,
                count,
                ..
            } => {
                asks.push((*number, *vswitch, *count));
                false
            }
            _ => true,
        });
        asks
    }

    /// One set each; a set of both families has a comma.
    pub fn grant(&mut self, number: u64, addresses: &[&str]) {
        let set = |text: &&str| text.split(',').map(ip).collect();
        let sets = addresses.iter().map(set).collect();
        let grant = Grant { sets, dry: None };
        self.play(|state, world, out| state.on_granted(number, grant, world, out));
    }

    pub fn refuse(&mut self, number: u64, failure: Failure) {
        let grant = Grant {
            sets: Vec::new(),
            dry: Some(failure),
        };
        self.play(|state, world, out| state.on_granted(number, grant, world, out));
    }

    /// Asks one vSwitch for everything that is wanted of it, and grants these.
    pub fn grant_all(&mut self, addresses: &[&str]) {
        let asks = self.asks();
        assert_eq!(asks.len(), 1, "{asks:?}");
        self.grant(asks[0].0, addresses);
    }

    /// What was proposed and is not answered yet.
    pub fn proposed(&mut self) -> Vec<(Proposal, Tag)> {
        let mut proposed = Vec::new();
        self.out.retain_mut(|out| match out {
            Out::Propose { proposal, tag, .. } => {
                proposed.push((proposal.clone(), tag.clone()));
                false
            }
            _ => true,
        });
        proposed
    }

    /// Applies what was proposed, one entry each, feeds it back and answers it; the commands' names.
    pub fn settle(&mut self) -> Vec<&'static str> {
        let mut names = Vec::new();
        for (proposal, tag) in self.proposed() {
            names.push(proposal.command.name());
            let answer = self.apply(proposal.command);
            self.answer(tag, answer);
        }
        names
    }

    /// Applies a command of whoever it may be and feeds it back.
    pub fn apply(&mut self, command: Command) -> Answer {
        let now_ms = self.now_ms();
        let applied = self.ledger.apply(&header(now_ms), vec![proposal(command)]);
        let mut batches = Batches::default();
        batches.take(&applied.groups);
        for (_, change) in &batches.rows {
            self.view.observe(change);
        }
        self.view.reach(self.ledger.revision());
        let changes: Vec<_> = batches.nodes.remove(&self.node).unwrap_or_default();
        self.state.on_changed(
            &changes
                .into_iter()
                .map(|(_, change)| change)
                .collect::<Vec<_>>(),
        );
        applied.answers[0].clone()
    }

    pub fn answer(&mut self, tag: Tag, answer: Answer) {
        self.play(|state, world, out| state.on_committed(tag, Ok(answer), world, out));
    }

    /// Says of everything proposed that it did not come to the ledger, or that nobody knows.
    pub fn fail(&mut self, failure: &Failure) {
        for (_, tag) in self.proposed() {
            let failed = Err(failure.clone());
            self.play(|state, world, out| state.on_committed(tag, failed, world, out));
        }
    }

    /// Says that the address was taken.
    pub fn overtake(&mut self) {
        for (proposal, tag) in self.proposed() {
            let Command::Bind(bind) = proposal.command else {
                panic!("{proposal:?}");
            };
            let result = Err(Refusal::Taken {
                address: bind.addresses[0],
            });
            let revision = self.ledger.revision();
            self.answer(tag, Answer { revision, result });
        }
    }

    pub fn given_back(&mut self) -> Vec<IpAddr> {
        let mut back = Vec::new();
        self.out.retain(|out| match out {
            Out::GiveBack { addresses, .. } => {
                back.extend(addresses);
                false
            }
            _ => true,
        });
        back
    }

    pub fn wakes(&mut self) -> Vec<u64> {
        let mut wakes = Vec::new();
        self.out.retain(|out| match out {
            Out::WakeAt(at_ms) => {
                wakes.push(*at_ms);
                false
            }
            _ => true,
        });
        wakes
    }

    pub fn begin_facts(&mut self) -> Session {
        self.version = 0;
        let begin = v1::FactsBegin {
            cluster: "one".into(),
            source: "test".into(),
            epoch: 1,
        };
        self.facts.begin(&begin).expect("begins")
    }

    pub fn say(&mut self, session: &mut Session, report: Report) {
        self.version += 1;
        let report = v1::FactsReport {
            version: self.version,
            report: Some(report),
        };
        session.report(report).expect("taken");
    }
}

fn with_slots(mut proposal: Proposal, eni_slots: u32, addresses_per_eni: u32) -> Proposal {
    if let Command::RegisterNode(register) = &mut proposal.command {
        register.eni_slots = eni_slots;
        register.addresses_per_eni = addresses_per_eni;
    }
    proposal
}

fn caller<T>(reply: Reply<T>) -> Caller<T> {
    let span = Span::none();
    Caller { span, reply }
}

pub fn seed(ledger: &Ledger, node: NodeId) -> Seed {
    Seed {
        enis: ledger.enis_of(node).cloned().collect(),
        jobs: ledger.jobs_of(node).cloned().collect(),
        node: ledger.node(node).expect("there").clone(),
        allocations: ledger.node_allocations(node).cloned().collect(),
        stock: NodeStock::new(ledger, node).expect("there"),
        revision: ledger.revision(),
    }
}

pub fn header(now_ms: u64) -> Header {
    Header {
        ledger_time_ms: now_ms,
        wall_time_ms: now_ms,
    }
}

/// What it was told, if it was told by now.
pub fn told<T>(waiting: &mut Waiting<T>) -> Option<T> {
    let mut context = task::Context::from_waker(task::Waker::noop());
    match pin!(waiting).poll(&mut context) {
        Poll::Ready(answer) => Some(answer.expect("never dropped")),
        Poll::Pending => None,
    }
}
