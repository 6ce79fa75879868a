//! A member's history in the simulated world: commits late, loses what was not committed, and is checked like the real
//! one: replayed groups must be the same (H3), and nothing may be missing that this member applied itself (H1).

use berth_domain::event::{Chain, EventGroup};
use berth_domain::id::Revision;
use berth_raft::simulation::random::Random;
use berth_raft::simulation::workload::Violation;
use berthd::history::{Feeder, Message, Progress};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

/// What survives a crash.
#[derive(Clone, Debug, Default)]
pub struct Shelf {
    /// Durable up to this revision.
    pub revision: u64,
    /// And so up to this raft index.
    pub index: u64,
    /// The chain after each durable group.
    chains: BTreeMap<u64, Chain>,
    /// A leader's snapshot that this member fetched may bring it to this index, past groups that it never applied.
    pub installed: u64,
}

/// The writer of one life.
pub struct History {
    inbox: Receiver<Message>,
    progress: Arc<Progress>,
    pending: VecDeque<(u64, Arc<[EventGroup]>)>,
    commit_at: Option<u64>,
    next_revision: u64,
}

// === impl Shelf ===

impl Shelf {
    /// As a restore fills it: up to this revision, which is of this index.
    pub fn founded(revision: u64, index: u64, chain: Chain) -> Self {
        Self {
            revision,
            index,
            chains: BTreeMap::from([(revision, chain)]),
            installed: index,
        }
    }
}

// === impl History ===

impl History {
    /// Goes on from what is on the shelf.
    pub fn new(shelf: &Shelf) -> (Self, Feeder, Arc<Progress>) {
        let (sender, inbox) = channel();
        let progress = Arc::new(Progress::new(Revision(shelf.revision)));
        let feeder = Feeder::new(sender, Arc::clone(&progress));
        let history = Self {
            inbox,
            progress: Arc::clone(&progress),
            pending: VecDeque::new(),
            commit_at: None,
            next_revision: shelf.revision + 1,
        };
        (history, feeder, progress)
    }

    /// A moment of the history's thread; true if something became durable.
    pub fn moment(
        &mut self,
        shelf: &mut Shelf,
        now: u64,
        lag: u64,
        random: &mut Random,
    ) -> Result<bool, Violation> {
        while let Ok(message) = self.inbox.try_recv() {
            self.take(shelf, message)?;
        }
        if self.pending.is_empty() {
            return Ok(false);
        }
        let commit_at = *self
            .commit_at
            .get_or_insert_with(|| now + random.between(1, lag));
        if now < commit_at {
            return Ok(false);
        }
        self.commit(shelf);
        Ok(true)
    }

    fn take(&mut self, shelf: &mut Shelf, message: Message) -> Result<(), Violation> {
        match message {
            Message::Applied { index, groups } => {
                for group in groups.iter() {
                    self.check(shelf, group)?;
                }
                if index > shelf.index {
                    self.pending.push_back((index, groups));
                }
            }
            Message::Restored(place) => {
                self.commit(shelf);
                if shelf.revision >= place.revision.0 {
                    return Ok(());
                }
                if place.index > shelf.installed {
                    return Err(Violation::new(
                        "H1",
                        format!(
                            "a restart begins at revision {}, the history ends at {}: the groups between are lost",
                            place.revision, shelf.revision
                        ),
                    ));
                }
                (shelf.revision, shelf.index) = (place.revision.0, place.index);
                shelf.chains.insert(place.revision.0, place.chain);
                self.next_revision = place.revision.0 + 1;
                self.progress.reach(place.revision, 0);
            }
            Message::Fetched { .. } | Message::End => {}
        }
        Ok(())
    }

    fn check(&mut self, shelf: &Shelf, group: &EventGroup) -> Result<(), Violation> {
        let revision = group.revision.0;
        if revision <= shelf.revision {
            return match shelf.chains.get(&revision) {
                Some(known) if *known != group.chain => Err(Violation::new(
                    "H3",
                    format!("a replay makes another group {revision} than is durable"),
                )),
                _ => Ok(()),
            };
        }
        if revision != self.next_revision {
            let next = self.next_revision;
            return Err(Violation::new(
                "H1",
                format!("group {revision} comes where {next} is due"),
            ));
        }
        self.next_revision += 1;
        Ok(())
    }

    fn commit(&mut self, shelf: &mut Shelf) {
        self.commit_at = None;
        let mut count = 0;
        for (index, groups) in self.pending.drain(..) {
            shelf.index = index;
            count += groups.len();
            for group in groups.iter() {
                shelf.revision = shelf.revision.max(group.revision.0);
                shelf.chains.insert(group.revision.0, group.chain);
            }
        }
        self.progress.reach(Revision(shelf.revision), count);
    }
}
