//! How fast the stores are on this disk: `cargo run --release -p berth-store --example append_speed [DIRECTORY] [--low-space] [--history]`.
//! With `--history` the log is left out.
//!
//! The log: items/s by group size, one durable write per group, entries of 260 bytes; then the same while an old prefix is
//! compacted away. The history: records/s by commit size, then queries/s by key, and what the files weigh.

use berth_raft::log_store::{Batch, Entry, HardState, LogStore};
use berth_store::history::{self, Order, Query, Record};
use berth_store::{DatabaseOptions, SledLog};
use bytes::Bytes;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Each figure is measured for so long.
const MEASURE: Duration = Duration::from_secs(3);
const ENTRY_BYTES: usize = 260;
/// Entries kept while compacting.
const KEPT: u64 = 10_000;
const HISTORY_RECORDS: u64 = 1_000_000;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let low_space = arguments.iter().any(|argument| argument == "--low-space");
    let options = match low_space {
        true => DatabaseOptions::low_space(),
        false => DatabaseOptions::default(),
    };
    let place = arguments
        .iter()
        .find(|argument| !argument.starts_with("--"));
    let place = place.map_or_else(std::env::temp_dir, PathBuf::from);
    let directory = place.join(format!("berth-append-speed-{}", std::process::id()));
    fs::create_dir_all(&directory)?;
    let log_too = !arguments.iter().any(|argument| argument == "--history");
    let outcome = measure(&directory, options, log_too);
    fs::remove_dir_all(&directory)?;
    outcome
}

fn measure(directory: &Path, options: DatabaseOptions, log_too: bool) -> Outcome<()> {
    if log_too {
        logs(directory, options)?;
    }
    history_speed(&directory.join("history"), options)
}

fn logs(directory: &Path, options: DatabaseOptions) -> Outcome<()> {
    println!("log: entries of {ENTRY_BYTES} bytes, one durable write per group");
    for group in [1, 8, 64, 512] {
        log_speed(
            &directory.join(format!("log-{group}")),
            options,
            group,
            false,
        )?;
    }
    println!("log: the same, compacted to the last {KEPT} entries as it goes");
    for group in [8, 64, 512] {
        log_speed(
            &directory.join(format!("compacted-{group}")),
            options,
            group,
            true,
        )?;
    }
    Ok(())
}

fn log_speed(path: &Path, options: DatabaseOptions, group: u64, compact: bool) -> Outcome<()> {
    SledLog::create(path)?;
    let mut log = SledLog::open(path, options)?;
    log.load()?;
    let mut next = 1;
    let mut latencies = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < MEASURE {
        let started = Instant::now();
        log.write(&batch(next, group, compact))?;
        latencies.push(started.elapsed());
        next += group;
    }
    let seconds = begun.elapsed().as_secs_f64();
    latencies.sort();
    let at = |share: usize| latencies[latencies.len() * share / 1000].as_secs_f64() * 1e3;
    println!(
        "  group {group:>3}: {:>9.0} items/s, p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, {} MiB",
        (next - 1) as f64 / seconds,
        at(500),
        at(990),
        at(999),
        weight(path)? >> 20,
    );
    Ok(())
}

fn batch(first: u64, count: u64, compact: bool) -> Batch {
    let entry = |index: u64| Entry {
        index,
        term: 1,
        kind: 0,
        data: Bytes::from(noise(index, ENTRY_BYTES)),
        context: Bytes::new(),
    };
    let hard_state = HardState {
        term: 1,
        vote: 1,
        commit: first - 1,
    };
    let floor = first.saturating_sub(KEPT);
    Batch {
        entries: (first..first + count).map(entry).collect(),
        hard_state: Some(hard_state),
        compact_to: (compact && floor > 0).then_some((floor, 1)),
        must_sync: true,
        ..Batch::default()
    }
}

/// How long commits of one size take: what upkeep adds to a few of them is in the last figures.
fn commits(
    writer: &mut history::HistoryWriter,
    revisions: std::ops::RangeInclusive<u64>,
    each: usize,
) -> Outcome<()> {
    let begun = Instant::now();
    let (mut times, mut next, last) = (Vec::new(), *revisions.start(), *revisions.end());
    while next <= last {
        let end = last.min(next + each as u64 - 1);
        writer.append((next..=end).map(record).collect())?;
        let started = Instant::now();
        writer.commit()?;
        times.push(started.elapsed());
        next = end + 1;
    }
    let rate = revisions.count() as f64 / begun.elapsed().as_secs_f64();
    times.sort_unstable();
    let quantile = |parts: usize| times[(times.len() * parts / 1000).min(times.len() - 1)];
    println!(
        "  {each:>4} per commit: {rate:>9.0} records/s, commit p50 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms, slowest {:.1} ms",
        milliseconds(quantile(500)),
        milliseconds(quantile(990)),
        milliseconds(quantile(999)),
        milliseconds(quantile(1000)),
    );
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn history_speed(path: &Path, options: DatabaseOptions) -> Outcome<()> {
    println!("history: records with a body of 300 bytes and 5 keys");
    for commit in [1, 64] {
        let path = path.with_extension(commit.to_string());
        history::create(&path)?;
        let (mut writer, _) = history::open(&path, options)?;
        let begun = Instant::now();
        let mut next = 1;
        while begun.elapsed() < MEASURE {
            writer.append((next..next + commit).map(record).collect())?;
            writer.commit()?;
            next += commit;
        }
        let rate = (next - 1) as f64 / begun.elapsed().as_secs_f64();
        println!(
            "  {commit:>4} per commit: {rate:>9.0} records/s, {} MiB",
            weight(&path)? >> 20
        );
    }
    history::create(path)?;
    let (mut writer, reader) = history::open(path, options)?;
    // As at 2,000 records/s in a replica, and as at full speed.
    let middle = HISTORY_RECORDS / 2;
    commits(&mut writer, 1..=middle, 200)?;
    commits(&mut writer, middle + 1..=HISTORY_RECORDS, 2000)?;
    println!(
        "  {HISTORY_RECORDS} records weigh {} MiB",
        weight(path)? >> 20
    );
    query_speed(
        "the newest 10 of an address (50 records)",
        10,
        |n| format!("ip/{}", n % 20_000),
        &reader,
    )?;
    query_speed(
        "all of an address (50 records)",
        100,
        |n| format!("ip/{}", n % 20_000),
        &reader,
    )?;
    query_speed(
        "the newest 100 of a node (1000 records)",
        100,
        |n| format!("node/{}", n % 1000),
        &reader,
    )?;
    query_speed(
        "one pod (1 record)",
        10,
        |n| format!("pod/{}", n % HISTORY_RECORDS),
        &reader,
    )?;
    query_speed(
        "a key that is not there",
        10,
        |n| format!("none/{n}"),
        &reader,
    )?;
    drop((writer, reader));
    let begun = Instant::now();
    let (_writer, reader) = history::open(path, options)?;
    let milliseconds = begun.elapsed().as_millis();
    println!(
        "  opened again in {milliseconds} ms, through revision {}",
        reader.through().revision
    );
    Ok(())
}

fn query_speed(
    what: &str,
    limit: usize,
    key: impl Fn(u64) -> String,
    reader: &history::HistoryReader,
) -> Outcome<()> {
    let query = Query {
        order: Order::NewestFirst,
        limit,
        ..Query::default()
    };
    let (mut count, mut found) = (0, 0);
    let begun = Instant::now();
    while begun.elapsed() < MEASURE / 3 {
        let random = u64::from_le_bytes(noise(count, 8).try_into().unwrap_or_default());
        found += reader.by_key(key(random).as_bytes(), &query)?.records.len();
        count += 1;
    }
    let milliseconds = begun.elapsed().as_secs_f64() * 1e3 / count as f64;
    println!(
        "  {what}: {milliseconds:.2} ms, {:.1} found",
        found as f64 / count as f64
    );
    Ok(())
}

fn record(revision: u64) -> Record {
    let pod = noise(revision, 8);
    let pod: String = pod.iter().map(|byte| format!("{byte:02x}")).collect();
    let address = noise(revision, 4);
    let address = u32::from_le_bytes(address.try_into().unwrap_or_default()) % 20_000;
    let keys = [
        format!("ip/{address}"),
        format!("node/{}", revision % 1000),
        format!("pod/{revision}"),
        format!("uid/{pod}"),
        format!("ns/{}", revision % 50),
    ];
    let body = format!(
        "bind address 10.{address} to pod web-{pod} in namespace shop-{} on node worker-{:04}; by agent of worker-{:04}; {pod}{pod}; \
         before: free since {revision}, after: bound by generation {revision}; cause: add; reason: none",
        revision % 50,
        revision % 1000,
        revision % 1000,
    );
    let mut body = body.into_bytes();
    body.resize(300, b'.');
    let chain = noise(revision, 32);
    Record {
        revision,
        index: revision / 8 + 1,
        wall_ms: 1_700_000_000_000 + revision,
        chain: chain.try_into().unwrap_or_default(),
        keys: keys.into_iter().map(String::into_bytes).collect(),
        body: body.into(),
    }
}

/// Bytes that do not compress and are the same on every run.
fn noise(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut bytes = Vec::with_capacity(count + 8);
    while bytes.len() < count {
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) ^ (state >> 31);
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(count);
    bytes
}

/// What a directory's files occupy.
fn weight(path: &Path) -> Outcome<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        bytes += match path.is_dir() {
            true => weight(&path)?,
            false => std::os::unix::fs::MetadataExt::blocks(&fs::metadata(&path)?) * 512,
        };
    }
    Ok(bytes)
}
