//! containerd's configuration: everything of it in one folder, plugins from the node's `CNI_PATH`.

use std::path::Path;

use super::image;
use crate::chain::Node;

/// For containerd 1.6, as root without CAP_SYS_RESOURCE, without systemd.
pub(super) fn text(folder: &Path, node: &Node) -> String {
    let at = folder.display();
    let plugins = node.plugins.path().display();
    let image = image::NAME;
    format!(
        r#"version = 2
root = "{at}/root"
state = "{at}/state"
[grpc]
  address = "{at}/containerd.sock"
[ttrpc]
  address = "{at}/containerd.sock.ttrpc"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{image}"
  restrict_oom_score_adj = true
  disable_tcp_service = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{at}/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
"#
    )
}
