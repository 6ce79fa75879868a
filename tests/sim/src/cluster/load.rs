//! Calls on their way: from whoever wants something to a server and back.

use super::{Cluster, Owner};
use crate::answer::Answer;
use crate::call::{Body, Call, CallId};
use crate::desk::Ended;
use crate::fleet::{Purpose, Wish};
use crate::server::Visit;
use crate::wire::Packet;
use berth_raft::simulation::workload::{Moment, Violation};

/// How long an administrator's call goes on, in moments.
const ERRAND_MOMENTS: u64 = 400;
/// Both sides are compared in every so manyth moment.
const CLOUD_CHECKED_EVERY: u64 = 4;
/// How long a read goes on.
const READ_MOMENTS: u64 = 80;

// === impl Cluster ===

impl Cluster {
    /// All is healed: what is wanted now must come about.
    pub(super) fn heal(&mut self) {
        self.is_healed = true;
        self.wire.heal();
        self.fleet.is_calm = true;
        if let Some(cloud) = &mut self.cloud {
            cloud.heal();
        }
    }

    /// Calls to the cloud, and what has to be so there.
    pub(super) fn cloud_moment(&mut self) -> Result<(), Violation> {
        let Some(cloud) = &mut self.cloud else {
            return Ok(());
        };
        // Who hears of an answer may set timers.
        let _runtime = self.runtime.enter();
        cloud.moment(self.now);
        match self.now.is_multiple_of(CLOUD_CHECKED_EVERY) {
            true => cloud.check(self.oracle.ledger()),
            false => Ok(()),
        }
    }

    /// Whoever wants something says so.
    pub(super) fn callers(&mut self, moment: &Moment<'_>) -> Result<(), Violation> {
        let now = self.now;
        let members: Vec<u64> = moment.running.iter().map(|(member, _)| *member).collect();
        self.facts(moment);
        let mut wishes = self.fleet.moment(now, &mut self.random);
        wishes.extend(self.words());
        for machine in std::mem::take(&mut self.fleet.stopped) {
            self.wire.stopped(machine);
            for id in self.desk.stopped(machine) {
                self.owners.remove(&id);
            }
        }
        self.wish(wishes);
        self.errands();
        self.read();
        for id in std::mem::take(&mut self.fleet.orphaned) {
            self.owners.remove(&id);
            self.desk
                .drop_call(id, now, &mut self.wire, &mut self.random);
        }
        let places = self.fleet.machines.len();
        self.wire.moment(now, places, &members, &mut self.random);
        let over = self
            .desk
            .moment(now, &members, &mut self.wire, &mut self.random);
        for (id, call) in over {
            self.ended(id, &call, &Ended::GivenUp);
        }
        Ok(())
    }

    fn errands(&mut self) {
        let acts = !self.is_healed && self.random.chance(self.plan.fleet.admin_per_mille);
        let mut errands =
            self.admin
                .moment(&mut self.fleet, &mut self.oracle, acts, &mut self.random);
        errands.extend(self.last_word());
        for errand in errands {
            let begins = self.now + errand.after;
            let times = (begins, begins + ERRAND_MOMENTS);
            let id = self.desk.call(errand.body, None, times, self.oracle.floor);
            self.owners.insert(id, Owner::Admin(errand.task));
        }
    }

    fn facts(&mut self, moment: &Moment<'_>) {
        let lag = &self.plan.lag;
        if !lag.has_facts {
            return;
        }
        if !self.is_healed && self.random.chance(lag.facts_die_per_mille) {
            self.source.die(self.now + self.random.between(10, 600));
        }
        let awake = |member: &u64| moment.running.contains(&(*member, false));
        let leader = self
            .servers
            .iter()
            .find(|(member, server)| server.gate().role().ready && awake(member));
        let leader = leader.map(|(member, server)| (*member, server.gate()));
        // The servers' clock is the runtime's.
        let _runtime = self.runtime.enter();
        self.source
            .moment(self.now, leader, &self.fleet, &mut self.random);
    }

    fn wish(&mut self, wishes: Vec<Wish>) {
        for wish in wishes {
            let times = (self.now, self.now + wish.moments);
            let id = self
                .desk
                .call(wish.body, Some(wish.node), times, self.oracle.floor);
            self.fleet.called(&wish.purpose, id);
            self.owners.insert(id, Owner::Fleet(wish.purpose));
        }
    }

    /// Somebody looks at an attachment.
    fn read(&mut self) {
        if !self.random.chance(self.plan.fleet.read_per_mille) {
            return;
        }
        let keys = &self.fleet.by_key;
        let nth = self.random.below(keys.len() as u64) as usize;
        let Some(key) = keys.keys().nth(nth).cloned() else {
            return;
        };
        let body = match self.random.chance(700) {
            true => Body::Read(key),
            false => Body::ReadStale(key),
        };
        let times = (self.now, self.now + READ_MOMENTS);
        let id = self.desk.call(body, None, times, self.oracle.floor);
        self.owners.insert(id, Owner::Reader);
    }

    /// What has arrived, at servers and at callers.
    pub(super) fn arrivals(&mut self, moment: &Moment<'_>) -> Result<(), Violation> {
        let now = self.now;
        let members: Vec<u64> = moment.running.iter().map(|(member, _)| *member).collect();
        for packet in self.wire.arrivals(now) {
            match packet {
                Packet::Request { member, .. } | Packet::Cancel { member, .. }
                    if moment.running.contains(&(member, true)) =>
                {
                    self.wire.put(now + 1, packet);
                }
                Packet::Request {
                    from: place,
                    delivery,
                    call,
                    member,
                    body,
                } => {
                    self.note(delivery << 8 | member);
                    self.say(|| format!("{} reaches member {member} as {delivery}", short(&body)));
                    self.counts.requests += 1;
                    if let Some(server) = self.servers.get_mut(&member) {
                        server.serve(delivery, Visit { call, place, body });
                    }
                }
                Packet::Cancel { delivery, member } => {
                    if let Some(server) = self.servers.get_mut(&member) {
                        server.cancel(delivery);
                    }
                }
                Packet::Answer {
                    delivery,
                    call,
                    member,
                    answer,
                } => {
                    self.note(delivery << 8 | 0xff);
                    self.counts.answers += 1;
                    self.answer(call, member, answer, &members)?;
                }
            }
        }
        Ok(())
    }

    fn answer(
        &mut self,
        id: CallId,
        member: u64,
        answer: Answer,
        members: &[u64],
    ) -> Result<(), Violation> {
        if let Answer::Read(Ok(sight)) = &answer {
            if let Some(call) = self.desk.get(id) {
                let is_linearizable = matches!(call.body, Body::Read(_));
                let floor = Some(call.floor).filter(|_| is_linearizable);
                self.oracle.saw(sight, floor)?;
            }
        } else {
            self.oracle.acknowledged(&answer);
        }
        let arrived =
            self.desk
                .arrived((id, member), answer, (self.now, members), &mut self.random);
        if let Some((call, ended)) = arrived {
            self.ended(id, &call, &ended);
        }
        Ok(())
    }

    /// A call is over.
    fn ended(&mut self, id: CallId, call: &Call, ended: &Ended) {
        let Some(owner) = self.owners.remove(&id) else {
            return;
        };
        let answer = match ended {
            Ended::Answered(answer) => Some(answer),
            Ended::GivenUp => None,
        };
        self.say(|| match answer {
            Some(answer) => format!("{} -> {}", short(&call.body), brief(answer)),
            None => format!("{} is given up", short(&call.body)),
        });
        match owner {
            Owner::Fleet(purpose) => self.fleet_told(&purpose, call, answer),
            Owner::Admin(task) => self.admin.finished(&task, answer, &mut self.fleet),
            Owner::Reader => {}
        }
    }

    fn fleet_told(&mut self, purpose: &Purpose, call: &Call, answer: Option<&Answer>) {
        let random = &mut self.random;
        let wishes = match (purpose, &call.body) {
            (Purpose::Report(machine), _) => {
                self.fleet.reported(*machine);
                Vec::new()
            }
            (Purpose::Add(id), _) => {
                let added = self.fleet.added(*id, answer, random);
                if added.is_some() {
                    self.found = self.found.take().or(self.fleet.doubled(*id));
                }
                added.unwrap_or_default()
            }
            (Purpose::Del(id), Body::Del(release)) => {
                if let Some(Answer::Deleted(Ok(_))) = answer {
                    self.oracle.deleted(release);
                }
                self.fleet
                    .deleted(*id, answer, release.invoked_at_ms, random)
            }
            _ => {
                let is_done = matches!(answer, Some(Answer::Collected(Ok(_))));
                self.fleet.counts.collected += u64::from(is_done);
                Vec::new()
            }
        };
        self.wish(wishes);
    }

    /// What servers have answered goes on its way.
    pub(super) fn leave(&mut self) -> Result<(), Violation> {
        let now = self.now;
        for (member, server) in &mut self.servers {
            for (delivery, visit, answer) in server.answers() {
                self.counts.answered += 1;
                if self.log && !matches!(answer, Answer::Read(_)) {
                    println!(
                        "{now:>6}  member {member} answers {delivery}: {}",
                        brief(&answer)
                    );
                }
                self.oracle.answered(delivery, &visit.body, &answer)?;
                let packet = Packet::Answer {
                    delivery,
                    call: visit.call,
                    member: *member,
                    answer,
                };
                self.wire.answer(now, visit.place, packet, &mut self.random);
            }
        }
        Ok(())
    }
}

fn brief(answer: &Answer) -> String {
    match answer {
        Answer::Added(Ok(added)) => {
            let row = &added.allocation;
            format!(
                "{:?} by bind {}, created: {}",
                row.addresses, row.generation, added.created
            )
        }
        Answer::Deleted(Ok(deleted)) => {
            format!("released: {} at {}", deleted.released, deleted.revision)
        }
        answer => match answer.failure() {
            Some(failure) => failure.to_string(),
            None => format!("{answer:?}"),
        },
    }
}

fn short(body: &Body) -> String {
    match body {
        Body::Add(add) => {
            let (at, boot) = (add.invoked_at_ms, &add.boot);
            format!("ADD {} at {at} of {boot}", add.key.container)
        }
        Body::Del(del) => {
            let (at, boot) = (del.invoked_at_ms, &del.boot);
            format!("DEL {} at {at} of {boot}", del.key.container)
        }
        Body::Collect(collect) => format!("GC of {}", collect.node),
        Body::Propose(proposal) => format!("{:?}", proposal.command),
        Body::Report(report) => format!("report of {}: {:?}", report.node, report.live),
        Body::Read(key) | Body::ReadStale(key) => format!("read {}", key.container),
    }
}
