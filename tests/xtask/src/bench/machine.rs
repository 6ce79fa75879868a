//! What was measured on: without it the numbers say nothing.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::page::Section;
use crate::error::{Error, Result};

/// The machine, as it says itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    pub cores: usize,
    pub model: String,
    pub memory_gib: u64,
    pub kernel: String,
    /// Of the folder that the data goes to.
    pub file_system: String,
    pub device: String,
    /// One append of a page, made durable: half are faster.
    pub sync_p50_ms: f64,
    /// 99 of 100 are faster.
    pub sync_p99_ms: f64,
    pub compiler: String,
    /// The commit that was measured, if this is a repository.
    pub commit: String,
    /// "2026-01-31"
    pub date: String,
}

/// Enough for a p99.
const SYNCS: usize = 300;
/// What a small log entry takes.
const SYNCED_BYTES: usize = 4_096;

// === impl Machine ===

impl Machine {
    /// Looks, and measures the disk's sync in that folder.
    pub fn look(data: &Path) -> Result<Self> {
        let syncs = syncs(data)?;
        let kibibytes = field("/proc/meminfo", "MemTotal").unwrap_or_default();
        let kibibytes = kibibytes.split_whitespace().next().map(str::parse::<u64>);
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Ok(Self {
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            model: field("/proc/cpuinfo", "model name").unwrap_or("unknown".to_owned()),
            memory_gib: kibibytes.and_then(std::result::Result::ok).unwrap_or(0) >> 20,
            kernel: kernel.trim().to_owned(),
            file_system: of_disk("fstype", data),
            device: of_disk("source", data),
            sync_p50_ms: milliseconds(syncs[SYNCS / 2]),
            sync_p99_ms: milliseconds(syncs[SYNCS * 99 / 100]),
            compiler: said("rustc", &["--version"]),
            commit: said("git", &["describe", "--always", "--dirty", "--abbrev=12"]),
            date: said("date", &["-u", "+%F"]),
        })
    }

    /// One line.
    pub fn line(&self) -> String {
        format!(
            "{} cores ({}), {} GiB, Linux {}, {} on {} (an append of 4 KiB is durable in {:.2} ms, p99 {:.2} ms), {}",
            self.cores,
            self.model,
            self.memory_gib,
            self.kernel,
            self.file_system,
            self.device,
            self.sync_p50_ms,
            self.sync_p99_ms,
            self.compiler
        )
    }

    /// For the page.
    pub fn section(&self, programs: &[(String, String)]) -> Section {
        let row = |what: &str, value: String| vec![what.to_owned(), value];
        let or_unknown = |text: &str| match text {
            "" => "unknown".to_owned(),
            text => text.to_owned(),
        };
        let mut rows = vec![
            row("processor", format!("{} cores, {}", self.cores, self.model)),
            row("memory", format!("{} GiB", self.memory_gib)),
            row("kernel", format!("Linux {}", self.kernel)),
            row(
                "file system",
                format!("{} on {}", self.file_system, self.device),
            ),
            row(
                "append of 4 KiB and fdatasync",
                format!(
                    "p50 {:.2} ms, p99 {:.2} ms",
                    self.sync_p50_ms, self.sync_p99_ms
                ),
            ),
            row("compiler", or_unknown(&self.compiler)),
            row("commit", or_unknown(&self.commit)),
            row("date", or_unknown(&self.date)),
        ];
        rows.extend(
            programs
                .iter()
                .map(|(what, version)| row(what, or_unknown(version))),
        );
        Section::table("Measured on", &["", "this"], rows)
    }

    /// For programs.
    pub fn document(&self) -> Value {
        json!({
            "cores": self.cores,
            "model": self.model,
            "memory_gib": self.memory_gib,
            "kernel": self.kernel,
            "file_system": self.file_system,
            "device": self.device,
            "sync_p50_ms": self.sync_p50_ms,
            "sync_p99_ms": self.sync_p99_ms,
            "compiler": self.compiler,
            "commit": self.commit,
            "date": self.date,
        })
    }
}

/// How long each of some appends took to be durable, ascending.
fn syncs(folder: &Path) -> Result<Vec<Duration>> {
    let path = folder.join(format!("sync-{}", std::process::id()));
    let failed = |error| Error::system(format!("cannot write {}", path.display()), &error);
    let mut options = OpenOptions::new();
    let mut file = options
        .create(true)
        .append(true)
        .open(&path)
        .map_err(failed)?;
    let page = [0x5a_u8; SYNCED_BYTES];
    let mut once = || {
        let begun = Instant::now();
        file.write_all(&page)?;
        file.sync_data()?;
        Ok(begun.elapsed())
    };
    let times: std::io::Result<Vec<Duration>> = (0..SYNCS).map(|_| once()).collect();
    let removed = fs::remove_file(&path);
    let mut times = times
        .and_then(|times| removed.map(|()| times))
        .map_err(failed)?;
    times.sort_unstable();
    Ok(times)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn of_disk(column: &str, folder: &Path) -> String {
    let text = said(
        "df",
        &[&format!("--output={column}"), &folder.to_string_lossy()],
    );
    text.lines().last().unwrap_or("unknown").trim().to_owned()
}

fn field(file: &str, key: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// What a program says; nothing if it is not there.
pub fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map_or_else(|_| Vec::new(), |output| output.stdout);
    String::from_utf8_lossy(&text).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{SYNCS, syncs};

    /// Promise: the disk is really asked, in the order of the times, and nothing is left of it.
    #[test]
    fn the_disk_is_asked() {
        let folder = std::env::temp_dir().join(format!("berth-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let times = syncs(&folder).unwrap();
        assert_eq!(times.len(), SYNCS);
        assert!(times.is_sorted() && times[0].as_nanos() > 0);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        std::fs::remove_dir(&folder).unwrap();
        assert!(syncs(&folder).is_err());
    }
}
