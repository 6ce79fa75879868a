//! What in an address plan does not go together. Looks at no ledger.

use super::AdminService;
use super::capacity::stack;
use crate::failure::Failure;
use crate::grpc::decode::{self, Decoded, invalid, name};
use crate::grpc::limits;
use crate::grpc::principal::Caller;
use berth_domain::capacity::{NodeMode, Thresholds};
use berth_domain::id::{InstanceType, NodePoolName, VSwitchName, Zone};
use berth_domain::plan::{Finding, KubernetesVersion, NodePool, Plan, PlannedVSwitch, Severity};
use berth_proto::v1;
use ipnet::IpNet;

pub(super) async fn validate(
    _service: &AdminService,
    _caller: &Caller,
    request: v1::ValidatePlanRequest,
) -> Result<v1::ValidatePlanResponse, Failure> {
    let findings = plan(&request)?.findings();
    Ok(v1::ValidatePlanResponse {
        findings: findings.iter().map(encode).collect(),
    })
}

fn encode(finding: &Finding) -> v1::PlanFinding {
    let severity = match finding.severity() {
        Severity::Refused => "refused",
        Severity::Warning => "warning",
    };
    v1::PlanFinding {
        severity: severity.into(),
        code: finding.code().into(),
        message: finding.to_string(),
    }
}

fn plan(request: &v1::ValidatePlanRequest) -> Decoded<Plan> {
    let vswitches = limits::PLAN_VSWITCHES_MAX;
    at_most("node_vswitches", &request.node_vswitches, vswitches)?;
    at_most("pod_vswitches", &request.pod_vswitches, vswitches)?;
    at_most("pools", &request.pools, limits::PLAN_POOLS_MAX)?;
    Ok(Plan {
        stack: stack(request.dual_stack),
        kubernetes: version(&request.kubernetes_version)?,
        node_vswitches: each(&request.node_vswitches, |one| {
            vswitch("node_vswitches", one)
        })?,
        pod_vswitches: each(&request.pod_vswitches, |one| vswitch("pod_vswitches", one))?,
        service_ipv4: cidr("service_ipv4_cidr", &request.service_ipv4_cidr)?,
        service_ipv6: cidr("service_ipv6_cidr", &request.service_ipv6_cidr)?,
        pools: each(&request.pools, pool)?,
        thresholds: Thresholds::default(),
    })
}

/// The list, if it is not longer than this.
fn at_most<T>(field: &'static str, list: &[T], most: usize) -> Decoded<()> {
    match list.len() {
        count if count > most => Err(invalid(
            field,
            format_args!("has {count} entries (at most {most})"),
        )),
        _ => Ok(()),
    }
}

/// Every entry, or the first refusal.
fn each<W, T>(list: &[W], decode: impl FnMut(&W) -> Decoded<T>) -> Decoded<Vec<T>> {
    list.iter().map(decode).collect()
}

/// Empty = not said.
fn version(text: &str) -> Decoded<Option<KubernetesVersion>> {
    match text {
        "" => Ok(None),
        text => {
            let version = text.parse().map(Some);
            version.map_err(|error| invalid("kubernetes_version", error))
        }
    }
}

fn vswitch(field: &'static str, said: &v1::PlannedVSwitch) -> Decoded<PlannedVSwitch> {
    Ok(PlannedVSwitch {
        name: name(field, &said.name, VSwitchName::new)?,
        zone: name(field, &said.zone, Zone::new)?,
        ipv4: cidr(field, &said.ipv4_cidr)?,
        ipv6: cidr(field, &said.ipv6_cidr)?,
    })
}

/// Empty = not said. Its family and its host bits are the plan's business: they are findings.
fn cidr(field: &'static str, text: &str) -> Decoded<Option<IpNet>> {
    match text {
        "" => Ok(None),
        text => {
            let cidr = text.parse().map(Some);
            cidr.map_err(|_| {
                invalid(
                    field,
                    format_args!("{text:?} is not a CIDR such as 10.0.3.0/24 or fd00:3::/64"),
                )
            })
        }
    }
}

fn pool(said: &v1::PlannedNodePool) -> Decoded<NodePool> {
    let types = "pools.instance_types";
    at_most(types, &said.instance_types, limits::POOL_TYPES_MAX)?;
    let one_type = |text: &String| match text.as_str() {
        "" => Err(invalid(types, "has an empty name")),
        text => name(types, text, InstanceType::new),
    };
    Ok(NodePool {
        name: name("pools.name", &said.name, NodePoolName::new)?,
        mode: match said.mode.as_str() {
            "" => NodeMode::default(),
            text => decode::node_mode("pools.mode", text)?,
        },
        rdma: said.rdma,
        acceleration: said.acceleration,
        network_policy: said.network_policy,
        instance_types: each(&said.instance_types, one_type)?,
    })
}

#[cfg(test)]
mod tests;
