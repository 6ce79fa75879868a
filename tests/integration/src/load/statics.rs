//! Static pods: one identity each, whose sandboxes move between nodes, with and without a DEL of the old one before.

use super::caller::Caller;
use super::pods::{BOOT, Sandbox};
use super::{Shared, rest};
use crate::record::Attachment;
use std::sync::Arc;

/// One sandbox after the other, until the load ends.
pub(super) async fn live(shared: Arc<Shared>, number: usize) {
    let name = format!("static-{number}");
    let mut caller = Caller::new(&shared, &name, 500 + number as u64);
    let mut round = 0;
    while shared.goes_on() {
        let uid = format!("uid-{name}-{round}");
        let node = shared.nodes.any(&mut caller.chance);
        let sandbox = |round: u64| Sandbox {
            shared: &shared,
            node,
            is_shipped: false,
            attachment: Attachment {
                key: format!("default/pods/{name}-{round}/eth0"),
                pod: format!("shop/db-{number}"),
                uid: uid.clone(),
                node: node.name.to_owned(),
                boot: BOOT.to_owned(),
                invoked_at_ms: shared.recorder.boot_clock_ms(),
            },
        };
        round += 1;
        let first = sandbox(round);
        if first.add(&mut caller, true).await.is_some() {
            first.use_it(&mut caller).await;
            if caller.chance.percent(30) {
                // The kubelet makes the same pod's sandbox anew; the old one's DEL comes late.
                round += 1;
                shared.recorder.stops(&first.attachment.key);
                let second = sandbox(round);
                if second.add(&mut caller, true).await.is_some() {
                    second.use_it(&mut caller).await;
                }
                first.delete(&mut caller).await;
                second.delete(&mut caller).await;
                continue;
            }
        }
        first.delete(&mut caller).await;
        let pause = caller.chance.between(20, 200);
        rest(&shared, pause).await;
    }
}
