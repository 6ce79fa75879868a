//! The ledger alone: the example program of `services/domain`.

use std::fs::File;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use super::berth::Programs;
use crate::child::{self, Group};
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;

/// Longer than any run that goes well.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// Its figures, by name.
pub fn measure(
    programs: &Programs,
    live: u64,
    folder: &std::path::Path,
    interrupt: &Interrupt,
) -> Result<Value> {
    let path = folder.join("apply.json");
    let failed = |error| Error::system(format!("cannot write {}", path.display()), &error);
    let mut command = child::tethered(&programs.apply_speed);
    command.args([&live.to_string(), "--json"]);
    command.stdin(Stdio::null());
    command.stdout(File::create(&path).map_err(failed)?);
    let mut process = Group::start(&mut command, "apply_speed")?;
    interrupt.wait_for("the ledger's program", LIMIT, || {
        (!process.is_running()).then_some(())
    })?;
    let text = std::fs::read_to_string(&path).map_err(failed)?;
    serde_json::from_str(&text)
        .map_err(|error| Error::new(format!("apply_speed failed, see above: {error}")))
}
