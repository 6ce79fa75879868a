//! From the domain's words to the wire: what several services show alike.

use berth_domain::id::{AttachmentKey, PodIdentity};
use berth_proto::v1;

/// The key of an allocation.
pub fn attachment(key: &AttachmentKey) -> v1::AttachmentKey {
    v1::AttachmentKey {
        cluster: key.cluster.to_string(),
        network: key.network.to_string(),
        container_id: key.container.to_string(),
        interface: key.interface.to_string(),
    }
}

/// Whom a sandbox is for.
pub fn pod(pod: &PodIdentity) -> v1::PodIdentity {
    v1::PodIdentity {
        namespace: pod.namespace.to_string(),
        name: pod.name.to_string(),
        uid: pod.uid.to_string(),
    }
}
