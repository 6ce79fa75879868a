//! The kubelet's side of CRI, blocking.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Request, Response, Status};
use tower::service_fn;

use super::image;

/// Generated from `proto/cri.proto`; see `tests/generated.rs`.
#[allow(missing_docs, clippy::all)]
pub mod messages {
    include!("../gen/runtime.v1.rs");
}

use messages::runtime_service_client::RuntimeServiceClient;
use messages::*;

type Answer<T> = Result<T, Status>;

/// A connection is made for each call.
#[derive(Clone, Debug)]
pub struct Cri {
    socket: PathBuf,
}

/// What the kubelet knows of one try to start a pod.
#[derive(Clone, Debug)]
pub struct Pod {
    config: PodSandboxConfig,
}

// === impl Pod ===

impl Pod {
    /// Another uid is another incarnation; another attempt is the kubelet's next try with the same one.
    pub fn new(name: &str, uid: &str, attempt: u32) -> Self {
        let metadata = PodSandboxMetadata {
            name: name.to_owned(),
            uid: uid.to_owned(),
            namespace: "shop".to_owned(),
            attempt,
        };
        let config = PodSandboxConfig {
            metadata: Some(metadata),
            hostname: name.to_owned(),
            linux: Some(LinuxPodSandboxConfig::default()),
            ..PodSandboxConfig::default()
        };
        Self { config }
    }
}

// === impl Cri ===

impl Cri {
    pub(super) fn new(socket: &Path) -> Self {
        Self {
            socket: socket.to_owned(),
        }
    }

    /// Whether pods can have a network.
    pub fn network_is_ready(&self) -> bool {
        let status = self.call(async |mut runtime| runtime.status(StatusRequest::default()).await);
        let conditions = status.ok().and_then(|answer| answer.status);
        let conditions = conditions
            .map(|status| status.conditions)
            .unwrap_or_default();
        conditions
            .iter()
            .any(|condition| condition.r#type == "NetworkReady" && condition.status)
    }

    /// Starts a sandbox and says its id.
    pub fn run(&self, pod: &Pod) -> Answer<String> {
        self.run_within(pod, Duration::from_secs(60))
    }

    /// The same with the kubelet's patience.
    pub fn run_within(&self, pod: &Pod, patience: Duration) -> Answer<String> {
        let mut request = Request::new(RunPodSandboxRequest {
            config: Some(pod.config.clone()),
        });
        request.set_timeout(patience);
        self.call(async |mut runtime| runtime.run_pod_sandbox(request).await)
            .map(|answer| answer.pod_sandbox_id)
    }

    /// Stops a sandbox: its network goes.
    pub fn stop(&self, id: &str) -> Answer<()> {
        let pod_sandbox_id = id.to_owned();
        let request = StopPodSandboxRequest { pod_sandbox_id };
        self.call(async |mut runtime| runtime.stop_pod_sandbox(request).await)
            .map(drop)
    }

    /// Removes a sandbox, which stops it once more.
    pub fn remove(&self, id: &str) -> Answer<()> {
        let pod_sandbox_id = id.to_owned();
        let request = RemovePodSandboxRequest { pod_sandbox_id };
        self.call(async |mut runtime| runtime.remove_pod_sandbox(request).await)
            .map(drop)
    }

    /// Every sandbox's id, running or not.
    pub fn sandboxes(&self) -> Answer<Vec<String>> {
        let request = ListPodSandboxRequest {};
        self.call(async |mut runtime| runtime.list_pod_sandbox(request).await)
            .map(|answer| answer.items.into_iter().map(|sandbox| sandbox.id).collect())
    }

    /// The addresses that the runtime reports to the kubelet.
    pub fn addresses(&self, id: &str) -> Answer<Vec<String>> {
        let pod_sandbox_id = id.to_owned();
        let request = PodSandboxStatusRequest { pod_sandbox_id };
        let answer = self.call(async |mut runtime| runtime.pod_sandbox_status(request).await)?;
        let network = answer
            .status
            .and_then(|status| status.network)
            .unwrap_or_default();
        let more = network.additional_ips.into_iter().map(|more| more.ip);
        Ok(std::iter::once(network.ip).chain(more).collect())
    }

    /// Starts a container in a sandbox and says its id.
    pub fn container(&self, id: &str, pod: &Pod) -> Answer<String> {
        let config = ContainerConfig {
            metadata: Some(ContainerMetadata {
                name: "main".to_owned(),
                attempt: 0,
            }),
            image: Some(ImageSpec {
                image: image::NAME.to_owned(),
            }),
            ..ContainerConfig::default()
        };
        let request = CreateContainerRequest {
            pod_sandbox_id: id.to_owned(),
            config: Some(config),
            sandbox_config: Some(pod.config.clone()),
        };
        let created = self.call(async |mut runtime| runtime.create_container(request).await)?;
        let container_id = created.container_id;
        let start = StartContainerRequest {
            container_id: container_id.clone(),
        };
        self.call(async |mut runtime| runtime.start_container(start).await)?;
        Ok(container_id)
    }

    /// The exit status of a command in a container.
    pub fn exec(&self, container: &str, command: &[&str]) -> Answer<i32> {
        let request = ExecSyncRequest {
            container_id: container.to_owned(),
            cmd: command.iter().map(|word| (*word).to_owned()).collect(),
            timeout: 20,
        };
        self.call(async |mut runtime| runtime.exec_sync(request).await)
            .map(|answer| answer.exit_code)
    }

    pub(super) fn remove_all(&self) {
        for id in self.sandboxes().unwrap_or_default() {
            for gone in [self.stop(&id), self.remove(&id)] {
                if let Err(status) = gone {
                    eprintln!("sandbox {id}: {status}");
                }
            }
        }
    }

    fn call<T, F>(&self, ask: impl FnOnce(RuntimeServiceClient<Channel>) -> F) -> Answer<T>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let socket = self.socket.clone();
            let connect = move |_: Uri| {
                let socket = socket.clone();
                async move { UnixStream::connect(socket).await.map(TokioIo::new) }
            };
            // The name is not used: the connector knows the socket.
            let endpoint = Endpoint::from_static("http://containerd.invalid");
            let channel = endpoint.connect_with_connector(service_fn(connect)).await;
            let channel = channel.map_err(|error| Status::unavailable(format!("{error:?}")))?;
            ask(RuntimeServiceClient::new(channel))
                .await
                .map(Response::into_inner)
        })
    }
}
