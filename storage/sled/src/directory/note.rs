//! What is good to have at the next start, and nothing depends on: a missing or damaged note is none.

use crate::Error;
use crate::database::sync_directory;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

const FILE: &str = "note";
const TEMPORARY_FILE: &str = "note.new";

/// A directory's one note: any text. It goes with the directory, and is in no backup.
#[derive(Clone, Debug)]
pub struct Note {
    directory: PathBuf,
}

// === impl Note ===

impl Note {
    pub(super) fn of(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
        }
    }

    /// The text written last, if it is whole.
    pub fn read(&self) -> Option<String> {
        let text = fs::read_to_string(self.directory.join(FILE)).ok()?;
        let (text, checksum) = text.strip_suffix('\n')?.rsplit_once("\nchecksum ")?;
        (checksum == self::checksum(text)).then(|| text.to_owned())
    }

    /// Durable on return, and the old one until then.
    ///
    /// # Errors
    /// The disk's own. The store is not harmed by it.
    pub fn write(&self, text: &str) -> Result<(), Error> {
        let temporary = self.directory.join(TEMPORARY_FILE);
        let mut file = File::create(&temporary).map_err(Error::io("create", &temporary))?;
        let whole = format!("{text}\nchecksum {}\n", checksum(text));
        file.write_all(whole.as_bytes())
            .map_err(Error::io("write", &temporary))?;
        file.sync_all().map_err(Error::io("sync", &temporary))?;
        let path = self.directory.join(FILE);
        fs::rename(&temporary, &path).map_err(Error::io("rename", &temporary))?;
        sync_directory(&self.directory)
    }
}

fn checksum(text: &str) -> String {
    format!("{:08x}", crc32c::crc32c(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: a note is read as it was written, the newest one; one that was cut short or changed is none.
    #[test]
    fn a_damaged_note_is_none() {
        let place = tempfile::tempdir().expect("a folder");
        let note = Note::of(place.path());
        assert_eq!(note.read(), None);
        for text in ["", "one", "two\nlines\n"] {
            note.write(text).expect("written");
            assert_eq!(note.read().as_deref(), Some(text));
        }
        let path = place.path().join(FILE);
        let whole = fs::read(&path).expect("there");
        for bytes in 0..whole.len() {
            fs::write(&path, &whole[..bytes]).expect("cut");
            assert_eq!(note.read(), None, "{bytes}");
            let mut changed = whole.clone();
            changed[bytes] ^= 1;
            fs::write(&path, &changed).expect("changed");
            assert_eq!(note.read(), None, "{bytes}");
        }
    }
}
