//! What the client port bears: large messages, many streams, unknown methods, callers that go away.

use crate::harness::*;
use berth_proto::v1;
use tonic::Code;

/// Promise: a message over 64 KiB is refused with its size and the limit, and the connection goes on.
#[tokio::test]
async fn a_large_message_is_refused() {
    let directory = directory();
    let berthd = Berthd::dev(directory.path(), &[]);
    let mut allocator = berthd.allocator().await;
    world(&mut berthd.admin().await, "10.0.3.0/24").await;
    let mut request = add("one");
    request.pod.as_mut().expect("a pod").name = "x".repeat(70_000);
    let status = allocator.allocate(request).await.expect_err("too large");
    assert_eq!(status.code(), Code::OutOfRange, "{status:?}");
    assert!(status.message().contains("65536"), "{}", status.message());
    allocator
        .allocate(add("one"))
        .await
        .expect("the connection goes on");
}

/// Promise: a method that there is not is unimplemented, and makes no new series in the metrics.
#[tokio::test]
async fn an_unknown_method_is_unimplemented() {
    let directory = directory();
    let berthd = Berthd::dev(directory.path(), &[]);
    let mut grpc = tonic::client::Grpc::new(berthd.channel().await);
    grpc.ready().await.expect("ready");
    let codec = tonic_prost::ProstCodec::<v1::GetNodeRequest, v1::Node>::default();
    let path = http::uri::PathAndQuery::from_static("/berth.v1.Admin/DropEverything");
    let request = tonic::Request::new(v1::GetNodeRequest::default());
    let status = grpc.unary(request, path, codec).await.expect_err("unknown");
    assert_eq!(status.code(), Code::Unimplemented);
    let text = berthd.scrape();
    assert!(
        text.contains("method=\"unknown\"") && !text.contains("DropEverything"),
        "{text}"
    );
}

/// Promise: reflection lists our services, so that tools need no .proto files.
#[tokio::test]
async fn reflection_lists_the_services() {
    use tonic_reflection::pb::v1::ServerReflectionRequest;
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
    let directory = directory();
    let berthd = Berthd::dev(directory.path(), &[]);
    let mut client = ServerReflectionClient::new(berthd.channel().await);
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut answers = client
        .server_reflection_info(futures::stream::iter([request]))
        .await
        .expect("answered")
        .into_inner();
    let answer = answers.message().await.expect("one").expect("one");
    let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else {
        panic!("{answer:?}");
    };
    let names: Vec<String> = list
        .service
        .into_iter()
        .map(|service| service.name)
        .collect();
    for name in ["berth.v1.Allocator", "berth.v1.Admin", "berth.v1.Facts"] {
        assert!(names.iter().any(|known| known == name), "{names:?}");
    }
}

/// Promise: hundreds of ADDs at once on one connection are all answered, each with its own address.
#[tokio::test]
async fn many_at_once_are_all_answered() {
    let directory = directory();
    let berthd = Berthd::dev(directory.path(), &[]);
    world(&mut berthd.admin().await, "10.0.0.0/20").await;
    let allocator = berthd.allocator().await;
    let calls = (0..600).map(|number| {
        let mut allocator = allocator.clone();
        tokio::spawn(async move { allocator.allocate(add(&format!("pod-{number}"))).await })
    });
    let mut given = std::collections::BTreeSet::new();
    for call in calls.collect::<Vec<_>>() {
        let response = call
            .await
            .expect("it ran")
            .expect("an address")
            .into_inner();
        assert!(
            given.insert(response.addresses[0].address.clone()),
            "given twice"
        );
    }
    assert_eq!(given.len(), 600);
}
