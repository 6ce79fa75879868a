//! One client's way to make a call: one try at one member with exactly one outcome, or the shipped client with all its tries.

mod wire;

use super::chance::Chance;
use super::{Shared, endpoints, rest};
use crate::record::{Answer, Call, Write};
use berth_client::{Client, Options};
use std::sync::Arc;
use std::time::Duration;
use tonic::transport::{Channel, Endpoint};
use wire::Asked;

/// One try waits so long.
pub(crate) const TRY_WITHIN: Duration = Duration::from_millis(1_500);
/// A call of the shipped client.
const CALL_WITHIN: Duration = Duration::from_secs(6);
/// Between two tries of one call.
const PAUSE_MS: u64 = 60;

/// One of a load's clients.
pub(crate) struct Caller {
    name: String,
    shared: Arc<Shared>,
    members: Vec<(String, Channel)>,
    shipped: Client,
    /// Who answered last, or whom a hint named.
    preferred: usize,
    pub(crate) chance: Chance,
}

// === impl Caller ===

impl Caller {
    pub(crate) fn new(shared: &Arc<Shared>, name: &str, stream: u64) -> Self {
        let channel = |endpoint: String| {
            let lazy = Endpoint::from_shared(endpoint.clone()).expect("an endpoint");
            let lazy = lazy
                .connect_timeout(Duration::from_millis(400))
                .http2_keep_alive_interval(Duration::from_millis(500))
                .keep_alive_timeout(Duration::from_millis(500))
                .keep_alive_while_idle(true);
            (endpoint, lazy.connect_lazy())
        };
        let options = Options {
            deadline: CALL_WITHIN,
            ..Options::endpoints(endpoints())
        };
        Self {
            name: name.to_owned(),
            shared: Arc::clone(shared),
            members: endpoints().into_iter().map(channel).collect(),
            shipped: Client::new(options).expect("endpoints"),
            preferred: 0,
            chance: Chance::new(shared.seed, stream),
        }
    }

    /// One try at one member: whoever answered last, now and then another.
    pub(crate) async fn once(&mut self, call: Call, invoked_at_ms: u64) -> Answer {
        let place = match self.chance.percent(10) {
            true => usize::try_from(self.chance.between(0, self.members.len() as u64)).unwrap_or(0),
            false => self.preferred,
        };
        self.at(place, call, invoked_at_ms, TRY_WITHIN).await
    }

    /// One try at this member.
    pub(crate) async fn at(
        &mut self,
        place: usize,
        call: Call,
        invoked_at_ms: u64,
        within: Duration,
    ) -> Answer {
        let (endpoint, channel) = &self.members[place];
        let recorder = Arc::clone(&self.shared.recorder);
        let id = recorder.begin(&self.name, endpoint, false, call.clone());
        let asked = wire::ask(channel.clone(), &call, invoked_at_ms, within);
        let asked = match tokio::time::timeout(within, asked).await {
            Ok(asked) => asked,
            Err(_) => Asked::unknown("no answer in time"),
        };
        recorder.end(id, &asked.answer);
        let hinted = self
            .members
            .iter()
            .position(|(name, _)| Some(name) == asked.leader.as_ref());
        self.preferred = match (&asked.answer, hinted) {
            (_, Some(hinted)) => hinted,
            (Answer::Unknown { .. }, None) => (place + 1) % self.members.len(),
            (Answer::Refused { code, .. }, None) if code == "NOT_LEADER" => {
                (place + 1) % self.members.len()
            }
            _ => place,
        };
        asked.answer
    }

    /// Two tries at two members at the same time: the duplicate of a runtime that gave up waiting.
    pub(crate) async fn twice(&mut self, call: Call, invoked_at_ms: u64) -> Answer {
        let recorder = Arc::clone(&self.shared.recorder);
        let name = format!("{}-again", self.name);
        let (endpoint, channel) = self.members[self.preferred].clone();
        let copy = call.clone();
        let again = tokio::task::spawn_local(async move {
            let id = recorder.begin(&name, &endpoint, false, copy.clone());
            let asked = tokio::time::timeout(
                TRY_WITHIN,
                wire::ask(channel, &copy, invoked_at_ms, TRY_WITHIN),
            )
            .await;
            let answer = asked
                .map_or(Asked::unknown("no answer in time"), |asked| asked)
                .answer;
            recorder.end(id, &answer);
        });
        let answer = self.once(call, invoked_at_ms).await;
        again.await.expect("no panic");
        answer
    }

    /// The shipped client, with as many tries as it makes.
    pub(crate) async fn shipped(&mut self, call: Call, invoked_at_ms: u64) -> Answer {
        let recorder = Arc::clone(&self.shared.recorder);
        let id = recorder.begin(&self.name, "", true, call.clone());
        let asked = wire::shipped(&self.shipped, &call, invoked_at_ms).await;
        recorder.end(id, &asked.answer);
        asked.answer
    }

    /// Tries until somebody answers for good, or everything ends.
    pub(crate) async fn until_answered(&mut self, call: Call, invoked_at_ms: u64) -> Answer {
        loop {
            let answer = self.once(call.clone(), invoked_at_ms).await;
            if !is_temporary(&answer) || !self.shared.goes_on() {
                return answer;
            }
            let pause = self.chance.between(PAUSE_MS / 2, PAUSE_MS * 2);
            rest(&self.shared, pause).await;
        }
    }

    /// The same for a change, under one request id.
    pub(crate) async fn change_until_answered(&mut self, write: Write) -> Answer {
        let request_id = format!("{}-{}", self.name, self.shared.recorder.boot_clock_ms());
        self.until_answered(Call::Change { request_id, write }, 0)
            .await
    }
}

/// Whether asking again may help by itself.
pub(crate) fn is_temporary(answer: &Answer) -> bool {
    match answer {
        Answer::Unknown { .. } => true,
        Answer::Refused { code, .. } => matches!(
            code.as_str(),
            "NOT_LEADER" | "BUSY" | "UNAVAILABLE" | "DISK_LOW" | "DEADLINE_TOO_SHORT" | "TAKEN"
        ),
        _ => false,
    }
}
