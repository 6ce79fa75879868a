//! How an actor is reached: from any thread, without waiting, within a bound.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::reply::{Reply, Unanswered, Waiting};
use crate::{Actor, Context, Handler};

/// Reaches one actor. When the last one is dropped the actor ends, after what it was sent before.
pub struct Address<A: Actor> {
    core: Arc<Core<A>>,
}

/// Reaches whoever handles `M`, without naming the actor.
pub struct Sender<M> {
    send: Arc<dyn Fn(M) -> Result<(), Undelivered<M>> + Send + Sync>,
}

/// The message was not taken; here it is back.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered<M> {
    /// The mailbox is full.
    #[error("the actor's mailbox is full")]
    Busy(M),
    /// The actor has ended.
    #[error("the actor has ended")]
    Closed(M),
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The mailbox is full; nothing was started.
    #[error("the actor's mailbox is full")]
    Busy,
    /// The actor has ended; nothing was started.
    #[error("the actor has ended")]
    Closed,
    /// See [`Unanswered`].
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
}

/// A message with its handler.
pub(crate) type Job<A> = Box<dyn FnOnce(&mut A, &mut Context<A>) + Send>;

/// The queue, as an adapter has it. Not bounded: [`Core`] counts, so that every adapter refuses at the same message.
pub(crate) trait Mailbox<A: Actor>: Send + Sync {
    fn is_open(&self) -> bool;
    fn push(&self, job: Job<A>);
}

pub(crate) struct Core<A: Actor> {
    mailbox: Box<dyn Mailbox<A>>,
    capacity: usize,
    waiting: AtomicUsize,
    addresses: AtomicUsize,
}

// === impl Core ===

impl<A: Actor> Core<A> {
    pub(crate) fn new(mailbox: Box<dyn Mailbox<A>>, capacity: usize) -> Arc<Self> {
        Arc::new(Self {
            mailbox,
            capacity: capacity.max(1),
            waiting: AtomicUsize::new(0),
            addresses: AtomicUsize::new(0),
        })
    }

    /// A message left the mailbox.
    pub(crate) fn taken(&self) {
        self.waiting.fetch_sub(1, Ordering::AcqRel);
    }

    fn reserve(&self) -> bool {
        let one_more = |waiting| (waiting < self.capacity).then_some(waiting + 1);
        let order = Ordering::AcqRel;
        self.waiting
            .fetch_update(order, Ordering::Acquire, one_more)
            .is_ok()
    }

    fn push_beyond_capacity(&self, job: Job<A>) {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        self.mailbox.push(job);
    }
}

// === impl Address ===

impl<A: Actor> Address<A> {
    pub(crate) fn of(core: &Arc<Core<A>>) -> Self {
        core.addresses.fetch_add(1, Ordering::AcqRel);
        let core = Arc::clone(core);
        Self { core }
    }

    /// Puts a message into the mailbox, or gives it back.
    pub fn try_send<M: Send + 'static>(&self, message: M) -> Result<(), Undelivered<M>>
    where
        A: Handler<M>,
    {
        if !self.core.mailbox.is_open() {
            return Err(Undelivered::Closed(message));
        }
        if !self.core.reserve() {
            return Err(Undelivered::Busy(message));
        }
        self.core
            .mailbox
            .push(Box::new(|actor, context| actor.handle(message, context)));
        Ok(())
    }

    /// Puts a message into the mailbox even if it is full. Only for what the actor itself asked for, so that its own
    /// questions are the bound, and for what it must not miss (the feed). An ended actor drops it.
    pub fn deliver<M: Send + 'static>(&self, message: M)
    where
        A: Handler<M>,
    {
        self.core
            .push_beyond_capacity(Box::new(|actor, context| actor.handle(message, context)));
    }

    /// Sends a message that carries a reply, and waits. For the door and for tests; a handler cannot wait.
    pub async fn ask<M, T>(&self, build: impl FnOnce(Reply<T>) -> M) -> Result<T, AskError>
    where
        A: Handler<M>,
        M: Send + 'static,
    {
        let (reply, waiting) = Reply::new();
        self.try_send(build(reply))?;
        Ok(waiting.await?)
    }

    /// How the actor stands, asked behind the messages it has now; a full mailbox does not refuse this.
    pub fn observe(&self) -> Waiting<A::Observation> {
        let (reply, waiting) = Reply::new();
        self.core
            .push_beyond_capacity(Box::new(|actor, _| reply.answer(actor.observe())));
        waiting
    }

    /// Ends the actor, after what it was sent before.
    pub fn stop(&self) {
        self.core
            .push_beyond_capacity(Box::new(|_, context| context.stop()));
    }

    /// False once the actor has ended.
    pub fn is_open(&self) -> bool {
        self.core.mailbox.is_open()
    }

    /// How many messages wait.
    pub fn depth(&self) -> usize {
        self.core.waiting.load(Ordering::Acquire)
    }

    /// An address that names the message only.
    pub fn sender<M: Send + 'static>(&self) -> Sender<M>
    where
        A: Handler<M>,
    {
        let address = self.clone();
        let send = Arc::new(move |message| address.try_send(message));
        Sender { send }
    }
}

impl<A: Actor> Clone for Address<A> {
    fn clone(&self) -> Self {
        Self::of(&self.core)
    }
}

impl<A: Actor> Drop for Address<A> {
    fn drop(&mut self) {
        if self.core.addresses.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.stop();
        }
    }
}

impl<A: Actor> fmt::Debug for Address<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Address")
            .field("waiting", &self.depth())
            .field("capacity", &self.core.capacity)
            .finish()
    }
}

// === impl Sender ===

impl<M> Sender<M> {
    /// As [`Address::try_send`].
    pub fn try_send(&self, message: M) -> Result<(), Undelivered<M>> {
        (self.send)(message)
    }
}

impl<M> Clone for Sender<M> {
    fn clone(&self) -> Self {
        let send = Arc::clone(&self.send);
        Self { send }
    }
}

impl<M> fmt::Debug for Sender<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Sender")
    }
}

// === impl Undelivered ===

impl<M> Undelivered<M> {
    /// The message, to be answered or sent elsewhere.
    pub fn into_message(self) -> M {
        match self {
            Undelivered::Busy(message) | Undelivered::Closed(message) => message,
        }
    }
}

impl<M> fmt::Debug for Undelivered<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Undelivered::Busy(_) => "Busy",
            Undelivered::Closed(_) => "Closed",
        })
    }
}

impl<M> From<Undelivered<M>> for AskError {
    fn from(undelivered: Undelivered<M>) -> Self {
        match undelivered {
            Undelivered::Busy(_) => AskError::Busy,
            Undelivered::Closed(_) => AskError::Closed,
        }
    }
}
