//! The cluster version as it is shown.

use berth_proto::v1;
use serde::Serialize;

use super::present;
use crate::output::Document;
use crate::table;

/// What the log is written at, and who can apply what.
#[derive(Debug, Serialize)]
pub struct Versions {
    /// The version that the log is written at.
    pub cluster_version: u32,
    /// Who said all this.
    pub asked_member: u64,
    /// Null while there is none.
    pub leader_id: Option<u64>,
    /// By id.
    pub members: Vec<Member>,
    /// Why the version does not rise now; null if there is no higher one, or nobody said.
    pub waits_for: Option<String>,
}

/// One member's program.
#[derive(Debug, Serialize)]
pub struct Member {
    /// The raft id.
    pub id: u64,
    /// As configured.
    pub name: String,
    /// The oldest cluster version that it applies; null: not said yet.
    pub lowest: Option<u32>,
    /// The newest; null: not said yet.
    pub highest: Option<u32>,
}

/// `{"cluster_version": 2, "revision": 40}`
#[derive(Debug, Serialize)]
pub struct Raised {
    /// What the log is written at from here on.
    pub cluster_version: u32,
    /// Where this became true.
    pub revision: u64,
}

// === impl Versions ===

impl From<v1::ClusterStatusResponse> for Versions {
    fn from(view: v1::ClusterStatusResponse) -> Self {
        let said = |id: u64| {
            let of = |versions: &&v1::MemberVersions| versions.member_id == id;
            let versions = view.member_versions.iter().find(of);
            versions.filter(|versions| versions.highest > 0)
        };
        let member = |member: &v1::Member| Member {
            id: member.id,
            name: member.name.clone(),
            lowest: said(member.id).map(|versions| versions.lowest),
            highest: said(member.id).map(|versions| versions.highest),
        };
        Self {
            cluster_version: view.cluster_version,
            asked_member: view.member_id,
            leader_id: (view.leader_id != 0).then_some(view.leader_id),
            members: view.members.iter().map(member).collect(),
            waits_for: present(view.version_waits_for.clone()),
        }
    }
}

impl Document for Versions {
    fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn text(&self) -> String {
        let rows = self.members.iter().map(|member| {
            let applies = match (member.lowest, member.highest) {
                (Some(lowest), Some(highest)) if lowest == highest => lowest.to_string(),
                (Some(lowest), Some(highest)) => format!("{lowest} to {highest}"),
                _ => "not said yet".to_owned(),
            };
            vec![member.id.to_string(), member.name.clone(), applies]
        });
        let mut parts = vec![
            format!("cluster version {}", self.cluster_version),
            table::columns(&["ID", "NAME", "APPLIES"], rows),
        ];
        parts.extend(self.waits_for.clone());
        parts.join("\n\n")
    }
}

// === impl Raised ===

impl Document for Raised {
    fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn text(&self) -> String {
        let (version, revision) = (self.cluster_version, self.revision);
        format!("the log is written at cluster version {version} from revision {revision} on")
    }
}
