//! Answers that are wrong, or not the cloud's. What the right ones say is read beside the simulator, in `tests/sagas`.

use super::{Answer, decode};
use crate::call::Action;
use crate::error::Cause;
use crate::reply::Body;

fn answer(status: u16, body: &str) -> Answer {
    Answer {
        status,
        body: body.as_bytes().to_vec(),
    }
}

/// Promise: what is no JSON object is not the cloud, whatever its status, and never a success.
#[test]
fn a_stranger_is_not_the_cloud() {
    for action in Action::ALL {
        for (status, body) in [
            (200, "<html><body>Please log in</body></html>"),
            (502, "<html>Bad Gateway</html>"),
            (302, "{}"),
            (200, ""),
            (200, "[]"),
        ] {
            let error = decode(action, &answer(status, body)).unwrap_err();
            assert_eq!(
                error.cause,
                Cause::NotTheCloud,
                "{action:?} {status} {body}"
            );
        }
    }
}

/// Promise: a refusal has the cloud's code, words and call id.
#[test]
fn a_refusal_says_what_the_cloud_said() {
    let body = r#"{"RequestId":"A-1","HostId":"ecs","Code":"InvalidVSwitchId.IpNotEnough","Message":"not enough"}"#;
    let error = decode(Action::CreateNetworkInterface, &answer(403, body)).unwrap_err();
    assert_eq!(error.cause, Cause::VSwitchFull);
    assert_eq!(error.code, "InvalidVSwitchId.IpNotEnough");
    assert_eq!(error.call.as_ref().map(|call| call.as_str()), Some("A-1"));
    assert!(error.to_string().contains("not enough"), "{error}");
}

/// Promise: what the cloud quotes of a signed request is not passed on.
#[test]
fn no_secret_in_an_error() {
    let body = r#"{"Code":"SignatureDoesNotMatch","Message":"server string to sign is: x-acs-security-token:SECRET"}"#;
    let error = decode(Action::DescribeInstances, &answer(400, body)).unwrap_err();
    assert_eq!(error.cause, Cause::Credentials);
    assert!(!error.to_string().contains("SECRET"), "{error}");
}

/// Promise: after a change a success that cannot be read leaves it open what was done; an id or address is never skipped.
#[test]
fn an_unreadable_success_is_unknown() {
    let holes = r#"{"RequestId":"A-1","AssignedPrivateIpAddressesSet":{"NetworkInterfaceId":"eni-1",
        "PrivateIpSet":{"PrivateIpAddress":["10.0.0.1","not an address"]}}}"#;
    for (action, body) in [
        (Action::AssignPrivateIpAddresses, holes),
        (
            Action::AssignPrivateIpAddresses,
            r#"{"AssignedPrivateIpAddressesSet":7}"#,
        ),
        (
            Action::DescribeNetworkInterfaces,
            r#"{"NetworkInterfaceSets":{"NetworkInterfaceSet":[{}]}}"#,
        ),
    ] {
        let error = decode(action, &answer(200, body)).unwrap_err();
        assert_eq!(error.cause, Cause::Unknown, "{body}");
    }
    let whole = holes.replace("not an address", "10.0.0.2");
    let reply = decode(Action::AssignPrivateIpAddresses, &answer(200, &whole)).unwrap();
    let addresses = vec!["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];
    assert_eq!(reply.body, Body::Assigned4(addresses));
}

/// Promise: a created ENI without an id was, by the documentation, not created, or will be by the same token: it stays open.
#[test]
fn a_success_without_an_eni_stays_open() {
    let error = decode(
        Action::CreateNetworkInterface,
        &answer(200, r#"{"RequestId":"A-1"}"#),
    );
    let cause = error.unwrap_err().cause;
    assert!(!cause.is_certain(), "{cause:?}");
}
