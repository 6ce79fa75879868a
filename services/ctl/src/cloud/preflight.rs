//! `berthctl cloud preflight`

use berth_cloud::alibaba::client::{Client, Settings};
use berth_cloud::id::{CloudVSwitchId, InstanceId, RegionId, SecurityGroupId};
use berth_cloud::preflight::{Question, look};
use clap::Args;

use crate::error::Error;
use crate::output::Document;
use crate::view::preflight::Preflight as View;

const EXAMPLES: &str = "\
Examples:
  berthctl cloud preflight --region cn-hangzhou --instance i-bp1node
  berthctl cloud preflight --region cn-hangzhou --instance i-bp1node --vswitch vsw-bp1a --vswitch vsw-bp1b --security-group sg-bp1
  ECS_ENDPOINT=127.0.0.1:8080 VPC_ENDPOINT=127.0.0.1:8080 berthctl cloud preflight --region cn-hangzhou --instance i-g7

Makes Describe calls only, straight from here; no server of Berth is asked. Credentials are found as Alibaba Cloud's SDKs find them:
ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or the RAM role of the machine it runs on; ALIBABA_CLOUD_ROLE_ARN
is assumed with either. Rights to change something cannot be seen without changing it, and are shown as such.

Exit status 1 if something is missing; advice alone is status 0.";

/// Look at an account before Berth uses it: rights, types, zones, and what is missing. Changes nothing
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Preflight {
    /// Where the cluster is, for example cn-hangzhou
    #[arg(long, value_name = "REGION", value_parser = region)]
    region: RegionId,
    /// A machine that will be a node; repeat it to name several
    #[arg(long = "instance", value_name = "ID", value_parser = instance)]
    instances: Vec<InstanceId>,
    /// A vSwitch of pods; repeat it. Without it, all in the instances' VPCs
    #[arg(long = "vswitch", value_name = "ID", value_parser = vswitch)]
    vswitches: Vec<CloudVSwitchId>,
    /// A security group of pods' ENIs; repeat it
    #[arg(long = "security-group", value_name = "ID", value_parser = security_group)]
    security_groups: Vec<SecurityGroupId>,
}

// === impl Preflight ===

impl Preflight {
    /// Asks the cloud.
    pub async fn run(self) -> Result<Box<dyn Document>, Error> {
        let client = Client::new(Settings::from_environment(self.region)?)?;
        let question = Question {
            instances: self.instances,
            vswitches: self.vswitches,
            security_groups: self.security_groups,
        };
        let seen = look(&client, &question).await;
        Ok(Box::new(View::new(&seen, &question)))
    }
}

/// What no id of the cloud looks like.
const NO_ID: &str = "an id is up to 128 letters, digits and signs without spaces";

fn region(text: &str) -> Result<RegionId, &'static str> {
    RegionId::new(text).ok_or(NO_ID)
}

fn instance(text: &str) -> Result<InstanceId, &'static str> {
    InstanceId::new(text).ok_or(NO_ID)
}

fn vswitch(text: &str) -> Result<CloudVSwitchId, &'static str> {
    CloudVSwitchId::new(text).ok_or(NO_ID)
}

fn security_group(text: &str) -> Result<SecurityGroupId, &'static str> {
    SecurityGroupId::new(text).ok_or(NO_ID)
}
