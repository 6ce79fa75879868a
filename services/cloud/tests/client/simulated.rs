//! The client and the simulator through sockets: the same code as with the service.

use crate::{called, client, endpoints, settings, variables};
use berth_cloud::alibaba::client::Client;
use berth_cloud::error::Cause;
use berth_cloud::reply::Body;
use berth_cloud::simulator::http::Server;
use berth_cloud::simulator::setup::Role;
use berth_cloud::simulator::{Setup, Simulator};
use std::collections::BTreeSet;
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

/// Promise: the machine's role, with its token or without, and a role that is assumed with its key or with a given one: calls of each
/// are answered by the simulated cloud, which knows keys that it has issued and no others.
#[tokio::test]
async fn keys_for_a_while_are_accepted() {
    for needs_token in [false, true] {
        let setup = Setup {
            metadata_needs_token: needs_token,
            ..Setup::built_in()
        };
        let mut setup = setup;
        let role = setup.roles[0].arn.clone();
        setup.roles[0].trusts.insert("i-g7".into());
        let endpoint = endpoint(setup).await;
        assert!(called(&client(&endpoints(&endpoint))).await.is_ok());
        let mut assumed = variables(&endpoint);
        assumed.push(("ALIBABA_CLOUD_ROLE_ARN", role));
        assert!(called(&client(&assumed)).await.is_ok());
    }
}

/// Promise: the cloud's own words come through: no such role, a role that trusts another key, a machine without a role, and a role
/// that may not make the call.
#[tokio::test]
async fn roles_are_refused_with_a_reason() {
    let mut setup = Setup::built_in();
    setup.machine_role = None;
    setup.roles.push(Role {
        arn: "acs:ram::1:role/anothers".into(),
        trusts: BTreeSet::new(),
        rights: None,
    });
    setup.roles[0].rights = Some(BTreeSet::new());
    let endpoint = endpoint(setup).await;
    for (name, cause, words) in [
        ("missing", Cause::Credentials, "EntityNotExist.Role"),
        ("anothers", Cause::Forbidden, "NoPermission"),
        ("sim-role", Cause::Forbidden, "Forbidden.RAM"),
    ] {
        let mut assumed = variables(&endpoint);
        assumed.push(("ALIBABA_CLOUD_ROLE_ARN", format!("acs:ram::1:role/{name}")));
        let error = called(&client(&assumed)).await.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(error.cause, cause, "{error}");
    }
    let error = called(&client(&endpoints(&endpoint))).await.unwrap_err();
    assert_eq!(error.cause, Cause::Credentials);
    assert!(
        error.to_string().contains("does the machine have a role"),
        "{error}"
    );
}
