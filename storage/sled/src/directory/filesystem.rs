//! What lies under a data directory: its kind and its room.

use crate::Error;
use rustix::fs::{statfs, statvfs};
use std::path::Path;

/// `statfs(2)` magic numbers of file systems whose locks and syncs end on another machine (S14).
const NETWORK_FILESYSTEMS: [(u32, &str); 10] = [
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB2"),
    (0x00c3_6400, "Ceph"),
    (0x0102_1997, "9P"),
    (0x5346_414f, "AFS"),
    (0x0bd0_0bd0, "Lustre"),
    (0x7375_7245, "Coda"),
    (0x564c, "NCP"),
];

/// A disk's room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// What this process may still write, without the ballast.
    pub available_bytes: u64,
    /// What giving up the ballast would add.
    pub ballast_bytes: u64,
    /// Too little for new work: refuse it, still take what frees.
    pub low: bool,
}

pub(super) fn refuse_network(path: &Path) -> Result<(), Error> {
    let found = statfs(path).map_err(|errno| Error::io("inspect", path)(errno.into()))?;
    match network_name(found.f_type as u32) {
        None => Ok(()),
        Some(filesystem) => Err(Error::NetworkFilesystem {
            path: path.to_owned(),
            filesystem,
        }),
    }
}

fn network_name(magic: u32) -> Option<&'static str> {
    let known = NETWORK_FILESYSTEMS
        .iter()
        .find(|(known, _)| *known == magic);
    known.map(|(_, name)| *name)
}

pub(super) fn available(path: &Path) -> Result<u64, Error> {
    let found = statvfs(path).map_err(|errno| Error::io("inspect", path)(errno.into()))?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

pub(super) fn space(path: &Path, ballast_bytes: u64, watermark_bytes: u64) -> Result<Space, Error> {
    let available_bytes = available(path)?;
    Ok(Space {
        available_bytes,
        ballast_bytes,
        low: available_bytes < watermark_bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_known_and_local_ones_are_not() {
        // NFS and SMB are refused by name; ext4, xfs, btrfs, tmpfs and overlayfs are taken.
        assert_eq!(network_name(0x6969), Some("NFS"));
        assert_eq!(network_name(0xff53_4d42), Some("CIFS"));
        for local in [0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0x794c_7630] {
            assert_eq!(network_name(local), None, "{local:x}");
        }
    }
}
