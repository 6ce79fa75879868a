//! Hears what raft says, on its thread: hands groups to the history, members to the peers, everything to the router.

use super::{Registered, Stopped as Fault};
use crate::history::Feeder;
use crate::leader::ClientEndpoints;
use crate::replica::{LedgerMachine, Restored};
use crate::router::{Router, Turn};
use berth_actors::Address;
use berth_domain::event::EventGroup;
use berth_domain::id::{MemberId, Revision};
use berth_domain::row::{Change, Member};
use berth_raft::driver::event::{Event, Sink, Stopped};
use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, watch};

/// See the module.
pub(super) struct Ears {
    pub feeder: Feeder,
    pub router: Address<Router>,
    /// Where the newest snapshot put this replica, until it was heard.
    pub restored: Arc<Mutex<Option<Restored>>>,
    /// Where the ledger was when they changed last.
    pub revision: Revision,
    pub members: BTreeMap<MemberId, Arc<Member>>,
    pub endpoints: ClientEndpoints,
    pub registered: watch::Sender<Registered>,
    pub faults: mpsc::UnboundedSender<Fault>,
    pub is_first: bool,
}

// === impl Ears ===

impl Ears {
    pub fn sink(mut self) -> Sink<LedgerMachine> {
        Box::new(move |events| self.hear(events))
    }

    fn hear(&mut self, events: Vec<Event<LedgerMachine>>) {
        // What was restored at the start comes before everything, and has no event.
        if std::mem::replace(&mut self.is_first, false) {
            let installed =
                |event: &Event<LedgerMachine>| matches!(event, Event::SnapshotInstalled { .. });
            if !events.iter().any(installed) {
                self.take_restored();
            }
        }
        for event in &events {
            match event {
                Event::Applied { index, effect, .. } => {
                    self.feeder.applied(*index, &effect.groups);
                    self.take_members(&effect.groups);
                }
                Event::SnapshotInstalled { .. } => self.take_restored(),
                Event::Stopped(Stopped::Shutdown) => {}
                Event::Stopped(stopped) => tell(&self.faults, stopped),
                Event::Role(_) | Event::Dropped { .. } | Event::MembershipChanged { .. } => {}
            }
        }
        self.router.deliver(Turn(events));
    }

    fn take_restored(&mut self) {
        let restored = self
            .restored
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(Restored { place, members }) = restored else {
            return;
        };
        self.feeder.restored(place);
        self.revision = place.revision;
        self.members = members
            .into_iter()
            .map(|member| (member.id, member))
            .collect();
        self.tell_members();
    }

    fn take_members(&mut self, groups: &[EventGroup]) {
        let mut is_changed = false;
        let changes = groups.iter().flat_map(|group| {
            let of = group.revision;
            group.changes.iter().map(move |change| (of, change))
        });
        for (of, change) in changes {
            if let Change::Member { id, after, .. } = change {
                (is_changed, self.revision) = (true, of);
                match after {
                    Some(row) => self.members.insert(*id, Arc::clone(row)),
                    None => self.members.remove(id),
                };
            }
        }
        if is_changed {
            self.tell_members();
        }
    }

    fn tell_members(&self) {
        let rows: Vec<Arc<Member>> = self.members.values().cloned().collect();
        {
            let mut endpoints = self
                .endpoints
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            for member in &rows {
                endpoints.insert(member.id, member.client_endpoint.clone());
            }
        }
        let revision = self.revision;
        self.registered.send_replace(Registered { revision, rows });
    }
}

/// Tells the engine's owner why the replica stopped: the error and its causes, in one line.
pub(super) fn tell(faults: &mpsc::UnboundedSender<Fault>, error: &dyn Error) {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    if faults.send(Fault(text)).is_err() {
        tracing::debug!("the engine is gone, nobody hears why");
    }
}
