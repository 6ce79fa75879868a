//! The source of facts: dies, comes back with a new epoch, and follows whoever leads.

use crate::fleet::{Fleet, annotation, pod_text, uid_text};
use crate::make;
use berth_proto::v1;
use berth_proto::v1::facts_report::Report;
use berth_raft::simulation::random::Random;
use berthd::facts::Session;
use berthd::leader::Gate;
use std::collections::BTreeMap;

/// What one pod's fact says; none = it is not there.
type Fact = Option<(u64, usize)>;

/// See the module.
pub struct Source {
    /// None = it is dead, until this moment.
    dead_until: u64,
    epoch: u64,
    stream: Option<Stream>,
    /// A heartbeat is due then, in moments.
    beat_at: u64,
}

struct Stream {
    member: u64,
    session: Session,
    version: u64,
    told: BTreeMap<usize, Fact>,
}

// === impl Source ===

impl Source {
    /// Alive.
    pub fn new() -> Self {
        Self {
            dead_until: 0,
            epoch: 0,
            stream: None,
            beat_at: 0,
        }
    }

    /// It dies, and comes back by that moment.
    pub fn die(&mut self, until: u64) {
        self.dead_until = until;
        self.stream = None;
    }

    /// A member's process has ended: its streams with it.
    pub fn member_ended(&mut self, member: u64) {
        self.stream.take_if(|stream| stream.member == member);
    }

    /// Reports what changed to the leader, if there is one to be reached.
    pub fn moment(
        &mut self,
        now: u64,
        leader: Option<(u64, &Gate)>,
        fleet: &Fleet,
        random: &mut Random,
    ) {
        if now < self.dead_until {
            return;
        }
        let Some((member, gate)) = leader else {
            return;
        };
        if self
            .stream
            .as_ref()
            .is_none_or(|stream| stream.member != member)
            && random.chance(200)
        {
            self.epoch += 1;
            self.stream = Stream::begin(member, gate, self.epoch, fleet);
        }
        let beats = now >= self.beat_at;
        if beats {
            self.beat_at = now + 50;
        }
        if let Some(stream) = &mut self.stream
            && !stream.follow(fleet, beats)
        {
            self.stream = None;
        }
    }
}

// === impl Stream ===

impl Stream {
    fn begin(member: u64, gate: &Gate, epoch: u64, fleet: &Fleet) -> Option<Self> {
        let begin = v1::FactsBegin {
            cluster: make::cluster().as_str().to_owned(),
            source: "simulated".to_owned(),
            epoch,
        };
        let session = gate.facts().begin(&begin).ok()?;
        let mut stream = Self {
            member,
            session,
            version: 0,
            told: BTreeMap::new(),
        };
        let is_told = stream.follow(fleet, false) && stream.say(Report::Synced(v1::FactsSynced {}));
        is_told.then_some(stream)
    }

    /// False if the stream is over.
    fn follow(&mut self, fleet: &Fleet, beats: bool) -> bool {
        for (number, pod) in fleet.pods.iter().enumerate() {
            let fact = pod.uid.map(|uid| (uid, pod.node));
            let told = self.told.insert(number, fact).unwrap_or(None);
            if told == fact {
                continue;
            }
            let (uid, node) = fact.or(told).unwrap_or_default();
            let annotations = pod
                .policy
                .map(|policy| ("berth.io/static-address".to_owned(), annotation(policy)));
            let report = v1::PodFact {
                namespace: make::namespace().as_str().to_owned(),
                name: pod_text(number),
                uid: uid_text(uid),
                node: make::node_name(node).as_str().to_owned(),
                annotations: annotations.into_iter().collect(),
                gone: fact.is_none(),
                ..v1::PodFact::default()
            };
            if !self.say(Report::Pod(report)) {
                return false;
            }
        }
        !beats || self.say(Report::Heartbeat(v1::FactsHeartbeat {}))
    }

    fn say(&mut self, report: Report) -> bool {
        self.version += 1;
        let message = v1::FactsReport {
            version: self.version,
            report: Some(report),
        };
        self.session.report(message).is_ok()
    }
}
