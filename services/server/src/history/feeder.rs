//! The raft thread's end of the history: hands groups over in order and does not wait.

use super::progress::{Place, Progress};
use berth_domain::event::EventGroup;
use bytes::Bytes;
use std::sync::Arc;
use std::sync::mpsc::Sender;

/// What the writer's thread is handed, in raft order.
#[derive(Debug)]
pub enum Message {
    /// Groups of one entry; may be none.
    Applied {
        /// Where the log has it.
        index: u64,
        /// In order.
        groups: Arc<[EventGroup]>,
    },
    /// A snapshot put the replica here.
    Restored(Place),
    /// Encoded groups that another replica has sent, to fill a gap.
    Fetched {
        /// The first one's revision.
        first: u64,
        /// Each with its revision.
        bodies: Vec<(u64, Bytes)>,
    },
    /// Nothing comes after this.
    End,
}

/// See the module. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Feeder {
    sender: Sender<Message>,
    progress: Arc<Progress>,
}

// === impl Feeder ===

impl Feeder {
    /// Hands over to whoever has the other end, who says in `progress` how far it is durable.
    pub fn new(sender: Sender<Message>, progress: Arc<Progress>) -> Self {
        Self { sender, progress }
    }

    /// One applied entry.
    pub fn applied(&self, index: u64, groups: &Arc<[EventGroup]>) {
        self.progress.add(groups.len());
        let groups = Arc::clone(groups);
        self.hand_over(Message::Applied { index, groups });
    }

    /// A snapshot put the replica at `place`; what lies before it comes from elsewhere.
    pub fn restored(&self, place: Place) {
        self.hand_over(Message::Restored(place));
    }

    pub(super) fn end(&self) {
        self.hand_over(Message::End);
    }

    pub(super) fn fetched(&self, first: u64, bodies: Vec<(u64, Bytes)>) -> bool {
        self.sender.send(Message::Fetched { first, bodies }).is_ok()
    }

    fn hand_over(&self, message: Message) {
        if self.sender.send(message).is_err() {
            // The writer ends only with the process or after an error that stops it.
            tracing::debug!("the history is closed, an entry is not recorded");
        }
    }
}
