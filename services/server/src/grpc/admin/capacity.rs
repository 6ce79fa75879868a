//! What a node of an instance type has room for. Looks at no ledger.

use super::AdminService;
use crate::capacity::limits;
use crate::failure::Failure;
use crate::grpc::decode::{self, Decoded, name};
use crate::grpc::principal::Caller;
use berth_domain::capacity::{Capacity, InstanceLimits, NodeMode, NodeSetup, Obstacle, Stack};
use berth_domain::id::InstanceType;
use berth_proto::v1;

pub(super) async fn of(
    _service: &AdminService,
    _caller: &Caller,
    request: v1::CapacityRequest,
) -> Result<v1::CapacityResponse, Failure> {
    Ok(answer(&request)?)
}

fn answer(request: &v1::CapacityRequest) -> Decoded<v1::CapacityResponse> {
    let instance_type = name("instance_type", &request.instance_type, InstanceType::new)?;
    let known = limits(&instance_type)?;
    let limits = InstanceLimits {
        rdma_enis: request.rdma_enis.or(known.rdma_enis),
        ..known
    };
    let modes = match request.mode.as_str() {
        "" => NodeMode::ALL.to_vec(),
        said => vec![decode::node_mode("mode", said)?],
    };
    let row = |mode| {
        let capacity = limits.capacity(&setup(request, mode));
        encode(mode, capacity, &instance_type)
    };
    Ok(v1::CapacityResponse {
        instance_type: instance_type.to_string(),
        limits: Some(encode_limits(limits)),
        modes: modes.into_iter().map(row).collect(),
    })
}

fn setup(request: &v1::CapacityRequest, mode: NodeMode) -> NodeSetup {
    NodeSetup {
        mode,
        stack: stack(request.dual_stack),
        rdma: request.rdma,
        max_pods: request.max_pods,
        ..NodeSetup::default()
    }
}

/// Of the wire's flag.
pub(super) fn stack(dual: bool) -> Stack {
    if dual { Stack::Dual } else { Stack::Ipv4 }
}

fn encode(mode: NodeMode, capacity: Capacity, instance_type: &InstanceType) -> v1::ModeCapacity {
    let obstacle = |obstacle: &Obstacle| v1::Obstacle {
        code: obstacle.code().into(),
        message: format!("{instance_type} {obstacle}"),
    };
    v1::ModeCapacity {
        mode: mode.as_str().into(),
        pods: capacity.pods,
        static_pods: capacity.static_pods,
        own_eni_pods: capacity.own_eni_pods,
        rdma_enis: capacity.rdma_enis,
        rdma_pods: capacity.rdma_pods,
        max_pods: capacity.max_pods,
        host_network_pods: capacity.host_network_pods,
        stranded_addresses: capacity.stranded_addresses,
        obstacles: capacity.obstacles.iter().map(obstacle).collect(),
    }
}

fn encode_limits(limits: InstanceLimits) -> v1::InstanceLimits {
    v1::InstanceLimits {
        enis: limits.enis,
        total_enis: limits.total_enis,
        addresses_per_eni: limits.addresses_per_eni,
        ipv6_per_eni: limits.ipv6_per_eni,
        can_trunk: limits.can_trunk,
        rdma_enis: limits.rdma_enis,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(instance_type: &str, mode: &str) -> v1::CapacityRequest {
        v1::CapacityRequest {
            instance_type: instance_type.into(),
            mode: mode.into(),
            ..Default::default()
        }
    }

    fn pods(request: &v1::CapacityRequest) -> Vec<(String, u64)> {
        let modes = answer(request).expect("an answer").modes;
        modes.into_iter().map(|row| (row.mode, row.pods)).collect()
    }

    /// Promise: without a mode there is a row for each, with one the row of that mode; the numbers are the documentation's.
    #[test]
    fn a_row_for_each_mode() {
        let row = |mode: &str, pods| (mode.to_owned(), pods);
        let all = [
            row("shared", 210),
            row("shared+trunk", 210),
            row("exclusive", 7),
        ];
        assert_eq!(pods(&asked("ecs.g7.4xlarge", "")), all);
        for one in all {
            assert_eq!(pods(&asked("ecs.g7.4xlarge", &one.0)), [one]);
        }
        let refusal = answer(&asked("ecs.g7.4xlarge", "trunk")).expect_err("no such mode");
        assert!(
            refusal
                .to_string()
                .starts_with("mode: \"trunk\" is none of"),
            "{refusal}"
        );
    }

    /// Promise: what keeps a node from joining is said with the type, a code and both numbers; what is not known is not set.
    #[test]
    fn obstacles_name_the_type() {
        let answer = answer(&asked("ecs.g7.large", "exclusive")).expect("an answer");
        let obstacle = &answer.modes[0].obstacles[0];
        assert_eq!(obstacle.code, "too_few_pods");
        assert_eq!(
            obstacle.message,
            "ecs.g7.large gives 2 pods in exclusive mode, more than 6 are needed"
        );
        let limits = answer.limits.expect("limits");
        assert_eq!(
            (limits.enis, limits.can_trunk, limits.rdma_enis),
            (3, None, None)
        );
    }

    /// Promise: each flag of the request has its effect.
    #[test]
    fn each_flag_has_its_effect() {
        let first = |request: v1::CapacityRequest| {
            let mut modes = answer(&request).expect("an answer").modes;
            modes.remove(0)
        };
        let usual = asked("ecs.g6.4xlarge", "shared");
        let code = |request| first(request).obstacles.first().map(|one| one.code.clone());
        assert_eq!(code(usual.clone()), None);
        let dual_stack = true;
        let dual = v1::CapacityRequest {
            dual_stack,
            ..usual.clone()
        };
        assert_eq!(code(dual).as_deref(), Some("ipv6_differs"));
        let rdma = v1::CapacityRequest {
            rdma: true,
            ..usual.clone()
        };
        assert_eq!(code(rdma.clone()).as_deref(), Some("rdma_unknown"));
        let known = first(v1::CapacityRequest {
            rdma_enis: Some(1),
            ..rdma
        });
        assert_eq!(
            (known.pods, known.rdma_enis, known.obstacles.len()),
            (120, 1, 0)
        );
        let most = first(v1::CapacityRequest {
            max_pods: Some(150),
            ..usual
        });
        assert_eq!((most.pods, most.host_network_pods), (140, 10));
    }

    /// Promise: a type that is not said, and one that is not known, are refused by their field.
    #[test]
    fn unknown_types_are_refused() {
        for (name, words) in [("", "is missing"), ("ecs.g7.4xlrage", "ecs.g7.4xlarge")] {
            let refusal = answer(&asked(name, "")).expect_err("refused").to_string();
            assert!(
                refusal.starts_with("instance_type:") && refusal.contains(words),
                "{refusal}"
            );
        }
    }
}
