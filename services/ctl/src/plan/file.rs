//! A plan as it stands in a file.

use berth_proto::v1;
use serde::Deserialize;

use crate::capacity::Mode;

/// The whole file. A key that is not known is refused: it may be one that was mistyped.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Plan {
    dual_stack: bool,
    kubernetes: String,
    service_cidr: String,
    service_ipv6_cidr: String,
    node_vswitches: Vec<VSwitch>,
    pod_vswitches: Vec<VSwitch>,
    pools: Vec<Pool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct VSwitch {
    name: String,
    zone: String,
    cidr: String,
    #[serde(default)]
    ipv6_cidr: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pool {
    name: String,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    rdma: bool,
    #[serde(default)]
    acceleration: bool,
    #[serde(default)]
    network_policy: bool,
    #[serde(default)]
    instance_types: Vec<String>,
}

// === impl Plan ===

impl Plan {
    /// The question to the server.
    pub(super) fn to_wire(&self) -> v1::ValidatePlanRequest {
        let vswitches = |list: &[VSwitch]| list.iter().map(VSwitch::to_wire).collect();
        v1::ValidatePlanRequest {
            dual_stack: self.dual_stack,
            kubernetes_version: self.kubernetes.clone(),
            node_vswitches: vswitches(&self.node_vswitches),
            pod_vswitches: vswitches(&self.pod_vswitches),
            service_ipv4_cidr: self.service_cidr.clone(),
            service_ipv6_cidr: self.service_ipv6_cidr.clone(),
            pools: self.pools.iter().map(Pool::to_wire).collect(),
        }
    }
}

// === impl VSwitch ===

impl VSwitch {
    fn to_wire(&self) -> v1::PlannedVSwitch {
        v1::PlannedVSwitch {
            name: self.name.clone(),
            zone: self.zone.clone(),
            ipv4_cidr: self.cidr.clone(),
            ipv6_cidr: self.ipv6_cidr.clone(),
        }
    }
}

// === impl Pool ===

impl Pool {
    fn to_wire(&self) -> v1::PlannedNodePool {
        v1::PlannedNodePool {
            name: self.name.clone(),
            mode: self.mode.to_wire(),
            rdma: self.rdma,
            acceleration: self.acceleration,
            network_policy: self.network_policy,
            instance_types: self.instance_types.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../../../../deploy/plan.example.toml");

    /// Promise: the example that is shipped is a plan, and every key of it reaches the question.
    #[test]
    fn the_example_is_a_plan() {
        let plan: Plan = toml::from_str(EXAMPLE).expect("a plan");
        let asked = plan.to_wire();
        assert!(asked.dual_stack);
        assert_eq!(asked.kubernetes_version, "1.31");
        assert_eq!(asked.service_ipv4_cidr, "172.16.0.0/16");
        assert_eq!(asked.service_ipv6_cidr, "fd00:ffff::/112");
        assert_eq!(
            (asked.node_vswitches.len(), asked.pod_vswitches.len()),
            (3, 3)
        );
        let pods = &asked.pod_vswitches[1];
        assert_eq!((pods.name.as_str(), pods.zone.as_str()), ("pods-b", "b"));
        assert_eq!(
            (pods.ipv4_cidr.as_str(), pods.ipv6_cidr.as_str()),
            ("10.2.32.0/19", "fd00:2:1::/64")
        );
        let modes: Vec<&str> = asked.pools.iter().map(|pool| pool.mode.as_str()).collect();
        assert_eq!(modes, ["shared+trunk", "exclusive"]);
        let main = &asked.pools[0];
        assert_eq!(main.instance_types, ["ecs.g7.4xlarge", "ecs.g7.xlarge"]);
        assert!(main.acceleration && main.network_policy && !main.rdma);
    }

    /// Promise: a mistyped key and an unknown mode are refused, and what is not said is left out.
    #[test]
    fn a_mistyped_key_is_refused() {
        let refused = |text: &str| toml::from_str::<Plan>(text).expect_err(text).to_string();
        assert!(refused("service_cird = '172.16.0.0/16'").contains("service_cird"));
        assert!(refused("[[pools]]\nname = 'a'\nmode = 'alone'").contains("alone"));
        assert!(refused("[[node_vswitches]]\nname = 'a'\nzone = 'a'").contains("cidr"));
        let plan: Plan = toml::from_str("").expect("an empty plan");
        assert_eq!(plan.to_wire(), v1::ValidatePlanRequest::default());
    }
}
