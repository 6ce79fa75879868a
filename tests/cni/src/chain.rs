//! One node in a network namespace, and Debian's main plugins on it with `berth-cni` as their address plugin.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use berth_testkit::process::{Cluster, binary};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::admin::Admin;
use crate::plugin::{self, Answer};
use berth_testkit::namespace::{Namespace, apart};

/// Where Debian has them (containernetworking-plugins).
pub const DEBIAN_PLUGINS: &str = "/usr/lib/cni";
/// The node's name at the servers.
pub const NODE: &str = "worker-1";

/// A node: its namespace, a server in it, and the folder that is its `CNI_PATH`.
pub struct Node {
    /// A server on the node's own loopback.
    pub cluster: Cluster,
    /// Its administrator.
    pub admin: Admin,
    /// `CNI_PATH`
    pub plugins: TempDir,
    /// Last, so that nothing runs in it any more when it goes.
    pub namespace: Namespace,
}

/// One sandbox of the node.
pub struct Pod {
    /// `CNI_CONTAINERID`
    pub container_id: String,
    /// `CNI_NETNS`
    pub namespace: Namespace,
}

/// One network of the node.
pub struct Network<'a> {
    node: &'a Node,
    config: Value,
}

/// Runs a test on a fresh node, in a thread that is inside its namespace.
pub fn on_a_node(cidr: &str, gateway: &str, test: impl FnOnce(&Node) + Send) {
    apart(|| test(&Node::new(cidr, gateway)));
}

/// The same for a test that stops the server or takes it away.
pub fn on_a_changing_node(cidr: &str, gateway: &str, test: impl FnOnce(&mut Node) + Send) {
    apart(|| test(&mut Node::new(cidr, gateway)));
}

// === impl Node ===

impl Node {
    fn new(cidr: &str, gateway: &str) -> Self {
        let namespace = Namespace::new("node");
        namespace.enter();
        let cluster = Cluster::dev().unwrap_or_else(|error| panic!("{error}"));
        let admin = Admin::new(&cluster.endpoints()[0]);
        admin.create_vswitch("zone-a", "a", cidr, gateway);
        admin.register_node(NODE, "a");
        Self {
            cluster,
            admin,
            plugins: plugins(),
            namespace,
        }
    }

    /// The `ipam` object for this node's server.
    pub fn ipam(&self) -> Value {
        json!({
            "type": "berth-cni",
            "endpoints": self.cluster.endpoints(),
            "node": NODE,
            "deadline_ms": 20_000,
            "routes": [{ "dst": "0.0.0.0/0" }],
        })
    }

    /// A network made by this main plugin: "bridge", "ptp", "macvlan".
    pub fn network(&self, kind: &str) -> Network<'_> {
        let mut config = json!({
            "cniVersion": "1.0.0",
            "name": "pods",
            "type": kind,
            "ipam": self.ipam(),
        });
        match kind {
            "bridge" => {
                config["bridge"] = json!("berth0");
                config["isGateway"] = json!(true);
            }
            "macvlan" => {
                // The wire between two machines; macvlan needs an interface to stand on.
                self.namespace.ip(&[
                    "link", "add", "wire0", "type", "veth", "peer", "name", "wire1",
                ]);
                self.namespace.ip(&["link", "set", "wire0", "up"]);
                self.namespace.ip(&["link", "set", "wire1", "up"]);
                config["master"] = json!("wire0");
                config["mode"] = json!("bridge");
            }
            _ => {}
        }
        Network { node: self, config }
    }

    /// A sandbox with nothing in it yet.
    pub fn pod(&self, container_id: &str) -> Pod {
        Pod {
            container_id: container_id.to_owned(),
            namespace: Namespace::new(container_id),
        }
    }

    /// Holds the server as it is, or lets it go on.
    pub fn signal_server(&mut self, signal: Signal) {
        for member in self.cluster.members() {
            signal_process(member.process_id(), signal);
        }
    }
}

/// Sends one signal to one process.
pub fn signal_process(id: u32, signal: Signal) {
    let id = i32::try_from(id).ok().and_then(Pid::from_raw);
    kill_process(id.expect("a process id"), signal).expect("it is ours");
}

/// Links to Debian's plugins, and a link to ours.
fn plugins() -> TempDir {
    let folder = TempDir::with_prefix("berth-cni-path-").expect("a folder");
    let debian = fs::read_dir(DEBIAN_PLUGINS)
        .unwrap_or_else(|error| panic!("{DEBIAN_PLUGINS}: {error}; see apt-packages.txt"));
    for entry in debian {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name");
        symlink(&path, folder.path().join(name)).expect("a link");
    }
    let ours = binary("berth-cni").unwrap_or_else(|error| panic!("{error}"));
    symlink(ours, folder.path().join("berth-cni")).expect("a link");
    folder
}

// === impl Network ===

impl Network<'_> {
    /// The configuration, to change it.
    pub fn config(&mut self) -> &mut Value {
        &mut self.config
    }

    /// ADD, as a runtime does it.
    pub fn add(&self, pod: &Pod) -> Answer {
        self.call("ADD", pod, &pod.namespace.path(), None)
    }

    /// DEL; an empty netns is one that is gone.
    pub fn del(&self, pod: &Pod, netns: &str, previous: Option<&Value>) -> Answer {
        self.call("DEL", pod, netns, previous)
    }

    /// CHECK
    pub fn check(&self, pod: &Pod, previous: &Value) -> Answer {
        self.call("CHECK", pod, &pod.namespace.path(), Some(previous))
    }

    /// GC with these sandboxes valid, at our own plugin: Debian's do not know the verb yet.
    pub fn collect(&self, valid: &[&Pod]) -> Answer {
        let mut config = self.config.clone();
        config["cniVersion"] = json!("1.1.0");
        let valid = valid
            .iter()
            .map(|pod| json!({ "containerID": pod.container_id, "ifname": "eth0" }));
        config["cni.dev/valid-attachments"] = valid.collect();
        let environment = [
            ("CNI_COMMAND".to_owned(), "GC".to_owned()),
            ("CNI_PATH".to_owned(), self.cni_path()),
        ];
        let ours = self.node.plugins.path().join("berth-cni");
        plugin::run(&ours, &environment, &config.to_string())
    }

    /// An ADD under way, in a process group of its own.
    pub fn start_add(&self, pod: &Pod) -> Underway {
        let environment = self.environment("ADD", pod, &pod.namespace.path());
        let mut child = plugin::command(&self.main_plugin(), &environment)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("the plugin starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        std::io::Write::write_all(&mut stdin, self.config.to_string().as_bytes())
            .expect("it reads");
        Underway { child }
    }

    fn call(&self, verb: &str, pod: &Pod, netns: &str, previous: Option<&Value>) -> Answer {
        let mut config = self.config.clone();
        if let Some(previous) = previous {
            config["prevResult"] = previous.clone();
        }
        let environment = self.environment(verb, pod, netns);
        plugin::run(&self.main_plugin(), &environment, &config.to_string())
    }

    fn main_plugin(&self) -> PathBuf {
        let kind = self.config["type"].as_str().expect("a type");
        Path::new(DEBIAN_PLUGINS).join(kind)
    }

    fn cni_path(&self) -> String {
        self.node.plugins.path().to_string_lossy().into_owned()
    }

    fn environment(&self, verb: &str, pod: &Pod, netns: &str) -> Vec<(String, String)> {
        let id = &pod.container_id;
        let pod = format!(
            "IgnoreUnknown=1;K8S_POD_UID=uid-{id};K8S_POD_NAME={id};K8S_POD_NAMESPACE=shop"
        );
        let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        vec![
            own("CNI_COMMAND", verb),
            own("CNI_CONTAINERID", id),
            own("CNI_NETNS", netns),
            own("CNI_IFNAME", "eth0"),
            own("CNI_PATH", &self.cni_path()),
            own("CNI_ARGS", &pod),
            own("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
        ]
    }
}

/// A main plugin and what it started.
pub struct Underway {
    child: Child,
}

// === impl Underway ===

impl Underway {
    /// `kill -9` of all of it, and waits until it is gone.
    pub fn kill(mut self) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process_group(id.expect("a process id"), Signal::KILL).expect("it is ours");
        let status = self.child.wait().expect("it ends");
        assert!(!status.success(), "it had ended before it was killed");
    }
}

/// The addresses in a result: "198.51.100.2/24".
pub fn addresses_in(result: &Value) -> Vec<String> {
    let ips = result["ips"].as_array().cloned().unwrap_or_default();
    let texts = ips.iter().filter_map(|ip| ip["address"].as_str());
    texts.map(str::to_owned).collect()
}

/// Established connections to this port in the calling thread's namespace: somebody is being served, or waits for it.
pub fn connections_to(endpoint: &str) -> usize {
    let port = endpoint
        .rsplit(':')
        .next()
        .and_then(|port| port.parse::<u16>().ok());
    let remote = format!(":{:04X} 01", port.expect("a port"));
    let table = fs::read_to_string("/proc/thread-self/net/tcp").expect("a kernel with /proc");
    table.lines().filter(|line| line.contains(&remote)).count()
}
