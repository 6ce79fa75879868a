//! Promise: the committed Rust is what the .proto files say, so nobody needs a protoc.
//!
//! After a change of a .proto file: `BERTH_REGENERATE=1 cargo test -p berth-proto`, and commit both.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const FILES: [&str; 12] = [
    "berth/v1/nouns.proto",
    "berth/v1/allocator.proto",
    "berth/v1/facts.proto",
    "berth/v1/history.proto",
    "berth/v1/reckoning.proto",
    "berth/v1/admin.proto",
    "berth/v1/recovery.proto",
    "berth/v1/checks.proto",
    "berth/log/v1/entry.proto",
    "berth/log/v1/row.proto",
    "berth/log/v1/backup.proto",
    "berth/peer/v1/peer.proto",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn generate(into: &Path) {
    let descriptors = protox::compile(FILES, [root()]).expect("the .proto files compile");
    let client_api = descriptors.clone();
    tonic_prost_build::configure()
        .out_dir(into)
        .bytes(".")
        .compile_fds(descriptors)
        .expect("the Rust is generated");
    let encoded = prost::Message::encode_to_vec(&client_api);
    fs::write(into.join("descriptors.bin"), encoded).expect("the descriptors are written");
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy();
            (name.into_owned(), fs::read(&path).expect("a file"))
        })
        .collect()
}

#[test]
fn the_committed_rust_is_what_the_proto_files_say() {
    let committed = root().join("src/gen");
    if std::env::var_os("BERTH_REGENERATE").is_some() {
        generate(&committed);
    }
    let fresh = tempfile::tempdir().expect("a temporary folder");
    generate(fresh.path());
    let (fresh, committed) = (files(fresh.path()), files(&committed));
    let names = |map: &BTreeMap<String, Vec<u8>>| map.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&fresh), names(&committed));
    for (name, text) in &fresh {
        assert!(
            committed[name] == *text,
            "{name} is stale: BERTH_REGENERATE=1 cargo test -p berth-proto"
        );
    }
}
