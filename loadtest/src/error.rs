//! Why a load could not be run. What went wrong inside a run is counted, not an error.

use std::path::PathBuf;

/// Why a load could not be run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The scenario does not say what a scenario must.
    #[error("{scenario}: {reason}")]
    Scenario {
        /// The file, or the name of one that is built in.
        scenario: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The system under test could not be prepared.
    #[error("cannot {what}: {source}")]
    Berth {
        /// What was tried: "create vSwitch load-0".
        what: String,
        /// Why not.
        source: berth_client::Error,
    },
    /// The system under test could not be reached.
    #[error("{endpoints} cannot be used: {reason}")]
    Unreachable {
        /// Those that were tried.
        endpoints: String,
        /// Why not.
        reason: String,
    },
    /// A process to watch is gone, or is not ours to see.
    #[error("process {name} ({id}) cannot be watched: {source}")]
    Process {
        /// As it was named.
        name: String,
        /// Its process id.
        id: u32,
        /// Why not.
        source: std::io::Error,
    },
    /// Nothing can run.
    #[error("no runtime: {0}")]
    Runtime(#[from] std::io::Error),
}
