//! The grammar of the command line: options of every command, then a noun and a verb.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::error::Error;
use crate::moment;
use crate::output::{Document, Format};
use crate::session::Session;
use crate::{
    allocation, capacity, check, claim, cloud, eni, facts, history, job, member, node, plan, pool,
    raft, recover, snapshot, version, vswitch, whohas,
};

const EXAMPLES: &str = "\
Examples:
  berthctl vswitch create zone-a --zone a --cidr 10.0.3.0/24
  berthctl node register worker-1 --zone a --identity i-0abc
  berthctl claim create shop/db-0 --vswitch zone-a --address 10.0.3.7 --reason 'firewall rule 12'
  berthctl allocation explain shop/db-0
  berthctl whohas 10.0.3.7 --at 14:02:11
  berthctl history --ip 10.0.3.7 --since '1h ago'
  berthctl raft status -o json

Times are RFC 3339 (2026-01-31T14:02:11Z, or with +08:00), a clock time in UTC (14:02:11: the last time it was
so late), or a distance (5m ago). All times shown are UTC.

Exit status: 0 done, 1 refused or not reachable, 2 the command was not understood.";

/// Ask and tell a Berth cluster.
#[derive(Debug, Parser)]
#[command(name = "berthctl", version, after_help = EXAMPLES, max_term_width = 110)]
pub struct Arguments {
    /// How to reach the cluster.
    #[command(flatten)]
    pub connection: Connection,
    /// "table" for people, "json" for programs.
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Table, help_heading = "Options of every command")]
    pub output: Format,
    /// What is asked.
    #[command(subcommand)]
    pub noun: Noun,
}

/// How to reach the cluster; the same for every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Connection {
    /// A server's client endpoint; repeat it, or separate by commas, to name several. The leader is found by itself
    #[arg(
        long = "endpoint",
        global = true,
        env = "BERTH_ENDPOINTS",
        value_delimiter = ',',
        value_name = "URL",
        default_value = "http://127.0.0.1:7400"
    )]
    pub endpoints: Vec<String>,
    /// How long to wait for an answer in all, for example 10s
    #[arg(long, global = true, default_value = "10s", value_parser = moment::parse_distance, allow_hyphen_values = true, value_name = "TIME")]
    pub timeout: std::time::Duration,
    /// PEM file of the authority that signed the servers' certificates; needed for https
    #[arg(long, global = true, env = "BERTH_TLS_CA", value_name = "FILE")]
    pub tls_ca: Option<PathBuf>,
    /// PEM file of your certificate; goes with --tls-key
    #[arg(
        long,
        global = true,
        env = "BERTH_TLS_CERT",
        value_name = "FILE",
        requires = "tls_key"
    )]
    pub tls_cert: Option<PathBuf>,
    /// PEM file of your certificate's key
    #[arg(
        long,
        global = true,
        env = "BERTH_TLS_KEY",
        value_name = "FILE",
        requires = "tls_cert"
    )]
    pub tls_key: Option<PathBuf>,
}

/// One noun per thing an administrator has in mind.
#[derive(Debug, Subcommand)]
pub enum Noun {
    /// Subnets that addresses are taken from
    #[command(subcommand)]
    Vswitch(vswitch::Command),
    /// Machines that pods run on
    #[command(subcommand)]
    Node(node::Command),
    /// Nodes that are alike, and what their pods' addresses come from in a cloud
    #[command(subcommand)]
    Pool(pool::Command),
    /// Network interfaces that Berth has made
    #[command(subcommand)]
    Eni(eni::Command),
    /// Cloud calls that are under way
    #[command(subcommand)]
    Job(job::Command),
    /// Static addresses: a durable right of one pod to its address
    #[command(subcommand)]
    Claim(claim::Command),
    /// Addresses that pods have now
    #[command(subcommand)]
    Allocation(allocation::Command),
    /// What happened, to whom, when, and why
    History(history::History),
    /// Who holds, or held at a moment, one address
    Whohas(whohas::WhoHas),
    /// How many pods a node of an instance type has room for, and whether it may join
    Capacity(capacity::Capacity),
    /// What is not made yet: does it go together?
    #[command(subcommand)]
    Plan(plan::Command),
    /// What the cloud itself says, asked with your own credentials, and what the leader asks of it
    #[command(subcommand)]
    Cloud(cloud::Command),
    /// Who takes part in the cluster: add, promote, replace, remove
    #[command(subcommand)]
    Member(member::Command),
    /// The replicas and their log
    #[command(subcommand)]
    Raft(raft::Command),
    /// Backups: save, look into, restore into a new cluster
    #[command(subcommand)]
    Snapshot(snapshot::Command),
    /// After a restore: whom the cluster waits for; and a new cluster out of what is left of one
    #[command(subcommand)]
    Recover(recover::Command),
    /// The version that the log is written at, and who can apply which
    #[command(subcommand)]
    Version(version::Command),
    /// Facts about nodes and pods, for a cluster without an operator
    #[command(subcommand)]
    Facts(facts::Command),
    /// Compare all replicas' ledgers and evaluate every rule that must hold
    Check(check::Check),
}

// === impl Noun ===

impl Noun {
    /// Runs the command; the answer is not printed yet.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        match self {
            Self::Vswitch(command) => command.run(session).await,
            Self::Node(command) => command.run(session).await,
            Self::Pool(command) => command.run(session).await,
            Self::Eni(command) => command.run(session).await,
            Self::Job(command) => command.run(session).await,
            Self::Claim(command) => command.run(session).await,
            Self::Allocation(command) => command.run(session).await,
            Self::History(command) => command.run(session).await,
            Self::Whohas(command) => command.run(session).await,
            Self::Capacity(command) => command.run(session).await,
            Self::Plan(command) => command.run(session).await,
            Self::Cloud(command) => command.run(session).await,
            Self::Member(command) => command.run(session).await,
            Self::Raft(command) => command.run(session).await,
            Self::Snapshot(command) => command.run(session).await,
            Self::Recover(command) => command.run(session).await,
            Self::Version(command) => command.run(session).await,
            Self::Facts(command) => command.run(session).await,
            Self::Check(command) => command.run(session).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Arguments;

    /// Promise: the grammar is consistent: no flag twice, no missing value name.
    #[test]
    fn the_grammar_is_consistent() {
        Arguments::command().debug_assert();
    }

    /// Promise: every verb has a help text, and every verb that takes arguments shows an example.
    #[test]
    fn every_verb_explains_itself() {
        let root = Arguments::command();
        let mut silent = Vec::new();
        for noun in root.get_subcommands() {
            for verb in noun.get_subcommands() {
                if verb.get_about().is_none() || verb.get_after_help().is_none() {
                    silent.push(format!("{} {}", noun.get_name(), verb.get_name()));
                }
            }
        }
        assert!(silent.is_empty(), "no help or no example: {silent:?}");
    }
}
