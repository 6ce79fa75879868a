//! One create-if-absent transaction, on one connection straight to the leader.

use std::sync::Arc;
use std::time::Duration;

use prost::Message;
use tokio::time::{Instant, sleep};
use tonic::transport::{Channel, Endpoint};

use super::Target;
use crate::Error;
use crate::etcdserverpb::compare::{CompareResult, CompareTarget, TargetUnion};
use crate::etcdserverpb::kv_client::KvClient;
use crate::etcdserverpb::maintenance_client::MaintenanceClient;
use crate::etcdserverpb::request_op::Request;
use crate::etcdserverpb::{
    Compare, PutRequest, RequestOp, StatusRequest, StatusResponse, TxnRequest,
};
use crate::random::mix;

/// The same as an ADD's: 40 bytes of key and 200 of value. The transaction names the key twice.
const KEY_BYTES: usize = 40;
const VALUE_BYTES: usize = 200;
/// A cluster that was just started elects in about a second.
const ELECTED_WITHIN: Duration = Duration::from_secs(30);

#[derive(Clone)]
pub(crate) struct EtcdCreate {
    client: KvClient<Channel>,
    about: Arc<About>,
}

struct About {
    run: u64,
    version: String,
    members: usize,
}

// === impl EtcdCreate ===

impl EtcdCreate {
    pub(crate) async fn connect(endpoints: &[String], run: u64) -> Result<Self, Error> {
        let until = Instant::now() + ELECTED_WITHIN;
        loop {
            match leader(endpoints).await {
                Ok((channel, version)) => {
                    let members = endpoints.len();
                    let about = Arc::new(About {
                        run,
                        version,
                        members,
                    });
                    let client = KvClient::new(channel);
                    return Ok(Self { client, about });
                }
                Err(reason) if Instant::now() > until => {
                    return Err(Error::Unreachable {
                        endpoints: endpoints.join(","),
                        reason,
                    });
                }
                Err(_) => sleep(Duration::from_millis(100)).await,
            }
        }
    }

    pub(crate) fn version(&self) -> &str {
        &self.about.version
    }

    pub(crate) fn members(&self) -> usize {
        self.about.members
    }

    pub(crate) fn payload_bytes(&self) -> usize {
        self.request(1).encoded_len()
    }

    fn request(&self, number: u64) -> TxnRequest {
        let key = format!("/ipam/addresses/{:08x}{number:016x}", self.about.run as u32);
        let key = key.into_bytes();
        debug_assert_eq!(key.len(), KEY_BYTES);
        let value: Vec<u8> = (0..VALUE_BYTES / 8)
            .flat_map(|part| mix(number.wrapping_add(part as u64)).to_le_bytes())
            .collect();
        TxnRequest {
            compare: vec![Compare {
                result: CompareResult::Equal as i32,
                target: CompareTarget::Create as i32,
                key: key.clone(),
                target_union: Some(TargetUnion::CreateRevision(0)),
            }],
            success: vec![RequestOp {
                request: Some(Request::RequestPut(PutRequest { key, value })),
            }],
            failure: Vec::new(),
        }
    }
}

impl Target for EtcdCreate {
    async fn perform(&self, number: u64) -> Result<(), String> {
        let answer = self.client.clone().txn(self.request(number)).await;
        match answer {
            Ok(answer) if answer.get_ref().succeeded => Ok(()),
            Ok(_) => Err("the key was there".to_owned()),
            Err(status) => Err(format!("{:?}", status.code())),
        }
    }
}

/// A connection to whoever leads, and the version it runs.
async fn leader(endpoints: &[String]) -> Result<(Channel, String), String> {
    let mut last = "nobody leads".to_owned();
    for endpoint in endpoints {
        match status(endpoint).await {
            Ok((channel, status)) => {
                let member = status.header.map_or(0, |header| header.member_id);
                if status.leader != 0 && status.leader == member {
                    return Ok((channel, status.version));
                }
            }
            Err(reason) => last = reason,
        }
    }
    Err(last)
}

async fn status(endpoint: &str) -> Result<(Channel, StatusResponse), String> {
    let channel = Endpoint::from_shared(endpoint.to_owned()).map_err(|error| error.to_string())?;
    let channel = channel.connect().await.map_err(|error| error.to_string())?;
    let answer = MaintenanceClient::new(channel.clone())
        .status(StatusRequest {})
        .await;
    let answer = answer.map_err(|status| status.to_string())?;
    Ok((channel, answer.into_inner()))
}
