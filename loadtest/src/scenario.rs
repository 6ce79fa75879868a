//! What is done to the system: a TOML file, or one of those built in.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::Error;

const ALLOCATE: &str = include_str!("../scenarios/allocate.toml");
const CHURN: &str = include_str!("../scenarios/churn.toml");

/// A run's story.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Scenario {
    /// ADD after ADD, as fast as it goes or at a rate.
    Allocate(Allocate),
    /// Pods come, stay and go.
    Churn(Churn),
}

/// See [`Scenario::Allocate`].
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Allocate {
    /// Repeats the arrivals.
    pub seed: u64,
    /// ADDs are spread over so many nodes.
    pub nodes: u32,
    /// Warm addresses that each node keeps.
    #[serde(default)]
    pub warm_target: u32,
    /// Whether each pod is reported before its ADD, as an operator would; else the cluster has no source of facts.
    #[serde(default)]
    pub pod_facts: bool,
    /// Each with so many addresses that the run cannot use them up; nodes are spread over them.
    pub cidrs: Vec<String>,
    /// Closed loop: one round each, so many requests always under way.
    #[serde(default)]
    pub in_flight: Vec<u32>,
    /// Open loop: one round each, so many arrivals per second, whatever the answers do.
    #[serde(default)]
    pub open_loop_per_second: Vec<u32>,
    /// Before each round is measured.
    pub warm_up_seconds: u32,
    /// Of each round, measured.
    pub seconds: u32,
}

/// See [`Scenario::Churn`].
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Churn {
    /// Repeats the arrivals.
    pub seed: u64,
    /// Pods are spread over so many nodes.
    pub nodes: u32,
    /// Warm addresses that each node keeps.
    #[serde(default)]
    pub warm_target: u32,
    /// One vSwitch each, in a zone of its own; nodes are spread over them.
    pub cidrs: Vec<String>,
    /// Of each vSwitch.
    pub cooling_ms: u64,
    /// Until the last arrival.
    pub seconds: u32,
    /// Pods of jobs: a Poisson process.
    pub arrivals_per_second: f64,
    /// How long such a pod stays: exponential, with this mean.
    pub stay_seconds_mean: f64,
    /// Static pods; each stays in its zone.
    pub statics: u32,
    /// A static pod is deleted and re-created on another node, so often.
    pub reschedules_per_second: f64,
    /// A Deployment that is replaced pod by pod.
    pub rolling_update: Option<RollingUpdate>,
}

/// New pods first, then the old ones go, `surge` at a time.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RollingUpdate {
    /// Of the Deployment.
    pub pods: u32,
    /// At a time.
    pub surge: u32,
    /// After the start.
    pub at_seconds: u32,
}

// === impl Scenario ===

impl Scenario {
    /// "allocate", "churn", or a file.
    pub fn load(name: &str) -> Result<Self, Error> {
        match name {
            "allocate" => Self::parse(name, ALLOCATE),
            "churn" => Self::parse(name, CHURN),
            path => {
                let text = std::fs::read_to_string(Path::new(path));
                let text = text.map_err(|source| Error::File {
                    path: path.into(),
                    source,
                })?;
                Self::parse(path, &text)
            }
        }
    }

    fn parse(name: &str, text: &str) -> Result<Self, Error> {
        let refused = |reason: String| Error::Scenario {
            scenario: name.to_owned(),
            reason,
        };
        let scenario: Self = toml::from_str(text).map_err(|error| refused(error.to_string()))?;
        scenario
            .check()
            .map_err(|reason| refused(reason.to_owned()))?;
        Ok(scenario)
    }

    fn check(&self) -> Result<(), &'static str> {
        let (nodes, cidrs, seconds) = match self {
            Self::Allocate(allocate) => (allocate.nodes, &allocate.cidrs, allocate.seconds),
            Self::Churn(churn) => (churn.nodes, &churn.cidrs, churn.seconds),
        };
        if nodes == 0 || cidrs.is_empty() || seconds == 0 {
            return Err("nodes, cidrs and seconds must not be empty or 0");
        }
        if cidrs.len() > nodes as usize {
            return Err("there must be a node for each of the cidrs");
        }
        match self {
            Self::Allocate(allocate) if allocate.in_flight.contains(&0) => {
                Err("in_flight must not be 0")
            }
            Self::Allocate(allocate) if allocate.open_loop_per_second.contains(&0) => {
                Err("open_loop_per_second must not be 0")
            }
            Self::Churn(churn) => churn.check(),
            Self::Allocate(_) => Ok(()),
        }
    }
}

// === impl Churn ===

impl Churn {
    fn check(&self) -> Result<(), &'static str> {
        let positive = |rate: f64| rate.is_finite() && rate >= 0.0;
        if !positive(self.arrivals_per_second) || !positive(self.reschedules_per_second) {
            return Err("rates are 0 or more");
        }
        if !(self.stay_seconds_mean.is_finite() && self.stay_seconds_mean > 0.0) {
            return Err("stay_seconds_mean is more than 0");
        }
        match &self.rolling_update {
            Some(update) if update.surge == 0 => Err("rolling_update.surge must not be 0"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Scenario;

    /// Promise: what is built in, and every file of the folder, is understood.
    #[test]
    fn the_built_in_ones_are_good() {
        assert!(matches!(
            Scenario::load("allocate"),
            Ok(Scenario::Allocate(_))
        ));
        assert!(matches!(Scenario::load("churn"), Ok(Scenario::Churn(_))));
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            assert!(Scenario::load(&path.to_string_lossy()).is_ok(), "{path:?}");
        }
    }

    /// Promise: an unknown key, a missing one and a nonsense number are refused by name.
    #[test]
    fn bad_ones_are_refused() {
        let good = super::ALLOCATE;
        let refused = |text: &str| Scenario::parse("x.toml", text).unwrap_err().to_string();
        let unknown = refused(&format!("{good}\nnodez = 3"));
        assert!(
            unknown.contains("nodez") && unknown.starts_with("x.toml"),
            "{unknown}"
        );
        assert!(refused("kind = \"allocate\"").contains("missing"));
        assert!(refused(&good.replace("nodes = 64", "nodes = 0")).contains("must not be"));
    }
}
