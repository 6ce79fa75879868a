//! What processes cost: CPU time and memory, from /proc.

use std::fs;

use serde::Serialize;

use crate::Error;

/// A process to watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// As the report calls it.
    pub name: String,
    /// Its process id.
    pub id: u32,
}

/// What a process cost in a round.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// As it was named.
    pub name: String,
    /// CPU time in the round, user and system.
    pub cpu_seconds: f64,
    /// Of one core.
    pub cpu_percent: f64,
    /// At the end of the round.
    pub resident_bytes: u64,
    /// The most it ever had.
    pub resident_peak_bytes: u64,
}

/// CPU time at one moment.
pub(crate) struct Sample {
    ticks: Vec<u64>,
}

// === impl Watched ===

impl Watched {
    /// "NAME=ID"
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, id) = text.split_once('=').ok_or("write NAME=PROCESS_ID")?;
        let id = id
            .parse()
            .map_err(|_| format!("{id:?} is not a process id"))?;
        let name = name.to_owned();
        Ok(Self { name, id })
    }

    /// The load tester itself.
    pub fn ourselves() -> Self {
        let (name, id) = ("client".to_owned(), std::process::id());
        Self { name, id }
    }

    /// The most that was ever resident since its program began.
    pub(crate) fn peak_bytes(&self) -> std::io::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id))?;
        Ok(kilobytes(&status, "VmHWM:") * 1024)
    }

    fn read(&self, file: &str) -> Result<String, Error> {
        fs::read_to_string(format!("/proc/{}/{file}", self.id)).map_err(|source| Error::Process {
            name: self.name.clone(),
            id: self.id,
            source,
        })
    }

    /// utime + stime (proc(5)); the name before them may hold spaces, but ends with the last parenthesis.
    fn ticks(&self) -> Result<u64, Error> {
        let stat = self.read("stat")?;
        let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let times = rest.split_whitespace().skip(11).take(2);
        Ok(times.filter_map(|time| time.parse::<u64>().ok()).sum())
    }
}

// === impl Sample ===

impl Sample {
    pub(crate) fn take(watched: &[Watched]) -> Result<Self, Error> {
        let ticks = watched
            .iter()
            .map(Watched::ticks)
            .collect::<Result<_, _>>()?;
        Ok(Self { ticks })
    }

    /// What was spent since.
    pub(crate) fn costs(self, watched: &[Watched], seconds: f64) -> Result<Vec<Cost>, Error> {
        let per_second = rustix::param::clock_ticks_per_second() as f64;
        let before = self.ticks.into_iter();
        let cost = |(watched, before): (&Watched, u64)| {
            let cpu_seconds = watched.ticks()?.saturating_sub(before) as f64 / per_second;
            let status = watched.read("status")?;
            Ok(Cost {
                name: watched.name.clone(),
                cpu_seconds,
                cpu_percent: 100.0 * cpu_seconds / seconds,
                resident_bytes: kilobytes(&status, "VmRSS:") * 1024,
                resident_peak_bytes: kilobytes(&status, "VmHWM:") * 1024,
            })
        };
        watched.iter().zip(before).map(cost).collect()
    }
}

fn kilobytes(status: &str, key: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Sample, Watched};

    /// Promise: work is seen as CPU time, and our own memory is not nothing.
    #[test]
    fn work_costs() {
        let us = [Watched::ourselves()];
        let before = Sample::take(&us).unwrap();
        let begun = std::time::Instant::now();
        let mut sum = 0_u64;
        while begun.elapsed().as_millis() < 200 {
            sum = sum.wrapping_mul(31).wrapping_add(7);
        }
        std::hint::black_box(sum);
        let cost = &before.costs(&us, 0.2).unwrap()[0];
        assert!(cost.cpu_seconds > 0.02, "{cost:?}");
        assert!(cost.resident_bytes > 100_000 && cost.resident_peak_bytes >= cost.resident_bytes);
    }

    /// Promise: a process that is not there is named, not measured as idle.
    #[test]
    fn a_missing_process_is_named() {
        let gone = Watched::parse("berth-1=4194304").unwrap();
        let error = Sample::take(&[gone]).err().unwrap().to_string();
        assert!(error.contains("berth-1 (4194304)"), "{error}");
        assert!(Watched::parse("berth-1").is_err());
    }
}
