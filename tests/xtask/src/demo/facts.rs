//! What an operator would report: pods and nodes, through `berthctl facts report`.

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::PATIENCE;
use super::control::Control;
use crate::child::Group;
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;

/// How often a wait looks whether we are to stop.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A stream of facts that stays open.
#[derive(Debug)]
pub struct Facts {
    process: Mutex<Option<Group>>,
    sending: Mutex<Sending>,
    taken: Arc<(Mutex<u64>, Condvar)>,
    interrupt: Interrupt,
}

#[derive(Debug)]
struct Sending {
    input: Option<ChildStdin>,
    lines: u64,
}

// === impl Facts ===

impl Facts {
    /// Opens the stream.
    pub fn open(control: &Control, tethered: bool, interrupt: Interrupt) -> Result<Self> {
        let arguments = [
            "facts", "report", "--source", "demo", "--hold", "--output", "json",
        ];
        let mut command = control.lasting_command(&arguments, tethered);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut process = Group::start(&mut command, "berthctl facts report")?;
        let input = process.child().stdin.take();
        let output = process
            .child()
            .stdout
            .take()
            .ok_or(Error::new("berthctl has no output"))?;
        let taken = Arc::new((Mutex::new(0), Condvar::new()));
        let noted = Arc::clone(&taken);
        // Ends when the process does.
        thread::spawn(move || note_acknowledged(output, &noted));
        Ok(Self {
            process: Mutex::new(Some(process)),
            sending: Mutex::new(Sending { input, lines: 0 }),
            taken,
            interrupt,
        })
    }

    /// Reports one fact; the line's number.
    pub fn tell(&self, fact: &Value) -> Result<u64> {
        let mut sending = lock(&self.sending);
        let input = sending
            .input
            .as_mut()
            .ok_or(Error::new("the stream of facts is closed"))?;
        writeln!(input, "{fact}")
            .map_err(|error| Error::system("berthctl facts report ended", &error))?;
        sending.lines += 1;
        Ok(sending.lines)
    }

    /// Waits until the leader has taken everything up to this line.
    pub fn wait_until_taken(&self, line: u64) -> Result<()> {
        let (taken, changed) = &*self.taken;
        let begun = Instant::now();
        let mut taken = lock(taken);
        while *taken < line {
            self.interrupt.check()?;
            if begun.elapsed() > PATIENCE {
                return Err(Error::new("the leader does not acknowledge the facts"));
            }
            let waited = changed.wait_timeout(taken, LOOK_EVERY);
            taken = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }

    /// Ends the input; what was said stands while the process runs on. Its id.
    pub fn release(&self) -> Option<u32> {
        lock(&self.sending).input = None;
        lock(&self.process).take().map(Group::release)
    }
}

/// Reads `{"acknowledged_line": 12}` line by line.
fn note_acknowledged(output: ChildStdout, taken: &(Mutex<u64>, Condvar)) {
    for line in BufReader::new(output).lines() {
        let Ok(line) = line else { return };
        let document: Option<Value> = serde_json::from_str(&line).ok();
        if let Some(number) =
            document.and_then(|document| document.get("acknowledged_line")?.as_u64())
        {
            *lock(&taken.0) = number;
            taken.1.notify_all();
        }
    }
}

/// A worker that panicked is reported by its scope; the value is whole all the same.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
