//! The one file that says actix. It runs without an actix `System`, on any `LocalSet`.

use std::sync::Arc;

use actix::{ActorContext, AsyncContext};
use tokio::time::Instant;

use crate::address::{Core, Job, Mailbox};
use crate::body::Body;
use crate::{Actor, Address, Clock};

struct Shell<A: Actor> {
    /// Boxed, so that actors need not be `Unpin`.
    body: Box<Body<A>>,
    /// One actix timer for all of ours: actix looks at each of its own whenever it wakes up.
    armed: Option<(Instant, actix::SpawnHandle)>,
}

struct Work<A: Actor>(Job<A>);

struct Queue<A: Actor>(actix::Addr<Shell<A>>);

pub(crate) fn spawn<A: Actor>(actor: A, capacity: usize, clock: Arc<dyn Clock>) -> Address<A> {
    let context = actix::Context::<Shell<A>>::new();
    let core = Core::new(Box::new(Queue(context.address())), capacity);
    let address = Address::of(&core);
    let body = Box::new(Body::new(actor, core, clock));
    context.run(Shell { body, armed: None });
    address
}

// === impl Shell ===

impl<A: Actor> Shell<A> {
    /// After each turn: stop, or see that the next timer is armed.
    fn settle(&mut self, context: &mut actix::Context<Self>) {
        if self.body.is_stopped() {
            context.stop();
            return;
        }
        let due = self.body.next_due();
        if due == self.armed.map(|(due, _)| due) {
            return;
        }
        if let Some((_, handle)) = self.armed.take() {
            context.cancel_future(handle);
        }
        self.armed = due.map(|due| {
            let after = due.saturating_duration_since(Instant::now());
            (due, context.run_later(after, Self::wake))
        });
    }

    fn wake(&mut self, context: &mut actix::Context<Self>) {
        self.armed = None;
        self.body.run_due(Instant::now());
        self.settle(context);
    }
}

impl<A: Actor> actix::Actor for Shell<A> {
    type Context = actix::Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        self.body.start();
        self.settle(context);
    }
}

impl<A: Actor> actix::Message for Work<A> {
    type Result = ();
}

impl<A: Actor> actix::Handler<Work<A>> for Shell<A> {
    type Result = ();

    fn handle(&mut self, work: Work<A>, context: &mut Self::Context) {
        self.body.run(work.0);
        self.settle(context);
    }
}

// === impl Queue ===

impl<A: Actor> Mailbox<A> for Queue<A> {
    fn is_open(&self) -> bool {
        self.0.connected()
    }

    fn push(&self, job: Job<A>) {
        // Not `try_send`: the bound is kept in `Core`, the same for every adapter.
        self.0.do_send(Work(job));
    }
}
