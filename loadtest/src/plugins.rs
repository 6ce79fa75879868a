//! CNI plugins as whole processes: from `exec` to exit, as a container runtime feels them, with more and more addresses in
//! use. Berth's beside the one that keeps its addresses in files, in turns.

mod call;
mod host_local;
mod level;
mod pool;
mod report;
pub mod resident;
mod series;

use std::path::PathBuf;
use std::time::Duration;

pub use level::Level;
use report::Turns;
pub use report::{AtLevel, OfPlugin, Plugins};

use crate::Error;
use host_local::HostLocal;
use pool::Pool;
use series::Series;

/// What is measured, and how long.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The program `berth-cni`.
    pub berth_cni: PathBuf,
    /// The servers that it asks; their vSwitches and nodes are made.
    pub endpoints: Vec<String>,
    /// The program `host-local`. One that is not there is named in the report.
    pub host_local: PathBuf,
    /// Where `host-local` keeps its files; a folder of ours is made in it and removed.
    pub data: PathBuf,
    /// Addresses in use, ascending.
    pub levels: Vec<Level>,
    /// Turns of each plugin at each level.
    pub rounds: u32,
    /// ADDs in a turn, and as many DELs, unless the time is up before.
    pub calls: u32,
    /// For the ADDs of a turn.
    pub seconds: u32,
}

/// Runs it, on this thread. `said` is told of each level as it ends.
pub fn measure(plan: &Plan, said: impl Fn(&str)) -> Result<Plugins, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut pool = runtime.block_on(Pool::make(&plan.endpoints))?;
    let host_local = plan.host_local.is_file();
    let mut host_local = host_local
        .then(|| HostLocal::make(&plan.host_local, &plan.data, pool.size()))
        .transpose()?;
    let series = Series {
        calls: plan.calls,
        longest: Duration::from_secs(u64::from(plan.seconds)),
    };
    let mut report = Plugins::new(plan, pool.version(), pool.size(), host_local.is_some());
    let mut next = 0;
    for level in &plan.levels {
        let in_use = level.in_use(pool.size(), plan.calls);
        runtime.block_on(pool.fill(in_use))?;
        let shim = pool.subject(&plan.berth_cni, &plan.endpoints);
        let mut berth = Turns::new("berth-cni");
        let mut files = Turns::new("host-local");
        if let Some(host_local) = &mut host_local {
            host_local.fill(in_use)?;
        }
        for _ in 0..plan.rounds {
            runtime.block_on(pool.settled(in_use))?;
            series.turn(&shim, &mut next, &mut berth)?;
            if let Some(host_local) = &host_local {
                series.turn(host_local, &mut next, &mut files)?;
            }
        }
        runtime.block_on(pool.settled(in_use))?;
        berth.weigh(&shim, &mut next)?;
        let mut turns = vec![berth];
        if let Some(host_local) = &host_local {
            files.weigh(host_local, &mut next)?;
            turns.push(files);
        }
        said(&report.at(level, in_use, turns));
    }
    Ok(report)
}
