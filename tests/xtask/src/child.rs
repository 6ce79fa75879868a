//! Programs that we start: in a process group of their own, and never left behind.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use clap::Args;
use rustix::process::{Pid, Signal};

use crate::error::{Error, Result};
use crate::interrupt::Interrupt;

/// The hidden verb that [`tethered`] uses.
pub const TETHER: &str = "die-with-parent";

/// The program that runs now, also when cargo has put another one in its file meanwhile (proc(5)).
const OURSELVES: &str = "/proc/self/exe";

/// What to run.
#[derive(Debug, Args)]
pub struct TetherArguments {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    command: Vec<OsString>,
}

/// Becomes the program, which the kernel kills when the thread that started us ends, even by `kill -9`.
pub fn tether(arguments: TetherArguments) -> Result<bool> {
    let parent_gone = || rustix::process::getppid().is_none_or(|parent| parent == Pid::INIT);
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|error| Error::new(format!("cannot ask to die with the parent: {error}")))?;
    if parent_gone() {
        return Err(Error::Interrupted);
    }
    let (program, rest) = arguments
        .command
        .split_first()
        .ok_or(Error::new("no program to run"))?;
    let error = Command::new(program).args(rest).exec();
    Err(Error::system(
        format!("cannot run {}", program.display()),
        &error,
    ))
}

/// A command that dies with the thread that starts it; start it from the main thread.
pub fn tethered(program: &Path) -> Command {
    let mut command = Command::new(OURSELVES);
    command.arg0("xtask");
    command.arg(TETHER).arg(program);
    command
}

/// A process group that ends when this is dropped.
#[derive(Debug)]
pub struct Group {
    child: Child,
    released: bool,
}

// === impl Group ===

impl Group {
    /// Starts the command in a process group of its own, so that a Ctrl-C of the terminal reaches us first.
    pub fn start(command: &mut Command, what: &str) -> Result<Self> {
        let child = command
            .process_group(0)
            .spawn()
            .map_err(|error| Error::system(format!("cannot start {what}"), &error))?;
        Ok(Self {
            child,
            released: false,
        })
    }

    /// The process' id, which is the group's too.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The standard streams that were piped.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(&mut self) {
        // Once waited for, the id may be somebody else's.
        if self.is_running() {
            signal_group(self.child.id(), Signal::KILL);
            if let Err(error) = self.child.wait() {
                eprintln!(
                    "xtask: process {} cannot be waited for: {error}",
                    self.child.id()
                );
            }
        }
    }

    /// Lets it run on after us.
    pub fn release(mut self) -> u32 {
        self.released = true;
        self.child.id()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.released {
            self.kill();
        }
    }
}

/// Sends a signal to a whole group; a group that is gone already is fine.
pub fn signal_group(id: u32, signal: Signal) {
    let group = i32::try_from(id).ok().and_then(Pid::from_raw);
    let result = group.map_or(Ok(()), |group| {
        rustix::process::kill_process_group(group, signal)
    });
    match result {
        Err(error) if error != rustix::io::Errno::SRCH => {
            eprintln!("xtask: cannot signal process {id}: {error}")
        }
        _ => {}
    }
}

/// Asks a group that is not our child to end, and insists after `patience`.
pub fn end_group(id: u32, patience: Duration, interrupt: &Interrupt) -> Result<()> {
    signal_group(id, Signal::TERM);
    let begun = Instant::now();
    let mut insisted = false;
    interrupt.wait_for(&format!("the end of process {id}"), patience * 2, || {
        if begun.elapsed() > patience && !insisted {
            signal_group(id, Signal::KILL);
            insisted = true;
        }
        (!runs(id)).then_some(())
    })
}

/// Whether a process of this id runs; one that only waits to be collected does not.
pub fn runs(id: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // "pid (name) state ...", and the name may hold anything but its own end.
    let state = status
        .rsplit_once(')')
        .and_then(|(_, rest)| rest.trim_start().chars().next());
    state.is_some_and(|state| state != 'Z' && state != 'X')
}
