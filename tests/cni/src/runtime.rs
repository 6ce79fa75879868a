//! A real containerd, spoken to through CRI as the kubelet speaks to it. Its root, state and images are in a temporary
//! folder; its pods' network is made by Debian's bridge plugin with `berth-cni`.

mod config;
mod cri;
mod image;

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::admin::until;
use crate::chain::{Node, signal_process};
use berth_testkit::shell::try_run;
pub use cri::{Cri, Pod, messages};

/// A containerd on a node. Its pods are stopped and removed when it goes.
pub struct Containerd<'a> {
    /// To speak to it.
    pub cri: Cri,
    /// The network configuration that it uses, to change it.
    network: Value,
    child: Child,
    folder: TempDir,
    node: &'a Node,
}

// === impl Containerd ===

impl<'a> Containerd<'a> {
    /// Starts it inside the calling thread's network namespace, and waits until it has a network for pods.
    pub fn start(node: &'a Node) -> Self {
        let folder = TempDir::with_prefix("berth-containerd-").expect("a folder");
        fs::create_dir(folder.path().join("net.d")).expect("a folder");
        fs::write(
            folder.path().join("config.toml"),
            config::text(folder.path(), node),
        )
        .expect("a file");
        let network = json!({
            "cniVersion": "1.0.0",
            "name": "pods",
            "plugins": [{ "type": "bridge", "bridge": "berth0", "isGateway": true, "ipam": node.ipam() }],
        });
        let child = spawn(folder.path());
        let cri = Cri::new(&folder.path().join("containerd.sock"));
        let mut containerd = Self {
            cri,
            network,
            child,
            folder,
            node,
        };
        containerd.write_network();
        containerd.wait_until_ready();
        image::import(containerd.folder.path());
        containerd
    }

    /// `kill -9`, then the same one again on the same folder.
    pub fn restart(&mut self) {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it ends");
        self.child = spawn(self.folder.path());
        self.wait_until_ready();
    }

    fn write_network(&self) {
        let path = self.folder.path().join("net.d/10-berth.conflist");
        fs::write(path, self.network.to_string()).expect("a file");
    }

    fn wait_until_ready(&mut self) {
        let log = self.folder.path().join("containerd.log");
        until("containerd has a network for pods", || {
            let ended = self.child.try_wait().expect("it is ours");
            assert!(
                ended.is_none(),
                "{ended:?}\n{}",
                fs::read_to_string(&log).unwrap_or_default()
            );
            self.cri.network_is_ready()
        });
    }
}

impl Drop for Containerd<'_> {
    fn drop(&mut self) {
        // A sandbox that outlives containerd keeps its processes and mounts: so they go first, whatever the test did.
        self.cri.remove_all();
        signal_process(self.child.id(), rustix::process::Signal::TERM);
        if let Err(error) = self.child.wait() {
            eprintln!("containerd: {error}");
        }
        unmount_below(self.folder.path());
        let left = self.node.admin.allocations();
        if !left.is_empty() && !std::thread::panicking() {
            eprintln!("containerd left {} allocations", left.len());
        }
    }
}

fn spawn(folder: &Path) -> Child {
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join("containerd.log"))
        .expect("a file");
    let both = log.try_clone().expect("a file");
    Command::new("containerd")
        .arg("--config")
        .arg(folder.join("config.toml"))
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(both)
        .spawn()
        .unwrap_or_else(|error| panic!("containerd: {error}; see apt-packages.txt"))
}

/// What a killed containerd left mounted.
fn unmount_below(folder: &Path) {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let folder = folder.to_string_lossy();
    let below = mounts.lines().filter_map(|line| line.split(' ').nth(1));
    let mut below: Vec<&str> = below.filter(|path| path.starts_with(&*folder)).collect();
    below.sort_unstable();
    for path in below.iter().rev() {
        try_run("umount", &["--lazy", path]);
    }
}
