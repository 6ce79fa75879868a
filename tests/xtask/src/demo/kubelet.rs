//! Calls the berth-cni program as a container runtime does: environment, JSON in, JSON out.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::child::{self, Group};
use crate::error::{Error, Result};

/// How long one ADD may take, as a runtime would say it; a static address alone may need two seconds to settle.
const DEADLINE_MS: u64 = 10_000;

/// The plugin, and the calls under way.
#[derive(Debug)]
pub struct Kubelet {
    plugin: PathBuf,
    endpoints: Vec<String>,
    running: Mutex<BTreeSet<u32>>,
}

/// One sandbox as the runtime knows it.
#[derive(Debug, Clone)]
pub struct Sandbox {
    /// 64 hex digits.
    pub container: String,
    /// The node it is on.
    pub node: String,
    /// Always in the namespace "shop".
    pub pod: String,
    /// New for every re-creation.
    pub uid: String,
}

/// The namespace of all pods of the demo.
pub const NAMESPACE: &str = "shop";

// === impl Kubelet ===

impl Kubelet {
    /// Pods ask these endpoints.
    pub fn new(plugin: PathBuf, endpoints: Vec<String>) -> Self {
        Self {
            plugin,
            endpoints,
            running: Mutex::default(),
        }
    }

    /// ADD: the addresses, or the plugin's words.
    pub fn add(&self, sandbox: &Sandbox) -> Result<std::result::Result<Vec<String>, String>> {
        let (answer, success) = self.call("ADD", sandbox)?;
        let document: Value = serde_json::from_str(&answer).map_err(|error| {
            Error::new(format!(
                "berth-cni ADD answered no JSON ({error}): {answer:?}"
            ))
        })?;
        if !success {
            return Ok(Err(words(&document)));
        }
        let entries = document
            .get("ips")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let addresses: Vec<String> = entries
            .filter_map(|entry| entry.get("address")?.as_str())
            .filter_map(|address| address.split('/').next())
            .map(str::to_owned)
            .collect();
        if addresses.is_empty() {
            return Err(Error::new(format!(
                "berth-cni ADD succeeded without an address: {answer}"
            )));
        }
        Ok(Ok(addresses))
    }

    /// DEL: done, or the plugin's words.
    pub fn del(&self, sandbox: &Sandbox) -> Result<std::result::Result<(), String>> {
        let (answer, success) = self.call("DEL", sandbox)?;
        Ok(if success {
            Ok(())
        } else {
            Err(serde_json::from_str(&answer).map_or(answer, |document| words(&document)))
        })
    }

    /// `kill -9` of every call under way.
    pub fn kill_running(&self) {
        for id in self.registry().iter() {
            child::signal_group(*id, Signal::KILL);
        }
    }

    fn call(&self, verb: &str, sandbox: &Sandbox) -> Result<(String, bool)> {
        let mut command = Command::new(&self.plugin);
        let netns = format!("/var/run/netns/{}", sandbox.container);
        command
            .env_clear()
            .env("CNI_COMMAND", verb)
            .env("CNI_CONTAINERID", &sandbox.container)
            .env("CNI_NETNS", netns)
            .env("CNI_IFNAME", "eth0")
            .env("CNI_PATH", "/opt/cni/bin")
            .env("CNI_ARGS", arguments(sandbox))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut process = Group::start(&mut command, "berth-cni")?;
        self.registry().insert(process.id());
        let spoken = self.converse(&mut process, &sandbox.node);
        // Under the lock, so that nobody signals an id that is somebody else's by now.
        let mut running = self.registry();
        let status = process.child().wait();
        running.remove(&process.id());
        drop(running);
        let status = status.map_err(|error| Error::system("cannot wait for berth-cni", &error))?;
        Ok((spoken?, status.success()))
    }

    fn converse(&self, process: &mut Group, node: &str) -> Result<String> {
        let config = json!({
            "cniVersion": "1.0.0",
            "name": "berth-demo",
            "type": "bridge",
            "ipam": {"type": "berth-cni", "endpoints": self.endpoints, "node": node, "deadline_ms": DEADLINE_MS},
        });
        let (Some(mut input), Some(mut output)) =
            (process.child().stdin.take(), process.child().stdout.take())
        else {
            return Err(Error::new("berth-cni has no streams"));
        };
        let mut answer = String::new();
        // A plugin that ended before it read everything says why on its output.
        match input.write_all(config.to_string().as_bytes()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                return Err(Error::system("cannot write to berth-cni", &error));
            }
            _ => drop(input),
        }
        output
            .read_to_string(&mut answer)
            .map_err(|error| Error::system("cannot read from berth-cni", &error))?;
        Ok(answer)
    }

    fn registry(&self) -> MutexGuard<'_, BTreeSet<u32>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn arguments(sandbox: &Sandbox) -> String {
    format!(
        "IgnoreUnknown=1;K8S_POD_NAMESPACE={NAMESPACE};K8S_POD_NAME={};K8S_POD_INFRA_CONTAINER_ID={};K8S_POD_UID={}",
        sandbox.pod, sandbox.container, sandbox.uid
    )
}

/// "code 11: ..." of a CNI error document.
fn words(document: &Value) -> String {
    let text = |name: &str| {
        document
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let code = document
        .get("code")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    format!("code {code}: {}", text("msg"))
}
