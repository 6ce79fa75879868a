//! One call: its tries, until one of them has the answer or time is up. `plan` decides, this performs.

mod plan;
mod verdict;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use berth_proto::v1::{Refusal, RefusalCode};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until};
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use crate::client::Client;
use crate::error::{Attempt, Error};
use crate::methods::Carried;
use crate::route::{Connection, Route};
use plan::Plan;
use verdict::{Verdict, judge};

/// What a call may do.
#[derive(Clone, Copy)]
pub(crate) struct Method {
    /// Twice has the effect of once.
    pub(crate) repeatable: bool,
    /// What comes back goes on; the deadline is for its beginning.
    pub(crate) stream: bool,
    /// With less time left it is not sent again.
    pub(crate) least: Duration,
}

struct Call<'a, Q, S, F, M> {
    client: &'a Client,
    method: Method,
    request: Q,
    send: M,
    deadline: Instant,
    routes: Vec<Arc<Route>>,
    plan: Plan,
    running: FuturesUnordered<Pin<Box<dyn Future<Output = Event<S>> + Send>>>,
    /// The last failure of each route.
    failures: BTreeMap<usize, String>,
    not_now: Option<Box<Refusal>>,
    sent: bool,
    answer: std::marker::PhantomData<fn() -> F>,
}

enum Event<S> {
    Dialled(usize, Result<Connection, String>),
    Answered(usize, Connection, Result<Response<S>, Status>),
}

/// Calls until there is an answer.
pub(crate) async fn run<Q, S, F, M>(
    client: &Client,
    method: Method,
    mut request: Q,
    send: M,
) -> Result<S, Error>
where
    Q: Carried,
    S: 'static,
    F: Future<Output = Result<Response<S>, Status>> + Send + 'static,
    M: Fn(Channel, Request<Q>) -> F,
{
    request.prepare();
    let now = Instant::now();
    let routes = client.routes();
    let mut call = Call {
        client,
        method,
        request,
        send,
        deadline: client.patience.deadline(now),
        plan: Plan::new(routes.len(), method.repeatable, now),
        routes,
        running: FuturesUnordered::new(),
        failures: BTreeMap::new(),
        not_now: None,
        sent: false,
        answer: std::marker::PhantomData,
    };
    call.run().await
}

// === impl Call ===

impl<Q, S, F, M> Call<'_, Q, S, F, M>
where
    Q: Carried,
    S: 'static,
    F: Future<Output = Result<Response<S>, Status>> + Send + 'static,
    M: Fn(Channel, Request<Q>) -> F,
{
    async fn run(&mut self) -> Result<S, Error> {
        loop {
            self.start();
            let due = self
                .plan
                .due()
                .map_or(self.deadline, |due| due.min(self.deadline));
            tokio::select! {
                biased;
                Some(event) = self.running.next() => {
                    if let Some(outcome) = self.take(event) {
                        return outcome;
                    }
                }
                () = sleep_until(due) => {
                    if Instant::now() >= self.deadline {
                        return Err(self.too_late());
                    }
                }
            }
        }
    }

    /// Starts what the plan wants to be started now.
    fn start(&mut self) {
        while let Some(at) = self.plan.start(Instant::now()) {
            match self.routes[at].ready() {
                Some(connection) => self.dialled(at, connection),
                None => {
                    let route = Arc::clone(&self.routes[at]);
                    let dial = async move { Event::Dialled(at, route.connect().await) };
                    self.running.push(Box::pin(dial));
                }
            }
        }
    }

    fn dialled(&mut self, at: usize, connection: Connection) {
        let now = Instant::now();
        let enough = self.deadline.saturating_duration_since(now) >= self.method.least;
        if !self.plan.may_send(at, enough || !self.sent, now) {
            return;
        }
        self.sent = true;
        let request = self.stamped(now);
        let answer = (self.send)(connection.channel.clone(), request);
        let answer = async move { Event::Answered(at, connection, answer.await) };
        self.running.push(Box::pin(answer));
    }

    fn stamped(&self, now: Instant) -> Request<Q> {
        let remaining = self.deadline.saturating_duration_since(now);
        let mut message = self.request.clone();
        message.set_remaining(remaining);
        let mut request = Request::new(message);
        if !self.method.stream {
            request.set_timeout(remaining);
        }
        if let Some(traceparent) = &self.client.traceparent {
            request
                .metadata_mut()
                .insert("traceparent", traceparent.clone());
        }
        request
    }

    fn take(&mut self, event: Event<S>) -> Option<Result<S, Error>> {
        match event {
            Event::Dialled(at, Ok(connection)) => {
                self.dialled(at, connection);
                None
            }
            Event::Dialled(at, Err(failure)) => {
                self.failures.insert(at, failure);
                self.plan.failed(at, Instant::now());
                let nobody = self.plan.nobody_listens() && !self.client.wait_for_server();
                nobody.then(|| {
                    Err(Error::Unreachable {
                        attempts: self.attempts(),
                    })
                })
            }
            Event::Answered(at, _, Ok(response)) => {
                self.routes[at].answered();
                self.client.prefer(&self.routes[at]);
                Some(Ok(response.into_inner()))
            }
            Event::Answered(at, connection, Err(status)) => {
                self.refused(at, &connection, status).map(Err)
            }
        }
    }

    fn refused(&mut self, at: usize, connection: &Connection, status: Status) -> Option<Error> {
        let now = Instant::now();
        let endpoint = self.routes[at].name();
        let verdict = judge(endpoint, status);
        if !matches!(verdict, Verdict::Broken(_) | Verdict::TooLate) {
            self.routes[at].answered();
        }
        match verdict {
            Verdict::Final(error) => {
                if matches!(error, Error::Refused(_)) {
                    self.client.prefer(&self.routes[at]);
                }
                return Some(error);
            }
            Verdict::NotLeader { refusal, .. } if self.client.is_pinned() => {
                return Some(Error::Refused(refusal));
            }
            Verdict::NotLeader { leader, .. } => {
                let named = leader.as_deref();
                let said = named.map_or("and knows no leader".into(), |to| format!("but {to} is"));
                self.failures
                    .insert(at, format!("is not the leader, {said}"));
                match named.and_then(|leader| self.follow(at, leader)) {
                    Some(to) => self.plan.hinted(at, to, now),
                    None => self.plan.failed(at, now),
                }
            }
            Verdict::NotNow { refusal, .. }
                if refusal.code() == RefusalCode::OutcomeUnknown && !self.method.repeatable =>
            {
                return Some(Error::Refused(refusal));
            }
            Verdict::NotNow { wait, refusal } => {
                self.failures.insert(at, refusal.message.clone());
                self.not_now = Some(refusal);
                self.plan.told_to_wait(at, wait, now);
            }
            Verdict::Broken(reason) => {
                let reason = self.routes[at].broken(reason, self.client.certificate());
                self.routes[at].forget(connection);
                if !self.method.repeatable {
                    let endpoint = endpoint.to_owned();
                    return Some(Error::OutcomeUnknown { endpoint, reason });
                }
                self.failures.insert(at, reason);
                self.plan.failed(at, now);
            }
            Verdict::TooLate => {
                self.failures.insert(at, "did not answer in time".into());
                self.plan.failed(at, now);
            }
        }
        None
    }

    /// The index of a hinted leader among this call's routes.
    fn follow(&mut self, from: usize, leader: &str) -> Option<usize> {
        let route = self.client.hinted(&self.routes[from], leader)?;
        let known = self
            .routes
            .iter()
            .position(|known| Arc::ptr_eq(known, &route));
        Some(known.unwrap_or_else(|| {
            self.routes.push(route);
            self.plan.add_route();
            self.routes.len() - 1
        }))
    }

    fn too_late(&mut self) -> Error {
        Error::DeadlineExceeded {
            sent: self.sent,
            refusal: self.not_now.take(),
            attempts: self.attempts(),
        }
    }

    /// What became of each route; those still under way included.
    fn attempts(&self) -> Vec<Attempt> {
        let attempt = |(at, route): (usize, &Arc<Route>)| {
            let failure = match self.failures.get(&at) {
                Some(failure) => failure.clone(),
                None => self.plan.standing(at)?.to_owned(),
            };
            let endpoint = route.name().to_owned();
            Some(Attempt { endpoint, failure })
        };
        self.routes.iter().enumerate().filter_map(attempt).collect()
    }
}
