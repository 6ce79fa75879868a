//! A data directory: whose it is, that only one process has it, and that it is whole.
//!
//! ```text
//! <data-dir>/creating          only while it is being made: nothing here was ever acknowledged
//!            identity          whose it is; written last
//!            note              what helps at the next start; nothing depends on it
//!            lock              held by the process that uses it
//!            ballast           room for getting started again on a full disk
//!            log/ history/     the two databases
//!            log.witness  history.witness
//! ```

mod ballast;
mod filesystem;
mod identity;
mod lock;
mod note;

use crate::database::{DatabaseOptions, sync_directory};
use crate::history::{self, HistoryReader, HistoryWriter};
use crate::upgrade::{DIRECTORY, Forms, InPlace};
use crate::{Error, SledLog};
pub use filesystem::Space;
pub use identity::{FORMAT, Identity};
use lock::Lock;
pub use note::Note;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const CREATING: &str = "creating";
const LOG: &str = "log";
const HISTORY: &str = "history";
const SET_ASIDE: &str = "set-aside";

/// What must be there in a whole store, besides the identity.
const PARTS: [&str; 6] = [
    "log/db",
    "log/conf",
    "log.witness",
    "history/db",
    "history/conf",
    "history.witness",
];

/// How a data directory is kept.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Bytes set aside so that a replica can start on a full disk; 0 = none.
    pub ballast_bytes: u64,
    /// Below this many available bytes [`Space::low`] is true.
    pub watermark_bytes: u64,
    /// How the databases are opened.
    pub database: DatabaseOptions,
}

/// What a path holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// No directory, or one without anything of ours.
    Absent,
    /// A creation that a crash cut short: nothing in it was ever acknowledged, [`Directory::create`] starts over.
    Unfinished,
    /// A whole store and whose it is.
    Store(Identity),
}

/// A locked data directory. The lock lasts as long as this value or any store opened from it.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    identity: Identity,
    options: Options,
    lock: Arc<Lock>,
}

// === impl Options ===

impl Default for Options {
    fn default() -> Self {
        Self {
            // Enough for sled to open and write: a few segments of 8 MiB.
            ballast_bytes: 64 << 20,
            // Several seconds of full load, and room for one snapshot beside the old one.
            watermark_bytes: 256 << 20,
            database: DatabaseOptions::default(),
        }
    }
}

// === impl Directory ===

impl Directory {
    /// Says what a path holds without locking or changing it.
    ///
    /// # Errors
    /// `Damaged` if a store is there in part; `Format` if a later version wrote it.
    pub fn inspect(path: &Path) -> Result<Found, Error> {
        if path.join(CREATING).exists() {
            return Ok(Found::Unfinished);
        }
        let identity = match Identity::read(path)? {
            // What an older form consists of is known to its step, which looks when it is taken.
            Some((form, identity)) if !DIRECTORY.after(form, path)?.is_empty() => {
                return Ok(Found::Store(identity));
            }
            found => found.map(|(_, identity)| identity),
        };
        let missing = PARTS.iter().find(|part| !path.join(part).exists());
        let present = PARTS.iter().find(|part| path.join(part).exists());
        match (identity, missing, present) {
            (Some(identity), None, _) => Ok(Found::Store(identity)),
            (Some(_), Some(part), _) => Err(Error::damaged(path, format!("{part} is gone"))),
            (None, _, Some(part)) => Err(Error::damaged(
                path,
                format!("{part} is there but its identity file is gone"),
            )),
            (None, _, None) => Ok(Found::Absent),
        }
    }

    /// Makes a new store for a member with a fresh store id; durable on return.
    ///
    /// # Errors
    /// `Present` if a store is there already, `InUse`, `NetworkFilesystem`, or the disk's own.
    pub fn create(
        path: &Path,
        cluster_id: &str,
        member_id: u64,
        options: Options,
    ) -> Result<Self, Error> {
        Self::build(path, cluster_id, member_id, options, |_| Ok(()))
    }

    /// The same, with what `fill` writes into its log and history: until that is done, a crash leaves a creation that was cut
    /// short, never half a store. `fill` closes what it opens.
    ///
    /// # Errors
    /// As [`Self::create`], and `fill`'s own.
    pub fn build<E: From<Error>>(
        path: &Path,
        cluster_id: &str,
        member_id: u64,
        options: Options,
        fill: impl FnOnce(&Self) -> Result<(), E>,
    ) -> Result<Self, E> {
        let directory = Self::begin(path, cluster_id, member_id, options)?;
        fill(&directory)?;
        directory.complete()?;
        Ok(directory)
    }

    /// Everything is there but the word that it is whole.
    fn begin(
        path: &Path,
        cluster_id: &str,
        member_id: u64,
        options: Options,
    ) -> Result<Self, Error> {
        fs::create_dir_all(path).map_err(Error::io("create", path))?;
        filesystem::refuse_network(path)?;
        let lock = Lock::take(path)?;
        match Self::inspect(path)? {
            Found::Store(_) => return Err(Error::Present { path: path.into() }),
            Found::Unfinished => remove_unfinished(path)?,
            Found::Absent => {}
        }
        let creating = path.join(CREATING);
        File::create(&creating).map_err(Error::io("create", &creating))?;
        sync_directory(path)?;
        crate::log::create(&path.join(LOG))?;
        history::create(&path.join(HISTORY))?;
        let identity = Identity::new(cluster_id, member_id);
        identity.write(path)?;
        Ok(Self {
            path: path.to_owned(),
            identity,
            options,
            lock: Arc::new(lock),
        })
    }

    fn complete(&self) -> Result<(), Error> {
        let path = &self.path;
        let creating = path.join(CREATING);
        fs::remove_file(&creating).map_err(Error::io("remove", &creating))?;
        sync_directory(path)?;
        if let Some(parent) = path.canonicalize().ok().as_deref().and_then(Path::parent) {
            sync_directory(parent)?;
        }
        ballast::restore(path, self.options.ballast_bytes)
    }

    /// Takes a whole store. On a nearly full disk the ballast is given up first, so that sled can open (S5).
    ///
    /// # Errors
    /// `Absent`, `Damaged`, `Format`, `InUse`, `NetworkFilesystem`, or the disk's own.
    pub fn open(path: &Path, options: Options) -> Result<Self, Error> {
        if !path.is_dir() {
            return Err(Error::Absent { path: path.into() });
        }
        filesystem::refuse_network(path)?;
        let Found::Store(_) = Self::inspect(path)? else {
            return Err(Error::Absent { path: path.into() });
        };
        let lock = Lock::take(path)?;
        bring_up(path, &DIRECTORY)?;
        let Found::Store(identity) = Self::inspect(path)? else {
            return Err(Error::Absent { path: path.into() });
        };
        ballast::settle(path, options.ballast_bytes)?;
        Ok(Self {
            path: path.to_owned(),
            identity,
            options,
            lock: Arc::new(lock),
        })
    }

    /// Whose store this is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its note, which may be read and written while the stores are open.
    pub fn note(&self) -> Note {
        Note::of(&self.path)
    }

    /// Refuses another cluster's or another member's store; `None` = any.
    ///
    /// # Errors
    /// `Stranger`, naming both.
    pub fn expect(&self, cluster_id: Option<&str>, member_id: Option<u64>) -> Result<(), Error> {
        let stranger = |what, found: String, expected: String| Error::Stranger {
            path: self.path.clone(),
            what,
            found,
            expected,
        };
        let identity = &self.identity;
        match cluster_id {
            Some(expected) if expected != identity.cluster_id => {
                let found = identity.cluster_id.clone();
                return Err(stranger("cluster", found, expected.to_owned()));
            }
            _ => {}
        }
        match member_id {
            Some(expected) if expected != identity.member_id => {
                let found = identity.member_id.to_string();
                Err(stranger("member", found, expected.to_string()))
            }
            _ => Ok(()),
        }
    }

    /// Opens the raft log. Once per directory at a time: sled locks its file.
    ///
    /// # Errors
    /// `Damaged`, also if another store's was copied here, or the disk's own.
    pub fn log(&self) -> Result<SledLog, Error> {
        let log = SledLog::open(&self.path.join(LOG), self.options.database)?;
        let log = log.belonging_to(self.identity.store)?;
        Ok(log.keeping(self.lock.clone()))
    }

    /// Opens the history. Once per directory at a time.
    ///
    /// # Errors
    /// `Damaged`, also if another store's was copied here, or the disk's own.
    pub fn history(&self) -> Result<(HistoryWriter, HistoryReader), Error> {
        let (writer, reader) = history::open(&self.path.join(HISTORY), self.options.database)?;
        let writer = writer.belonging_to(self.identity.store)?;
        Ok((writer.keeping(self.lock.clone()), reader))
    }

    /// How much room there is, and whether it is too little to take new work.
    ///
    /// # Errors
    /// The system's own.
    pub fn space(&self) -> Result<Space, Error> {
        let ballast_bytes = ballast::size(&self.path);
        filesystem::space(&self.path, ballast_bytes, self.options.watermark_bytes)
    }

    /// Gives the ballast's room back to the disk, for what must still be written on a full one.
    ///
    /// # Errors
    /// The system's own.
    pub fn release_ballast(&self) -> Result<(), Error> {
        ballast::release(&self.path)
    }

    /// Moves everything in the directory out of the way, for joining as a new member, and says where it is now.
    ///
    /// The directory is renamed to `<data-dir>.set-aside-N`; a mount point keeps its place and its contents move to `set-aside-N` inside.
    ///
    /// # Errors
    /// `InUse`, or the system's own.
    pub fn set_aside(path: &Path) -> Result<PathBuf, Error> {
        let _lock = Lock::take(path)?; // held until the move is done
        let aside = first_free(|number| {
            let mut name = path.as_os_str().to_owned();
            name.push(format!(".{SET_ASIDE}-{number}"));
            PathBuf::from(name)
        });
        if fs::rename(path, &aside).is_ok() {
            if let Some(parent) = aside.parent().filter(|parent| *parent != Path::new("")) {
                sync_directory(parent)?;
            }
            return Ok(aside);
        }
        set_contents_aside(path)
    }
}

/// Takes every step from the directory's form to the newest. Each is durable before the identity says so; one that a crash cut
/// short is taken again.
fn bring_up(path: &Path, forms: &Forms<InPlace>) -> Result<(), Error> {
    let Some((form, identity)) = Identity::read(path)? else {
        return Ok(());
    };
    for step in forms.after(form, path)? {
        (step.run)(path)?;
        sync_directory(path)?;
        identity.write_as(step.from + 1, path)?;
        tracing::info!(from = step.from, what = step.what, path = %path.display(), "brought up to date");
    }
    Ok(())
}

/// For a directory that cannot be renamed because something is mounted on it.
fn set_contents_aside(path: &Path) -> Result<PathBuf, Error> {
    let aside = first_free(|number| path.join(format!("{SET_ASIDE}-{number}")));
    fs::create_dir(&aside).map_err(Error::io("create", &aside))?;
    for entry in fs::read_dir(path).map_err(Error::io("list", path))? {
        let entry = entry.map_err(Error::io("list", path))?;
        let name = entry.file_name();
        let keeps_its_place = name.to_string_lossy().starts_with(SET_ASIDE)
            || name == lock::FILE
            || name == "lost+found";
        if !keeps_its_place {
            let target = aside.join(&name);
            fs::rename(entry.path(), &target).map_err(Error::io("set aside", &entry.path()))?;
        }
    }
    sync_directory(&aside)?;
    sync_directory(path)?;
    Ok(aside)
}

fn first_free(name: impl Fn(u32) -> PathBuf) -> PathBuf {
    let mut number = 1;
    while name(number).exists() {
        number += 1;
    }
    name(number)
}

/// Takes away what an unfinished creation left; the `creating` mark stays until the next one is done.
fn remove_unfinished(path: &Path) -> Result<(), Error> {
    for part in [LOG, HISTORY] {
        let directory = path.join(part);
        if directory.exists() {
            fs::remove_dir_all(&directory).map_err(Error::io("remove", &directory))?;
        }
        let witness = directory.with_extension("witness");
        if witness.exists() {
            fs::remove_file(&witness).map_err(Error::io("remove", &witness))?;
        }
    }
    Identity::remove(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upgrade::Step;

    /// The form 0 that never was: the witnesses lay in a folder of their own.
    const FROM_THE_BEGINNING: Forms<InPlace> = Forms {
        schema: "data directory",
        newest: FORMAT,
        steps: &[Step {
            from: 0,
            what: "the witnesses lie beside their databases",
            run: |path| {
                for name in ["log.witness", "history.witness"] {
                    let old = path.join("witnesses").join(name);
                    if old.exists() {
                        fs::rename(&old, path.join(name)).map_err(Error::io("move", &old))?;
                    }
                }
                Ok(())
            },
        }],
    };

    fn of_form_0(path: &Path) -> Identity {
        let options = Options {
            ballast_bytes: 0,
            ..Options::default()
        };
        let made = Directory::create(path, "c", 7, options).expect("made");
        let identity = made.identity().clone();
        drop(made);
        fs::create_dir(path.join("witnesses")).expect("made");
        for name in ["log.witness", "history.witness"] {
            fs::rename(path.join(name), path.join("witnesses").join(name)).expect("moved");
        }
        identity.write_as(0, path).expect("written");
        identity
    }

    /// Promise: a directory of an older form is brought up by its steps, keeps whose it is, and is whole afterwards; a step that
    /// was cut short is taken again.
    #[test]
    fn an_older_form_is_brought_up() {
        for cut_short in [false, true] {
            let place = tempfile::tempdir().expect("a folder");
            let path = place.path().join("data");
            let identity = of_form_0(&path);
            if cut_short {
                let old = path.join("witnesses/log.witness");
                fs::rename(old, path.join("log.witness")).expect("moved");
            }
            bring_up(&path, &FROM_THE_BEGINNING).expect("brought up");
            assert_eq!(
                Directory::inspect(&path).expect("whole"),
                Found::Store(identity)
            );
            let opened = Directory::open(&path, Options::default()).expect("opened");
            opened.log().expect("its log");
        }
    }

    /// Promise (negative control): without the step the same directory is refused, and nothing in it is touched.
    #[test]
    fn a_form_without_a_step_is_refused() {
        let place = tempfile::tempdir().expect("a folder");
        let path = place.path().join("data");
        of_form_0(&path);
        let refused = Directory::open(&path, Options::default()).expect_err("refused");
        assert!(
            refused
                .to_string()
                .contains("has form 0; this program reads 1"),
            "{refused}"
        );
        assert!(path.join("witnesses/log.witness").exists());
    }
}
