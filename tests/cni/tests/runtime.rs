//! Pods of a real containerd, through CRI as the kubelet speaks it, with addresses from Berth.
#![cfg(feature = "root-tests")]

use std::thread;

use berth_cni_tests::admin::until;
use berth_cni_tests::chain::{Node, connections_to, on_a_changing_node, on_a_node};
use berth_cni_tests::runtime::{Containerd, Pod};
use rustix::process::Signal;

const CIDR: &str = "203.0.113.0/24";
const GATEWAY: &str = "203.0.113.1";

/// The sandbox's addresses, which are those that Berth gave it.
fn address(node: &Node, containerd: &Containerd<'_>, id: &str) -> String {
    let reported = containerd.cri.addresses(id).expect("a status");
    assert_eq!(node.admin.addresses_of(id), reported);
    reported[0].clone()
}

/// Promise: a sandbox has its address from Berth with the pod's name and uid, pods reach each other over them, and the
/// second DEL of a removal is a success.
#[test]
fn pods_live_and_go() {
    on_a_node(CIDR, GATEWAY, |node| {
        let containerd = Containerd::start(node);
        let cri = &containerd.cri;
        let pods = [Pod::new("web-0", "uid-0", 0), Pod::new("web-1", "uid-1", 0)];
        let ids = pods.each_ref().map(|pod| cri.run(pod).expect("a sandbox"));
        let addresses = ids.each_ref().map(|id| address(node, &containerd, id));
        assert_ne!(addresses[0], addresses[1]);
        let identity = node.admin.allocations();
        let identity = identity
            .iter()
            .map(|allocation| allocation.pod.clone().expect("a pod"));
        let mut identity: Vec<_> = identity
            .map(|pod| (pod.namespace, pod.name, pod.uid))
            .collect();
        identity.sort();
        let own = |name: &str, uid: &str| ("shop".to_owned(), name.to_owned(), uid.to_owned());
        assert_eq!(identity, [own("web-0", "uid-0"), own("web-1", "uid-1")]);

        let container = cri.container(&ids[0], &pods[0]).expect("a container");
        let ping = ["/bin/busybox", "ping", "-c", "3", "-W", "2", &addresses[1]];
        assert_eq!(cri.exec(&container, &ping).expect("a command"), 0);
        let nobody = [
            "/bin/busybox",
            "ping",
            "-c",
            "1",
            "-W",
            "1",
            "203.0.113.250",
        ];
        assert_ne!(cri.exec(&container, &nobody).expect("a command"), 0);

        cri.stop(&ids[0]).expect("the first DEL");
        assert_eq!(node.admin.addresses_of(&ids[0]), Vec::<String>::new());
        cri.stop(&ids[0]).expect("the second DEL, without a netns");
        cri.remove(&ids[0]).expect("the third");
        assert_eq!(node.admin.addresses_of(&ids[1]), [addresses[1].clone()]);
    });
}

/// Promise: a plugin that is killed by the runtime's deadline in mid-ADD leaves nothing, and the kubelet's next try, with
/// another sandbox of the same pod, gets an address.
#[test]
fn the_deadline_passes_in_mid_add() {
    on_a_changing_node(CIDR, GATEWAY, |node| {
        let endpoint = node.cluster.endpoints().remove(0);
        let server = node.cluster.members()[0].process_id();
        let node = &*node;
        let containerd = Containerd::start(node);
        let cri = &containerd.cri;
        let first = cri
            .run(&Pod::new("first", "uid-first", 0))
            .expect("a sandbox");
        let before = connections_to(&endpoint);
        berth_cni_tests::chain::signal_process(server, Signal::STOP);
        thread::scope(|scope| {
            let patience = std::time::Duration::from_secs(2);
            let try_one =
                scope.spawn(move || cri.run_within(&Pod::new("web-0", "uid-0", 0), patience));
            until("the plugin waits for the server", || {
                connections_to(&endpoint) > before
            });
            let refused = try_one.join().expect("no panic");
            // The request is still in the server's hands; what it makes of it must not outlive the sandbox.
            berth_cni_tests::chain::signal_process(server, Signal::CONT);
            refused.expect_err("the deadline passed");
        });
        until("the runtime has cleaned up", || {
            let left = node.admin.allocations();
            left.iter().all(|allocation| {
                allocation
                    .pod
                    .as_ref()
                    .is_some_and(|pod| pod.name == "first")
            })
        });
        let again = cri
            .run(&Pod::new("web-0", "uid-0", 1))
            .expect("the next try");
        let given = address(node, &containerd, &again);
        assert_ne!(given, address(node, &containerd, &first));
    });
}

/// Promise: pods keep their addresses when containerd is killed and comes back.
#[test]
fn containerd_is_killed() {
    on_a_node(CIDR, GATEWAY, |node| {
        let mut containerd = Containerd::start(node);
        let id = containerd
            .cri
            .run(&Pod::new("web-0", "uid-0", 0))
            .expect("a sandbox");
        let before = address(node, &containerd, &id);
        containerd.restart();
        assert_eq!(address(node, &containerd, &id), before);
        containerd.cri.stop(&id).expect("a DEL");
        containerd.cri.remove(&id).expect("a removal");
        assert_eq!(node.admin.allocations(), Vec::new());
    });
}

/// Promise: what Berth refuses reaches the kubelet with its sentence, and the refused sandbox leaves nothing.
#[test]
fn a_refusal_reaches_the_kubelet() {
    on_a_node("203.0.113.0/30", GATEWAY, |node| {
        let containerd = Containerd::start(node);
        let cri = &containerd.cri;
        cri.run(&Pod::new("web-0", "uid-0", 0))
            .expect("the only address");
        let status = cri
            .run(&Pod::new("web-1", "uid-1", 0))
            .expect_err("there is no other");
        assert!(status.message().contains("EXHAUSTED"), "{status}");
        assert_eq!(node.admin.allocations().len(), 1);
    });
}
