//! Everything known of one pod, and in sentences what it waits for.

use super::{AdminService, view};
use crate::facts::Lookup;
use crate::failure::Failure;
use crate::grpc::decode::{self, name};
use crate::grpc::principal::Caller;
use berth_domain::id::{ClaimName, ClusterName, Namespace, PodName};
use berth_proto::v1;

/// Routed networks are never fenced by default (design §6).
const FENCING_MODE: &str = "manual";

pub(super) async fn pod(
    service: &AdminService,
    _caller: &Caller,
    request: v1::ExplainPodRequest,
) -> Result<v1::ExplainPodResponse, Failure> {
    let pod = ClaimName {
        cluster: name("cluster", &request.cluster, ClusterName::new)?,
        namespace: name("namespace", &request.namespace, Namespace::new)?,
        pod: name("pod", &request.pod, PodName::new)?,
    };
    if pod.pod.as_str().is_empty() {
        return Err(decode::invalid("pod", "is empty").into());
    }
    let facts = match service.gate.role().leads() {
        true => {
            let known = service
                .gate
                .pod_facts(&pod.cluster, &pod.namespace, &pod.pod);
            said(&known)
        }
        false => "The leader alone knows the facts; this replica was asked for what it has.".into(),
    };
    let look = service.look(request.stale, move |ledger| view::pod(ledger, &pod));
    let mut explained = look.await?;
    explained.findings.push(facts);
    explained.fencing_mode = FENCING_MODE.into();
    Ok(explained)
}

/// What Kubernetes says of it.
fn said(known: &Lookup) -> String {
    match known {
        Lookup::NoSource => {
            "No source has told facts of this cluster: annotations are not seen.".into()
        }
        Lookup::Missing(reason) => {
            format!("The facts of this cluster {reason}: what depends on them waits.")
        }
        Lookup::Gone(_) => "By the facts there is no such pod.".into(),
        Lookup::Known(fact, _) => {
            let node = if fact.node.is_empty() {
                "no node yet"
            } else {
                &fact.node
            };
            let owner = if fact.owner.is_empty() {
                "nobody"
            } else {
                &fact.owner
            };
            format!(
                "By the facts the pod is on {node}, owned by {owner}, uid {}.",
                fact.uid
            )
        }
    }
}
