//! What one process cost: the most memory it had, and its processor time.
//!
//! The kernel counts what stood in a child's place before its `exec` as the child's: its parent's memory. So the child is
//! started by a process that has done nothing yet, which is this program again.

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde::{Deserialize, Serialize};

use super::call::Call;
use crate::{Error, Watched};

/// The hidden verb, which is looked for before anything else is done.
pub const VERB: &str = "weigh-one-process";

/// What one process cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weight {
    /// The most that was resident; never less than `floor_bytes`, whatever the process was.
    pub resident_bytes: u64,
    /// What the process that started it had, in whose place it began.
    pub floor_bytes: u64,
    /// Processor time, user and system.
    pub cpu_us: u64,
    /// Whether it succeeded.
    pub success: bool,
}

/// Runs the program with our own environment and input, and prints its weight as JSON.
pub fn weigh_and_print(mut command: impl Iterator<Item = OsString>) -> std::io::Result<()> {
    let program = command.next().unwrap_or_default();
    let floor_bytes = Watched::ourselves().peak_bytes()?;
    let status = Command::new(program)
        .args(command)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    let child = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu_us = (child.user_time() + child.system_time()).num_microseconds();
    let weight = Weight {
        // ru_maxrss is in KiB (getrusage(2)).
        resident_bytes: u64::try_from(child.max_rss()).unwrap_or(0) * 1024,
        floor_bytes,
        cpu_us: u64::try_from(cpu_us).unwrap_or(0),
        success: status.success(),
    };
    println!("{}", serde_json::to_string(&weight)?);
    Ok(())
}

/// What one call of a plugin costs; `ourselves` is this program.
pub(crate) fn weigh(call: &Call, ourselves: &Path, program: &Path) -> Result<Weight, Error> {
    let failed = |source| Error::File {
        path: program.to_owned(),
        source,
    };
    let mut command = Command::new(ourselves);
    command.arg(VERB).arg(program);
    call.describe(&mut command);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = command.spawn().map_err(failed)?;
    if let Some(mut input) = process.stdin.take() {
        input.write_all(call.config.as_bytes()).map_err(failed)?;
    }
    let output = process.wait_with_output().map_err(failed)?;
    serde_json::from_slice(&output.stdout).map_err(|error| failed(error.into()))
}
