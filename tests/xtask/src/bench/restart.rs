//! A server with many live allocations is ended and started again: from exec to serving.

use std::time::Duration;

use rustix::process::Signal;
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

use super::page::Section;
use super::{Bench, berth};
use crate::error::Result;

/// A server that does not end, or does not come back, within this is broken.
const LIMIT: Duration = Duration::from_secs(5 * 60);
/// How the server is ended, and what people call it.
const ENDS: [(Signal, &str); 2] = [(Signal::TERM, "an orderly end"), (Signal::KILL, "kill -9")];

/// Fills one replica through its door, and restarts it each way.
pub(super) fn measure(bench: &Bench<'_>) -> Result<Value> {
    let live = bench.settings.live;
    let (mut servers, server) = berth::start_alone(bench.programs, bench.data)?;
    let fill = bench.load.fill(&mut servers, live)?;
    let mut starts = Vec::new();
    for (signal, after) in ENDS {
        let ending = now_ns();
        servers.end(signal, LIMIT, bench.interrupt)?;
        let ended = now_ns();
        // Before the server, so that its own start is not counted.
        let waiting = bench.load.ready(&server.endpoint)?;
        let begun = now_ns();
        servers.start(
            &server.name,
            server.endpoint.clone(),
            &mut server.command(bench.programs),
        )?;
        let ready = waiting.report(&mut servers)?;
        let serving = ready["serving_at_ns"].as_u64().unwrap_or(0);
        let seconds = |from: u64, to: u64| to.saturating_sub(from) as f64 / 1e9;
        let start = json!({
            "after": after,
            "end_seconds": seconds(ending, ended),
            "ready_seconds": seconds(begun, serving),
            "bound": ready["bound"],
            "resident_peak_bytes": servers.resident_peak_bytes(),
        });
        bench.progress.say(&format!(
            "  after {after}: ready in {:.2} s, {} bound",
            seconds(begun, serving),
            ready["bound"]
        ));
        starts.push(start);
    }
    Ok(json!({ "live": live, "fill": fill, "starts": starts }))
}

/// What did not come back.
pub fn faults(report: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let made = report["fill"]["allocations"].as_u64();
    if made != report["live"].as_u64() || report["fill"]["duplicates"].as_u64() != Some(0) {
        faults.push(format!("filling went wrong: {}", report["fill"]));
    }
    for start in report["starts"].as_array().into_iter().flatten() {
        if start["bound"].as_u64() != made {
            let (after, bound) = (&start["after"], &start["bound"]);
            faults.push(format!(
                "after {after} {bound} addresses are bound, not {made:?}"
            ));
        }
    }
    faults
}

/// For people.
pub fn section(report: &Value) -> Section {
    let number = |value: &Value| value.as_f64().unwrap_or(0.0);
    let row = |start: &Value| {
        vec![
            format!("after {}", start["after"].as_str().unwrap_or_default()),
            format!("{:.2}", number(&start["end_seconds"])),
            format!("{:.2}", number(&start["ready_seconds"])),
            start["bound"].to_string(),
            format!("{:.0}", number(&start["resident_peak_bytes"]) / 1_048_576.0),
        ]
    };
    let starts = report["starts"].as_array().into_iter().flatten();
    let head = ["", "end s", "ready s", "bound", "peak MiB"];
    let title = format!("Restart with {} live allocations", report["live"]);
    Section::table(title, &head, starts.map(row).collect()).note(format!(
        "One replica, filled by ADDs through its door ({:.0}/s, {} nodes). Ready: from exec until gRPC health of \
         berth.v1.Allocator says SERVING. Its files are in the page cache.",
        number(&report["fill"]["per_second"]),
        report["fill"]["nodes"]
    ))
}

/// On the clock that all processes of the machine share.
fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    (now.tv_sec as u64) * 1_000_000_000 + now.tv_nsec as u64
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Result, faults, section};
    use crate::error::Error;

    /// Promise: an allocation that did not come back is seen; when all did, nothing is.
    #[test]
    fn a_loss_is_seen() -> Result<()> {
        let report = |bound: u64| {
            json!({
                "live": 1000, "fill": { "allocations": 1000, "duplicates": 0, "per_second": 5.0, "nodes": 5 },
                "starts": [{ "after": "kill -9", "end_seconds": 0.1, "ready_seconds": 2.5, "bound": bound,
                             "resident_peak_bytes": 10_485_760 }],
            })
        };
        assert_eq!(faults(&report(1000)), Vec::<String>::new());
        let lost = faults(&report(999));
        let first = lost.first().ok_or(Error::new("not seen"))?;
        assert!(first.contains("999"), "{first}");
        let table = section(&report(1000)).table.ok_or(Error::new("no table"))?;
        assert_eq!(
            table.rows[0],
            ["after kill -9", "0.10", "2.50", "1000", "10"]
        );
        Ok(())
    }
}
