//! The cluster version: what every member of the cluster can apply, and so what the log may hold.
//!
//! A release applies a range of versions, and states it to the others. The log is written at the cluster version, which
//! lies in the range of every member. It is raised by one command, once every member can apply the next one, and never
//! goes back: the log may hold by then what an older release cannot apply.

use std::fmt;

/// A version of what the log may hold. Not the program's version: many releases may share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterVersion(pub u32);

/// What one program can apply, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VersionRange {
    /// The oldest.
    pub lowest: ClusterVersion,
    /// The newest.
    pub highest: ClusterVersion,
}

/// The first release. Every cluster begins with it, because a log without a word about its version is of it.
pub const BASE: ClusterVersion = ClusterVersion(1);
/// Clusters that grow, recover and mend themselves: `recover`, `confirm-node`, `set-cluster-version`, `repair`.
pub const CARE: ClusterVersion = ClusterVersion(2);
/// ENIs and the cloud calls that are made for them: `begin-job`, `advance-job`, `note-foreign`, `set-node-pool`,
/// `delete-node-pool`; vSwitches with a cloud's name, nodes in pools.
pub const CLOUD: ClusterVersion = ClusterVersion(3);
/// Of no release: what a program built with the feature `next-version` applies beyond this one, to rehearse an upgrade.
pub const REHEARSAL: ClusterVersion = ClusterVersion(4);

/// What this program applies. Its lower end rises when a release stops reading an old log.
pub const APPLIES: VersionRange = VersionRange {
    lowest: BASE,
    highest: if cfg!(feature = "next-version") {
        REHEARSAL
    } else {
        CLOUD
    },
};

// === impl ClusterVersion ===

impl Default for ClusterVersion {
    fn default() -> Self {
        BASE
    }
}

impl fmt::Display for ClusterVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

// === impl VersionRange ===

impl VersionRange {
    /// What a program of the first release applies, which did not state it.
    pub const UNSTATED: Self = Self {
        lowest: BASE,
        highest: BASE,
    };

    /// Whether this version can be applied.
    pub fn contains(&self, version: ClusterVersion) -> bool {
        (self.lowest..=self.highest).contains(&version)
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.lowest == self.highest {
            true => write!(f, "{}", self.lowest),
            false => write!(f, "{} to {}", self.lowest, self.highest),
        }
    }
}
