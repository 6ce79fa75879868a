//! What only the server's program can do, because it reads and writes data directories: it is run in our place.

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use crate::error::Error;
use crate::output::{Document, Format};
use crate::session::Session;

/// Names the program, where it is not beside this one or in the path.
const VARIABLE: &str = "BERTHD";

/// Becomes `berthd VERB ARGUMENTS`; comes back only if that cannot be run.
///
/// # Errors
/// `NoServer`.
pub fn run<const N: usize>(
    session: &Session,
    verb: [&str; N],
    arguments: Vec<OsString>,
) -> Result<Box<dyn Document>, Error> {
    let program = program();
    let mut command = Command::new(&program);
    command.args(verb);
    if session.format() == Format::Json {
        command.args(["-o", "json"]);
    }
    let source = command.args(arguments).exec();
    Err(Error::NoServer { program, source })
}

fn program() -> PathBuf {
    if let Some(said) = env::var_os(VARIABLE) {
        return said.into();
    }
    let beside = env::current_exe()
        .ok()
        .map(|me| me.with_file_name("berthd"));
    match beside {
        Some(beside) if beside.exists() => beside,
        _ => "berthd".into(),
    }
}
