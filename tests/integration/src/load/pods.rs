//! Dynamic pods: a sandbox comes, uses its address, goes; with the duplicates, late calls and forgotten DELs of real runtimes.

use super::caller::{Caller, is_temporary};
use super::nodes::Node;
use super::{Shared, rest};
use crate::record::{Answer, Attachment, Call, Read};
use std::sync::Arc;

/// No node of these is ever booted anew.
pub(super) const BOOT: &str = "boot-1";
/// A runtime gives an ADD up after so many tries.
const TRIES: usize = 40;
/// Between two tries.
const PAUSE_MS: (u64, u64) = (30, 120);

/// One pod after the other, until the load ends.
pub(super) async fn live(shared: Arc<Shared>, number: usize) {
    let name = format!("pod-{number}");
    let mut caller = Caller::new(&shared, &name, 100 + number as u64);
    let is_shipped = number % 2 == 1;
    let mut round = 0;
    while shared.goes_on() {
        round += 1;
        let node = shared.nodes.any(&mut caller.chance);
        let sandbox = Sandbox {
            shared: &shared,
            node,
            is_shipped,
            attachment: Attachment {
                key: format!("default/pods/{name}-{round}/eth0"),
                pod: format!("shop/web-{number}"),
                uid: format!("uid-{number}-{round}"),
                node: node.name.to_owned(),
                boot: BOOT.to_owned(),
                invoked_at_ms: shared.recorder.boot_clock_ms(),
            },
        };
        sandbox.live(&mut caller).await;
        let pause = caller.chance.between(20, 150);
        rest(&shared, pause).await;
    }
}

/// One sandbox.
pub(super) struct Sandbox<'a> {
    pub(super) shared: &'a Shared,
    pub(super) node: &'a Node,
    pub(super) is_shipped: bool,
    pub(super) attachment: Attachment,
}

// === impl Sandbox ===

impl Sandbox<'_> {
    async fn live(mut self, caller: &mut Caller) {
        let bound = self.add(caller, false).await;
        if bound.is_some() {
            self.use_it(caller).await;
        }
        if caller.chance.percent(4) {
            // The runtime was wiped: nobody says DEL, the collection finds it.
            self.shared.recorder.stops(&self.attachment.key);
            self.node.forgets(&self.attachment.key);
            return;
        }
        self.delete(caller).await;
        if caller.chance.percent(10) {
            let invoked = self.shared.recorder.boot_clock_ms();
            caller.once(self.del(), invoked).await;
        }
        if caller.chance.percent(8) {
            // The ADD's duplicate, which was long on its way.
            let invoked = self.attachment.invoked_at_ms;
            caller.once(self.call(), invoked).await;
        } else if caller.chance.percent(10) {
            // Some runtimes restart a sandbox under its id.
            self.attachment.invoked_at_ms = self.shared.recorder.boot_clock_ms();
            if self.add(caller, false).await.is_some() {
                self.use_it(caller).await;
            }
            self.delete(caller).await;
        }
    }

    fn call(&self) -> Call {
        Call::Add {
            attachment: self.attachment.clone(),
            requested: Vec::new(),
        }
    }

    fn del(&self) -> Call {
        Call::Delete {
            attachment: self.attachment.clone(),
        }
    }

    /// ADD until it is answered for good; the addresses are used from then on.
    pub(super) async fn add(&self, caller: &mut Caller, is_static: bool) -> Option<Vec<String>> {
        let invoked = self.attachment.invoked_at_ms;
        self.node.knows(&self.attachment.key);
        for _ in 0..TRIES {
            let answer = {
                let _adding = self.node.adding.read().await;
                match caller.chance.between(0, 100) {
                    _ if self.is_shipped => caller.shipped(self.call(), invoked).await,
                    0..12 => caller.twice(self.call(), invoked).await,
                    _ => caller.once(self.call(), invoked).await,
                }
            };
            if let Answer::Bound { addresses, .. } = answer {
                self.shared
                    .recorder
                    .uses(&self.attachment.key, &addresses, is_static);
                return Some(addresses);
            }
            if !is_temporary(&answer) && !is_static || !self.shared.goes_on() {
                return None;
            }
            let pause = caller.chance.between(PAUSE_MS.0, PAUSE_MS.1);
            rest(self.shared, pause).await;
        }
        None
    }

    /// For a while; it may be asked of, and added again.
    pub(super) async fn use_it(&self, caller: &mut Caller) {
        let moments = caller.chance.between(1, 4);
        for _ in 0..moments {
            let pause = caller.chance.between(10, 200);
            rest(self.shared, pause).await;
            let invoked = self.attachment.invoked_at_ms;
            match caller.chance.between(0, 100) {
                0..30 => {
                    let read = Read::Check {
                        key: self.attachment.key.clone(),
                        addresses: Vec::new(),
                    };
                    caller.once(Call::Read(self.checked(read)), invoked).await;
                }
                30..40 => {
                    caller.once(self.call(), invoked).await;
                }
                _ => {}
            }
        }
    }

    fn checked(&self, read: Read) -> Read {
        let Read::Check { key, .. } = read else {
            return read;
        };
        let addresses = self.shared.recorder.used_by(&key);
        Read::Check { key, addresses }
    }

    /// The pod stops sending, then DEL until it is answered.
    pub(super) async fn delete(&self, caller: &mut Caller) {
        self.shared.recorder.stops(&self.attachment.key);
        let invoked = self.shared.recorder.boot_clock_ms();
        loop {
            let answer = match self.is_shipped {
                true => caller.shipped(self.del(), invoked).await,
                false => caller.once(self.del(), invoked).await,
            };
            // With the end of the load a runtime goes without its answer: the sandbox stays known, as after a crash.
            if !is_temporary(&answer) || !self.shared.goes_on() {
                break;
            }
            let pause = caller.chance.between(PAUSE_MS.0, PAUSE_MS.1);
            rest(self.shared, pause).await;
        }
        self.node.forgets(&self.attachment.key);
    }
}
