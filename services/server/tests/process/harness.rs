//! Starts berthd, waits for its own word that it is ready, and calls it.

use berth_proto::v1::admin_client::AdminClient;
use berth_proto::v1::allocator_client::AllocatorClient;
use berth_proto::v1::{self, Refusal};
use prost::Message;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

/// Longer than anything should take on a busy machine; nothing waits for it in a run that passes.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A running berthd; killed when it is dropped.
pub struct Berthd {
    child: Child,
    lines: Receiver<String>,
    /// What it said until now.
    pub said: Vec<String>,
    /// "http://127.0.0.1:…"
    pub client: String,
    /// "127.0.0.1:…"
    pub metrics: String,
}

// === impl Berthd ===

impl Berthd {
    /// With these flags; JSON lines, all ports free ones unless the flags say them.
    pub fn spawn(flags: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_berthd"))
            .args(["--log-format", "json"])
            .args(flags)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("berthd starts");
        let stderr = child.stderr.take().expect("piped");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            lines,
            said: Vec::new(),
            client: String::new(),
            metrics: String::new(),
        }
    }

    /// `--dev` in this directory, ready.
    pub fn dev(directory: &Path, more: &[&str]) -> Self {
        let directory = directory.to_str().expect("a path");
        let ports = [
            "--listen-client",
            "127.0.0.1:0",
            "--listen-peer",
            "127.0.0.1:0",
            "--listen-metrics",
            "127.0.0.1:0",
        ];
        let mut berthd =
            Self::spawn(&[&["--dev", "--data-dir", directory], &ports[..], more].concat());
        berthd.until_ready();
        berthd
    }

    /// Until it says that it is ready.
    pub fn until_ready(&mut self) {
        let line = self.until("\"ready\"");
        let line: serde_json::Value = serde_json::from_str(&line).expect("a JSON line");
        let field = |name: &str| line[name].as_str().expect("an address").to_owned();
        let scheme = if self.said.iter().any(|line| line.contains("\"tls\":true")) {
            "https"
        } else {
            "http"
        };
        self.client = format!("{scheme}://{}", field("client"));
        self.metrics = field("metrics");
    }

    /// Until a line with this text comes; the line.
    pub fn until(&mut self, text: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    self.said.push(line.clone());
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(error) => panic!(
                    "no line with {text:?} ({error}); it said:\n{}",
                    self.said.join("\n")
                ),
            }
        }
    }

    /// Its exit status once it has ended by itself, and everything it said.
    pub fn ended(&mut self) -> (bool, String) {
        let end = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("its status") {
                break status;
            }
            assert!(
                Instant::now() < end,
                "it does not end; it said:\n{}",
                self.said.join("\n")
            );
            std::thread::park_timeout(Duration::from_millis(5));
        };
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.said.push(line);
        }
        (status.success(), self.said.join("\n"))
    }

    /// SIGTERM, then waits for the end.
    pub fn stop(mut self) -> (bool, String) {
        self.signal("TERM");
        self.ended()
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("reaped");
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill")
            .args([&format!("-{name}"), &pid])
            .status()
            .expect("kill runs");
        assert!(status.success());
    }

    /// A connection to its client port.
    pub async fn channel(&self) -> Channel {
        let endpoint = Endpoint::from_shared(self.client.clone()).expect("an endpoint");
        endpoint.connect().await.expect("it accepts connections")
    }

    /// Its administrator's calls.
    pub async fn admin(&self) -> AdminClient<Channel> {
        AdminClient::new(self.channel().await)
    }

    /// Its allocator.
    pub async fn allocator(&self) -> AllocatorClient<Channel> {
        AllocatorClient::new(self.channel().await)
    }

    /// The text of /metrics.
    pub fn scrape(&self) -> String {
        use std::io::Write;
        let mut stream = std::net::TcpStream::connect(&self.metrics).expect("connected");
        let request = format!(
            "GET /metrics HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.metrics
        );
        stream.write_all(request.as_bytes()).expect("asked");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("answered");
        text
    }
}

impl Drop for Berthd {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A fresh directory.
pub fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

/// The refusal in a status.
pub fn refusal(status: &Status) -> Refusal {
    Refusal::decode(status.details()).expect("the details are a refusal")
}

/// A vSwitch "pods" of this CIDR in zone "a", and node "worker-1" there.
pub async fn world(admin: &mut AdminClient<Channel>, cidr: &str) {
    admin
        .create_v_switch(vswitch("pods", cidr))
        .await
        .expect("a vSwitch");
    admin.register_node(node("worker-1")).await.expect("a node");
}

/// In zone "a".
pub fn vswitch(name: &str, cidr: &str) -> v1::CreateVSwitchRequest {
    v1::CreateVSwitchRequest {
        change: Some(v1::Change {
            request_id: String::new(),
            reason: "a test wants it".into(),
        }),
        name: name.into(),
        zone: "a".into(),
        ipv4_cidr: cidr.into(),
        ..Default::default()
    }
}

/// In zone "a".
pub fn node(name: &str) -> v1::RegisterNodeRequest {
    v1::RegisterNodeRequest {
        name: name.into(),
        zone: "a".into(),
        identity: format!("machine-of-{name}"),
        ..Default::default()
    }
}

/// Of sandbox `container`, for pod web/`container`.
pub fn key(container: &str) -> Option<v1::AttachmentKey> {
    Some(v1::AttachmentKey {
        cluster: "main".into(),
        network: "pods".into(),
        container_id: container.into(),
        interface: "eth0".into(),
    })
}

/// An ADD on worker-1.
pub fn add(container: &str) -> v1::AllocateRequest {
    v1::AllocateRequest {
        attachment: key(container),
        pod: Some(v1::PodIdentity {
            namespace: "web".into(),
            name: container.into(),
            uid: format!("uid-of-{container}"),
        }),
        node: "worker-1".into(),
        boot_id: "boot-1".into(),
        invoked_at_ms: 1_000,
        deadline_ms: 10_000,
        ..Default::default()
    }
}

/// A DEL on worker-1, later than [`add`].
pub fn del(container: &str) -> v1::ReleaseRequest {
    v1::ReleaseRequest {
        attachment: key(container),
        node: "worker-1".into(),
        boot_id: "boot-1".into(),
        invoked_at_ms: 2_000,
        ..Default::default()
    }
}
