//! Whose a store is.

use crate::Error;
use crate::database::sync_directory;
use crate::upgrade::DIRECTORY;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use uuid::Uuid;

/// The layout this program writes.
pub const FORMAT: u32 = DIRECTORY.newest;

const FILE: &str = "identity";
const TEMPORARY_FILE: &str = "identity.new";

/// Whose a store is. A text file of one `name value` per line, closed by a checksum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The cluster's id, without line breaks.
    pub cluster_id: String,
    /// The member's id, never used again by another.
    pub member_id: u64,
    /// This very store. A member that comes back with another one has lost what it promised.
    pub store: Uuid,
}

// === impl Identity ===

impl Identity {
    /// A new store of a member.
    pub(super) fn new(cluster_id: &str, member_id: u64) -> Self {
        Self {
            cluster_id: cluster_id.lines().collect(),
            member_id,
            store: Uuid::new_v4(),
        }
    }

    /// With the form that it says; `None` if there is no identity file.
    pub(super) fn read(directory: &Path) -> Result<Option<(u32, Self)>, Error> {
        let path = directory.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(Error::damaged(directory, "its identity file is not text"));
            }
            Err(error) => return Err(Error::io("read", &path)(error)),
        };
        let Some((format, identity)) = parse(&text) else {
            let what = "its identity file does not match its checksum";
            return Err(Error::damaged(directory, what));
        };
        Ok(Some((format, identity)))
    }

    /// Durable on return: a temporary file, synced, renamed, the directory synced.
    pub(super) fn write(&self, directory: &Path) -> Result<(), Error> {
        self.write_as(FORMAT, directory)
    }

    /// The same, in a directory of this form.
    pub(super) fn write_as(&self, format: u32, directory: &Path) -> Result<(), Error> {
        let temporary = directory.join(TEMPORARY_FILE);
        let path = directory.join(FILE);
        let mut file = File::create(&temporary).map_err(Error::io("create", &temporary))?;
        file.write_all(self.text(format).as_bytes())
            .map_err(Error::io("write", &temporary))?;
        file.sync_all().map_err(Error::io("sync", &temporary))?;
        fs::rename(&temporary, &path).map_err(Error::io("rename", &temporary))?;
        sync_directory(directory)
    }

    pub(super) fn remove(directory: &Path) -> Result<(), Error> {
        for name in [FILE, TEMPORARY_FILE] {
            let path = directory.join(name);
            if path.exists() {
                fs::remove_file(&path).map_err(Error::io("remove", &path))?;
            }
        }
        Ok(())
    }

    fn text(&self, format: u32) -> String {
        let lines = format!(
            "berth-store {format}\ncluster {}\nmember {}\nstore {}\n",
            self.cluster_id, self.member_id, self.store
        );
        let checksum = crc32c::crc32c(lines.as_bytes());
        format!("{lines}checksum {checksum:08x}\n")
    }
}

/// The format and the identity. The rest of another format's file is not looked at.
fn parse(text: &str) -> Option<(u32, Identity)> {
    let (lines, checksum) = text.strip_suffix('\n')?.rsplit_once("checksum ")?;
    if format!("{:08x}", crc32c::crc32c(lines.as_bytes())) != checksum {
        return None;
    }
    let mut lines = lines.lines();
    let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
    let format = field("berth-store")?.parse().ok()?;
    let cluster_id = field("cluster")?.to_owned();
    let member_id = field("member")?.parse().ok()?;
    let store = field("store")?.parse().ok()?;
    let identity = Identity {
        cluster_id,
        member_id,
        store,
    };
    Some((format, identity))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_flipped_bit_is_noticed() {
        // A damaged identity is never read as another member's.
        let identity = Identity::new("cluster-1", 7);
        let text = identity.text(FORMAT);
        assert_eq!(parse(&text), Some((FORMAT, identity)));
        for bit in 0..text.len() * 8 {
            let mut bytes = text.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(flipped) = String::from_utf8(bytes) {
                assert_eq!(parse(&flipped), None, "bit {bit}");
            }
        }
    }
}
