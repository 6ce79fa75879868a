//! One run: a cluster, a load, faults, then the histories of all members and the verdict. A run that is not good keeps its
//! folder and says with which command its record is checked again.

mod fetch;

pub use fetch::{fetch, fetch_what_is_there, try_fetch};

use crate::check::{Verdict, check};
use crate::ground::{Ground, MEMBERS, Setup};
use crate::load::{Load, Recorder};
use crate::record::{self, Record};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A cluster under load.
pub struct Run {
    /// The cluster.
    pub ground: Ground,
    /// Its users.
    pub load: Load,
    folder: Folder,
}

/// How a run ended.
pub struct Ended {
    /// What the checker says.
    pub verdict: Verdict,
    /// What it said it of.
    pub record: Record,
    folder: Folder,
}

/// A run's folder: removed at the end, unless something is wrong with what is in it.
pub struct Folder {
    path: PathBuf,
    is_kept: bool,
}

// === impl Run ===

impl Run {
    /// Shipped servers.
    pub fn shipped(seed: u64) -> Self {
        Self::start(seed, Recorder::default(), |_| Setup::shipped())
    }

    /// Servers with a safeguard taken out.
    pub fn planted(seed: u64, switch: &str) -> Self {
        Self::start(seed, Recorder::default(), |_| Setup::planted(switch))
    }

    /// Each member with its own setup.
    pub fn start(seed: u64, recorder: Recorder, setup: impl Fn(usize) -> Setup) -> Self {
        let folder = Folder::new(seed);
        let ground = Ground::start(&folder.path, setup);
        let ground = ground.unwrap_or_else(|error| panic!("the cluster does not start: {error}"));
        let clients = ground.network().clients().path().into();
        let load = Load::start(clients, seed, recorder);
        Self {
            ground,
            load,
            folder,
        }
    }

    /// Until an ADD that began after now is served; how long that took.
    pub fn await_service(&self) -> Duration {
        let recorder = self.load.recorder();
        let since = recorder.now_us();
        let mut served = None;
        self.ground.until("a served ADD", || {
            served = recorder.served_since(since);
            served.is_some()
        });
        Duration::from_micros(served.unwrap_or(since) - since)
    }

    /// Everything is over: the load ends, all members must come to the same end, and the record is checked.
    pub fn finish(self) -> Ended {
        self.ground.await_whole();
        let Self {
            ground,
            load,
            folder,
        } = self;
        let mut record = load.finish();
        fetch(&ground, &mut record);
        drop(ground);
        Ended::of(record, folder)
    }
}

// === impl Run: negative controls ===

impl Run {
    /// The same for a cluster that may be broken for good: whoever answers is asked.
    pub fn finish_anyhow(self) -> Ended {
        let Self {
            ground,
            load,
            folder,
        } = self;
        let mut record = load.finish();
        let fetched = fetch_what_is_there(&ground, &mut record);
        drop(ground);
        match fetched {
            Ok(()) => Ended::of(record, folder),
            Err(why) => Ended {
                verdict: Verdict::unusable(why),
                record,
                folder,
            },
        }
    }
}

// === impl Ended ===

impl Ended {
    fn of(record: Record, folder: Folder) -> Self {
        let verdict = check(&record);
        let mut ended = Self {
            verdict,
            record,
            folder,
        };
        if !ended.is_good() {
            ended.keep();
        }
        ended
    }

    /// Nothing was violated, and there was something that could have been.
    pub fn is_good(&self) -> bool {
        self.verdict.violations.is_empty() && self.verdict.served > 0
    }

    /// For a negative control: it is bad as expected, so nothing is kept.
    pub fn expected_bad(mut self) -> Verdict {
        self.folder.is_kept = false;
        self.verdict
    }

    fn keep(&mut self) {
        self.folder.is_kept = true;
        let path = self.folder.path.join(record::FILE_NAME);
        let saved = record::save(&self.record, &path);
        saved.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// Its folder, if it stays.
    pub fn kept(&self) -> Option<PathBuf> {
        self.folder.is_kept.then(|| self.folder.path.clone())
    }

    /// Panics unless it is good, with the verdict and the command that checks it again.
    #[track_caller]
    pub fn assert_good(&self) {
        let folder = self.folder.path.display();
        assert!(
            self.is_good(),
            "{}\nkept in {folder}; check its record again:\n  cargo xtask soak --check {folder}",
            self.verdict
        );
    }
}

// === impl Folder ===

impl Folder {
    /// In the system's folder for temporary files.
    pub fn new(seed: u64) -> Self {
        let folder = tempfile::Builder::new();
        let made = { folder }
            .prefix(&format!("berth-faults-{seed}-"))
            .tempdir();
        let path = made.expect("a temporary folder").keep();
        Self {
            path,
            is_kept: false,
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// It stays.
    pub fn keep(&mut self) {
        self.is_kept = true;
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A panic is a failure that nobody has judged: what it left may say why.
        let is_wanted = std::env::var_os(KEEP_VARIABLE).is_some();
        if self.is_kept || is_wanted || std::thread::panicking() {
            eprintln!("kept: {}", self.path.display());
        } else if let Err(error) = std::fs::remove_dir_all(&self.path) {
            eprintln!("{}: {error}", self.path.display());
        }
    }
}

/// With it every run's folder stays.
const KEEP_VARIABLE: &str = "BERTH_KEEP_RUNS";

/// The record of a kept run.
pub fn recorded(folder: &Path) -> std::io::Result<Record> {
    record::load(&folder.join(record::FILE_NAME))
}

/// All members by number.
pub fn numbers() -> std::ops::RangeInclusive<usize> {
    1..=MEMBERS
}
