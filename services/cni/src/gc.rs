//! GC: what this node holds in this network for attachments that are gone is taken back.

use berth_client::Client;
use berth_proto::v1::{CollectRequest, ValidAttachment};
use serde_json::Value;

use crate::config::SpecVersion;
use crate::error::Error;
use crate::request::{self, Request};

const KEY: &str = "cni.dev/valid-attachments";

/// Only this node's attachments of this network. An empty list means that none is valid; a missing one is an error,
/// for to read it as empty would take every address away.
pub async fn run(request: &Request, client: &Client) -> Result<(), Error> {
    let Request { config, .. } = request;
    config.version.must_have("GC", SpecVersion::V1_1_0)?;
    let valid = valid_attachments(config.valid_attachments.as_ref())?;
    let collect = CollectRequest {
        cluster: config.ipam.cluster.clone(),
        network: config.network.clone(),
        node: config.ipam.node.clone(),
        boot_id: request::boot_id()?,
        invoked_at_ms: request.invoked_at_ms,
        valid,
    };
    let response = client.collect(collect).await?;
    eprintln!(
        "berth-cni: released {} stale attachments",
        response.released
    );
    Ok(())
}

fn valid_attachments(list: Option<&Value>) -> Result<Vec<ValidAttachment>, Error> {
    let items = match list {
        Some(Value::Array(items)) => items,
        Some(_) => return Err(Error::config(format!("{KEY} must be a list"))),
        None => {
            let message = format!("{KEY} is missing; an empty list says that none is valid");
            return Err(Error::config(message));
        }
    };
    items
        .iter()
        .enumerate()
        .map(|(at, item)| valid_attachment(at, item))
        .collect()
}

fn valid_attachment(at: usize, item: &Value) -> Result<ValidAttachment, Error> {
    let text = |key: &str| match item.get(key) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
        _ => Err(Error::config(format!(
            "{KEY}[{at}].{key} is missing; it must be text"
        ))),
    };
    Ok(ValidAttachment {
        container_id: text("containerID")?,
        interface: text("ifname")?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::valid_attachments;

    fn count(list: Option<&Value>) -> Option<usize> {
        valid_attachments(list).ok().map(|valid| valid.len())
    }

    /// Promise: only a list that is there and whole is taken; a missing one is never read as "none is valid".
    #[test]
    fn a_missing_list_is_not_an_empty_one() {
        assert_eq!(count(None), None);
        assert_eq!(count(Some(&json!({}))), None);
        assert_eq!(count(Some(&json!([{ "containerID": "a" }]))), None);
        assert_eq!(count(Some(&json!([]))), Some(0));
        assert_eq!(
            count(Some(&json!([{ "containerID": "a", "ifname": "eth0" }]))),
            Some(1)
        );
    }
}
