//! Debian packages that the tests with root need.

use std::collections::BTreeSet;
use std::process::Command;

use super::cannot_run;
use crate::error::{Error, Result};
use crate::workspace;

/// One package per line; `#` begins a comment.
const LIST: &str = "tests/cni/apt-packages.txt";

/// Installs what is missing, or says what to type and fails.
pub fn provide() -> Result<()> {
    let missing = missing()?;
    let line = format!(
        "apt-get install -y --no-install-recommends {}",
        missing.join(" ")
    );
    if !rustix::process::geteuid().is_root() {
        let packages = if missing.is_empty() {
            String::new()
        } else {
            format!("\nand these packages first:\n  sudo {line}")
        };
        return Err(Error::new(format!(
            "network namespaces, loop devices and a container runtime need root: run it as root, \
             or run `cargo xtask test --portable`{packages}"
        )));
    }
    if missing.is_empty() {
        return Ok(());
    }
    println!("the tests need Debian packages that are not there; installing them:\n  {line}\n");
    apt(&["update", "--quiet"])?;
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(missing.iter().map(String::as_str));
    apt(&arguments)
}

fn missing() -> Result<Vec<String>> {
    let path = workspace::root()?.join(LIST);
    let text = std::fs::read_to_string(&path)
        .map_err(|error| Error::system(format!("cannot read {LIST}"), &error))?;
    let wanted = names(&text);
    let mut query = Command::new("dpkg-query");
    query
        .args(["--show", "--showformat", "${Package} ${db:Status-Status}\n"])
        .args(&wanted);
    let output = query.output().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::new(format!(
            "this is no Debian; see to these by hand and use --portable: {}",
            wanted.join(" ")
        )),
        _ => cannot_run(&query, &error),
    })?;
    let installed = installed(&String::from_utf8_lossy(&output.stdout));
    Ok(wanted
        .into_iter()
        .filter(|name| !installed.contains(name))
        .collect())
}

fn names(list: &str) -> Vec<String> {
    let lines = list
        .lines()
        .map(|line| line.split('#').next().unwrap_or("").trim());
    lines
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

fn installed(answer: &str) -> BTreeSet<String> {
    answer
        .lines()
        .filter_map(|line| line.strip_suffix(" installed"))
        .map(str::to_owned)
        .collect()
}

fn apt(arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive");
    let status = command
        .status()
        .map_err(|error| cannot_run(&command, &error))?;
    if status.success() {
        Ok(())
    } else {
        Err(Error::new(format!(
            "apt-get {} failed; see above",
            arguments.join(" ")
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::{installed, names};

    /// Promise: comments and empty lines name no package.
    #[test]
    fn the_list_is_read() {
        assert_eq!(
            names("# runtime\ncontainerd  # 1.6\n\nrunc\n"),
            ["containerd", "runc"]
        );
    }

    /// Promise (negative control): a package that was removed, or never there, does not count as installed.
    #[test]
    fn only_installed_ones_count() {
        let installed =
            installed("runc installed\ncontainerd config-files\nbusybox not-installed\n");
        assert_eq!(installed.into_iter().collect::<Vec<_>>(), ["runc"]);
    }
}
