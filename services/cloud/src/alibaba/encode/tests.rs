//! Every call against what the official SDK writes for the same.

mod calls;

use super::encode;
use crate::call::{Action, Call};
use crate::error::Cause;
use crate::id::{EniId, RegionId};
use calls::{assign4, called, create};
use std::collections::BTreeSet;

fn region() -> RegionId {
    RegionId::new("cn-hangzhou").unwrap()
}

/// As the files in `tests/wire` are written.
fn written(call: &Call) -> String {
    let request = encode(call, &region()).unwrap();
    let mut lines = vec![format!(
        "{} {} {} {} {}",
        request.product.name(),
        request.product.version(),
        request.action,
        crate::alibaba::signature::METHOD,
        crate::alibaba::signature::PATH,
    )];
    let pairs = request.parameters.iter();
    lines.extend(pairs.map(|(name, value)| format!("{name}={value}")));
    lines.join("\n") + "\n"
}

/// Promise: each call is written, parameter by parameter, as the official Python SDK writes it.
#[test]
fn every_call_is_written_as_the_sdk_writes_it() {
    let mut actions = BTreeSet::new();
    for (name, golden, call) in called() {
        assert_eq!(written(&call), golden, "tests/wire/{name}.txt");
        actions.insert(call.action());
    }
    let all: BTreeSet<Action> = Action::ALL.into_iter().collect();
    assert_eq!(actions, all, "an action without a file");
}

/// Promise: no call says a number of addresses, or a prefix: what the cloud would choose cannot be written.
#[test]
fn no_call_lets_the_cloud_choose() {
    for (name, _, call) in called() {
        for (parameter, _) in encode(&call, &region()).unwrap().parameters.iter() {
            let chooses = parameter.contains("Count") || parameter.contains("Prefix");
            assert!(!chooses, "{name}: {parameter}");
        }
    }
}

/// Promise: a call that names nothing where it must, or too much, is refused here and never sent.
#[test]
fn what_cannot_be_asked_is_refused() {
    let eni = || EniId::new("eni-2").unwrap();
    let nothing = [
        Call::UnassignPrivateIpAddresses {
            eni: eni(),
            addresses: vec![],
        },
        Call::UnassignIpv6Addresses {
            eni: eni(),
            addresses: vec![],
        },
        Call::DescribeInstances { instances: vec![] },
        assign4(0),
        assign4(11),
    ];
    for call in nothing {
        let error = encode(&call, &region()).unwrap_err();
        assert_eq!(error.cause, Cause::Invalid, "{call:?}");
        assert_eq!(error.action, call.action().name());
    }
    assert!(encode(&assign4(10), &region()).is_ok());
}

/// Promise: an ENI without a security group, with more addresses than it can have, or of a kind that is not made, is not created.
#[test]
fn an_eni_that_cannot_be_is_not_created() {
    use crate::eni::EniKind;
    type Spoil = fn(&mut crate::call::CreateNetworkInterface);
    let spoilt: [Spoil; 5] = [
        |create| create.security_groups.clear(),
        |create| create.secondary = calls::addresses4(10),
        |create| create.kind = EniKind::Member,
        |create| create.kind = EniKind::Primary,
        |create| create.tags = (0..21).map(|n| (n.to_string(), String::new())).collect(),
    ];
    for (at, spoil) in spoilt.into_iter().enumerate() {
        let mut create = create();
        assert!(encode(&Call::CreateNetworkInterface(create.clone()), &region()).is_ok());
        spoil(&mut create);
        let error = encode(&Call::CreateNetworkInterface(create), &region()).unwrap_err();
        assert_eq!(error.cause, Cause::Invalid, "{at}");
    }
}
