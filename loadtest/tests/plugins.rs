//! What is measured of a process is that process' own.

use std::process::{Command, Stdio};

use berth_loadtest::plugins::resident::{VERB, Weight};

const MIB: u64 = 1024 * 1024;

fn weight(script: &str) -> Weight {
    let mut command = Command::new(env!("CARGO_BIN_EXE_berth-loadtest"));
    command.args([VERB, "sh", "-c", script]);
    let output = command.stdin(Stdio::null()).output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("a weight")
}

/// Promise: a process that needs 32 MiB is seen to, and its time; one that needs nothing is not (the negative control),
/// though we ourselves have more.
#[test]
fn a_process_is_weighed_by_itself() {
    let ours = vec![7_u8; 64 * MIB as usize];
    let heavy = weight("x=$(head -c 33554432 /dev/zero | tr '\\0' a); : ${#x}");
    let light = weight("exit 3");
    assert_eq!(std::hint::black_box(&ours).len() as u64, 64 * MIB);
    assert!(heavy.resident_bytes > 32 * MIB, "{heavy:?}");
    assert!(light.resident_bytes < 16 * MIB, "{light:?}");
    assert!(light.resident_bytes >= light.floor_bytes / 2 && light.floor_bytes > 0);
    assert!(heavy.cpu_us > light.cpu_us, "{heavy:?} {light:?}");
    assert!(heavy.success && !light.success);
}
