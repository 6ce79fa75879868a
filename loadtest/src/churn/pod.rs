//! Pods as the runtime and the operator see them.

use berth_proto::v1::facts_report::Report;
use berth_proto::v1::{AllocateRequest, AttachmentKey, PodFact, PodIdentity, ReleaseRequest};

use crate::random::mix;
use crate::setup;
use crate::target::{container_id, uid};

/// One sandbox of one pod.
#[derive(Clone, Debug)]
pub(crate) struct Pod {
    pub(crate) name: String,
    pub(crate) owner: &'static str,
    pub(crate) node: String,
    pub(crate) uid: String,
    /// The sandbox.
    pub(crate) container_id: String,
    pub(crate) invoked_at_ms: u64,
    pub(crate) is_static: bool,
}

// === impl Pod ===

impl Pod {
    /// `number` is the sandbox's own, of this run.
    pub(crate) fn new(
        run: u64,
        number: u64,
        name: String,
        owner: &'static str,
        node: &str,
    ) -> Self {
        Self {
            name,
            owner,
            node: node.to_owned(),
            uid: uid(mix(run ^ number)),
            container_id: container_id(run, number),
            invoked_at_ms: 1_000_000 + 2 * number,
            is_static: false,
        }
    }

    pub(crate) fn allocate(&self, cluster: &str) -> AllocateRequest {
        AllocateRequest {
            attachment: Some(self.key(cluster)),
            pod: Some(PodIdentity {
                namespace: setup::NAMESPACE.into(),
                name: self.name.clone(),
                uid: self.uid.clone(),
            }),
            node: self.node.clone(),
            boot_id: setup::BOOT_ID.into(),
            invoked_at_ms: self.invoked_at_ms,
            ..Default::default()
        }
    }

    pub(crate) fn release(&self, cluster: &str) -> ReleaseRequest {
        ReleaseRequest {
            attachment: Some(self.key(cluster)),
            node: self.node.clone(),
            boot_id: setup::BOOT_ID.into(),
            invoked_at_ms: self.invoked_at_ms + 1,
            ..Default::default()
        }
    }

    /// What the operator reports; `gone` when it was deleted.
    pub(crate) fn fact(&self, gone: bool) -> Report {
        let policy = ("berth.io/static-address".to_owned(), "never".to_owned());
        Report::Pod(PodFact {
            namespace: setup::NAMESPACE.into(),
            name: self.name.clone(),
            uid: self.uid.clone(),
            node: self.node.clone(),
            annotations: self.is_static.then_some(policy).into_iter().collect(),
            owner: self.owner.into(),
            gone,
            ..Default::default()
        })
    }

    fn key(&self, cluster: &str) -> AttachmentKey {
        AttachmentKey {
            cluster: cluster.into(),
            network: setup::NETWORK.into(),
            container_id: self.container_id.clone(),
            interface: "eth0".into(),
        }
    }
}
