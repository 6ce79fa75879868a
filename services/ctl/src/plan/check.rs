//! `berthctl plan check`

use std::fs;
use std::path::PathBuf;

use clap::Args;

use super::file::Plan;
use crate::error::Error;
use crate::output::Document;
use crate::session::Session;
use crate::view::plan::Findings;

const EXAMPLES: &str = r#"Example:
  berthctl plan check cluster.toml

The file, all of which may be left out but the vSwitches (deploy/plan.example.toml has one of every key):
  dual_stack = false
  kubernetes = "1.31"
  service_cidr = "172.16.0.0/16"

  [[node_vswitches]]
  name = "nodes-a"
  zone = "a"
  cidr = "10.1.0.0/24"

  [[pod_vswitches]]
  name = "pods-a"
  zone = "a"
  cidr = "10.2.0.0/24"

  [[pools]]
  name = "main"
  mode = "shared"        # or "trunk", "exclusive"
  instance_types = ["ecs.g7.4xlarge"]

Exit status 1 if something is refused; warnings alone are status 0."#;

/// Check the addresses, families, zones and node pools of a cluster before it is made
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Check {
    /// The plan, a TOML file
    pub file: PathBuf,
}

// === impl Check ===

impl Check {
    /// Reads the file and asks any server.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let path = self.file;
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) => return Err(Error::Unreadable { path, source }),
        };
        let plan: Plan = match toml::from_str(&text) {
            Ok(plan) => plan,
            Err(error) => {
                let reason = reason(&text, &error);
                return Err(Error::NoPlan { path, reason });
            }
        };
        let response = session.client().validate_plan(plan.to_wire()).await?;
        Ok(Box::new(Findings::from(response)))
    }
}

/// On one line, where toml's own words take five.
fn reason(text: &str, error: &toml::de::Error) -> String {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.bytes().take(start).filter(|byte| *byte == b'\n');
    format!("line {}: {}", before.count() + 1, error.message())
}
