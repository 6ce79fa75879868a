//! Promise: the committed Rust is what `proto/cri.proto` says, so nobody needs a protoc.
//!
//! After a change of the .proto file: `BERTH_REGENERATE=1 cargo test -p berth-cni-tests --test generated`.

use std::fs;
use std::path::{Path, PathBuf};

const GENERATED: &str = "runtime.v1.rs";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn generate(into: &Path) {
    let descriptors =
        protox::compile(["cri.proto"], [root().join("proto")]).expect("the .proto file compiles");
    tonic_prost_build::configure()
        .build_server(false)
        .out_dir(into)
        .compile_fds(descriptors)
        .expect("the Rust is generated");
}

#[test]
fn the_committed_rust_is_what_the_proto_file_says() {
    let committed = root().join("src/gen");
    if std::env::var_os("BERTH_REGENERATE").is_some() {
        generate(&committed);
    }
    let fresh = tempfile::tempdir().expect("a temporary folder");
    generate(fresh.path());
    let read = |folder: &Path| fs::read(folder.join(GENERATED)).expect("the generated file");
    assert!(
        read(fresh.path()) == read(&committed),
        "{GENERATED} is stale: BERTH_REGENERATE=1 cargo test -p berth-cni-tests --test generated"
    );
}
