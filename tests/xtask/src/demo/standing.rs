//! The cluster that `--keep` left running: remembered in a file, ended by `cargo xtask demo stop`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::child;
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::workspace;

/// A replica that is asked to end hands over and closes its stores first.
const PATIENCE: Duration = Duration::from_secs(10);

/// Notes what runs, and says what to try.
pub fn remember(
    processes: &[u32],
    folder: &Path,
    endpoints: &[String],
    address: &str,
) -> Result<()> {
    let state = json!({"processes": processes, "folder": folder, "endpoints": endpoints});
    let path = state_file()?;
    fs::write(&path, format!("{state:#}"))
        .map_err(|error| Error::system(format!("cannot write {}", path.display()), &error))?;
    let berthctl = workspace::target()?.join("debug/berthctl");
    println!("\nThe cluster runs on. Try:\n");
    println!("  export BERTH_ENDPOINTS={}", endpoints.join(","));
    println!("  alias berthctl={}", berthctl.display());
    println!("  berthctl raft status");
    println!("  berthctl vswitch show zone-a");
    println!("  berthctl allocation explain shop/db-0");
    println!("  berthctl history --ip {address}");
    println!("  berthctl check\n\nand end it with:  cargo xtask demo stop");
    Ok(())
}

/// A second demo would overwrite what is remembered of the first.
pub fn refuse_if_running() -> Result<()> {
    match read()? {
        Some(state) if processes(&state).iter().any(|id| child::runs(*id)) => Err(Error::new(
            "a demo cluster runs already; end it with `cargo xtask demo stop`",
        )),
        _ => Ok(()),
    }
}

/// Ends what runs and removes its data; fine if there is nothing.
pub fn stop(interrupt: &Interrupt) -> Result<bool> {
    let Some(state) = read()? else {
        println!("no demo cluster runs");
        return Ok(true);
    };
    let folder = state
        .get("folder")
        .and_then(Value::as_str)
        .map(PathBuf::from)
        .unwrap_or_default();
    for id in processes(&state) {
        // The id may belong to somebody else by now: only what still names our programs is ours.
        if is_ours(id) {
            child::end_group(id, PATIENCE, interrupt)?;
        }
    }
    if is_scratch(&folder) && folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| {
            Error::system(format!("cannot remove {}", folder.display()), &error)
        })?;
    }
    let path = state_file()?;
    fs::remove_file(&path)
        .map_err(|error| Error::system(format!("cannot remove {}", path.display()), &error))?;
    println!("the demo cluster has ended and its data is removed");
    Ok(true)
}

fn is_ours(id: u32) -> bool {
    let command = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    let program =
        String::from_utf8_lossy(command.split(|byte| *byte == 0).next().unwrap_or_default())
            .into_owned();
    child::runs(id) && (program.ends_with("/berthd") || program.ends_with("/berthctl"))
}

/// Whether the demo made this directory; nothing else is ever removed.
fn is_scratch(folder: &Path) -> bool {
    let name = folder
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    name.starts_with("berth-demo-") && folder.parent() == Some(std::env::temp_dir().as_path())
}

fn processes(state: &Value) -> Vec<u32> {
    let ids = state
        .get("processes")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    ids.filter_map(Value::as_u64)
        .filter_map(|id| u32::try_from(id).ok())
        .collect()
}

fn read() -> Result<Option<Value>> {
    let path = state_file()?;
    match fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::system(
            format!("cannot read {}", path.display()),
            &error,
        )),
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| {
            Error::new(format!(
                "{} is damaged ({error}); end berthd by hand and remove it",
                path.display()
            ))
        }),
    }
}

fn state_file() -> Result<PathBuf> {
    Ok(workspace::target()?.join("demo.json"))
}

#[cfg(test)]
mod tests {
    use super::{Path, is_scratch};

    /// Promise: `demo stop` never removes a directory that the demo did not make.
    #[test]
    fn only_the_demos_directory_is_removed() {
        let temporary = std::env::temp_dir();
        assert!(is_scratch(&temporary.join("berth-demo-1-2")));
        for other in [
            temporary.clone(),
            temporary.join("other"),
            temporary.join("x/berth-demo-1"),
            "".into(),
            Path::new("/").into(),
        ] {
            assert!(!is_scratch(&other), "{}", other.display());
        }
    }
}
