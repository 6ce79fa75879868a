//! `berth-sim`: one seed again, many of them, or the planted bugs.

use berth_sim::plan::Plan;
use berth_sim::planted::{self, ROWS};
use berth_sim::run::Ground;
use berth_sim::{swarm, table};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// The whole of Berth's servers in one deterministic process, under seeds of trouble
#[derive(Debug, Parser)]
#[command(name = "berth-sim", max_term_width = 110)]
struct Arguments {
    /// Run this seed alone, as it was run before
    #[arg(long)]
    seed: Option<u64>,
    /// With --seed: print what callers ask and are told, what is committed, and which processes begin and end
    #[arg(long, requires = "seed")]
    log: bool,
    /// How many seeds
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Moments of trouble in each
    #[arg(long, default_value_t = 8_000)]
    moments: u64,
    /// Not less than so many events together, or it counts as failed
    #[arg(long, default_value_t = 0)]
    events: u64,
    /// Threads; one per processor if not given
    #[arg(long)]
    threads: Option<usize>,
    /// Nothing goes wrong
    #[arg(long)]
    calm: bool,
    /// Look for every planted bug instead, in this many seeds each
    #[arg(long, value_name = "SEEDS")]
    planted: Option<u64>,
    /// With --planted: write the README's table; with --seed: plant this one
    #[arg(long)]
    write: bool,
    /// With --seed: with this planted bug
    #[arg(long, requires = "seed", value_name = "NAME")]
    bug: Option<String>,
}

/// Moments of trouble where bugs are looked for: most show early.
const PLANTED_MOMENTS: u64 = 2_500;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let ground = match Ground::new() {
        Ok(ground) => ground,
        Err(error) => {
            eprintln!("berth-sim: no store can be made: {error}");
            return ExitCode::FAILURE;
        }
    };
    let held = match (arguments.seed, arguments.planted) {
        (Some(seed), _) => one(&ground, &arguments, seed),
        (None, Some(most)) => bugs(&ground, &arguments, most),
        (None, None) => many(&ground, &arguments),
    };
    if held {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn plan(arguments: &Arguments, seed: u64) -> Plan {
    let mut plan = match arguments.calm {
        true => Plan::calm(3),
        false => Plan::drawn(seed),
    };
    plan.moments = arguments.moments;
    plan
}

fn one(ground: &Ground, arguments: &Arguments, seed: u64) -> bool {
    if let Some(name) = &arguments.bug {
        let Some(row) = ROWS.iter().find(|row| row.name == name) else {
            eprintln!(
                "berth-sim: no bug is called {name}; there are {}",
                table::all().join(", ")
            );
            return false;
        };
        let found = planted::run(ground, row, seed, PLANTED_MOMENTS, arguments.log);
        println!("seed {seed} with {name}: {found:?}");
        return found.is_some();
    }
    let plan = plan(arguments, seed);
    match swarm::one(ground, seed, &plan, arguments.log).result {
        Ok(report) => {
            println!(
                "seed {seed} held: trace {:016x}, {} events, {} checks, {} ms of virtual time\n{}",
                report.trace, report.events, report.checks, report.virtual_ms, report.text
            );
            true
        }
        Err(broken) => {
            println!("seed {seed}: {broken}\n{plan:?}");
            false
        }
    }
}

fn threads(arguments: &Arguments) -> usize {
    let all = || std::thread::available_parallelism().map_or(1, usize::from);
    arguments.threads.unwrap_or_else(all)
}

fn bar(length: u64, what: &str) -> ProgressBar {
    let bar = ProgressBar::new(length);
    let style =
        ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {elapsed_precise} eta {eta}");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.set_message(what.to_owned());
    bar
}

fn many(ground: &Ground, arguments: &Arguments) -> bool {
    let begun = Instant::now();
    let seeds = arguments.from..arguments.from.saturating_add(arguments.seeds);
    let bar = bar(arguments.seeds, "seeds");
    let (mut events, mut checks, mut failed, mut held) = (0, 0, 0, 0);
    let moments = arguments.moments;
    swarm::run(
        ground,
        seeds,
        threads(arguments),
        |seed| plan(arguments, seed),
        |outcome| {
            bar.inc(1);
            match outcome.result {
                Ok(report) => {
                    (events, checks, held) =
                        (events + report.events, checks + report.checks, held + 1);
                }
                Err(broken) => {
                    failed += 1;
                    let again = format!(
                        "cargo xtask sim --seed {} --moments {moments}",
                        outcome.seed
                    );
                    bar.suspend(|| println!("seed {}: {broken}\n    again: {again}", outcome.seed));
                }
            }
            true
        },
    );
    bar.finish_and_clear();
    let took = begun.elapsed().as_secs();
    println!(
        "{held} seeds held, {failed} broke a rule: {events} events, {checks} checks in {took} s"
    );
    if events < arguments.events {
        println!(
            "that is less than the {} events that were asked for",
            arguments.events
        );
    }
    failed == 0 && events >= arguments.events
}

fn bugs(ground: &Ground, arguments: &Arguments, most: u64) -> bool {
    let readme = std::fs::read_to_string(table::path()).unwrap_or_default();
    let bar = bar(ROWS.len() as u64, "planted bugs");
    let next = AtomicUsize::new(0);
    let found = Mutex::new(vec![None; ROWS.len()]);
    std::thread::scope(|scope| {
        for _ in 0..threads(arguments) {
            scope.spawn(|| {
                while let Some((at, row)) = ROWS
                    .iter()
                    .enumerate()
                    .nth(next.fetch_add(1, Ordering::Relaxed))
                {
                    // The one that found it before is tried first, unless the table is to be made anew.
                    let known = table::seed(&readme, row.name).filter(|_| !arguments.write);
                    let again = known
                        .and_then(|seed| planted::run(ground, row, seed, PLANTED_MOMENTS, false));
                    let here = again.or_else(|| planted::find(ground, row, most, PLANTED_MOMENTS));
                    bar.inc(1);
                    bar.suspend(|| match &here {
                        Some(at) => println!(
                            "{:<28} seed {:>3}  {} {}",
                            row.name,
                            at.seed,
                            at.rule,
                            brief(&at.text)
                        ),
                        None => println!("{:<28} NOT FOUND in {most} seeds", row.name),
                    });
                    found.lock().unwrap_or_else(PoisonError::into_inner)[at] = here;
                }
            });
        }
    });
    bar.finish_and_clear();
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    let all = found.iter().all(Option::is_some);
    let rows: Vec<_> = ROWS.iter().copied().zip(found).collect();
    if arguments.write
        && let Some(text) = table::written(&readme, &rows)
        && let Err(error) = std::fs::write(table::path(), text)
    {
        eprintln!("berth-sim: the README cannot be written: {error}");
        return false;
    }
    println!(
        "{} of {} planted bugs found",
        rows.iter().filter(|(_, found)| found.is_some()).count(),
        rows.len()
    );
    all
}

fn brief(text: &str) -> String {
    text.chars().take(90).collect()
}
