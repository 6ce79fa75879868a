//! One session: a ledger, a clock that the script moves, and what came of each line.

use crate::language::{Words, command, key, name};
use berth_domain::Ledger;
use berth_domain::command::{Header, Proposal};
use berth_domain::event::EventGroup;
use berth_domain::id::*;
use berth_domain::invariant;
use berth_domain::ledger::{Cursor, Selection};
use berth_domain::outcome::{Answer, Outcome};
use berth_domain::row::{AddressState, Change, ClaimState, Phase};
use std::fmt::Write;

pub struct Session {
    ledger: Ledger,
    now_ms: u64,
    history: Vec<EventGroup>,
}

impl Session {
    pub fn new() -> Self {
        Self {
            ledger: Ledger::new(name("test", ClusterId::new)),
            now_ms: 0,
            history: Vec::new(),
        }
    }

    /// What comes of a line.
    pub fn say(&mut self, line: &str) -> String {
        let words = Words::of(line);
        match (words.plain[0], words.plain.get(1)) {
            ("after", Some(ms)) => {
                self.now_ms += ms.parse::<u64>().expect("ms");
                String::new()
            }
            ("show", None) => self.show(),
            ("show", Some(sandbox)) => self.show_sandbox(sandbox),
            ("who", Some(address)) => self.who(address),
            ("pages", Some(limit)) => self.pages(limit.parse().expect("a limit")),
            _ => self.propose(&words),
        }
    }

    fn propose(&mut self, words: &Words) -> String {
        let proposal = Proposal {
            principal: name("local", Principal::new),
            request_id: name(words.named.get("request").unwrap_or(&""), RequestId::new),
            trace_id: None,
            reason: name("", Reason::new),
            facts: None,
            command: command(words, self.now_ms, &self.ledger),
        };
        let header = Header {
            ledger_time_ms: self.now_ms,
            wall_time_ms: self.now_ms,
        };
        let applied = self.ledger.apply(&header, vec![proposal]);
        assert_eq!(invariant::check_all(&self.ledger), []);
        let mut output = answered(&applied.answers[0]);
        for group in applied.groups {
            group
                .changes
                .iter()
                .for_each(|change| output.push_str(&changed(change)));
            self.history.push(group);
        }
        let empty = Ledger::new(self.ledger.cluster().clone());
        invariant::replays(&empty, &self.history, &self.ledger).expect("H2");
        output
    }

    fn show(&self) -> String {
        let mut output = String::new();
        for vswitch in self.ledger.vswitches() {
            let counts = self.ledger.counts(vswitch.id).expect("counts");
            writeln!(output, "vSwitch {} {counts}", vswitch.name).expect("a string");
        }
        for node in self.ledger.nodes() {
            let usage = self.ledger.usage(node.id).expect("usage");
            let v4 = usage.families[0];
            writeln!(
                output,
                "node {} ({}): {} allocations, ipv4 bound {} idle {} cooling {}",
                node.name, node.identity, usage.allocations, v4.bound, v4.idle, v4.cooling
            )
            .expect("a string");
        }
        for claim in self.ledger.claims() {
            let state = match &claim.state {
                ClaimState::Held {
                    release_at_ms: Some(at),
                    ..
                } => format!("held until {at}"),
                ClaimState::Held { .. } => "held".into(),
                ClaimState::Bound { key, .. } => format!("bound to {}", key.container),
            };
            writeln!(
                output,
                "claim {} {:?}: {state}",
                claim.name.pod, claim.addresses
            )
            .expect("a string");
        }
        for member in self.ledger.members() {
            writeln!(
                output,
                "member {} {} {}{}",
                member.id,
                member.name,
                member.peer_endpoint,
                if member.stays_learner {
                    " stays a learner"
                } else {
                    ""
                }
            )
            .expect("a string");
        }
        if let Some(row) = self.ledger.recovery() {
            let waiting: Vec<u64> = row.waiting.iter().map(|node| node.0).collect();
            writeln!(
                output,
                "recovery {} of {}, before {} at {}: waits for {waiting:?}, {} strays",
                row.number,
                row.cluster,
                row.former,
                row.follows,
                self.ledger.strays().count()
            )
            .expect("a string");
        }
        let due = self.ledger.next_due_ms();
        writeln!(
            output,
            "revision {}, next due {due:?}",
            self.ledger.revision()
        )
        .expect("a string");
        output
    }

    fn show_sandbox(&self, sandbox: &str) -> String {
        match self.ledger.allocation(&key(sandbox)) {
            Some(row) => format!(
                "{sandbox}: {:?}, generation {}\n",
                row.addresses, row.generation
            ),
            None => format!("{sandbox}: nothing\n"),
        }
    }

    fn who(&self, address: &str) -> String {
        let address = address.parse().expect("an address");
        let located = self.ledger.locate(address);
        let state = located.map(|located| Phase::of(located.state.as_ref()).name());
        match (state, self.ledger.in_use(address)) {
            (None, _) => format!("{address} is in no vSwitch\n"),
            (Some(_), Some(refusal)) => format!("{refusal}\n"),
            (Some(state), None) => format!("{address} is {state}\n"),
        }
    }

    /// All allocations by page, of everything, of each node, of the namespace and of each vSwitch.
    fn pages(&self, limit: usize) -> String {
        let mut output = String::new();
        let nodes = self.ledger.nodes().map(|node| Selection::Node(node.id));
        let vswitches = self
            .ledger
            .vswitches()
            .map(|row| Selection::VSwitch(row.id));
        let namespace = Selection::Namespace(None, name("shop", Namespace::new));
        let other = Selection::Namespace(None, name("other", Namespace::new));
        let pod = Selection::Pod(
            name("default", ClusterName::new),
            name("shop", Namespace::new),
            name("web-0", PodName::new),
        );
        let fixed = [Selection::All, namespace, other, pod];
        for selection in fixed.into_iter().chain(nodes).chain(vswitches) {
            let mut pages = Vec::new();
            let mut after: Option<Cursor> = None;
            loop {
                let page = self.ledger.page(&selection, after, limit);
                let names = page
                    .allocations
                    .iter()
                    .map(|row| row.key.container.to_string());
                pages.push(names.collect::<Vec<_>>().join(" "));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            writeln!(output, "{selection:?}: {}", pages.join(" | ")).expect("a string");
        }
        output
    }
}

fn answered(answer: &Answer) -> String {
    let text = match &answer.result {
        Ok(Outcome::Bound {
            allocation,
            created: true,
        }) => format!("bound {:?}", allocation.addresses),
        Ok(Outcome::Bound { allocation, .. }) => format!("bound before {:?}", allocation.addresses),
        Ok(Outcome::Released { released: true }) => "released".into(),
        Ok(Outcome::Released { .. }) => "held nothing".into(),
        Ok(Outcome::VSwitch(id)) => format!("vSwitch {id}"),
        Ok(Outcome::Node(id)) => format!("node {id}"),
        Ok(Outcome::Claim { id, addresses }) => format!("claim {id} {addresses:?}"),
        Ok(Outcome::Rows(rows)) => format!("{rows} rows"),
        Ok(Outcome::Confirmed {
            adopted,
            strays,
            waiting,
        }) => format!("{adopted} adopted, {strays} strays, {waiting} nodes to wait for"),
        Ok(Outcome::Job(id)) => format!("job {id}"),
        Ok(Outcome::Done) => "done".into(),
        Err(refusal) => format!("refused: {refusal}"),
    };
    format!("revision {}: {text}\n", answer.revision)
}

fn changed(change: &Change) -> String {
    let sides = |before: bool, after: bool| match (before, after) {
        (false, true) => "comes",
        (true, true) => "changes",
        _ => "goes",
    };
    match change {
        Change::Address {
            address,
            before,
            after,
            ..
        } => {
            let detail = match after {
                Some(AddressState::Cooling { until_ms, .. }) => format!(" until {until_ms}"),
                Some(AddressState::Bound { key, .. }) => format!(" to {}", key.container),
                _ => String::new(),
            };
            let (from, to) = (Phase::of(before.as_ref()), Phase::of(after.as_ref()));
            format!("  {address}: {} -> {}{detail}\n", from.name(), to.name())
        }
        Change::Allocation { key, before, after } => {
            format!(
                "  allocation {} {}\n",
                key.container,
                sides(before.is_some(), after.is_some())
            )
        }
        Change::Claim { id, before, after } => {
            format!(
                "  claim {id} {}\n",
                sides(before.is_some(), after.is_some())
            )
        }
        Change::Node { id, before, after } => {
            format!("  node {id} {}\n", sides(before.is_some(), after.is_some()))
        }
        Change::VSwitch { id, before, after } => {
            format!(
                "  vSwitch {id} {}\n",
                sides(before.is_some(), after.is_some())
            )
        }
        Change::Tombstone { key, before, after } => {
            format!(
                "  tombstone {} {}\n",
                key.container,
                sides(before.is_some(), after.is_some())
            )
        }
        Change::Request {
            id, before, after, ..
        } => {
            format!(
                "  request {id} {}\n",
                sides(before.is_some(), after.is_some())
            )
        }
        Change::Eni {
            number,
            before,
            after,
        } => {
            let state = after.as_ref().map_or("", |row| row.state.name());
            format!(
                "  ENI {number} {} {state}\n",
                sides(before.is_some(), after.is_some())
            )
        }
        Change::Job { id, before, after } => {
            let step = after.as_ref().map_or("", |row| row.step.name());
            format!(
                "  job {id} {} {step}\n",
                sides(before.is_some(), after.is_some())
            )
        }
        Change::Recovery { after, .. } => match after {
            Some(row) if row.is_open() => {
                format!("  recovery {} of {} is open\n", row.number, row.cluster)
            }
            Some(row) => format!("  recovery {} of {} is closed\n", row.number, row.cluster),
            None => "  no recovery\n".into(),
        },
        Change::OwedReport { node, after, .. } => match after {
            true => format!("  node {node} owes a report\n"),
            false => format!("  node {node} has said its word\n"),
        },
        Change::Stray {
            node,
            key,
            before,
            after,
        } => {
            let cause = after.as_ref().map_or("", |row| row.cause.text());
            let sides = sides(before.is_some(), after.is_some());
            let text = format!("  stray {} on node {node} {sides}: {cause}", key.container);
            format!("{}\n", text.trim_end_matches([':', ' ']))
        }
        Change::NodePool { id, before, after } => {
            format!(
                "  node pool {id} {}\n",
                sides(before.is_some(), after.is_some())
            )
        }
        Change::Member { id, before, after } => {
            format!(
                "  member {id} {}\n",
                sides(before.is_some(), after.is_some())
            )
        }
        Change::Cluster { before, after } => {
            format!(
                "  cluster version {} -> {}\n",
                before.version, after.version
            )
        }
    }
}
