//! ADD: the attachment gets its addresses, the same ones however often it asks.

use berth_client::Client;
use serde_json::Value;

use crate::error::Error;
use crate::request::Request;
use crate::result;

/// The success result. After a failure, known or unknown, the runtime sends a DEL, which takes back whatever was given;
/// so nothing is undone here: between the two, another ADD of the same attachment may already use the address.
pub async fn run(request: &Request, client: &Client) -> Result<Value, Error> {
    if let Some(error) = request.beyond_limits() {
        return Err(error);
    }
    let response = client.allocate(request.allocate()?).await?;
    result::success(
        request.config.version,
        &response.addresses,
        &request.config.ipam.routes,
    )
}
