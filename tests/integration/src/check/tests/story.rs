//! A run that went well, told step by step; a test then bends one fact of it.

use crate::record::*;
use std::collections::BTreeMap;

pub const COOLING_MS: u64 = 1_000;

/// Keeps rows, times and ids, so that what is told fits together.
#[derive(Clone, Debug)]
pub struct Story {
    pub record: Record,
    groups: Vec<Group>,
    rows: BTreeMap<(String, String), String>,
    pub now_ms: u64,
}

// === impl Story ===

impl Story {
    /// vSwitch "pods", 10.9.0.0/29: six addresses to give out.
    pub fn new() -> Self {
        let mut story = Self {
            record: Record::default(),
            groups: Vec::new(),
            rows: BTreeMap::new(),
            now_ms: 0,
        };
        let write = Write::CreateVSwitch {
            name: "pods".into(),
            cidr: "10.9.0.0/29".into(),
            cooling_ms: COOLING_MS,
        };
        story.change(
            "create-vswitch",
            write,
            &[("vswitch", "pods", "10.9.0.0/29, zone a")],
        );
        story
    }

    pub fn revision(&self) -> u64 {
        self.groups.len() as u64
    }

    pub fn pass(&mut self, ms: u64) {
        self.now_ms += ms;
    }

    /// One more revision; rows are (kind, key, after).
    pub fn group(&mut self, cause: &str, request_id: &str, rows: &[(&str, &str, &str)]) -> u64 {
        let revision = self.revision() + 1;
        let mut made = Vec::new();
        for (kind, key, after) in rows {
            let place = (kind.to_string(), key.to_string());
            let never = if *kind == "address" { "never used" } else { "" };
            let before = self.rows.insert(place, after.to_string());
            made.push(Row {
                kind: kind.to_string(),
                key: key.to_string(),
                before: before.unwrap_or_else(|| never.into()),
                after: after.to_string(),
            });
        }
        self.groups.push(Group {
            revision,
            ledger_time_ms: self.now_ms,
            wall_time_ms: self.now_ms,
            request_id: request_id.into(),
            cause: cause.into(),
            rows: made,
            chain: format!("chain {revision}"),
        });
        revision
    }

    /// A call that took a millisecond.
    pub fn call(&mut self, call: Call, answer: Answer) -> &mut Operation {
        let began_us = self.now_ms * 1_000;
        self.now_ms += 1;
        self.record.operations.push(Operation {
            id: self.record.operations.len() as u64,
            client: "test".into(),
            member: "a".into(),
            several: false,
            began_us,
            ended_us: Some(began_us + 900),
            call,
            answer,
        });
        self.record.operations.last_mut().expect("just pushed")
    }

    pub fn change(&mut self, cause: &str, write: Write, rows: &[(&str, &str, &str)]) {
        let request_id = format!("request-{}", self.revision());
        let revision = self.group(cause, &request_id, rows);
        self.call(
            Call::Change { request_id, write },
            Answer::Done { revision },
        );
    }

    pub fn claim(&mut self, pod: &str, address: &str) {
        let name = format!("default/shop/{pod}");
        let write = Write::CreateClaim {
            name: name.clone(),
            addresses: vec![address.into()],
        };
        let held = format!("{address}, never, held");
        self.change(
            "create-claim",
            write,
            &[
                ("address", address, "held for claim 2"),
                ("claim", &name, &held),
            ],
        );
    }

    /// An ADD that binds `address`, and its pod's belief.
    pub fn add(&mut self, container: &str, pod: &str, address: &str) -> u64 {
        let key = key(container);
        let revision = self.revision() + 1;
        let allocation = format!("{address} of shop/{pod} on worker-1, generation {revision}");
        let bound = format!("bound shop/{pod} on worker-1");
        let mut rows = vec![
            ("allocation", key.as_str(), allocation.as_str()),
            ("address", address, &bound),
        ];
        let (claim, held) = (
            format!("default/shop/{pod}"),
            format!("{address}, never, bound on worker-1"),
        );
        let is_static = self.rows.contains_key(&("claim".to_owned(), claim.clone()));
        if is_static {
            rows.push(("claim", &claim, &held));
        }
        self.group("bind", "", &rows);
        let answer = Answer::Bound {
            addresses: vec![address.into()],
            generation: revision,
            revision,
            created: true,
            claim: if is_static {
                claim.clone()
            } else {
                String::new()
            },
        };
        self.call(add(container, pod), answer);
        self.record.uses.push(Use {
            key,
            address: address.into(),
            is_static,
            from_us: self.now_ms * 1_000,
            until_us: None,
        });
        revision
    }

    /// A DEL; the address rests or stays its claim's.
    pub fn delete(&mut self, container: &str, pod: &str, address: &str) -> u64 {
        let key = key(container);
        let until = self.now_ms * 1_000;
        let user = self
            .record
            .uses
            .iter_mut()
            .rev()
            .find(|user| user.key == key);
        user.expect("it was bound").until_us = Some(until);
        let claim = format!("default/shop/{pod}");
        let rest = format!("cooling until ledger time {} ms", self.now_ms + COOLING_MS);
        let held = format!("{address}, never, held");
        let mut rows = vec![
            ("allocation", key.as_str(), ""),
            ("tombstone", &key, "until"),
        ];
        match self.rows.contains_key(&("claim".to_owned(), claim.clone())) {
            true => rows.extend([
                ("address", address, "held for claim 2"),
                ("claim", &claim, &held),
            ]),
            false => rows.push(("address", address, &rest)),
        }
        let revision = self.group("release", "", &rows);
        let call = Call::Delete {
            attachment: attachment(container, pod),
        };
        self.call(
            call,
            Answer::Released {
                revision,
                released: true,
            },
        );
        revision
    }

    pub fn expire(&mut self, address: &str) {
        self.group("expire", "", &[("address", address, "free")]);
    }

    pub fn read(&mut self, read: Read, answer: Answer) {
        self.call(Call::Read(read), answer);
    }

    /// The record as three members tell it.
    pub fn told(mut self) -> Record {
        for member in ["a", "b", "c"] {
            self.record
                .histories
                .insert(member.into(), self.groups.clone());
            self.record
                .digests
                .insert(member.into(), (9, "same".into()));
        }
        self.record
    }
}

pub fn key(container: &str) -> String {
    format!("default/pods/{container}/eth0")
}

pub fn attachment(container: &str, pod: &str) -> Attachment {
    Attachment {
        key: key(container),
        pod: format!("shop/{pod}"),
        uid: String::new(),
        node: "worker-1".into(),
        boot: "boot".into(),
        invoked_at_ms: 5,
    }
}

pub fn add(container: &str, pod: &str) -> Call {
    let attachment = attachment(container, pod);
    Call::Add {
        attachment,
        requested: Vec::new(),
    }
}
