//! Debian's bridge, ptp and macvlan plugins with berth-cni as their address plugin, in real network namespaces.
#![cfg(feature = "root-tests")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::thread;

use berth_cni_tests::admin::until;
use berth_cni_tests::chain::{
    Network, Node, Pod, addresses_in, connections_to, on_a_changing_node, on_a_node,
};
use berth_cni_tests::plugin::Answer;
use berth_testkit::namespace::{Namespace, duplicates};
use berth_testkit::process::binary;
use rustix::process::Signal;
use serde_json::Value;

const CIDR: &str = "198.51.100.0/24";
const GATEWAY: &str = "198.51.100.1";

fn result(answer: Answer) -> Value {
    assert_eq!(answer.exit, 0, "{:?}\n{}", answer.json, answer.log);
    answer.json.expect("a result")
}

fn silent(answer: Answer) {
    assert_eq!(answer.exit, 0, "{:?}\n{}", answer.json, answer.log);
    assert_eq!(answer.json, None);
}

fn bare(address: &str) -> &str {
    address.split('/').next().unwrap_or(address)
}

/// What stands on the pods' interfaces is what Berth says, each address once.
fn nobody_has_anothers_address(node: &Node, pods: &[&Pod]) {
    let physical: Vec<String> = pods
        .iter()
        .flat_map(|pod| pod.namespace.addresses())
        .collect();
    assert_eq!(duplicates(physical.clone()), Vec::<String>::new());
    let mut physical: Vec<&str> = physical.iter().map(|address| bare(address)).collect();
    let allocated = node.admin.allocations();
    let mut allocated: Vec<&str> = allocated
        .iter()
        .flat_map(|allocation| allocation.addresses.iter().map(|address| bare(address)))
        .collect();
    physical.sort_unstable();
    allocated.sort_unstable();
    assert_eq!(physical, allocated);
}

fn two_pods_live_and_go(node: &Node, network: &Network<'_>) {
    let pods = [node.pod("web-0"), node.pod("web-1")];
    let results = pods.each_ref().map(|pod| result(network.add(pod)));
    let addresses = results.each_ref().map(addresses_in);
    for (pod, addresses) in pods.iter().zip(&addresses) {
        assert_eq!(&pod.namespace.addresses(), addresses);
    }
    nobody_has_anothers_address(node, &[&pods[0], &pods[1]]);
    for (at, pod) in pods.iter().enumerate() {
        for address in &addresses[1 - at] {
            assert!(
                pod.namespace.reaches(bare(address)),
                "{} to {address}",
                pod.container_id
            );
        }
        silent(network.check(pod, &results[at]));
    }
    let [first, second] = &pods;
    // As containerd does it: with the netns and the result, then once more with neither.
    silent(network.del(first, &first.namespace.path(), Some(&results[0])));
    silent(network.del(first, "", None));
    silent(network.del(second, "", None));
    silent(network.del(second, "", None));
    assert_eq!(node.admin.allocations(), Vec::new());
    let gone = network.check(first, &results[0]);
    assert_ne!(gone.exit, 0, "a CHECK after the DEL must fail");
}

/// Promise: under the bridge plugin two pods reach each other over the addresses given, and DEL is patient.
#[test]
fn bridge() {
    on_a_node(CIDR, GATEWAY, |node| {
        two_pods_live_and_go(node, &node.network("bridge"))
    });
}

/// Promise: the same under ptp, where every packet between pods is routed by the node.
#[test]
fn ptp() {
    on_a_node(CIDR, GATEWAY, |node| {
        two_pods_live_and_go(node, &node.network("ptp"))
    });
}

/// Promise: the same under macvlan.
#[test]
fn macvlan() {
    on_a_node(CIDR, GATEWAY, |node| {
        two_pods_live_and_go(node, &node.network("macvlan"))
    });
}

/// Promise: the same with both families at once.
#[test]
fn bridge_dual_stack() {
    let (cidr, gateway) = ("203.0.113.0/24,fd00:113::/64", "203.0.113.1,fd00:113::1");
    on_a_node(cidr, gateway, |node| {
        let mut network = node.network("bridge");
        network.config()["ipam"]["routes"] =
            serde_json::json!([{ "dst": "0.0.0.0/0" }, { "dst": "::/0" }]);
        two_pods_live_and_go(node, &network);
    });
}

/// A pod whose ADD is killed in the middle; then the DEL comes, and later the kubelet's next try.
fn killed_in_mid_add(kill: impl FnOnce(&mut Node, &Pod) + Send) {
    on_a_changing_node(CIDR, GATEWAY, |node| {
        // Debian's bridge plugin cannot go on with a bridge whose very first ADD was killed, so there is one before.
        let (first, pod) = (node.pod("first"), node.pod("web-0"));
        result(node.network("bridge").add(&first));
        kill(node, &pod);
        let network = node.network("bridge");
        silent(network.del(&pod, &pod.namespace.path(), None));
        assert_eq!(node.admin.addresses_of("web-0"), Vec::<String>::new());
        let again = node.pod("web-0-again");
        let given = addresses_in(&result(network.add(&again)));
        assert_eq!(again.namespace.addresses(), given);
        nobody_has_anothers_address(node, &[&first, &pod, &again]);
    });
}

/// Promise: a plugin killed while the server has its request leaves nothing that the DEL does not take back.
#[test]
fn killed_while_the_server_decides() {
    killed_in_mid_add(|node, pod| {
        let endpoint = node.cluster.endpoints().remove(0);
        let before = connections_to(&endpoint);
        node.signal_server(Signal::STOP);
        let underway = node.network("bridge").start_add(pod);
        until("the plugin waits for the server", || {
            connections_to(&endpoint) > before
        });
        underway.kill();
        node.signal_server(Signal::CONT);
    });
}

/// Promise: a plugin killed after the address was given, before its caller knew, leaves nothing after the DEL.
#[test]
fn killed_with_the_address_in_hand() {
    killed_in_mid_add(|node, pod| {
        hold_results_back(node);
        let underway = node.network("bridge").start_add(pod);
        until("the address is given", || {
            !node.admin.addresses_of("web-0").is_empty()
        });
        underway.kill();
        assert_eq!(
            node.admin.addresses_of("web-0").len(),
            1,
            "the kill itself frees nothing"
        );
        restore(node);
    });
}

/// Puts a plugin in the place of ours that runs it and then never answers.
fn hold_results_back(node: &Node) {
    let ours = binary("berth-cni").expect("it is built");
    let path = node.plugins.path().join("berth-cni");
    fs::remove_file(&path).expect("the link");
    let script = format!("#!/bin/sh\nanswer=$({})\nexec sleep 1000\n", ours.display());
    fs::write(&path, script).expect("the script");
    fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("it can be run");
}

fn restore(node: &Node) {
    let ours = binary("berth-cni").expect("it is built");
    let path = node.plugins.path().join("berth-cni");
    fs::remove_file(&path).expect("the script");
    std::os::unix::fs::symlink(ours, path).expect("the link");
}

/// Promise: GC takes back what a lost DEL left, and touches no pod that lives.
#[test]
fn gc_after_a_lost_del() {
    on_a_node(CIDR, GATEWAY, |node| {
        let network = node.network("bridge");
        let (lives, lost) = (node.pod("lives"), node.pod("lost"));
        result(network.add(&lives));
        result(network.add(&lost));
        let Pod { namespace, .. } = lost;
        drop(namespace); // the machine lost the sandbox, and nobody sent a DEL
        assert_eq!(node.admin.addresses_of("lost").len(), 1);
        silent(network.collect(&[&lives]));
        assert_eq!(node.admin.addresses_of("lost"), Vec::<String>::new());
        nobody_has_anothers_address(node, &[&lives]);
        assert!(lives.namespace.reaches(GATEWAY));
    });
}

/// Promise: a full vSwitch is code 100 through the main plugin, and the pod that was refused has nothing.
#[test]
fn a_full_vswitch() {
    on_a_node("203.0.113.0/29", "203.0.113.1", |node| {
        let network = node.network("bridge");
        let pods: Vec<Pod> = (0..5).map(|at| node.pod(&format!("web-{at}"))).collect();
        for pod in &pods {
            result(network.add(pod));
        }
        let refused = node.pod("one-too-many");
        let answer = network.add(&refused);
        assert_ne!(answer.exit, 0);
        assert_eq!(answer.json.expect("an error")["code"], 100);
        assert_eq!(refused.namespace.addresses(), Vec::<String>::new());
        silent(network.del(&refused, &refused.namespace.path(), None));
        nobody_has_anothers_address(node, &pods.iter().collect::<Vec<_>>());
    });
}

/// Promise: pods that come and go at once never have an address twice, by the kernel's own word.
#[test]
fn many_at_once() {
    on_a_node(CIDR, GATEWAY, |node| {
        let network = node.network("bridge");
        // The first one makes the bridge; Debian's plugin does not like to be raced at that.
        let first = node.pod("first");
        result(network.add(&first));
        for round in 0..3 {
            let pods: Vec<Pod> = (0..8)
                .map(|at| node.pod(&format!("r{round}-{at}")))
                .collect();
            thread::scope(|scope| {
                for pod in &pods {
                    scope.spawn(|| result(network.add(pod)));
                }
            });
            let mut all: Vec<&Pod> = pods.iter().collect();
            all.push(&first);
            nobody_has_anothers_address(node, &all);
            thread::scope(|scope| {
                for pod in &pods {
                    scope.spawn(|| silent(network.del(pod, &pod.namespace.path(), None)));
                }
            });
            let left: Vec<String> = pods
                .iter()
                .map(|pod| &pod.namespace)
                .flat_map(Namespace::addresses)
                .collect();
            assert_eq!(left, Vec::<String>::new());
        }
    });
}
