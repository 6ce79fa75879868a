//! Room kept free by a file, for starting again on a full disk: sled cannot even open without some (S5).

use super::filesystem;
use crate::Error;
use rustix::fs::{FallocateFlags, fallocate};
use std::fs::{self, File};
use std::io;
use std::path::Path;

const FILE: &str = "ballast";

/// The file is made again only when this many times its size is available, lest it fill the disk it protects.
const RESTORE_FACTOR: u64 = 4;

/// What sled needs to open: a few of its segments.
const OPEN_BYTES_MIN: u64 = 32 << 20;

/// Makes the file unless it is there or the disk has too little room for it.
pub(super) fn restore(directory: &Path, bytes: u64) -> Result<(), Error> {
    let path = directory.join(FILE);
    let available = filesystem::available(directory)?;
    if bytes == 0 || size(directory) >= bytes || available / RESTORE_FACTOR < bytes {
        return Ok(());
    }
    let file = File::create(&path).map_err(Error::io("create", &path))?;
    match fallocate(&file, FallocateFlags::empty(), 0, bytes) {
        Ok(()) => file.sync_all().map_err(Error::io("sync", &path)),
        // Some file systems cannot reserve room; then there is none to give back either.
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSPC) => release(directory),
        Err(errno) => Err(Error::io("preallocate", &path)(errno.into())),
    }
}

/// Before opening: gives the room up if the disk is nearly full, otherwise makes sure that it is kept.
pub(super) fn settle(directory: &Path, bytes: u64) -> Result<(), Error> {
    if filesystem::available(directory)? < OPEN_BYTES_MIN {
        return release(directory);
    }
    restore(directory, bytes)
}

pub(super) fn release(directory: &Path) -> Result<(), Error> {
    let path = directory.join(FILE);
    match fs::remove_file(&path) {
        Ok(()) => {
            tracing::warn!(path = %path.display(), "the disk is nearly full: its ballast was given up");
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::io("remove", &path)(error)),
    }
}

/// 0 if there is none.
pub(super) fn size(directory: &Path) -> u64 {
    fs::metadata(directory.join(FILE)).map_or(0, |metadata| metadata.len())
}
