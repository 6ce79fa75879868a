//! Cutting power at a point of a record.

use super::disk::{Acknowledged, Event, Mounted, survivor};
use super::workload::complaint;
use std::fs;
use std::path::{Path, PathBuf};

/// The memory file system, where there is one: every cut writes a whole disk.
const FAST_DIRECTORY: &str = "/dev/shm";

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Kept,
    Bad(String),
}

pub struct Cuts<'a> {
    events: &'a [Event],
    formatted: usize,
    created: usize,
    random: u64,
}

// === impl Cuts ===

impl<'a> Cuts<'a> {
    pub fn new(events: &'a [Event], seed: u64) -> Self {
        let position = |what: Acknowledged| {
            let found = events
                .iter()
                .position(|event| matches!(event, Event::Acknowledged(is) if *is == what));
            found.unwrap()
        };
        Self {
            events,
            formatted: position(Acknowledged::Formatted),
            created: position(Acknowledged::Created),
            random: seed,
        }
    }

    pub fn during_creation(&mut self) -> usize {
        self.between(self.formatted, self.created)
    }

    pub fn after_creation(&mut self) -> usize {
        self.between(self.created, self.events.len())
    }

    fn between(&mut self, from: usize, to: usize) -> usize {
        from + (self.next() % (to - from) as u64) as usize
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Builds the disk as it could be after a cut before event `cut`, and looks at the store on it.
    pub fn examine(&mut self, cut: usize) -> Verdict {
        let image = survivor(&self.events[..cut], || self.next());
        let fast = Path::new(FAST_DIRECTORY);
        let place = if fast.is_dir() {
            fast.to_owned()
        } else {
            std::env::temp_dir()
        };
        let directory = tempfile::tempdir_in(place).unwrap();
        let file: PathBuf = directory.path().join("disk");
        let target = directory.path().join("mounted");
        fs::write(&file, image).unwrap();
        fs::create_dir(&target).unwrap();
        let mounted = match Mounted::try_mount(&file, &target) {
            Ok(mounted) => mounted,
            Err(why) => return Verdict::Bad(why),
        };
        let acknowledged = self.events[..cut].iter().filter_map(|event| match event {
            Event::Acknowledged(what) => Some(*what),
            _ => None,
        });
        let acknowledged: Vec<_> = acknowledged.collect();
        let complaint = complaint(&mounted.path.join("data"), &acknowledged);
        drop(mounted);
        complaint.map_or(Verdict::Kept, Verdict::Bad)
    }
}
