//! Calls and answers as the wire has them.

use crate::record::{Answer, Attachment, Call, Counts, Listed, Read, Write};
use berth_client::{Client, Error};
use berth_proto::v1::admin_client::AdminClient;
use berth_proto::v1::allocator_client::AllocatorClient;
use berth_proto::v1::*;
use prost::Message;
use std::time::Duration;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// An answer, and whom a refusal names as the leader.
pub(super) struct Asked {
    pub(super) answer: Answer,
    pub(super) leader: Option<String>,
}

// === impl Asked ===

impl Asked {
    pub(super) fn unknown(why: &str) -> Self {
        let answer = Answer::Unknown {
            why: why.to_owned(),
        };
        Self {
            answer,
            leader: None,
        }
    }

    fn refused(refusal: &Refusal) -> Self {
        let code = refusal
            .code()
            .as_str_name()
            .trim_start_matches("REFUSAL_CODE_")
            .to_owned();
        let message = refusal.message.clone();
        let answer = match refusal.code() {
            RefusalCode::OutcomeUnknown | RefusalCode::Unspecified => {
                Answer::Unknown { why: message }
            }
            _ => Answer::Refused { code, message },
        };
        let leader = Some(refusal.leader_endpoint.clone());
        Self {
            answer,
            leader: leader.filter(|leader| !leader.is_empty()),
        }
    }
}

impl From<Answer> for Asked {
    fn from(answer: Answer) -> Self {
        Self {
            answer,
            leader: None,
        }
    }
}

impl From<Status> for Asked {
    fn from(status: Status) -> Self {
        let refusal = Some(status.details()).filter(|details| !details.is_empty());
        match refusal.and_then(|details| Refusal::decode(details).ok()) {
            Some(refusal) => Self::refused(&refusal),
            None => Self::unknown(&status.to_string()),
        }
    }
}

impl From<Error> for Asked {
    fn from(error: Error) -> Self {
        match &error {
            Error::Refused(refusal) => Self::refused(refusal),
            _ => Self::unknown(&error.to_string()),
        }
    }
}

/// One request on one connection.
pub(super) async fn ask(
    channel: Channel,
    call: &Call,
    invoked_at_ms: u64,
    within: Duration,
) -> Asked {
    let asked = ask_one(channel, call, invoked_at_ms, within).await;
    asked.unwrap_or_else(Asked::from)
}

async fn ask_one(
    channel: Channel,
    call: &Call,
    invoked_at_ms: u64,
    within: Duration,
) -> Result<Asked, Status> {
    let mut allocator = AllocatorClient::new(channel.clone());
    let mut admin = AdminClient::new(channel);
    let deadline_ms = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
    let answer = match call {
        Call::Add {
            attachment,
            requested,
        } => {
            let request = add(attachment, requested, deadline_ms);
            bound(
                allocator
                    .allocate(timed(request, within))
                    .await?
                    .into_inner(),
            )
        }
        Call::Delete { attachment } => {
            let request = delete(attachment, invoked_at_ms, deadline_ms);
            released(
                &allocator
                    .release(timed(request, within))
                    .await?
                    .into_inner(),
            )
        }
        Call::Collect { node, valid } => {
            let request = collect(node, valid, invoked_at_ms);
            done(
                allocator
                    .collect(timed(request, within))
                    .await?
                    .into_inner()
                    .revision,
            )
        }
        Call::Change { request_id, write } => done(change(&mut admin, request_id, write).await?),
        Call::Read(Read::Check { key, addresses }) => {
            let request = CheckRequest {
                attachment: Some(key_of(key)),
                addresses: addresses.clone(),
            };
            held(allocator.check(timed(request, within)).await?.into_inner())
        }
        Call::Read(read) => self::read(&mut admin, read, within).await?,
    };
    Ok(answer.into())
}

fn timed<T>(message: T, within: Duration) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(within);
    request
}

/// The same through the shipped client; only what runtimes call.
pub(super) async fn shipped(client: &Client, call: &Call, invoked_at_ms: u64) -> Asked {
    let answer = match call {
        Call::Add {
            attachment,
            requested,
        } => client
            .allocate(add(attachment, requested, 0))
            .await
            .map(bound),
        Call::Delete { attachment } => {
            let released_by = client.release(delete(attachment, invoked_at_ms, 0)).await;
            released_by.map(|response| released(&response))
        }
        Call::Read(Read::Check { key, addresses }) => {
            let request = CheckRequest {
                attachment: Some(key_of(key)),
                addresses: addresses.clone(),
            };
            client.check(request).await.map(held)
        }
        _ => return Asked::unknown("not one of a runtime's calls"),
    };
    match answer {
        Ok(answer) => answer.into(),
        Err(error) => error.into(),
    }
}

/// "cluster/network/container/interface"
fn key_of(text: &str) -> AttachmentKey {
    let mut parts = text.split('/').map(str::to_owned);
    let mut part = || parts.next().unwrap_or_default();
    AttachmentKey {
        cluster: part(),
        network: part(),
        container_id: part(),
        interface: part(),
    }
}

fn add(attachment: &Attachment, requested: &[String], deadline_ms: u64) -> AllocateRequest {
    let (namespace, name) = attachment.pod.split_once('/').unwrap_or_default();
    AllocateRequest {
        attachment: Some(key_of(&attachment.key)),
        pod: Some(PodIdentity {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            uid: attachment.uid.clone(),
        }),
        node: attachment.node.clone(),
        boot_id: attachment.boot.clone(),
        invoked_at_ms: attachment.invoked_at_ms,
        vswitch: "pods".into(),
        requested_addresses: requested.to_vec(),
        deadline_ms,
    }
}

fn delete(attachment: &Attachment, invoked_at_ms: u64, deadline_ms: u64) -> ReleaseRequest {
    ReleaseRequest {
        attachment: Some(key_of(&attachment.key)),
        node: attachment.node.clone(),
        boot_id: attachment.boot.clone(),
        invoked_at_ms,
        generation: 0,
        deadline_ms,
    }
}

fn collect<'a>(
    node: &str,
    valid: impl IntoIterator<Item = &'a String>,
    invoked_at_ms: u64,
) -> CollectRequest {
    let valid = valid.into_iter().map(|key| {
        let AttachmentKey {
            container_id,
            interface,
            ..
        } = key_of(key);
        ValidAttachment {
            container_id,
            interface,
        }
    });
    CollectRequest {
        cluster: "default".into(),
        network: "pods".into(),
        node: node.to_owned(),
        boot_id: super::super::pods::BOOT.to_owned(),
        invoked_at_ms,
        valid: valid.collect(),
    }
}

fn bound(response: AllocateResponse) -> Answer {
    Answer::Bound {
        addresses: plain(response.addresses),
        generation: response.generation,
        revision: response.revision,
        created: response.created,
        claim: response.claim,
    }
}

fn plain(addresses: Vec<AssignedAddress>) -> Vec<String> {
    addresses
        .into_iter()
        .map(|assigned| assigned.address)
        .collect()
}

fn released(response: &ReleaseResponse) -> Answer {
    Answer::Released {
        revision: response.revision,
        released: response.released,
    }
}

fn held(response: CheckResponse) -> Answer {
    Answer::Held {
        revision: response.revision,
        addresses: plain(response.addresses),
    }
}

fn done(revision: u64) -> Answer {
    Answer::Done { revision }
}

async fn change(
    admin: &mut AdminClient<Channel>,
    request_id: &str,
    write: &Write,
) -> Result<u64, Status> {
    let change = Some(Change {
        request_id: request_id.to_owned(),
        reason: "a test".into(),
    });
    Ok(match write {
        Write::CreateVSwitch {
            name,
            cidr,
            cooling_ms,
        } => {
            let request = CreateVSwitchRequest {
                change,
                name: name.clone(),
                zone: "a".into(),
                ipv4_cidr: cidr.clone(),
                cooling_ms: *cooling_ms,
                ..CreateVSwitchRequest::default()
            };
            admin
                .create_v_switch(timed(request, super::TRY_WITHIN))
                .await?
                .into_inner()
                .revision
        }
        Write::RegisterNode { name } => {
            let request = RegisterNodeRequest {
                change,
                name: name.clone(),
                zone: "a".into(),
                identity: format!("machine-{name}"),
                ..RegisterNodeRequest::default()
            };
            admin
                .register_node(timed(request, super::TRY_WITHIN))
                .await?
                .into_inner()
                .revision
        }
        Write::CreateClaim { name, addresses } => {
            let AttachmentKey {
                cluster,
                network: namespace,
                container_id: pod,
                ..
            } = key_of(name);
            let request = CreateClaimRequest {
                change,
                cluster,
                namespace,
                pod,
                vswitch: "pods".into(),
                addresses: addresses.clone(),
                policy: "never".into(),
            };
            admin
                .create_claim(timed(request, super::TRY_WITHIN))
                .await?
                .into_inner()
                .revision
        }
        Write::DeleteClaim { name } => {
            let request = DeleteClaimRequest {
                change,
                name: name.clone(),
                override_holder: false,
            };
            admin
                .delete_claim(timed(request, super::TRY_WITHIN))
                .await?
                .into_inner()
                .revision
        }
    })
}

async fn read(
    admin: &mut AdminClient<Channel>,
    read: &Read,
    within: Duration,
) -> Result<Answer, Status> {
    Ok(match read {
        Read::Claim { name } => {
            let request = timed(
                GetClaimRequest {
                    name: name.clone(),
                    stale: false,
                },
                within,
            );
            let claim = admin.get_claim(request).await?.into_inner();
            Answer::Claim {
                revision: claim.revision,
                addresses: claim.addresses,
                bound: claim.state == "bound",
            }
        }
        Read::VSwitch { name } => {
            let request = timed(
                GetVSwitchRequest {
                    name: name.clone(),
                    stale: false,
                },
                within,
            );
            let vswitch = admin.get_v_switch(request).await?.into_inner();
            let counts = vswitch.counts.first().map(counted).unwrap_or_default();
            Answer::Counted {
                revision: vswitch.revision,
                counts,
            }
        }
        Read::Allocations { node } => {
            let request = ListAllocationsRequest {
                node: node.clone(),
                page_size: 500,
                ..ListAllocationsRequest::default()
            };
            let page = admin
                .list_allocations(timed(request, within))
                .await?
                .into_inner();
            let allocations = page.allocations.into_iter().map(|row| Listed {
                key: text(row.attachment),
                addresses: row.addresses,
                generation: row.generation,
            });
            Answer::Listed {
                revision: page.revision,
                allocations: allocations.collect(),
            }
        }
        Read::WhoHas { address } => {
            let request = WhoHasRequest {
                stale: false,
                address: address.clone(),
                at_wall_ms: 0,
            };
            let has = admin.who_has(timed(request, within)).await?.into_inner();
            let state = has
                .state()
                .as_str_name()
                .trim_start_matches("ADDRESS_STATE_");
            Answer::Has {
                revision: has.revision,
                state: state.to_lowercase(),
                key: has
                    .allocation
                    .map(|row| text(row.attachment))
                    .unwrap_or_default(),
            }
        }
        Read::Stale | Read::Check { .. } => {
            let status = admin
                .cluster_status(timed(ClusterStatusRequest {}, within))
                .await?
                .into_inner();
            Answer::Stale {
                revision: status.revision,
                chain: status.chain_head,
            }
        }
    })
}

fn text(key: Option<AttachmentKey>) -> String {
    let AttachmentKey {
        cluster,
        network,
        container_id,
        interface,
    } = key.unwrap_or_default();
    format!("{cluster}/{network}/{container_id}/{interface}")
}

fn counted(counts: &StateCounts) -> Counts {
    let number = |text: &str| text.parse().unwrap_or(u64::MAX);
    Counts {
        size: number(&counts.size),
        free: number(&counts.free),
        idle: number(&counts.idle),
        bound: number(&counts.bound),
        cooling: number(&counts.cooling),
        held: number(&counts.held),
        excluded: number(&counts.excluded),
    }
}
