//! The door against this crate's own signature, and what it turns away.

use super::*;
use crate::alibaba::encode::encode;
use crate::alibaba::signature::{Signer, Unsigned, sign};
use crate::call::Call;
use crate::id::{InstanceId, RegionId};
use crate::simulator::Setup;

const NOW_MS: u64 = 1_767_000_000_000;

/// A look at instances, signed at that time with that key.
fn arrived(secret: &str, nonce: &str, at_ms: u64, token: Option<&str>) -> Arrived {
    let region = RegionId::new("cn-hangzhou").unwrap();
    let instances = vec![InstanceId::new("i-g7").unwrap()];
    let request = encode(&Call::DescribeInstances { instances }, &region).unwrap();
    let query = request.parameters.query();
    let date = UNIX_EPOCH + std::time::Duration::from_millis(at_ms);
    let date = humantime::format_rfc3339_seconds(date).to_string();
    let unsigned = Unsigned {
        host: "ecs.example",
        product: request.product,
        action: request.action,
        query: &query,
        date: &date,
        nonce,
    };
    let access_key = "sim-key";
    let security_token = token;
    let headers = sign(
        &unsigned,
        &Signer {
            access_key,
            secret,
            security_token,
        },
    );
    let mut http = Request::builder().method("POST").uri(format!("/?{query}"));
    for (name, value) in headers {
        http = http.header(name, value);
    }
    let (head, ()) = http.body(()).unwrap().into_parts();
    Arrived::new(&head, b"")
}

fn code(server: &Server, arrived: &Arrived) -> Option<String> {
    server.handled(arrived, NOW_MS).code().map(str::to_owned)
}

/// Promise: a call that is signed right is answered, and what is wrong with a signature is said by the cloud's code.
#[test]
fn signatures_are_checked() {
    let server = Server::new(Simulator::new(Setup::built_in(), 1));
    let good = arrived("sim-secret", "n-1", NOW_MS, None);
    assert_eq!(code(&server, &good), None);
    let minutes = |count: u64| count * 60_000;
    for (arrived, refused) in [
        (good.clone(), "SignatureNonceUsed"),
        (
            arrived("another", "n-2", NOW_MS, None),
            "SignatureDoesNotMatch",
        ),
        (
            arrived("sim-secret", "n-3", NOW_MS - minutes(16), None),
            "InvalidTimeStamp.Expired",
        ),
        (
            arrived("sim-secret", "n-4", NOW_MS + minutes(16), None),
            "InvalidTimeStamp.Expired",
        ),
        (
            arrived("sim-secret", "n-5", NOW_MS, Some("t")),
            "InvalidSecurityToken.MismatchWithAccessKey",
        ),
    ] {
        assert_eq!(code(&server, &arrived).as_deref(), Some(refused));
    }
    let late = arrived("sim-secret", "n-6", NOW_MS - minutes(14), None);
    assert_eq!(code(&server, &late), None, "within what is allowed");
}

/// Promise: nothing of a signed call can be changed on its way.
#[test]
fn what_was_signed_is_what_counts() {
    let server = Server::new(Simulator::new(Setup::built_in(), 1));
    type Change = fn(&mut Arrived);
    let changes: [(Change, &str); 4] = [
        (
            |call| drop(call.query.insert("RegionId".into(), "x".into())),
            "SignatureDoesNotMatch",
        ),
        (
            |call| {
                drop(
                    call.headers
                        .insert("x-acs-action".into(), "DeleteNetworkInterface".into()),
                )
            },
            "SignatureDoesNotMatch",
        ),
        (|call| call.body = b"more".to_vec(), "SignatureDoesNotMatch"),
        (
            |call| drop(call.headers.remove("authorization")),
            "IncompleteSignature",
        ),
    ];
    for (number, (change, refused)) in changes.into_iter().enumerate() {
        let mut call = arrived("sim-secret", &format!("n-{number}"), NOW_MS, None);
        change(&mut call);
        assert_eq!(code(&server, &call).as_deref(), Some(refused));
    }
    let mut call = arrived("sim-secret", "n-9", NOW_MS, None);
    let unknown = call.headers["authorization"].replace("sim-key", "no-key");
    call.headers.insert("authorization".into(), unknown);
    assert_eq!(
        code(&server, &call).as_deref(),
        Some("InvalidAccessKeyId.NotFound")
    );
}
