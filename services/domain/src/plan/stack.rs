//! Dual stack: what it needs, and what needs it.

use super::{Finding, KubernetesVersion, Plan};
use crate::capacity::Stack;

/// The cloud's clusters have dual stack since this version.
pub(super) const DUAL_STACK_SINCE: KubernetesVersion = KubernetesVersion {
    major: 1,
    minor: 22,
};

pub(super) fn findings(plan: &Plan) -> Vec<Finding> {
    let mut findings = Vec::new();
    if plan.service_ipv4.is_none() {
        findings.push(Finding::ServiceIpv4Missing);
    }
    match plan.stack {
        Stack::Ipv4 => {
            let without = |service| Finding::ServiceIpv6WithoutDualStack { service };
            findings.extend(plan.service_ipv6.map(without));
        }
        Stack::Dual => findings.extend(dual(plan)),
    }
    findings
}

fn dual(plan: &Plan) -> Vec<Finding> {
    let mut findings = Vec::new();
    match plan.kubernetes {
        None => findings.push(Finding::KubernetesUnknown),
        Some(version) if version < DUAL_STACK_SINCE => {
            findings.push(Finding::KubernetesTooOld { version });
        }
        Some(_) => {}
    }
    if plan.service_ipv4.is_some() && plan.service_ipv6.is_none() {
        findings.push(Finding::ServiceIpv6Missing);
    }
    findings
}
