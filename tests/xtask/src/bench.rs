//! `cargo xtask bench`: one and three replicas of Berth, and three members of etcd on the same disk; never two at once.

mod berth;
mod etcd;
mod figures;
mod load;
mod machine;
mod servers;

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::workspace;
use figures::Comparison;
use load::Load;
use servers::Servers;

/// The bench chore's command line.
#[derive(Debug, Args)]
pub struct Arguments {
    /// How often each system has its turn; the table shows the medians
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// Closed loop: so many requests always under way, one after the other
    #[arg(long, default_value = "1,16,64,256", value_name = "N,..")]
    in_flight: String,
    /// Open loop: so many arrivals per second
    #[arg(long, default_value = "2000", value_name = "RATE,..")]
    open_loop: String,
    /// Measured, of each step; two more before each are not
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Of the churn scenario; 0 leaves it out
    #[arg(long, default_value_t = 60)]
    churn_seconds: u32,
    /// Leaves etcd out, for a machine without a network
    #[arg(long)]
    without_etcd: bool,
    /// Where the data of the systems goes while they run: on the disk that is to be measured
    #[arg(long, value_name = "DIRECTORY")]
    data: Option<PathBuf>,
    /// Where the whole report goes
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// One system with its reports, in order.
#[derive(Debug, Default)]
struct Reports {
    one_replica: Vec<Value>,
    three_replicas: Vec<Value>,
    etcd: Vec<Value>,
    churn: Vec<Value>,
}

/// Measures everything; whether every address was right.
pub fn run(arguments: Arguments) -> Result<bool> {
    let interrupt = Interrupt::listen()?;
    let folder = workspace::target()?.join("bench");
    let data = arguments.data.clone().unwrap_or(folder.join("data"));
    for path in [&folder, &data] {
        std::fs::create_dir_all(path)
            .map_err(|error| Error::system(format!("cannot make {}", path.display()), &error))?;
    }
    let programs = berth::build(&interrupt)?;
    let etcd = match arguments.without_etcd {
        true => None,
        false => Some(etcd::Etcd::newest(&folder, &interrupt)?),
    };
    let machine = machine::describe(&data);
    println!("{machine}");
    if let Some(etcd) = &etcd {
        println!("etcd {} ({})\n", etcd.version(), etcd.program().display());
    }
    let load = Load::new(&programs, &arguments, &folder, &interrupt);
    let reports = measure(&arguments, &programs, etcd.as_ref(), &data, &load)?;
    tell(&arguments, &folder, &machine, &reports)
}

fn measure(
    arguments: &Arguments,
    programs: &berth::Programs,
    etcd: Option<&etcd::Etcd>,
    data: &std::path::Path,
    load: &Load<'_>,
) -> Result<Reports> {
    let mut reports = Reports::default();
    for round in 1..=arguments.rounds {
        println!("round {round} of {}", arguments.rounds);
        println!(" berth, one replica");
        let servers = berth::start(programs, 1, data)?;
        reports.one_replica.push(load.allocate(servers)?);
        println!(" berth, three replicas");
        let servers = berth::start(programs, 3, data)?;
        reports.three_replicas.push(load.allocate(servers)?);
        if let Some(etcd) = etcd {
            println!(" etcd, three members");
            reports.etcd.push(load.transact(etcd.start(data)?)?);
        }
    }
    if arguments.churn_seconds > 0 {
        for replicas in [1, 3] {
            println!("churn, {replicas} replica(s)");
            let servers: Servers = berth::start(programs, replicas, data)?;
            reports
                .churn
                .push(load.churn(servers, arguments.churn_seconds)?);
        }
    }
    Ok(reports)
}

fn tell(
    arguments: &Arguments,
    folder: &std::path::Path,
    machine: &str,
    reports: &Reports,
) -> Result<bool> {
    let comparison = Comparison::new(reports);
    print!("\n{}", comparison.table());
    let path = arguments.json.clone().unwrap_or(folder.join("report.json"));
    let document = json!({
        "machine": machine,
        "durable": { "berth": berth::DURABLE, "etcd": etcd::DURABLE },
        "figures": comparison.document(),
        "one_replica": reports.one_replica,
        "three_replicas": reports.three_replicas,
        "etcd": reports.etcd,
        "churn": reports.churn,
    });
    std::fs::write(&path, format!("{document:#}\n"))
        .map_err(|error| Error::system(format!("cannot write {}", path.display()), &error))?;
    println!("\nEverything that was measured: {}", path.display());
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
