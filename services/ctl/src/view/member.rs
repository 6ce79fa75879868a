//! Members as they are shown.

use berth_proto::v1;
use serde::Serialize;

use crate::output::Document;
use crate::table;

/// Who takes part, as of one revision.
#[derive(Debug, Serialize)]
pub struct Members {
    /// Of which cluster.
    pub cluster_id: String,
    /// Who led when it was asked.
    pub leader_id: u64,
    /// A change of the membership is under way.
    pub changing: bool,
    /// Voters, learners, then those that are registered only.
    pub members: Vec<Member>,
    /// The revision at which this was true.
    pub revision: u64,
}

/// One member.
#[derive(Debug, Serialize)]
pub struct Member {
    /// The raft id.
    pub id: u64,
    /// As configured.
    pub name: String,
    /// "voter", "learner", or "registered": about to take part, or to be forgotten.
    pub role: String,
    /// It gets no vote by itself.
    pub stays_learner: bool,
    /// Whether the leader heard of it lately.
    pub recently_active: bool,
    /// How far its log is known to be.
    pub matched_index: u64,
    /// How long its durable writes take, microseconds; null if it has not said.
    pub sync_micros: Option<u64>,
    /// Its history is complete up to here; null while a part is missing, or it has not said.
    pub history_revision: Option<u64>,
    /// Where clients reach it.
    pub client_endpoint: String,
    /// Where replicas reach it.
    pub peer_endpoint: String,
}

/// What to start to get a new member.
#[derive(Debug, Serialize)]
pub struct Joining {
    /// The new one's name.
    pub name: String,
    /// Whose peer endpoint is named.
    pub join: String,
    /// The command's words.
    pub command: Vec<String>,
    /// How many vote now.
    pub voters: usize,
}

/// A change that is made.
#[derive(Debug, Serialize)]
pub struct Changed {
    /// "promoted", "removed", "replaced".
    pub done: &'static str,
    /// Who, as it was named.
    pub member: String,
    /// Who takes part now.
    pub members: Vec<Member>,
    /// The revision at which it was noted.
    pub revision: u64,
}

const HEADER: &[&str] = &[
    "NAME", "ID", "ROLE", "STATE", "LOG", "HISTORY", "SYNC MS", "CLIENTS", "PEERS",
];

// === impl Members ===

impl Members {
    /// The member of that name.
    pub fn named(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }
}

impl From<v1::ListMembersResponse> for Members {
    fn from(response: v1::ListMembersResponse) -> Self {
        Self {
            cluster_id: response.cluster_id,
            leader_id: response.leader_id,
            changing: response.changing,
            members: response.members.into_iter().map(Member::from).collect(),
            revision: response.revision,
        }
    }
}

impl Document for Members {
    fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn text(&self) -> String {
        let rows = self.members.iter();
        let rows = rows.map(|member| member.row(member.id == self.leader_id));
        let mut text = table::columns(HEADER, rows);
        if self.changing {
            text.push_str("\n\na change of the membership is under way");
        }
        text
    }
}

// === impl Member ===

impl Member {
    fn row(&self, leads: bool) -> Vec<String> {
        let state = match (leads, self.recently_active) {
            (true, _) => "leads",
            (_, true) => "alive",
            _ => "silent",
        };
        let role = match self.role.as_str() {
            "learner" if self.stays_learner => "learner, stays one",
            role => role,
        };
        let ms = |micros: u64| format!("{:.1}", micros as f64 / 1000.0);
        vec![
            self.name.clone(),
            self.id.to_string(),
            role.to_owned(),
            state.to_owned(),
            self.matched_index.to_string(),
            self.history_revision
                .map_or("incomplete".to_owned(), |revision| revision.to_string()),
            self.sync_micros.map(ms).unwrap_or_default(),
            self.client_endpoint.clone(),
            self.peer_endpoint.clone(),
        ]
    }
}

impl From<v1::Member> for Member {
    fn from(member: v1::Member) -> Self {
        let said = |number: u64| (number > 0).then_some(number);
        Self {
            id: member.id,
            name: member.name,
            role: member.role,
            stays_learner: member.stays_learner,
            recently_active: member.recently_active,
            matched_index: member.matched_index,
            sync_micros: said(member.sync_micros),
            history_revision: said(member.history_revision),
            client_endpoint: member.client_endpoint,
            peer_endpoint: member.peer_endpoint,
        }
    }
}

// === impl Joining ===

impl Joining {
    /// Beside those that are there.
    pub fn new(name: String, learner: bool, members: &Members) -> Self {
        let leader = |member: &&Member| member.id == members.leader_id;
        let leader = members.members.iter().find(leader);
        let join = leader.map_or("PEER_ENDPOINT".to_owned(), |member| {
            member.peer_endpoint.clone()
        });
        let mut command: Vec<String> = ["berthd", "--name", &name, "--join", &join]
            .map(str::to_owned)
            .into();
        if learner {
            command.push("--learner".to_owned());
        }
        let voters = members
            .members
            .iter()
            .filter(|member| member.role == "voter");
        Self {
            name,
            join,
            command,
            voters: voters.count(),
        }
    }
}

impl Document for Joining {
    fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn text(&self) -> String {
        let odd = match (self.voters + 1) % 2 {
            0 => {
                "\nAn even number of voters is no safer than one less: add another one, or use --learner."
            }
            _ => "",
        };
        format!(
            "{} can join. On its machine, with --data-dir, --listen-client, --listen-peer, --listen-metrics and the\n\
             certificates that hold there:\n\n  {}\n\n\
             It receives everything first, and votes once it has caught up: `berthctl member list`.{odd}",
            self.name,
            self.command.join(" "),
        )
    }
}

// === impl Changed ===

impl Changed {
    /// As the leader answered.
    pub fn new(done: &'static str, member: String, response: v1::ChangeMemberResponse) -> Self {
        Self {
            done,
            member,
            members: response.members.into_iter().map(Member::from).collect(),
            revision: response.revision,
        }
    }
}

impl Document for Changed {
    fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn text(&self) -> String {
        let voters = self.members.iter().filter(|member| member.role == "voter");
        let names: Vec<&str> = voters.map(|member| member.name.as_str()).collect();
        format!(
            "member {} is {} (revision {}); {} vote: {}",
            self.member,
            self.done,
            self.revision,
            names.len(),
            names.join(", ")
        )
    }
}
