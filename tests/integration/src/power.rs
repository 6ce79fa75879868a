//! Power cuts under a whole cluster: each member on a disk of its own that records every write and every flush. Afterwards
//! power is cut at any moment of that record, on all three at once; the cluster is started on what is left, and must have
//! everything that was acknowledged before the moment.

#[allow(
    clippy::unwrap_used,
    dead_code,
    missing_docs,
    reason = "the store's own tests share it: there an unwrap is the failure"
)]
#[path = "../../../storage/sled/tests/power_cut/disk.rs"]
pub mod disk;

use crate::check::{Verdict, check};
use crate::ground::{Ground, Setup};
use crate::load::{Chance, Load, Recorder};
use crate::record::{self, Answer, Record};
use crate::run::{Folder, try_fetch};
use berth_testkit::process::Error;
use disk::{Event, Mounted, RecordingDisk, survivor};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The memory file system, where there is one: every cut writes three whole disks.
const FAST_DIRECTORY: &str = "/dev/shm";

/// A cluster that is not whole by then does not come back.
const COMES_BACK_WITHIN: Duration = Duration::from_secs(20);

/// When each call began and was answered, on the disks' clock.
#[derive(Clone, Debug, Default)]
struct Moments {
    begun: BTreeMap<u64, u64>,
    answered: BTreeMap<u64, u64>,
}

/// What three disks and the clients saw.
pub struct Recording {
    disks: Vec<(Vec<Event>, Vec<u64>)>,
    moments: Moments,
    record: Record,
    /// The load begins here.
    ready: u64,
    end: u64,
    setup: Setup,
    folder: Folder,
}

// === impl Recording ===

impl Recording {
    /// Runs a cluster under load for so long.
    pub fn make(seed: u64, setup: &Setup, length: Duration) -> Self {
        let clock: Arc<AtomicU64> = Arc::default();
        let moments: Arc<Mutex<Moments>> = Arc::default();
        let disks: Vec<_> = (0..3)
            .map(|_| RecordingDisk::mount_by(Arc::clone(&clock)))
            .collect();
        let recorder = {
            let (clock, moments) = (Arc::clone(&clock), Arc::clone(&moments));
            Recorder::telling(Box::new(move |id, is_answer| {
                let at = clock.fetch_add(1, Ordering::SeqCst);
                let mut moments = moments.lock().unwrap_or_else(PoisonError::into_inner);
                match is_answer {
                    true => moments.answered.insert(id, at),
                    false => moments.begun.insert(id, at),
                };
            }))
        };
        let folder = Folder::new(seed);
        let data = |number: usize| disks[number - 1].path().join("data");
        let ground = Ground::start(folder.path(), |number| on(setup, data(number)));
        let ground = ground.unwrap_or_else(|error| panic!("the cluster does not start: {error}"));
        let clients = ground.network().clients().path().into();
        let load = Load::start(clients, seed, recorder);
        let ready = clock.load(Ordering::SeqCst);
        let begun = Instant::now();
        ground.until("the length of the run", || begun.elapsed() >= length);
        let end = clock.load(Ordering::SeqCst);
        let record = load.finish();
        drop(ground);
        let disks = disks
            .into_iter()
            .map(RecordingDisk::finish_with_moments)
            .collect();
        let moments = moments
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let setup = setup.clone();
        Self {
            disks,
            moments,
            record,
            ready,
            end,
            setup,
            folder,
        }
    }

    /// Cuts power at a moment of the load and looks at what the cluster is after that.
    pub fn cut(&self, chance: &mut Chance) -> Verdict {
        let moment = chance.between(self.ready, self.end);
        let mut record = self.known_at(moment);
        let place = match Path::new(FAST_DIRECTORY).is_dir() {
            true => PathBuf::from(FAST_DIRECTORY),
            false => std::env::temp_dir(),
        };
        let images = tempfile::tempdir_in(place).expect("a folder for the images");
        let mounted: Result<Vec<Mounted>, String> = (0..)
            .zip(&self.disks)
            .map(|(number, (events, moments))| {
                let before = moments.partition_point(|at| *at < moment);
                let image = survivor(&events[..before], || chance.between(0, u64::MAX));
                let file = images.path().join(format!("disk-{number}"));
                let target = images.path().join(format!("mounted-{number}"));
                fs::write(&file, image).expect("room for an image");
                fs::create_dir(&target).expect("a folder");
                Mounted::try_mount(&file, &target)
            })
            .collect();
        let mounted = match mounted {
            Ok(mounted) => mounted,
            Err(why) => return Verdict::unusable(format!("a disk cannot be mounted: {why}")),
        };
        let logs = self.folder.path().join(format!("cut-{moment}"));
        fs::create_dir_all(&logs).expect("a folder for logs");
        let data = |number: usize| mounted[number - 1].path.join("data");
        let ground = Ground::resume(&logs, |number| on(&self.setup, data(number)));
        let verdict = match ground.and_then(whole) {
            Ok(ground) => {
                let fetched = try_fetch(&ground, &mut record, COMES_BACK_WITHIN);
                drop(ground);
                fetched.map_or_else(Verdict::unusable, |()| check(&record))
            }
            Err(error) => Verdict::unusable(error.to_string()),
        };
        if !verdict.violations.is_empty() {
            let saved = record::save(&record, &logs.join(record::FILE_NAME));
            saved.unwrap_or_else(|error| panic!("{}: {error}", logs.display()));
        }
        verdict
    }

    /// What clients knew at that moment: what was under way has an unknown outcome.
    fn known_at(&self, moment: u64) -> Record {
        let Moments { begun, answered } = &self.moments;
        let mut record = self.record.clone();
        record
            .operations
            .retain(|operation| begun.get(&operation.id).is_some_and(|at| *at < moment));
        let mut now_us = 0;
        for operation in &mut record.operations {
            now_us = now_us.max(operation.began_us);
            match answered.get(&operation.id) {
                Some(at) if *at < moment => now_us = now_us.max(operation.ended_us.unwrap_or(0)),
                _ => {
                    operation.ended_us = None;
                    operation.answer = Answer::Unknown {
                        why: "the power was cut".into(),
                    };
                }
            }
        }
        record.uses.retain(|one| one.from_us <= now_us);
        for one in &mut record.uses {
            one.until_us = one.until_us.filter(|until| *until <= now_us);
        }
        record
    }

    /// The runs' folder stays: something is wrong with what is in it.
    pub fn keep(&mut self) -> &Path {
        self.folder.keep();
        self.folder.path()
    }

    /// How many calls there were.
    pub fn operations(&self) -> usize {
        self.record.operations.len()
    }
}

fn on(setup: &Setup, data: PathBuf) -> Setup {
    Setup {
        data: Some(data),
        ..setup.clone()
    }
}

/// All three, or why not.
fn whole(mut ground: Ground) -> Result<Ground, Error> {
    let begun = Instant::now();
    while begun.elapsed() < COMES_BACK_WITHIN {
        for member in &mut ground.members {
            if !member.runs() {
                let (name, log) = (format!("member {}", member.number()), member.log_tail());
                return Err(Error::Ended {
                    name,
                    status: "an error".into(),
                    log,
                });
            }
        }
        let views = ground.views();
        if views
            .iter()
            .all(|view| view.as_ref().is_some_and(|view| view.leader != 0))
        {
            return Ok(ground);
        }
    }
    let (name, reason) = ("the cluster".into(), "no leader that all know".into());
    let seconds = COMES_BACK_WITHIN.as_secs();
    Err(Error::NotReady {
        name,
        seconds,
        reason,
        log: String::new(),
    })
}
