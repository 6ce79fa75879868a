//! The way back: it travels with the message, through as many actors as need be.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{self, Poll};

use tokio::sync::oneshot;

/// Where the answer goes. Whoever holds it answers once; dropping it tells the other side [`Unanswered`].
#[must_use = "a dropped reply is answered with `Unanswered`"]
pub struct Reply<T> {
    path: Option<Path<T>>,
}

/// The other end of a [`Reply`]: a future of the answer. Dropping it tells the holder that nobody waits any more.
#[derive(Debug)]
#[must_use = "an answer that nobody waits for is lost"]
pub struct Waiting<T> {
    receiver: oneshot::Receiver<T>,
}

/// The reply was dropped: its actor ended, or its term did. Whether the effect took place is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the reply was dropped unanswered; the outcome is not known")]
pub struct Unanswered;

enum Path<T> {
    Channel(oneshot::Sender<T>),
    Call(Box<dyn FnOnce(Result<T, Unanswered>) + Send>),
}

// === impl Reply ===

impl<T> Reply<T> {
    /// A reply, and the future that it completes.
    pub fn new() -> (Self, Waiting<T>) {
        let (sender, receiver) = oneshot::channel();
        let path = Some(Path::Channel(sender));
        (Self { path }, Waiting { receiver })
    }

    /// A reply that runs `call` where it is answered or dropped; that is how an actor is sent its answer as a message.
    /// Keep it to a send: it runs inside whoever answers.
    pub fn call(call: impl FnOnce(Result<T, Unanswered>) + Send + 'static) -> Self {
        let path = Some(Path::Call(Box::new(call)));
        Self { path }
    }

    /// Gives the answer. If nobody waits any more it is dropped.
    pub fn answer(mut self, value: T) {
        match self.path.take() {
            // An error means that the caller gave up: nobody is left to be told.
            Some(Path::Channel(sender)) => drop(sender.send(value)),
            Some(Path::Call(call)) => call(Ok(value)),
            None => {}
        }
    }

    /// False once the caller has given up. For work that is not worth starting for nobody.
    pub fn is_wanted(&self) -> bool {
        match &self.path {
            Some(Path::Channel(sender)) => !sender.is_closed(),
            Some(Path::Call(_)) => true,
            None => false,
        }
    }

    /// A reply of another type, which answers this one through `convert`.
    pub fn map<U>(self, convert: impl FnOnce(U) -> T + Send + 'static) -> Reply<U>
    where
        T: Send + 'static,
    {
        Reply::call(move |answer: Result<U, Unanswered>| {
            if let Ok(value) = answer {
                self.answer(convert(value));
            }
        })
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        if let Some(Path::Call(call)) = self.path.take() {
            call(Err(Unanswered));
        }
    }
}

impl<T> fmt::Debug for Reply<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Reply")
    }
}

// === impl Waiting ===

impl<T> Future for Waiting<T> {
    type Output = Result<T, Unanswered>;

    fn poll(mut self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<Self::Output> {
        let answer = Pin::new(&mut self.receiver).poll(context);
        answer.map(|answer| answer.map_err(|_| Unanswered))
    }
}
