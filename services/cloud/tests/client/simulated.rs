//! The client and the simulator through sockets: the same code as with the service.

use crate::{called, client, settings, variables};
use berth_cloud::alibaba::client::Client;
use berth_cloud::error::Cause;
use berth_cloud::reply::Body;
use berth_cloud::simulator::http::Server;
use berth_cloud::simulator::{Setup, Simulator};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::net::TcpListener;

async fn endpoint(setup: Setup) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = listener.local_addr().expect("an address").to_string();
    let server = Server::new(Simulator::new(setup, 1));
    tokio::spawn(async move { server.serve(listener).await });
    endpoint
}

/// Promise: a signed call goes out, and the cloud's answer comes back as a reply.
#[tokio::test]
async fn a_call_is_answered() {
    let endpoint = endpoint(Setup::built_in()).await;
    let reply = called(&client(&variables(&endpoint))).await.unwrap();
    match reply.body {
        Body::Instances(instances) => assert_eq!(instances.len(), 1),
        other => panic!("{other:?}"),
    }
}

/// Promise: a secret that does not fit, and a clock that is too far off, are told apart from everything else.
#[tokio::test]
async fn bad_credentials_and_clocks_are_named() {
    let endpoint = endpoint(Setup::built_in()).await;
    let mut wrong = variables(&endpoint);
    wrong[1].1 = "another".to_owned();
    let error = called(&client(&wrong)).await.unwrap_err();
    assert_eq!(error.cause, Cause::Credentials);
    assert!(!error.to_string().contains("another"), "{error}");

    let mut late = settings(&variables(&endpoint));
    late.clock = Arc::new(|| SystemTime::now() - Duration::from_secs(16 * 60));
    let error = called(&Client::new(late).unwrap()).await.unwrap_err();
    assert_eq!(error.cause, Cause::Clock);
}
