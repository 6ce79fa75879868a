//! The leader raises the cluster version by itself, once every member can apply a higher one and has been able to for a
//! while. Until then everybody can go back to the older program.

use super::{Seen, Versions};
use crate::failure::Failure;
use crate::journal::{Journal, Propose};
use crate::leader::Gate;
use berth_actors::{Address, Reply};
use berth_domain::Ledger;
use berth_domain::command::{Command, Proposal, SetClusterVersion};
use berth_domain::id::{MemberId, Principal, Reason, RequestId, Revision};
use berth_domain::outcome::Refusal;
use berth_domain::version::{APPLIES, ClusterVersion};
use berth_raft::status::Status;
use std::time::Duration;
use tokio::time::Instant;
use tracing::{Span, info};

/// How often the leader looks; a look is one short closure on the raft thread.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What an administrator wants of the raise.
#[derive(Clone, Copy, Debug)]
pub struct Hold {
    /// Every member must have been able to apply the new version for this long.
    pub off: Duration,
    /// Never above this one.
    pub at: Option<ClusterVersion>,
}

/// Why the version does not rise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wait {
    /// Nothing is known of its program.
    #[error("member {member} has not said yet what it can apply: see that it runs and is reached")]
    Unheard {
        /// Who.
        member: MemberId,
    },
    /// It may come back with another program.
    #[error("member {member} was not heard of lately: start it, or remove it")]
    Silent {
        /// Who.
        member: MemberId,
    },
    /// An older program.
    #[error(
        "member {member} applies {applies} at most, not {wanted}: start it with the newer program"
    )]
    Behind {
        /// Who.
        member: MemberId,
        /// What it applies at most.
        applies: ClusterVersion,
        /// What this program applies.
        wanted: ClusterVersion,
    },
    /// The hold-off.
    #[error(
        "all members can apply {to}; it rises in {seconds} s, and until then every member can go back to the older program"
    )]
    HoldOff {
        /// To which.
        to: ClusterVersion,
        /// In how many seconds.
        seconds: u64,
    },
    /// By configuration.
    #[error("hold_cluster_version keeps it at {at}; all members can apply {to}")]
    Held {
        /// Where.
        at: ClusterVersion,
        /// What could be.
        to: ClusterVersion,
    },
}

/// One per process; it does something on the leader only.
#[derive(Debug)]
pub struct Raiser {
    gate: Gate,
    versions: Versions,
    hold: Hold,
}

/// What the leader sees at one moment.
struct Look {
    leads: bool,
    members: Vec<Seen>,
}

// === impl Hold ===

impl Hold {
    /// What a new cluster begins at.
    pub fn first(&self) -> ClusterVersion {
        let at = self.at.unwrap_or(APPLIES.highest);
        at.clamp(APPLIES.lowest, APPLIES.highest)
    }
}

// === impl Raiser ===

impl Raiser {
    /// Over this replica.
    pub fn new(gate: Gate, hold: Hold) -> Self {
        let versions = gate.versions().clone();
        Self {
            gate,
            versions,
            hold,
        }
    }

    /// Until the process ends.
    pub async fn supervise(&self) {
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut able = None;
        loop {
            look.tick().await;
            let waits_for = self.once(&mut able).await;
            self.versions.wait_for(waits_for);
            self.rehearse().await;
        }
    }

    /// One look; what there is to wait for.
    async fn once(&self, able: &mut Option<(ClusterVersion, Instant)>) -> String {
        let _joining = self.versions.joining().await;
        let Ok(look) = self.gate.read_stale(see).await else {
            return self.versions.waits_for();
        };
        if !look.leads {
            *able = None;
            return String::new();
        }
        let to = match self.due(&look, able, Instant::now()) {
            Ok(None) => return String::new(),
            Err(wait) => return wait.to_string(),
            Ok(Some(to)) => to,
        };
        match self.raise(raise(to, "every member can apply it")).await {
            Ok(_) => String::new(),
            Err(failure) => failure.to_string(),
        }
    }

    /// The version to raise to now; none = there is no higher one.
    fn due(
        &self,
        look: &Look,
        able: &mut Option<(ClusterVersion, Instant)>,
        now: Instant,
    ) -> Result<Option<ClusterVersion>, Wait> {
        let common = self.versions.common(&look.members);
        let to = common.inspect_err(|_| *able = None)?;
        if to <= self.versions.current() {
            *able = None;
            return Ok(None);
        }
        if let Some(at) = self.hold.at.filter(|at| to > *at) {
            return Err(Wait::Held { at, to });
        }
        let since = match able {
            Some((version, since)) if *version == to => *since,
            _ => able.insert((to, now)).1,
        };
        let left = self.hold.off.saturating_sub(now.duration_since(since));
        if left.is_zero() {
            return Ok(Some(to));
        }
        // Rounded up: "in 0 s" would be wrong for a second.
        let seconds = left.as_secs() + 1;
        Err(Wait::HoldOff { to, seconds })
    }

    async fn raise(&self, proposal: Proposal) -> Result<Revision, Failure> {
        let answer = self.gate.propose(proposal).await?;
        answer.result?;
        info!(revision = %answer.revision, "the cluster version has risen; older programs cannot join any more");
        Ok(answer.revision)
    }

    /// A program built to rehearse an upgrade tries its own command again and again, which must not reach the log early.
    async fn rehearse(&self) {
        if !cfg!(feature = "next-version") || !self.gate.role().leads() {
            return;
        }
        let rehearse = Command::Rehearse(berth_domain::command::Rehearse);
        let proposal = unasked("", rehearse);
        match self
            .gate
            .propose(proposal)
            .await
            .map(|answer| answer.result)
        {
            Ok(Ok(_)) => info!("rehearsed"),
            Ok(Err(reason)) => info!(%reason, "the ledger does not let it rehearse"),
            Err(reason) => info!(%reason, "not rehearsed"),
        }
    }
}

impl Gate {
    /// Raises the cluster version on an administrator's word, now: every member must be able to apply it.
    pub async fn raise(&self, proposal: Proposal, to: ClusterVersion) -> Result<Revision, Failure> {
        let versions = self.versions();
        let _joining = versions.joining().await;
        let look = self.read_stale(see).await?;
        if look.leads && to > versions.current() {
            let common = versions.common(&look.members);
            let cannot = match common {
                Ok(common) if to <= common => None,
                Ok(common) if to > APPLIES.highest => Some(format!(
                    "this program applies {APPLIES}; all members can apply {common}"
                )),
                Ok(common) => Some(format!("all members can apply {common} at most")),
                Err(wait) => Some(wait.to_string()),
            };
            if let Some(why) = cannot {
                let reason = format!("{to} cannot be applied by every member: {why}");
                let field = "to";
                return Err(Failure::Refused(Refusal::Invalid { field, reason }));
            }
        }
        let answer = self.propose(proposal).await?;
        answer.result?;
        Ok(answer.revision)
    }
}

fn see(_: &Ledger, status: &Status) -> Look {
    let taking = &status.membership;
    let lists = [
        &taking.voters,
        &taking.learners,
        &taking.voters_outgoing,
        &taking.learners_next,
    ];
    let seen = |id: &u64| Seen {
        id: MemberId(*id),
        is_me: *id == status.member,
        is_active: status
            .members
            .iter()
            .any(|member| member.member == *id && member.recent_active),
    };
    Look {
        leads: status.role.leads() && status.role.ready,
        members: lists.into_iter().flatten().map(seen).collect(),
    }
}

/// The first command of a new cluster, ahead of every other, so that all of them may be of that version. There is nothing to
/// go back to, so nobody is waited for: a member that was set up with an older program stops before it and says so.
pub fn begin(at: ClusterVersion, journal: &Address<Journal>) {
    journal.deliver(Propose {
        proposal: raise(at, "the cluster is new"),
        span: Span::none(),
        until_ms: None,
        reply: Reply::call(move |answer| match answer {
            Ok(Ok(_)) => info!(version = %at, "a new cluster begins"),
            // The next leader of an empty ledger tries again.
            outcome => info!(?outcome, "the first cluster version is not set yet"),
        }),
    });
}

fn raise(to: ClusterVersion, reason: &str) -> Proposal {
    unasked(reason, Command::SetClusterVersion(SetClusterVersion { to }))
}

/// What the server does by itself.
fn unasked(reason: &str, command: Command) -> Proposal {
    Proposal {
        principal: Principal::new("berthd").expect("allowed"), // a plain word is one of those allowed
        request_id: RequestId::new("").expect("allowed"), // the empty text is one of those allowed
        trace_id: None,
        reason: Reason::new(reason).expect("allowed"), // a short plain sentence
        facts: None,
        command,
    }
}
