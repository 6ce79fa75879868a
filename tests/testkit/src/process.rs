//! Real `berthd` processes on free loopback ports, their data in a temporary folder. Nothing of them outlives its value.

mod binary;
mod error;
mod member;
mod ready;
mod setup;

pub use binary::binary;
pub use error::Error;
pub use member::Member;
pub use setup::{PeersThrough, Setup};

use std::path::Path;

use tempfile::TempDir;

use member::{Ports, spawn};

/// Ports are free when they are chosen, and may be taken before they are used.
const ATTEMPTS: usize = 3;

/// One replica, or several of one cluster, as processes.
#[derive(Debug)]
pub struct Cluster {
    // Before the folder, so that the processes are gone when it goes.
    members: Vec<Member>,
    setup: Setup,
    folder: TempDir,
}

// === impl Cluster ===

impl Cluster {
    /// `berthd --dev`, ready to serve.
    pub fn dev() -> Result<Self, Error> {
        Self::start(1)
    }

    /// This many replicas of a new cluster, with a leader that serves. 1 = `--dev`.
    pub fn start(replicas: usize) -> Result<Self, Error> {
        Self::start_with(replicas, &Setup::default())
    }

    /// The same, with more to say to the replicas.
    pub fn start_with(replicas: usize, setup: &Setup) -> Result<Self, Error> {
        let mut failure = None;
        for _ in 0..ATTEMPTS {
            match Self::start_once(replicas, setup) {
                Ok(cluster) => return Ok(cluster),
                // Only a port that somebody took is worth another attempt.
                Err(error) if error.is_port_taken() => failure = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(failure.unwrap_or(Error::NoPorts))
    }

    fn start_once(replicas: usize, setup: &Setup) -> Result<Self, Error> {
        let folder = TempDir::with_prefix("berth-").map_err(Error::Folder)?;
        let ports = (0..replicas).map(|_| Ok(Ports::free()?.through(setup)));
        let ports: Result<Vec<Ports>, Error> = ports.collect();
        let ports = ports?;
        let mut members = Vec::new();
        for at in 0..replicas {
            members.push(spawn(at, &ports, folder.path(), &setup.of(at))?);
        }
        let setup = setup.clone();
        let mut cluster = Self {
            members,
            setup,
            folder,
        };
        cluster.wait_until_ready()?;
        Ok(cluster)
    }

    /// Until every replica knows a leader and the leader serves; after a restart of some.
    pub fn wait_until_ready(&mut self) -> Result<(), Error> {
        ready::wait(&mut self.members, &self.setup)
    }

    /// One more replica, which joins beside the first and gets its vote by itself. It must lead or know who does.
    pub fn join(&mut self) -> Result<(), Error> {
        let at = self.members.len();
        let beside = &self.members[0];
        let member = member::join(at, beside, self.folder.path(), &self.setup)?;
        self.members.push(member);
        self.wait_until_ready()
    }

    /// The client endpoints, in order: "http://127.0.0.1:40123".
    pub fn endpoints(&self) -> Vec<String> {
        self.members.iter().map(Member::endpoint).collect()
    }

    /// The replicas.
    pub fn members(&mut self) -> &mut [Member] {
        &mut self.members
    }

    /// Where data and logs are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}
