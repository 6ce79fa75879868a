//! The simulated nodes: which sandboxes their runtimes know, and the garbage collection that rests on it.

use super::caller::Caller;
use super::chance::Chance;
use super::{Shared, rest};
use crate::record::{Answer, Call};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::RwLock;

/// Their names; all in zone "a".
const NAMES: [&str; 4] = ["worker-1", "worker-2", "worker-3", "worker-4"];

/// All nodes.
pub(crate) struct Nodes(Vec<Node>);

/// One node.
pub(crate) struct Node {
    pub(crate) name: &'static str,
    /// The runtime does not collect while it adds.
    pub(crate) adding: RwLock<()>,
    live: Mutex<BTreeSet<String>>,
}

// === impl Nodes ===

impl Nodes {
    pub(super) fn new() -> Self {
        let node = |name: &&'static str| Node {
            name,
            adding: RwLock::new(()),
            live: Mutex::default(),
        };
        Self(NAMES.iter().map(node).collect())
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|node| node.name)
    }

    pub(super) fn any(&self, chance: &mut Chance) -> &Node {
        chance.pick(&self.0)
    }
}

// === impl Node ===

impl Node {
    /// The runtime knows this sandbox from now on.
    pub(super) fn knows(&self, key: &str) {
        self.live
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key.to_owned());
    }

    /// And no more.
    pub(super) fn forgets(&self, key: &str) {
        self.live
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(key);
    }

    fn valid(&self) -> BTreeSet<String> {
        self.live
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Now and then a runtime tells what it knows; the rest goes.
pub(super) async fn collect(shared: Arc<Shared>) {
    let chance = RefCell::new(Chance::new(shared.seed, 2_000));
    let mut caller = Caller::new(&shared, "collector", 2_001);
    while shared.goes_on() {
        let pause = chance.borrow_mut().between(700, 1_500);
        rest(&shared, pause).await;
        let node = shared.nodes.any(&mut chance.borrow_mut());
        let _alone = node.adding.write().await;
        let invoked_at_ms = shared.recorder.boot_clock_ms();
        let call = Call::Collect {
            node: node.name.to_owned(),
            valid: node.valid(),
        };
        // One try: what is left is for the next round.
        let answer = caller.once(call, invoked_at_ms).await;
        debug_assert!(!matches!(answer, Answer::Bound { .. }));
    }
}
