//! STATUS: whether an ADD would be served now.

use berth_client::Client;
use berth_proto::v1::StatusRequest;

use crate::config::SpecVersion;
use crate::error::{Code, Error};
use crate::request::Request;

/// Silent if so, else code 50 with the reason. Never 51: pods that run do not need Berth.
pub async fn run(request: &Request, client: &Client) -> Result<(), Error> {
    let Request { config, .. } = request;
    config.version.must_have("STATUS", SpecVersion::V1_1_0)?;
    let status = StatusRequest {
        node: config.ipam.node.clone(),
        vswitch: config.ipam.vswitch.clone(),
    };
    match client.status(status).await {
        Ok(response) if response.ready => Ok(()),
        Ok(response) if response.exhausted && !config.ipam.status_fails_when_full => {
            eprintln!("berth-cni: {}; ready all the same", response.reason);
            Ok(())
        }
        Ok(response) => Err(Error::new(Code::NotAvailable, response.reason)),
        Err(error) => Err(Error {
            code: Code::NotAvailable,
            ..error.into()
        }),
    }
}
