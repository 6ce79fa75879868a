//! The second adapter: one tokio task per actor, nothing else.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::address::{Core, Job, Mailbox};
use crate::body::Body;
use crate::{Actor, Address, Clock};

struct Queue<A: Actor>(mpsc::UnboundedSender<Job<A>>);

pub(crate) fn spawn<A: Actor>(actor: A, capacity: usize, clock: Arc<dyn Clock>) -> Address<A> {
    let (sender, inbox) = mpsc::unbounded_channel();
    let core = Core::new(Box::new(Queue(sender)), capacity);
    let address = Address::of(&core);
    tokio::task::spawn_local(run(Body::new(actor, core, clock), inbox));
    address
}

async fn run<A: Actor>(mut body: Body<A>, mut inbox: mpsc::UnboundedReceiver<Job<A>>) {
    body.start();
    while !body.is_stopped() {
        let due = body.next_due();
        tokio::select! {
            biased;
            () = wait_until(due) => body.run_due(Instant::now()),
            // The body holds a sender, so the inbox does not end by itself.
            job = inbox.recv() => if let Some(job) = job { body.run(job) },
        }
    }
}

async fn wait_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

// === impl Queue ===

impl<A: Actor> Mailbox<A> for Queue<A> {
    fn is_open(&self) -> bool {
        !self.0.is_closed()
    }

    fn push(&self, job: Job<A>) {
        // An error means that the actor has ended; the job's replies are dropped with it.
        drop(self.0.send(job));
    }
}
