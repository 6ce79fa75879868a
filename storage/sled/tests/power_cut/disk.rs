//! A disk of one file that records what happens to it.

use fuser::{
    BackgroundSession, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, Generation,
    INodeNo, LockOwner, MountOption, OpenFlags, ReplyAttr, ReplyData, ReplyEmpty, ReplyEntry,
    ReplyWrite, Request, WriteFlags,
};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Room for both databases and ext4's journal.
pub const DISK_BYTES: usize = 96 << 20;
/// ext4's first superblock.
const SUPERBLOCK_END: usize = 4096;
const BUSY_MAX: Duration = Duration::from_secs(20);
const TTL: Duration = Duration::from_secs(3600);
const ROOT: u64 = 1;
const DISK: u64 = 2;

/// What happened, in order.
#[derive(Debug)]
pub enum Event {
    Write {
        offset: usize,
        data: Vec<u8>,
    },
    /// Everything before is on the platter.
    Flush,
    Acknowledged(Acknowledged),
}

/// What the store promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledged {
    /// ext4 is there; the creation begins.
    Formatted,
    Created,
    Log {
        term: u64,
    },
    History {
        revision: u64,
    },
}

struct Record {
    image: Vec<u8>,
    events: Vec<Event>,
    /// The moment of each event.
    moments: Vec<u64>,
    clock: Arc<AtomicU64>,
}

struct OneFile(Arc<Mutex<Record>>);

/// The disk, ext4 on it, mounted.
pub struct RecordingDisk {
    record: Arc<Mutex<Record>>,
    session: Option<BackgroundSession>,
    mounted: Option<Mounted>,
    _directory: tempfile::TempDir,
}

/// A file mounted as ext4; unmounted when dropped.
pub struct Mounted {
    device: String,
    pub path: PathBuf,
}

// === impl Record ===

impl Record {
    fn happened(&mut self, event: Event) {
        self.events.push(event);
        self.moments.push(self.clock.fetch_add(1, Ordering::SeqCst));
    }
}

// === impl RecordingDisk ===

impl RecordingDisk {
    pub fn mount() -> Self {
        Self::mount_by(Arc::default())
    }

    /// The same, with moments counted by this clock, which others may count too.
    pub fn mount_by(clock: Arc<AtomicU64>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let fuse = directory.path().join("fuse");
        let target = directory.path().join("mounted");
        std::fs::create_dir(&fuse).unwrap();
        std::fs::create_dir(&target).unwrap();
        let record = Arc::new(Mutex::new(Record {
            image: vec![0; DISK_BYTES],
            events: Vec::new(),
            moments: Vec::new(),
            clock,
        }));
        let mut config = Config::default();
        config
            .mount_options
            .push(MountOption::FSName("berth-recording-disk".into()));
        let session = fuser::spawn_mount(OneFile(record.clone()), &fuse, &config).unwrap();
        let image = fuse.join("disk");
        run("mkfs.ext4", &["-q", "-F", image.to_str().unwrap()]);
        let mounted = Some(Mounted::mount(&image, &target));
        let disk = Self {
            record,
            session: Some(session),
            mounted,
            _directory: directory,
        };
        disk.acknowledge(Acknowledged::Formatted);
        disk
    }

    pub fn path(&self) -> &Path {
        &self.mounted.as_ref().unwrap().path
    }

    /// Notes an acknowledgement after everything that has reached the disk so far.
    pub fn acknowledge(&self, what: Acknowledged) {
        let mut record = self.record.lock().unwrap();
        record.happened(Event::Acknowledged(what));
    }

    /// Unmounts everything and hands the record over.
    pub fn finish(self) -> Vec<Event> {
        self.finish_with_moments().0
    }

    /// The same, with the moment of each event.
    pub fn finish_with_moments(mut self) -> (Vec<Event>, Vec<u64>) {
        drop(self.mounted.take());
        drop(self.session.take());
        let mut record = self.record.lock().unwrap();
        let moments = std::mem::take(&mut record.moments);
        (std::mem::take(&mut record.events), moments)
    }
}

impl Drop for RecordingDisk {
    fn drop(&mut self) {
        // Also when a test fails: ext4 first, then the disk below it.
        drop(self.mounted.take());
        drop(self.session.take());
    }
}

// === impl Mounted ===

impl Mounted {
    pub fn mount(image: &Path, target: &Path) -> Self {
        Self::try_mount(image, target).unwrap()
    }

    pub fn try_mount(image: &Path, target: &Path) -> Result<Self, String> {
        let device = run("losetup", &["-f", "--show", image.to_str().unwrap()]);
        let output = Command::new("mount")
            .args([&device, target.to_str().unwrap()])
            .output()
            .unwrap();
        if !output.status.success() {
            run("losetup", &["-d", &device]);
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let path = target.to_owned();
        Ok(Self { device, path })
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        unmount(&self.path);
        run("losetup", &["-d", &self.device]);
    }
}

/// sled's worker threads give their files back a moment after a database was dropped; until then the mount is busy.
fn unmount(path: &Path) {
    let begun = Instant::now();
    while !Command::new("umount")
        .arg(path)
        .output()
        .unwrap()
        .status
        .success()
    {
        assert!(begun.elapsed() < BUSY_MAX, "{} stays busy", path.display());
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {output:?}"
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

// === impl OneFile ===

impl Filesystem for OneFile {
    fn lookup(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEntry) {
        match name == "disk" {
            true => reply.entry(&TTL, &attributes(DISK), Generation(0)),
            false => reply.error(Errno::ENOENT),
        }
    }

    fn getattr(&self, _: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        reply.attr(&TTL, &attributes(u64::from(inode)));
    }

    #[allow(clippy::too_many_arguments)] // the trait's
    fn setattr(
        &self,
        _: &Request,
        inode: INodeNo,
        _: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        _: Option<u64>,
        _: Option<fuser::TimeOrNow>,
        _: Option<fuser::TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<fuser::BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        reply.attr(&TTL, &attributes(u64::from(inode)));
    }

    #[allow(clippy::too_many_arguments)] // the trait's
    fn read(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let record = self.0.lock().unwrap();
        let from = (offset as usize).min(DISK_BYTES);
        let to = (from + size as usize).min(DISK_BYTES);
        reply.data(&record.image[from..to]);
    }

    #[allow(clippy::too_many_arguments)] // the trait's
    fn write(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let mut record = self.0.lock().unwrap();
        let offset = offset as usize;
        record.image[offset..offset + data.len()].copy_from_slice(data);
        record.happened(Event::Write {
            offset,
            data: data.to_vec(),
        });
        reply.written(data.len() as u32);
    }

    /// The loop driver turns the block layer's flush into this.
    fn fsync(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        self.0.lock().unwrap().happened(Event::Flush);
        reply.ok();
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }
}

/// The disk after a cut behind these events: everything up to the last flush, then any part of what came after it: all,
/// nothing or a half, by sectors or by blocks.
pub fn survivor(before: &[Event], mut chance: impl FnMut() -> u64) -> Vec<u8> {
    let flushed = before
        .iter()
        .rposition(|event| matches!(event, Event::Flush))
        .unwrap_or(0);
    let mut image = vec![0; DISK_BYTES];
    for event in &before[..flushed] {
        if let Event::Write { offset, data } = event {
            image[*offset..offset + data.len()].copy_from_slice(data);
        }
    }
    let keep_of_four = [0, 2, 2, 4][(chance() % 4) as usize];
    let piece_bytes = if chance().is_multiple_of(2) {
        512
    } else {
        4096
    };
    for event in &before[flushed..] {
        let Event::Write { offset, data } = event else {
            continue;
        };
        // ext4 writes its superblock past its journal and does not survive half of it; that is not what is tested here.
        let piece_bytes = if *offset < SUPERBLOCK_END {
            data.len()
        } else {
            piece_bytes
        };
        for (number, piece) in data.chunks(piece_bytes).enumerate() {
            if chance() % 4 < keep_of_four {
                let at = offset + number * piece_bytes;
                image[at..at + piece.len()].copy_from_slice(piece);
            }
        }
    }
    image
}

fn attributes(inode: u64) -> FileAttr {
    let (kind, size) = match inode {
        ROOT => (FileType::Directory, 0),
        _ => (FileType::RegularFile, DISK_BYTES as u64),
    };
    FileAttr {
        ino: INodeNo(inode),
        size,
        blocks: size / 512,
        atime: UNIX_EPOCH,
        mtime: UNIX_EPOCH,
        ctime: UNIX_EPOCH,
        crtime: UNIX_EPOCH,
        kind,
        perm: 0o700,
        nlink: 1,
        uid: 0,
        gid: 0,
        rdev: 0,
        flags: 0,
        blksize: 4096,
    }
}
