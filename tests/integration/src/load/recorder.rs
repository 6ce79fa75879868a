//! Writes down what clients see, as it happens.

use crate::record::{Answer, Call, Operation, Record, Use};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Told of each call's id when it begins (false) and when its answer is there (true), before the client goes on.
type Listener = Box<dyn Fn(u64, bool) + Send + Sync>;

/// One per run.
pub struct Recorder {
    begun: Instant,
    seen: Mutex<Seen>,
    listener: Option<Listener>,
}

#[derive(Default)]
struct Seen {
    operations: Vec<Operation>,
    uses: Vec<Use>,
    /// The last boot-clock value given out.
    boot_clock_ms: u64,
}

// === impl Recorder ===

impl Default for Recorder {
    fn default() -> Self {
        Self {
            begun: Instant::now(),
            seen: Mutex::default(),
            listener: None,
        }
    }
}

impl Recorder {
    /// With somebody who is told of each call.
    pub fn telling(listener: Listener) -> Self {
        Self {
            listener: Some(listener),
            ..Self::default()
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Microseconds since the run began.
    pub fn now_us(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// The nodes' boot clock: never the same value twice.
    pub fn boot_clock_ms(&self) -> u64 {
        let now = self.now_us() / 1_000 + 1;
        let mut seen = self.seen();
        seen.boot_clock_ms = now.max(seen.boot_clock_ms + 1);
        seen.boot_clock_ms
    }

    /// A call begins; until it is answered nobody knows what becomes of it.
    pub fn begin(&self, client: &str, member: &str, several: bool, call: Call) -> u64 {
        let mut seen = self.seen();
        let id = seen.operations.len() as u64;
        let began_us = self.now_us();
        seen.operations.push(Operation {
            id,
            client: client.to_owned(),
            member: member.to_owned(),
            several,
            began_us,
            ended_us: None,
            call,
            answer: Answer::Unknown {
                why: "still under way".into(),
            },
        });
        drop(seen);
        if let Some(listener) = &self.listener {
            listener(id, false);
        }
        id
    }

    /// Its answer is there.
    pub fn end(&self, id: u64, answer: &Answer) {
        let now_us = self.now_us();
        let mut seen = self.seen();
        if let Some(operation) = seen
            .operations
            .get_mut(usize::try_from(id).unwrap_or(usize::MAX))
        {
            operation.answer = answer.clone();
            // What may yet happen has not ended.
            operation.ended_us = (!matches!(answer, Answer::Unknown { .. })).then_some(now_us);
        }
        drop(seen);
        if let Some(listener) = &self.listener {
            listener(id, true);
        }
    }

    /// A pod sends from these addresses from now on.
    pub fn uses(&self, key: &str, addresses: &[String], is_static: bool) {
        let from_us = self.now_us();
        let begun = addresses.iter().map(|address| Use {
            key: key.to_owned(),
            address: address.clone(),
            is_static,
            from_us,
            until_us: None,
        });
        self.seen().uses.extend(begun);
    }

    /// A pod sends no more.
    pub fn stops(&self, key: &str) {
        let now_us = self.now_us();
        let mut seen = self.seen();
        let open = |one: &&mut Use| one.key == key && one.until_us.is_none();
        for one in seen.uses.iter_mut().rev().take(RECENT).filter(open) {
            one.until_us = Some(now_us);
        }
    }

    /// What a pod sends from now.
    pub fn used_by(&self, key: &str) -> Vec<String> {
        let seen = self.seen();
        let open = |one: &&Use| one.key == key && one.until_us.is_none();
        let own = seen.uses.iter().rev().take(RECENT).filter(open);
        own.map(|one| one.address.clone()).collect()
    }

    /// Everything so far.
    pub fn record(&self) -> Record {
        let seen = self.seen();
        Record {
            operations: seen.operations.clone(),
            uses: seen.uses.clone(),
            histories: BTreeMap::new(),
            digests: BTreeMap::new(),
        }
    }

    /// When the first ADD that began at or after this moment was served; none = none was yet.
    pub fn served_since(&self, since_us: u64) -> Option<u64> {
        let seen = self.seen();
        let served = seen
            .operations
            .iter()
            .rev()
            .take(RECENT)
            .filter(|operation| {
                operation.began_us >= since_us && matches!(operation.answer, Answer::Bound { .. })
            });
        served.filter_map(|operation| operation.ended_us).min()
    }

    /// How many calls there were.
    pub fn count(&self) -> usize {
        self.seen().operations.len()
    }
}

/// A use or a call that is still open is among the newest.
const RECENT: usize = 4_096;
