//! Preflight against the simulator, by the shipped wire.

use super::*;
use crate::alibaba::{Answer, decode, encode};
use crate::error::Cause;
use crate::id::RegionId;
use crate::provider::Order;
use crate::reply::Reply;
use crate::simulator::{Request, Setup, Simulator};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::{Arc, Mutex};

/// The simulator without a socket, and the names of all calls; those in `refused` are not allowed.
#[derive(Clone)]
struct Direct {
    inner: Arc<Mutex<(Simulator, Vec<&'static str>)>>,
    refused: Option<Action>,
}

impl Direct {
    fn new(refused: Option<Action>) -> Self {
        let simulator = Simulator::new(Setup::built_in(), 1);
        let inner = Arc::new(Mutex::new((simulator, Vec::new())));
        Self { inner, refused }
    }

    fn answered(&self, order: Order) -> Result<Reply, Error> {
        let action = order.call.action();
        if self.refused == Some(action) {
            return Err(Error::of(action.name(), Cause::Forbidden, "by RAM"));
        }
        let request = encode(&order.call, &RegionId::new("cn-hangzhou").unwrap())?;
        let parameters = request.parameters.iter();
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let request = Request {
            version: request.product.version().to_owned(),
            action: request.action.to_owned(),
            parameters: parameters.collect(),
            signer: "sim-key".to_owned(),
        };
        let (simulator, calls) = &mut *self.inner.lock().unwrap();
        calls.push(action.name());
        let answer = simulator.handle(1_767_000_000_000, &request);
        let body = answer.body.to_string().into_bytes();
        let status = answer.status;
        decode(action, &Answer { status, body })
    }
}

impl Cloud for Direct {
    fn call(&self, order: Order) -> BoxFuture<'static, Result<Reply, Error>> {
        let answered = self.answered(order);
        async move { answered }.boxed()
    }
}

fn question(instance: &str, vswitches: &[&str], group: &str) -> Question {
    let vswitches = vswitches.iter().map(|id| CloudVSwitchId::new(*id).unwrap());
    Question {
        instances: vec![InstanceId::new(instance).unwrap()],
        vswitches: vswitches.collect(),
        security_groups: vec![SecurityGroupId::new(group).unwrap()],
    }
}

fn asked(cloud: &Direct, question: &Question) -> (Seen, Vec<String>) {
    let seen = look(cloud, question).now_or_never().unwrap();
    let missing = seen.findings(question).into_iter();
    let missing = missing.filter(|finding| finding.is_missing);
    let missing = missing.map(|finding| finding.message).collect();
    (seen, missing)
}

/// Promise: where everything is there nothing is missing, every look is tried, and nothing but looks goes out.
#[test]
fn all_is_there() {
    let cloud = Direct::new(None);
    let (seen, missing) = asked(&cloud, &question("i-g7", &["vsw-i"], "sg-built-in"));
    assert_eq!(missing, Vec::<String>::new());
    let looks = Action::ALL.into_iter().filter(|action| action.only_looks());
    assert_eq!(seen.rights.len(), looks.count());
    assert!(seen.rights.iter().all(|(_, ended)| ended.is_ok()));
    assert_eq!(seen.eni_quota, Some(Setup::built_in().limits.enis as u64));
    assert!(seen.types[0].enis > 1);
    let calls = &cloud.inner.lock().unwrap().1;
    assert!(
        calls.iter().all(|name| name.starts_with("Describe")),
        "{calls:?}"
    );
    let untried = Seen::untried().count();
    assert_eq!(untried + seen.rights.len(), Action::ALL.len());
}

/// Promise: what is not there, is elsewhere, or may not be seen is named.
#[test]
fn what_is_missing_is_named() {
    let none = Direct::new(None);
    let (_, missing) = asked(&none, &question("i-none", &["vsw-none"], "sg-none"));
    for word in [
        "instance i-none",
        "vSwitch vsw-none",
        "security group sg-none",
    ] {
        assert!(
            missing.iter().any(|said| said.contains(word)),
            "{missing:?}"
        );
    }
    let (seen, missing) = asked(&none, &question("i-g7", &["vsw-j"], "sg-built-in"));
    assert_eq!(seen.vswitches.len(), 1);
    assert!(
        missing.iter().any(|said| said.contains("is in zone")),
        "{missing:?}"
    );
    let forbidden = Direct::new(Some(Action::DescribeSecurityGroups));
    let (_, missing) = asked(&forbidden, &question("i-g7", &["vsw-i"], "sg-none"));
    assert_eq!(
        missing.len(),
        1,
        "what could not be seen is not called absent: {missing:?}"
    );
    assert!(
        missing[0].starts_with("DescribeSecurityGroups"),
        "{missing:?}"
    );
}

/// Promise: machines that could have more ENIs than the account are said.
#[test]
fn a_small_quota_is_said() {
    let said = |quota| {
        let cloud = Direct::new(None);
        let question = question("i-g7", &["vsw-i"], "sg-built-in");
        let (mut seen, _) = asked(&cloud, &question);
        seen.eni_quota = Some(quota);
        let findings = seen.findings(&question);
        findings.iter().any(|one| one.message.contains("quota is"))
    };
    assert!(said(2) && !said(3), "a g7.xlarge has room for three");
}

/// Promise: without vSwitches named, those of the instances' VPCs are shown.
#[test]
fn vswitches_are_found() {
    let cloud = Direct::new(None);
    let (seen, _) = asked(&cloud, &question("i-g7", &[], "sg-built-in"));
    assert!(seen.vswitches.len() > 1);
}
