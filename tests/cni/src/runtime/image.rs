//! The one image that pods run, made here: Debian's static busybox and nothing else. No registry is asked.

use std::fs;
use std::path::Path;

use serde_json::json;

use berth_testkit::shell::run;

/// A name that no registry has.
pub(super) const NAME: &str = "berth.invalid/busybox:test";
/// busybox-static
const BUSYBOX: &str = "/bin/busybox";

/// Makes a docker-archive and imports it where CRI looks.
pub(super) fn import(folder: &Path) {
    let build = folder.join("image");
    let layer = build.join("layer");
    for name in ["bin", "proc", "sys", "dev", "etc", "tmp"] {
        fs::create_dir_all(layer.join(name)).expect("a folder");
    }
    fs::copy(BUSYBOX, layer.join("bin/busybox"))
        .unwrap_or_else(|error| panic!("{BUSYBOX}: {error}; see apt-packages.txt"));
    let path = |name: &str| build.join(name).to_string_lossy().into_owned();
    run(
        "tar",
        &[
            "--create",
            "--file",
            &path("layer.tar"),
            "--directory",
            &path("layer"),
            ".",
        ],
    );
    let digest = run("sha256sum", &[&path("layer.tar")]);
    let digest = digest.split(' ').next().expect("a digest");
    let config = json!({
        "architecture": architecture(),
        "os": "linux",
        "config": { "Entrypoint": ["/bin/busybox", "sleep", "1000000"] },
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{digest}")] },
    });
    let manifest =
        json!([{ "Config": "config.json", "RepoTags": [NAME], "Layers": ["layer.tar"] }]);
    fs::write(build.join("config.json"), config.to_string()).expect("a file");
    fs::write(build.join("manifest.json"), manifest.to_string()).expect("a file");
    let files = ["config.json", "manifest.json", "layer.tar"];
    let archive = path("image.tar");
    let build = build.to_string_lossy();
    run(
        "tar",
        &[
            &["--create", "--file", &archive, "--directory", &build],
            &files[..],
        ]
        .concat(),
    );
    let socket = folder
        .join("containerd.sock")
        .to_string_lossy()
        .into_owned();
    run(
        "ctr",
        &[
            "--address",
            &socket,
            "--namespace",
            "k8s.io",
            "images",
            "import",
            &archive,
        ],
    );
}

fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
