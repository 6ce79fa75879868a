//! Promise: the committed Rust is what `proto/etcd.proto` says, so nobody needs a protoc.
//!
//! After a change: `BERTH_REGENERATE=1 cargo test -p berth-loadtest --test generated`, and commit both.

use std::fs;
use std::path::Path;

const FILE: &str = "etcdserverpb.rs";

fn generate(into: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto");
    let descriptors = protox::compile(["etcd.proto"], [root]).expect("it compiles");
    tonic_prost_build::configure()
        .build_server(false)
        .out_dir(into)
        .compile_fds(descriptors)
        .expect("the Rust is generated");
}

#[test]
fn the_committed_rust_is_what_the_proto_file_says() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/gen");
    if std::env::var_os("BERTH_REGENERATE").is_some() {
        generate(&committed);
    }
    let fresh = tempfile::tempdir().expect("a temporary folder");
    generate(fresh.path());
    let text = |folder: &Path| fs::read_to_string(folder.join(FILE)).expect("a file");
    assert!(
        text(fresh.path()) == text(&committed),
        "{FILE} is stale: BERTH_REGENERATE=1 cargo test -p berth-loadtest --test generated"
    );
}
