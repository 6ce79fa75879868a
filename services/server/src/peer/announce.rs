//! Each replica tells the leader at its start who it is, where it is and out of which store it speaks,
//! so that a changed endpoint becomes known and a changed store is found out; the leader's answer says who the members are.
//! It does so again when another replica turns it away, and when it turns one away itself: who was removed while it was cut
//! off hears of it from nobody else, and who is behind may not know the new leader yet.

use super::{Membership, Myself, Registry, Told, join};
use crate::config::Certificates;
use crate::planted::{self, Planted};
use berth_domain::id::Endpoint;
use berth_domain::version::APPLIES;
use berth_proto::peer::v1::JoinRequest;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tonic::Code;
use tracing::{debug, info};

/// Everything that is said.
pub struct Announcement {
    /// Who, in which cluster, out of which store.
    pub myself: Myself,
    /// Its name.
    pub name: String,
    /// Where clients reach it.
    pub client: Endpoint,
    /// Where replicas reach it.
    pub peer: Endpoint,
}

/// Between two tries: a start waits for this, and one try is one small call.
const PAUSE: Duration = Duration::from_millis(50);

/// Between two announcements of one that disagrees with another: one side may only be behind.
const REPEAT_PAUSE: Duration = Duration::from_secs(1);

/// Why the cluster will not have this replica.
#[derive(Debug, thiserror::Error)]
#[error("the cluster refuses this replica: {0}")]
pub struct Refused(pub String);

// === impl Announcement ===

impl Announcement {
    /// Until the leader knows it; an error if it refuses for good.
    pub async fn make(
        &self,
        membership: &Membership,
        registry: &Arc<Registry>,
        certificates: Option<&Certificates>,
    ) -> Result<(), Refused> {
        let request = self.request();
        loop {
            match membership.join(request.clone()).await {
                Ok(response) if response.accepted => break,
                Ok(_) => {
                    let others = self.others(registry);
                    match join::once(&others, certificates, &request).await {
                        Ok(joined) => {
                            registry.tell(Told::read(joined.revision, &joined.members));
                            break;
                        }
                        Err(join::Error::Refused(_)) if planted::has(Planted::TrustAnyStore) => {
                            break;
                        }
                        Err(join::Error::Refused(reason)) => return Err(Refused(reason)),
                        Err(error) => debug!(%error, "not announced yet"),
                    }
                }
                Err(status) if status.code() == Code::PermissionDenied => {
                    return Err(Refused(status.message().into()));
                }
                Err(status) => debug!(reason = status.message(), "not announced yet"),
            }
            tokio::time::sleep(PAUSE).await;
        }
        info!(member = %self.myself.member, "the leader knows this replica");
        Ok(())
    }

    /// Says it again each time that this replica and another disagree; ends when the cluster refuses it for good.
    pub async fn repeat(
        &self,
        disagreed: &Notify,
        membership: &Membership,
        registry: &Arc<Registry>,
        certificates: Option<&Certificates>,
    ) -> Refused {
        loop {
            disagreed.notified().await;
            if let Err(refused) = self.make(membership, registry, certificates).await {
                return refused;
            }
            tokio::time::sleep(REPEAT_PAUSE).await;
        }
    }

    fn others(&self, registry: &Registry) -> Vec<Endpoint> {
        let addresses = registry.addresses().into_iter();
        let others = addresses.filter(|address| address.member != self.myself.member);
        others.map(|address| address.endpoint).collect()
    }

    fn request(&self) -> JoinRequest {
        JoinRequest {
            cluster_id: self.myself.cluster_id.clone(),
            member_id: self.myself.member.0,
            name: self.name.clone(),
            client_endpoint: self.client.to_string(),
            peer_endpoint: self.peer.to_string(),
            store: self.myself.store.to_vec().into(),
            replaces: 0,
            stays_learner: false,
            has_begun: true,
            lowest_version: APPLIES.lowest.0,
            highest_version: APPLIES.highest.0,
        }
    }
}
