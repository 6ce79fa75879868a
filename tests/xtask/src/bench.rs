//! `cargo xtask bench`: one and three replicas of Berth, and three members of etcd on the same disk; the plugin as a process
//! beside host-local; the ledger alone; a restart with a million allocations; and changes of the leader. Never two systems at once.

mod apply;
mod berth;
mod catch_up;
mod etcd;
mod failover;
mod figures;
mod load;
mod machine;
mod page;
mod progress;
mod restart;
mod sections;
mod servers;
mod settings;
mod steps;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::workspace;
use load::Load;
use machine::Machine;
use progress::Progress;
use settings::{Part, Settings};

/// The bench chore's command line.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Everything, but so short that it shows little more than that it works: under four minutes
    #[arg(long)]
    quick: bool,
    /// Only these parts
    #[arg(long, value_delimiter = ',', value_name = "PART,..")]
    only: Vec<Part>,
    /// How often each system has its turn; the table shows the medians [default: 3]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: Option<u32>,
    /// Closed loop: so many requests always under way, one after the other [default: 1,16,64,256]
    #[arg(long, value_name = "N,..")]
    in_flight: Option<String>,
    /// Open loop: so many arrivals per second [default: 2000]
    #[arg(long, value_name = "RATE,..")]
    open_loop: Option<String>,
    /// Measured, of each step; two more before each are not [default: 8]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: Option<u32>,
    /// Of the churn scenario; 0 leaves it out [default: 60]
    #[arg(long)]
    churn_seconds: Option<u32>,
    /// Live allocations of the ledger alone and of the restart [default: 1000000]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1_000..=4_000_000))]
    live: Option<u64>,
    /// Leaves etcd out, for a machine without a network
    #[arg(long)]
    without_etcd: bool,
    /// Where the data of the systems goes while they run: on the disk that is to be measured
    #[arg(long, value_name = "DIRECTORY")]
    data: Option<PathBuf>,
    /// Where the whole report goes, for programs
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Writes a Markdown page of everything there, as loadtest/RESULTS.md is one
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
}

/// What each part said, in order.
#[derive(Debug, Default)]
struct Reports {
    one_replica: Vec<Value>,
    three_replicas: Vec<Value>,
    etcd: Vec<Value>,
    churn: Vec<Value>,
    plugins: Option<Value>,
    /// As its package says.
    host_local: Option<String>,
    apply: Option<Value>,
    restart: Option<Value>,
    failover: Option<Value>,
    catch_up: Option<Value>,
}

/// Everything that a part needs.
struct Bench<'a> {
    settings: &'a Settings,
    programs: &'a berth::Programs,
    etcd: Option<&'a etcd::Etcd>,
    folder: &'a Path,
    data: &'a Path,
    load: Load<'a>,
    progress: &'a Progress,
    interrupt: &'a Interrupt,
}

const PAGE_TITLE: &str = "What was measured";

/// Measures everything; whether every address was right.
pub fn run(arguments: Arguments) -> Result<bool> {
    let interrupt = Interrupt::listen()?;
    let settings = Settings::of(&arguments);
    let folder = workspace::target()?.join("bench");
    let data = arguments.data.clone().unwrap_or(folder.join("data"));
    for path in [&folder, &data] {
        std::fs::create_dir_all(path)
            .map_err(|error| Error::system(format!("cannot make {}", path.display()), &error))?;
    }
    let programs = berth::build(&interrupt)?;
    let wants_etcd = settings.etcd && settings.has(Part::Systems);
    let etcd = wants_etcd.then(|| etcd::Etcd::newest(&folder, &interrupt));
    let etcd = etcd.transpose()?;
    let machine = Machine::look(&data)?;
    println!("{}", machine.line());
    if let Some(etcd) = &etcd {
        println!("etcd {} ({})", etcd.version(), etcd.program().display());
    }
    let seconds = u64::from(settings.all_seconds());
    println!(
        "this takes about {} min; Ctrl-C leaves nothing behind\n",
        seconds.div_ceil(60)
    );
    let progress = Progress::of(Duration::from_secs(seconds));
    let bench = Bench {
        settings: &settings,
        programs: &programs,
        etcd: etcd.as_ref(),
        folder: &folder,
        data: &data,
        load: Load::new(&programs, &settings, &folder, &progress, &interrupt),
        progress: &progress,
        interrupt: &interrupt,
    };
    let reports = bench.measure();
    progress.end();
    tell(&arguments, &settings, &folder, &machine, &reports?)
}

// === impl Bench ===

impl Bench<'_> {
    fn measure(&self) -> Result<Reports> {
        let mut reports = Reports::default();
        for part in &self.settings.parts {
            match part {
                Part::Systems => self.systems(&mut reports)?,
                Part::Churn => self.churn(&mut reports)?,
                Part::Plugins => self.plugins(&mut reports)?,
                Part::Apply => self.apply(&mut reports)?,
                Part::Restart => self.restart(&mut reports)?,
                Part::Failover => self.failover(&mut reports)?,
                Part::CatchUp => self.catch_up(&mut reports)?,
            }
        }
        Ok(reports)
    }

    fn systems(&self, reports: &mut Reports) -> Result<()> {
        let seconds = self.settings.turn_seconds();
        for round in 1..=self.settings.rounds {
            let name = |what: &str| format!("{what}, round {round} of {}", self.settings.rounds);
            for replicas in [1, 3] {
                let name = name(&format!("berth, {replicas} replica(s)"));
                let turn = || {
                    self.load
                        .allocate(berth::start(self.programs, replicas, self.data)?)
                };
                let report = self.progress.piece(&name, seconds, turn)?;
                match replicas {
                    1 => reports.one_replica.push(report),
                    _ => reports.three_replicas.push(report),
                }
            }
            if let Some(etcd) = self.etcd {
                let turn = || self.load.transact(etcd.start(self.data)?);
                let report = self
                    .progress
                    .piece(&name("etcd, 3 members"), seconds, turn)?;
                reports.etcd.push(report);
            }
        }
        Ok(())
    }

    fn churn(&self, reports: &mut Reports) -> Result<()> {
        let seconds = self.settings.churn_turn_seconds();
        for replicas in [1, 3] {
            let turn = || {
                self.load
                    .churn(berth::start(self.programs, replicas, self.data)?)
            };
            let name = format!("churn, {replicas} replica(s)");
            reports
                .churn
                .push(self.progress.piece(&name, seconds, turn)?);
        }
        Ok(())
    }

    fn plugins(&self, reports: &mut Reports) -> Result<()> {
        let seconds = self.settings.plugins_seconds();
        let turn = || {
            let servers = berth::start(self.programs, 1, self.data)?;
            self.load.plugins(servers, self.data)
        };
        let name = "berth-cni and host-local as processes";
        reports.plugins = Some(self.progress.piece(name, seconds, turn)?);
        let package = ["-W", "-f", "${Version}", "containernetworking-plugins"];
        reports.host_local = Some(machine::said("dpkg-query", &package));
        Ok(())
    }

    fn apply(&self, reports: &mut Reports) -> Result<()> {
        let seconds = self.settings.apply_seconds();
        let live = self.settings.live;
        let turn = || apply::measure(self.programs, live, self.folder, self.interrupt);
        let name = format!("the ledger alone, {live} live allocations");
        reports.apply = Some(self.progress.piece(&name, seconds, turn)?);
        Ok(())
    }

    fn restart(&self, reports: &mut Reports) -> Result<()> {
        let seconds = self.settings.restart_seconds();
        let live = self.settings.live;
        let turn = || restart::measure(self);
        let name = format!("restart with {live} live allocations");
        reports.restart = Some(self.progress.piece(&name, seconds, turn)?);
        Ok(())
    }

    fn failover(&self, reports: &mut Reports) -> Result<()> {
        let seconds = self.settings.failover_seconds();
        let times = self.settings.failovers;
        let turn = || failover::measure(self);
        let name = format!("the leader killed {times} times, and asked to hand over as often");
        reports.failover = Some(self.progress.piece(&name, seconds, turn)?);
        Ok(())
    }

    fn catch_up(&self, reports: &mut Reports) -> Result<()> {
        let seconds = self.settings.catch_up_seconds();
        let live = self.settings.live;
        let turn = || catch_up::measure(self);
        let name = format!("snapshots and a new member with {live} live allocations");
        reports.catch_up = Some(self.progress.piece(&name, seconds, turn)?);
        Ok(())
    }
}

fn tell(
    arguments: &Arguments,
    settings: &Settings,
    folder: &Path,
    machine: &Machine,
    reports: &Reports,
) -> Result<bool> {
    let page = sections::page(reports, settings, machine);
    println!("{}", page.text());
    if let Some(path) = &arguments.results {
        write(path, &page.markdown(PAGE_TITLE))?;
        println!("The page: {}", path.display());
    }
    let path = arguments.json.clone().unwrap_or(folder.join("report.json"));
    let document = json!({
        "machine": machine.document(),
        "quick": arguments.quick,
        "durable": { "berth": berth::DURABLE, "etcd": etcd::DURABLE },
        "figures": figures::document(&figures::figures(reports)),
        "one_replica": reports.one_replica,
        "three_replicas": reports.three_replicas,
        "etcd": reports.etcd,
        "churn": reports.churn,
        "plugins": reports.plugins,
        "apply": reports.apply,
        "restart": reports.restart,
        "failover": reports.failover,
        "catch_up": reports.catch_up,
    });
    write(&path, &format!("{document:#}\n"))?;
    println!("Everything that was measured: {}", path.display());
    let correct = figures::all_correct(reports);
    println!(
        "{}",
        if correct {
            "Every address was right."
        } else {
            "WRONG: see above."
        }
    );
    Ok(correct)
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text)
        .map_err(|error| Error::system(format!("cannot write {}", path.display()), &error))
}
