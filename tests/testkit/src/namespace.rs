//! Network namespaces: a node, and the pods on it. Gone when their value goes, also when a test fails.

use std::fs::File;
use std::os::fd::AsFd;
use std::panic;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::Value;

use crate::shell::{run, try_run};

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// One named namespace, with its loopback up.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

/// Runs a test in a thread of its own, which may enter a namespace without taking other tests along.
pub fn apart<T: Send>(test: impl FnOnce() -> T + Send) -> T {
    let outcome = thread::scope(|scope| scope.spawn(test).join());
    outcome.unwrap_or_else(|panic| panic::resume_unwind(panic))
}

// === impl Namespace ===

impl Namespace {
    /// A new one; the label is for people who look at `ip netns`.
    pub fn new(label: &str) -> Self {
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("berth-{}-{count}-{label}", std::process::id());
        run("ip", &["netns", "add", &name]);
        let namespace = Self { name };
        namespace.ip(&["link", "set", "lo", "up"]);
        namespace
    }

    /// "berth-4711-0-node"
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What a runtime gives as `CNI_NETNS`.
    pub fn path(&self) -> String {
        format!("/run/netns/{}", self.name)
    }

    /// From now on the calling thread, its sockets and the processes that it starts are in here.
    pub fn enter(&self) {
        Self::enter_path(Path::new(&self.path()));
    }

    /// The same by its path, for whoever outlives the borrow of its value.
    pub fn enter_path(path: &Path) {
        let file = File::open(path).expect("the namespace is there");
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
            .expect("root may enter it");
    }

    /// `ip` in here.
    pub fn ip(&self, arguments: &[&str]) -> String {
        let mut all = vec!["-n", &self.name];
        all.extend(arguments);
        run("ip", &all)
    }

    /// The addresses on its interfaces, without those of the link and of the loopback: "198.51.100.2/24".
    pub fn addresses(&self) -> Vec<String> {
        let links: Value = serde_json::from_str(&self.ip(&["-j", "addr"])).expect("JSON");
        global_addresses(&links)
    }

    /// Whether one ping from in here is answered.
    pub fn reaches(&self, address: &str) -> bool {
        let net = format!("--net={}", self.path());
        let ping = [
            &net, "ping", "-n", "-c", "3", "-i", "0.2", "-W", "2", address,
        ];
        try_run("nsenter", &ping).status.success()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let output = try_run("ip", &["netns", "del", &self.name]);
        if !output.status.success() {
            eprintln!("{}: {}", self.name, String::from_utf8_lossy(&output.stderr));
        }
    }
}

fn global_addresses(links: &Value) -> Vec<String> {
    let mut addresses = Vec::new();
    for link in links.as_array().into_iter().flatten() {
        for info in link["addr_info"].as_array().into_iter().flatten() {
            if info["scope"] == "global" {
                let local = info["local"].as_str().unwrap_or_default();
                addresses.push(format!("{local}/{}", info["prefixlen"]));
            }
        }
    }
    addresses
}

/// Addresses that stand on more than one of these interfaces.
pub fn duplicates(mut addresses: Vec<String>) -> Vec<String> {
    addresses.sort();
    let mut twice: Vec<String> = addresses
        .windows(2)
        .filter(|pair| pair[0] == pair[1])
        .map(|pair| pair[0].clone())
        .collect();
    twice.dedup();
    twice
}

#[cfg(test)]
mod tests {
    use super::{Namespace, duplicates};

    /// Promise (negative control): an address that really stands on two interfaces is found, and one on one is not.
    #[test]
    fn a_real_duplicate_is_found() {
        let pods = [
            Namespace::new("a"),
            Namespace::new("b"),
            Namespace::new("c"),
        ];
        for (pod, address) in
            pods.iter()
                .zip(["203.0.113.7/24", "203.0.113.8/24", "203.0.113.7/24"])
        {
            pod.ip(&["addr", "add", address, "dev", "lo"]);
        }
        let found = pods.iter().flat_map(Namespace::addresses).collect();
        assert_eq!(duplicates(found), ["203.0.113.7/24"]);
    }
}
