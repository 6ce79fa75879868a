//! Where the built programs are.

use std::env;
use std::path::{Path, PathBuf};

use super::Error;

/// The program's path: in `BERTH_BIN_DIR`, else beside the running test (`target/debug/deps/..`).
pub fn binary(name: &str) -> Result<PathBuf, Error> {
    let folder = match env::var_os("BERTH_BIN_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => beside_the_test(),
    };
    let path = folder.join(name);
    if path.is_file() {
        return Ok(path);
    }
    let package = name.to_owned();
    Err(Error::NotBuilt { path, package })
}

fn beside_the_test() -> PathBuf {
    let test = env::current_exe().unwrap_or_default();
    let folder = test.parent().unwrap_or(Path::new("."));
    let is_deps = folder.file_name().is_some_and(|name| name == "deps");
    let folder = if is_deps {
        folder.parent().unwrap_or(folder)
    } else {
        folder
    };
    folder.to_owned()
}
