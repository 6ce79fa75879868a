//! `berthd snapshot …` and `berthd recover …`: what is asked, and how the answer looks.

use super::{Begun, Order, begin, force, restore};
use crate::backup;
use berth_domain::id::{ClusterId, Principal, Reason};
use berth_store::directory::Options;
use clap::{Args, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::error::Error;
use std::fmt::{self, Display};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// What can be done to files while no server runs on them.
#[derive(Subcommand, Clone, Debug)]
pub enum Offline {
    /// Look into a backup, or begin a new cluster out of one
    #[command(subcommand)]
    Snapshot(Snapshot),
    /// Begin a new cluster out of one member's data directory, the other members being lost for good
    #[command(subcommand)]
    Recover(Recover),
}

/// See [`Offline::Snapshot`].
#[derive(Subcommand, Clone, Debug)]
pub enum Snapshot {
    /// Check a backup to its last byte, and show what is in it
    Inspect {
        /// What `berthctl snapshot save` wrote
        file: PathBuf,
        /// How the answer looks
        #[command(flatten)]
        look: Look,
    },
    /// Begin a new cluster out of a backup, in an empty directory
    ///
    /// The new cluster gives nothing new out before every node has said what lives there: see --plan.
    Restore {
        /// What `berthctl snapshot save` wrote
        file: PathBuf,
        /// Where and how
        #[command(flatten)]
        begin: Begin,
    },
}

/// See [`Offline::Recover`].
#[derive(Subcommand, Clone, Debug)]
pub enum Recover {
    /// Show what a member's data directory knows. Compare those of all members: the best has the highest last term, then
    /// the highest last index
    Inspect {
        /// The member's, with no server running on it
        data_dir: PathBuf,
        /// How the answer looks
        #[command(flatten)]
        look: Look,
    },
    /// Give the old cluster up, and begin a new one out of this member's data directory, in an empty one
    ///
    /// Only when a majority is lost for good. Whatever the lost members alone had committed is lost with them; the new
    /// cluster therefore gives nothing new out before every node has said what lives there: see --plan.
    Force {
        /// The member's, with no server running on it; it stays as it is
        data_dir: PathBuf,
        /// The id of the cluster that is given up, as `recover inspect` shows it
        #[arg(long, value_name = "CLUSTER_ID", required_unless_present = "plan")]
        confirm: Option<String>,
        /// Goes on although the member was still fetching a part of the history: what happened then is lost, not who
        /// holds what
        #[arg(long)]
        without_history: bool,
        /// Where and how
        #[command(flatten)]
        begin: Begin,
    },
}

/// How a new cluster begins.
#[derive(Args, Clone, Debug)]
pub struct Begin {
    /// The new cluster's first data directory: empty, or not there yet
    #[arg(long, value_name = "DIRECTORY", required_unless_present = "plan")]
    into: Option<PathBuf>,
    /// Only shows what would wait for whom; writes nothing
    #[arg(long)]
    plan: bool,
    /// Why; kept in the history
    #[arg(long, value_name = "TEXT", required_unless_present = "plan")]
    reason: Option<String>,
    /// Who orders it; kept in the history [default: the user's name]
    #[arg(long, value_name = "NAME", env = "USER", default_value = "unknown")]
    by: String,
    /// The new cluster's id [default: a random one]
    #[arg(long, value_name = "ID")]
    cluster_id: Option<String>,
    /// Says now that no node has joined since: nobody has to confirm it later
    #[arg(long)]
    no_unknown_nodes: bool,
    /// How the answer looks
    #[command(flatten)]
    look: Look,
}

/// How the answer looks.
#[derive(Args, Clone, Copy, Debug)]
pub struct Look {
    /// "table" for people, "json" for programs
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
}

/// See [`Look`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Sentences; may change.
    Table,
    /// One document; names stay.
    Json,
}

type Done = Result<(), Box<dyn Error>>;

// === impl Offline ===

impl Offline {
    /// Does it, and prints the answer.
    ///
    /// # Errors
    /// Whatever kept it from being done; nothing was changed then.
    pub fn run(self) -> Done {
        match self {
            Self::Snapshot(Snapshot::Inspect { file, look }) => {
                let backup = watched(&file, "checking", |watch| backup::verify(&file, watch))?;
                look.print(&backup.contents())
            }
            Self::Snapshot(Snapshot::Restore { file, begin }) => begin.restore(&file),
            Self::Recover(Recover::Inspect { data_dir, look }) => {
                look.print(&force::survivor(&data_dir, Options::default())?)
            }
            Self::Recover(Recover::Force {
                data_dir,
                confirm,
                without_history,
                begin,
            }) => begin.force(&data_dir, &confirm.unwrap_or_default(), without_history),
        }
    }
}

// === impl Begin ===

impl Begin {
    fn restore(&self, file: &Path) -> Done {
        let order = self.order()?;
        let Some(into) = self.into() else {
            let plan = watched(file, "checking", |watch| {
                restore::restore_plan(file, &order, watch)
            })?;
            return self.look.print(&plan);
        };
        begin::check_empty(into)?;
        let backup = watched(file, "checking", |watch| backup::verify(file, watch))?;
        let begun = watched(file, "restoring", |watch| {
            restore::restore(file, backup, into, &order, watch)
        })?;
        self.look.print(&Answer::new(begun, into))
    }

    fn force(&self, from: &Path, confirmed: &str, without_history: bool) -> Done {
        let order = self.order()?;
        let Some(into) = self.into() else {
            let plan = force::force_plan(from, Options::default(), &order)?;
            return self.look.print(&plan);
        };
        let spinner = ProgressBar::new_spinner().with_message("reading the member's log");
        spinner.enable_steady_tick(std::time::Duration::from_millis(100));
        let wish = force::Wish {
            into,
            order: &order,
            confirmed,
            without_history,
        };
        let begun = force::force(from, Options::default(), &wish);
        spinner.finish_and_clear();
        self.look.print(&Answer::new(begun?, into))
    }

    fn order(&self) -> Result<Order, Box<dyn Error>> {
        let cluster = self.cluster_id.as_deref().map(ClusterId::new);
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let reason = self.reason.as_deref().unwrap_or_default();
        if !self.plan && reason.trim().is_empty() {
            return Err("--reason is empty: it is kept in the history, say why".into());
        }
        Ok(Order {
            cluster: cluster.transpose()?,
            principal: Principal::new(&format!("offline/{}", self.by))?,
            reason: Reason::new(reason)?,
            unknown_nodes: !self.no_unknown_nodes,
            wall_ms: now.as_millis() as u64,
        })
    }

    /// Where to; none = only the plan is wanted.
    fn into(&self) -> Option<&Path> {
        self.into.as_deref().filter(|_| !self.plan)
    }
}

/// What was made, and what to do next.
#[derive(Debug, Serialize)]
struct Answer {
    cluster_id: String,
    member_id: u64,
    revision: u64,
    waits_for: usize,
    data_dir: PathBuf,
}

// === impl Answer ===

impl Answer {
    fn new(begun: Begun, data_dir: &Path) -> Self {
        Self {
            cluster_id: begun.cluster.to_string(),
            member_id: begun.member,
            revision: begun.revision,
            waits_for: begun.waits_for,
            data_dir: data_dir.to_owned(),
        }
    }
}

impl Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let directory = self.data_dir.display();
        write!(
            f,
            "cluster {} begins at revision {} with one member, in {directory}.\n\
             Next:\n  \
             berthd --data-dir {directory} …      the listeners, name and certificates that hold on this machine\n  \
             berthd --join PEER_ENDPOINT …        on each other machine, with a new data directory\n  \
             berthctl recover status              {} have to say what lives there before anything new is given out",
            self.cluster_id, self.revision, self.waits_for
        )
    }
}

// === impl Look ===

impl Look {
    fn print<T: Display + Serialize>(self, answer: &T) -> Done {
        match self.output {
            Format::Table => println!("{answer}"),
            Format::Json => println!("{}", serde_json::to_string_pretty(answer)?),
        }
        Ok(())
    }
}

/// Runs something that reads the file through, with a bar; nothing is shown where nobody looks.
fn watched<T, E>(
    file: &Path,
    what: &'static str,
    run: impl FnOnce(&dyn Fn(u64)) -> Result<T, E>,
) -> Result<T, E> {
    // Of a file that is not there `run` says so.
    let bytes = fs::metadata(file).map_or(0, |metadata| metadata.len());
    let bar = ProgressBar::new(bytes).with_message(what);
    let style = ProgressStyle::with_template("{msg} {bar:40} {bytes} of {total_bytes}, {eta} left");
    // The template is a constant that is known to parse.
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let done = run(&|position| bar.set_position(position));
    bar.finish_and_clear();
    done
}
