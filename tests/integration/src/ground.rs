//! Three servers as real processes, each in a network namespace of its own, on one bridge; and a namespace for clients.
//! Everything is gone when the value goes, also when a test fails. The machine's own network is not touched.

mod disturb;
mod member;
mod network;

pub use disturb::{Cut, Disturbed};
pub use member::{Member, Setup};
pub use network::{Network, address};

use berth_testkit::process::Error;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// How many servers a cluster has here.
pub const MEMBERS: usize = 3;
/// How long something may take that takes a second on a quiet machine.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A running cluster. The members go before the network.
pub struct Ground {
    /// In order of their numbers, 1 to 3.
    pub members: Vec<Member>,
    network: Network,
    folder: PathBuf,
}

/// What a member says of itself.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// Its own id.
    pub id: u64,
    /// Whom it follows; 0 = it knows nobody.
    pub leader: u64,
    /// In which term.
    pub term: u64,
    /// How far it has applied.
    pub revision: u64,
    /// How far its history is durable.
    pub history: u64,
    /// Who takes part, as it knows, and whether with a vote.
    pub votes: BTreeMap<u64, bool>,
    /// A change of who votes is half done: those before and those after have to agree.
    pub changing: bool,
}

// === impl Ground ===

impl Ground {
    /// A new cluster whose data and logs are in `folder`; each member with its own setup.
    pub fn start(folder: &Path, setup: impl Fn(usize) -> Setup) -> Result<Self, Error> {
        let ground = Self::begin(folder, setup, true)?;
        ground.until("a leader that all know", || {
            let leader = ground.leader().map_or(u64::MAX, |(_, id)| id);
            let views = ground.views();
            views
                .iter()
                .all(|view| view.as_ref().is_some_and(|view| view.leader == leader))
        });
        Ok(ground)
    }

    /// One that was begun before, on its data. Nothing is waited for.
    pub fn resume(folder: &Path, setup: impl Fn(usize) -> Setup) -> Result<Self, Error> {
        Self::begin(folder, setup, false)
    }

    fn begin(folder: &Path, setup: impl Fn(usize) -> Setup, is_new: bool) -> Result<Self, Error> {
        let network = Network::new();
        let mut members = Vec::new();
        for number in 1..=MEMBERS {
            let mut member = Member::new(number, network.namespace(number), folder, setup(number));
            member.start(is_new)?;
            members.push(member);
        }
        let folder = folder.to_owned();
        Ok(Self {
            members,
            network,
            folder,
        })
    }

    /// Where clients live.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Where data and logs are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What each member says of itself; none = it says nothing.
    pub fn views(&self) -> Vec<Option<View>> {
        self.network.ask(|| async {
            let all = tokio::join!(network::view(1), network::view(2), network::view(3));
            vec![all.0, all.1, all.2]
        })
    }

    /// (Number of the member, its id) of the leader of the newest term that somebody leads.
    pub fn leader(&self) -> Option<(usize, u64)> {
        let views = self.views();
        let leaders = views.iter().enumerate().filter_map(|(place, view)| {
            let view = view
                .as_ref()
                .filter(|view| view.leader == view.id && view.id != 0)?;
            Some((view.term, place + 1, view.id))
        });
        leaders.max().map(|(_, number, id)| (number, id))
    }

    /// The leader's number, waited for.
    pub fn await_leader(&self) -> usize {
        let mut found = None;
        self.until("a leader", || {
            found = self.leader();
            found.is_some()
        });
        found.map_or(1, |(number, _)| number)
    }

    /// Until all members run, know one leader, are as far as it was, and all of them vote, and nobody else, those before no more: a
    /// member that joined in the place of another is no help before that.
    pub fn await_whole(&self) {
        let leader = self.await_leader();
        let target = self.views()[leader - 1]
            .as_ref()
            .map_or(0, |view| view.revision);
        self.until("all members caught up, each with a vote", || {
            let views: Option<Vec<View>> = self.views().into_iter().collect();
            let views = views.unwrap_or_default();
            let all: BTreeMap<u64, bool> = views.iter().map(|view| (view.id, true)).collect();
            let is_whole = |view: &View| {
                let settled = view.votes == all && !view.changing;
                view.leader != 0 && view.history >= target && settled
            };
            !views.is_empty() && views.iter().all(is_whole)
        });
    }

    /// Waits for a condition; panics with what the members said last.
    #[track_caller]
    pub fn until(&self, what: &str, holds: impl FnMut() -> bool) {
        if !self.holds_within(PATIENCE, holds) {
            let tails: Vec<String> = self.members.iter().map(Member::log_tail).collect();
            panic!(
                "waited in vain for {what}; they said:\n{}",
                tails.join("\n---\n")
            );
        }
    }

    /// Whether a condition comes to hold within this time.
    pub fn holds_within(&self, patience: Duration, mut holds: impl FnMut() -> bool) -> bool {
        let begun = Instant::now();
        while !holds() {
            if begun.elapsed() >= patience {
                return false;
            }
            thread::sleep(LOOK_EVERY);
        }
        true
    }

    /// Member by number, 1 to 3.
    pub fn member(&mut self, number: usize) -> &mut Member {
        &mut self.members[number - 1]
    }
}

/// A file of a run.
pub(crate) fn io_error(path: &Path, source: io::Error) -> Error {
    Error::File {
        path: path.to_owned(),
        source,
    }
}
