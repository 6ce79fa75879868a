//! `berthctl snapshot save`

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use berth_proto::v1;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::error::Error;
use crate::output::Document;
use crate::session::Session;
use crate::view::snapshot::Saved;

/// Write a backup: the ledger at one revision, and the history up to it
///
/// The cluster goes on meanwhile. The file is checked as it comes, is synced, and has its name only once it is whole; a
/// file that is there is never overwritten. `berthctl snapshot inspect` checks it again, to its last rule.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  berthctl snapshot save /var/backups/berth-2026-11-23.snapshot")]
pub struct Save {
    /// Where to; must not be there yet
    pub file: PathBuf,
}

/// A file that goes away again unless it is finished.
struct Part {
    path: PathBuf,
    file: File,
    hasher: blake3::Hasher,
    bytes: u64,
}

// === impl Save ===

impl Save {
    /// Asks the leader.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let saving = |source| Error::File {
            path: self.file.clone(),
            source,
        };
        if self.file.exists() {
            return Err(saving(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "it is there already, and nothing is ever overwritten: name another file",
            )));
        }
        let mut stream = session
            .client()
            .save_snapshot(v1::SaveSnapshotRequest {})
            .await?;
        let mut part = Part::begin(&self.file).map_err(saving)?;
        let bar = bar();
        let mut revision = 0;
        loop {
            let message = stream.message().await;
            let message = message.map_err(|status| Error::CutOff(status.message().to_owned()))?;
            let Some(message) = message else {
                return Err(Error::CutOff("the stream ended".to_owned()));
            };
            part.write(&message.frames).map_err(saving)?;
            revision = message.revision.max(revision);
            bar.set_length(revision);
            bar.set_position(message.history_through_revision);
            if !message.digest.is_empty() {
                bar.finish_and_clear();
                if message.digest[..] != part.hasher.finalize().as_bytes()[..] {
                    return Err(Error::CutOff(
                        "the bytes are not those that were sent".to_owned(),
                    ));
                }
                break;
            }
        }
        let bytes = part.bytes;
        part.finish(&self.file).map_err(saving)?;
        Ok(Box::new(Saved {
            file: self.file,
            bytes,
            revision,
        }))
    }
}

/// By revisions of the history, which is most of a backup.
fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("saving {bar:40} revision {pos} of {len}, {eta} left");
    let bar = ProgressBar::new(0);
    // The template is a constant that is known to parse.
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

// === impl Part ===

impl Part {
    fn begin(file: &Path) -> io::Result<Self> {
        let mut name = file.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let path = file.with_file_name(name);
        // Of a try that was killed: nobody else gives files this name.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)?;
        Ok(Self {
            path,
            file,
            hasher: blake3::Hasher::new(),
            bytes: 0,
        })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes)
    }

    /// Durable under its name, unless that has come to be there meanwhile.
    fn finish(mut self, file: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        fs::hard_link(&self.path, file)?;
        fs::remove_file(&self.path)?;
        self.path = PathBuf::new();
        let directory = match file.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        File::open(directory)?.sync_all()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty()
            && let Err(error) = fs::remove_file(&self.path)
        {
            eprintln!("berthctl: {} is left behind: {error}", self.path.display());
        }
    }
}
