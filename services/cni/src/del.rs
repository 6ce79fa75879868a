//! DEL: the attachment holds nothing any more, however often it is said, with or without a network namespace.

use berth_client::Client;
use berth_proto::v1::ReleaseRequest;

use crate::error::Error;
use crate::request::{self, Request};

/// Needs neither `CNI_NETNS` nor `prevResult`. What Berth never had is a success; a server that is away is not:
/// the runtime asks again.
pub async fn run(request: &Request, client: &Client) -> Result<(), Error> {
    if let Some(reason) = request.beyond_limits() {
        eprintln!("berth-cni: nothing to release: {reason}, so no ADD can have made it");
        return Ok(());
    }
    let Request { config, .. } = request;
    let release = ReleaseRequest {
        attachment: Some(request.attachment()),
        node: config.ipam.node.clone(),
        boot_id: request::boot_id()?,
        invoked_at_ms: request.invoked_at_ms,
        generation: 0,  // key and invoked_at_ms are the shim's
        deadline_ms: 0, // the client sets it
    };
    let response = client.release(release).await?;
    if !response.released {
        eprintln!("berth-cni: there was nothing to release");
    }
    Ok(())
}
