//! The rules, one by one, and then all together under random calls.

mod faults;
mod random_calls;
mod rules;

use super::*;
use serde_json::json;

/// A call of the built-in account; ECS's, or VPC's where the action is.
fn call(action: &str, parameters: &[(&str, &str)]) -> Request {
    let version = if action == "DescribeVSwitches" {
        VPC
    } else {
        ECS
    };
    let mut all: std::collections::BTreeMap<String, String> = parameters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    all.entry("RegionId".into()).or_insert("cn-hangzhou".into());
    Request {
        version: version.into(),
        action: action.into(),
        parameters: all,
        signer: "sim-key".into(),
    }
}

/// The body of a call that must succeed.
fn done(cloud: &mut Simulator, now_ms: u64, action: &str, parameters: &[(&str, &str)]) -> Value {
    let answer = cloud.handle(now_ms, &call(action, parameters));
    assert_eq!(answer.code(), None, "{action}: {}", answer.body);
    assert_eq!(cloud.check(), Vec::<String>::new());
    answer.body
}

/// The code of a call that must not succeed.
fn code(cloud: &mut Simulator, now_ms: u64, action: &str, parameters: &[(&str, &str)]) -> String {
    let answer = cloud.handle(now_ms, &call(action, parameters));
    assert!(answer.status >= 400, "{action}: {}", answer.body);
    answer.code().expect("an error has a code").to_owned()
}

/// A new ENI in `vsw-i`.
fn create(cloud: &mut Simulator, more: &[(&str, &str)]) -> String {
    let mut parameters = vec![("VSwitchId", "vsw-i"), ("SecurityGroupId", "sg-built-in")];
    parameters.extend(more);
    let body = done(cloud, 0, "CreateNetworkInterface", &parameters);
    body["NetworkInterfaceId"]
        .as_str()
        .expect("an id")
        .to_owned()
}

fn built_in() -> Simulator {
    Simulator::new(Setup::built_in(), 1)
}

fn on<'a>(eni: &'a str, instance: &'a str) -> [(&'a str, &'a str); 2] {
    [("NetworkInterfaceId", eni), ("InstanceId", instance)]
}
