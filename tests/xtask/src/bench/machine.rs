//! What was measured on: without it the numbers say nothing.

use std::path::Path;
use std::process::Command;

/// One line: cores, memory, kernel, file system, compiler.
pub fn describe(data: &Path) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model = field("/proc/cpuinfo", "model name").unwrap_or("unknown".to_owned());
    let kilobytes = field("/proc/meminfo", "MemTotal").unwrap_or_default();
    let kilobytes = kilobytes
        .split_whitespace()
        .next()
        .and_then(|number| number.parse::<u64>().ok());
    let gibibytes = kilobytes.unwrap_or(0) >> 20;
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let disk = said("df", &["--output=fstype", &data.to_string_lossy()]);
    let disk = disk.lines().last().unwrap_or("unknown").trim().to_owned();
    let compiler = said("rustc", &["--version"]);
    format!(
        "{cores} cores ({model}), {gibibytes} GiB, Linux {}, {disk}, {}",
        kernel.trim(),
        compiler.trim()
    )
}

fn field(file: &str, key: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(
        |_| String::new(),
        |output| String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}
