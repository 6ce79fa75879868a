//! Keys that come and go: the machine's role, and one that is assumed.

use crate::server::{Answer, serve};
use crate::{called, client, endpoints, settings, variables};
use berth_cloud::alibaba::client::Client;
use berth_cloud::error::Cause;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

const NOTHING: &str = r#"{"RequestId":"r","Instances":{"Instance":[]}}"#;

fn says(status: u16, body: impl Into<String>) -> Answer {
    Answer::Says(status, body.into())
}

/// A key with a number, until an hour from the test's beginning, or later by `minutes`.
fn key(number: usize, minutes: u64) -> String {
    let ends = SystemTime::now() + Duration::from_secs(60 * (60 + minutes));
    let ends = humantime::format_rfc3339_seconds(ends);
    format!(
        r#"{{"Code":"Success","AccessKeyId":"key-{number}","AccessKeySecret":"s","SecurityToken":"token-{number}","Expiration":"{ends}"}}"#
    )
}

/// A machine with a role `r`, whose service gives a new key each time; and the API, which takes any.
fn machine(with_token: bool) -> (String, crate::server::Heard) {
    let given = AtomicUsize::new(0);
    serve(move |head| {
        let line = head.lines().next().unwrap_or_default();
        let may = !with_token || head.contains("x-aliyun-ecs-metadata-token: secret-token");
        match line {
            "PUT /latest/api/token HTTP/1.1" if with_token => says(200, "secret-token"),
            "PUT /latest/api/token HTTP/1.1" => says(404, ""),
            "GET /latest/meta-data/ram/security-credentials/ HTTP/1.1" if may => says(200, "r"),
            "GET /latest/meta-data/ram/security-credentials/r HTTP/1.1" if may => {
                let number = given.fetch_add(1, Ordering::SeqCst);
                says(200, key(number, 60 * number as u64))
            }
            line if line.starts_with("GET") => says(403, ""),
            _ => says(200, NOTHING),
        }
    })
}

/// The keys that calls were signed with.
fn signers(heads: &[String]) -> Vec<String> {
    let calls = heads.iter().filter(|head| head.starts_with("POST"));
    let credential = |head: &String| {
        let start = head.find("Credential=")? + "Credential=".len();
        head[start..].split(',').next().map(str::to_owned)
    };
    calls.filter_map(credential).collect()
}

/// Promise: the machine's role is found, its key is used until shortly before its end, and fetched anew once for all who wait.
#[tokio::test]
async fn the_machines_role_is_renewed() {
    let (endpoint, heard) = machine(true);
    let mut with_clock = settings(&endpoints(&endpoint));
    let later_s = Arc::new(AtomicU64::new(0));
    let shown = Arc::clone(&later_s);
    with_clock.clock =
        Arc::new(move || SystemTime::now() + Duration::from_secs(shown.load(Ordering::SeqCst)));
    let client = Client::new(with_clock).unwrap();
    for (minute, key) in [(0, "key-0"), (54, "key-0"), (56, "key-1")] {
        later_s.store(minute * 60, Ordering::SeqCst);
        let before = heard.heads().len();
        let ended = futures::future::join_all((0..8).map(|_| called(&client))).await;
        assert!(ended.iter().all(Result::is_ok), "{ended:?}");
        let heads = heard.heads();
        assert_eq!(signers(&heads[before..]), [key; 8]);
    }
    let heads = heard.heads();
    let fetched = heads.iter().filter(|head| head.starts_with("GET"));
    assert_eq!(fetched.count(), 4, "role and key, twice");
    assert!(
        heads
            .iter()
            .any(|head| head.contains("x-acs-security-token: token-1"))
    );
}

/// Promise: a metadata service without tokens is used too, unless that is forbidden.
#[tokio::test]
async fn the_old_way_can_be_forbidden() {
    let (endpoint, heard) = machine(false);
    assert!(called(&client(&endpoints(&endpoint))).await.is_ok());
    let calls = signers(&heard.heads()).len();
    let mut forbidden = endpoints(&endpoint).to_vec();
    forbidden.push(("ALIBABA_CLOUD_IMDSV1_DISABLED", "true".to_owned()));
    let error = called(&client(&forbidden)).await.unwrap_err();
    assert_eq!(error.cause, Cause::Credentials);
    assert_eq!(signers(&heard.heads()).len(), calls, "no call went out");
}

/// Promise: a role is assumed with the key at first, and calls are signed with the role's.
#[tokio::test]
async fn a_role_is_assumed() {
    let (endpoint, heard) = serve(|head| match head.contains("x-acs-action: AssumeRole") {
        true => says(
            200,
            format!(r#"{{"RequestId":"r","Credentials":{}}}"#, key(7, 0)),
        ),
        false => says(200, NOTHING),
    });
    let mut variables = variables(&endpoint);
    let arn = "acs:ram::1:role/berth".to_owned();
    variables.push(("ALIBABA_CLOUD_ROLE_ARN", arn));
    let client = client(&variables);
    for _ in 0..2 {
        assert!(called(&client).await.is_ok());
    }
    let heads = heard.heads();
    assert_eq!(signers(&heads), ["sim-key", "key-7", "key-7"]);
    assert!(
        heads[0].contains("RoleArn=acs%3Aram%3A%3A1%3Arole%2Fberth"),
        "{}",
        heads[0]
    );
    assert!(heads[0].contains("x-acs-version: 2015-04-01"));
}

/// Promise: a role that may not be assumed is the cloud's refusal, and no call goes out with another key.
#[tokio::test]
async fn a_role_that_is_refused_signs_nothing() {
    let (endpoint, heard) = serve(|_| says(403, r#"{"Code":"NoPermission","Message":"no"}"#));
    let mut variables = variables(&endpoint);
    variables.push(("ALIBABA_CLOUD_ROLE_ARN", "acs:x".to_owned()));
    let error = called(&client(&variables)).await.unwrap_err();
    assert_eq!(
        (error.action, error.cause.is_certain()),
        ("AssumeRole", true)
    );
    assert_eq!(signers(&heard.heads()), ["sim-key"]);
}

/// Promise: a key of the machine that the cloud accepts no more is fetched again at the next call.
#[tokio::test]
async fn a_refused_key_is_fetched_again() {
    let fetched = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&fetched);
    let (endpoint, _) = serve(move |head| match head.lines().next().unwrap_or_default() {
        line if line.starts_with("PUT") => says(200, "t"),
        line if line.ends_with("credentials/r HTTP/1.1") => {
            let mut count = counted.lock().unwrap();
            *count += 1;
            says(200, key(*count, 0))
        }
        line if line.starts_with("GET") => says(200, "r"),
        _ if head.contains("Credential=key-1,") => says(
            400,
            r#"{"Code":"InvalidSecurityToken.Expired","Message":"gone"}"#,
        ),
        _ => says(200, NOTHING),
    });
    let client = client(&endpoints(&endpoint));
    let error = called(&client).await.unwrap_err();
    assert_eq!(error.cause, Cause::Credentials);
    assert!(called(&client).await.is_ok());
    assert_eq!(*fetched.lock().unwrap(), 2);
}
