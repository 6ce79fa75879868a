//! What a release stored is opened and replayed by this program, to the same hashes.
//!
//! One folder per release beside this file, named by it: `log.txt`, `directory.tar.gz` and what both must come to, and
//! `wire.bin`, its `descriptors.bin`, for `--test tolerance`. Made once,
//! by the release's own code: `BERTH_REGENERATE=1 cargo test -p berth-integration --test golden` makes the folder of the
//! present version if there is none, and never touches one that is there.

mod directory;
mod log;
mod making;
mod script;

use std::path::{Path, PathBuf};

/// The releases' folders.
fn releases() -> Vec<PathBuf> {
    making::if_asked();
    let all = std::fs::read_dir(home()).expect("this folder is read");
    let folders = all.map(|entry| entry.expect("an entry").path());
    let mut folders: Vec<PathBuf> = folders.filter(|path| path.is_dir()).collect();
    folders.sort();
    assert!(!folders.is_empty(), "at least one release is kept");
    folders
}

fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
