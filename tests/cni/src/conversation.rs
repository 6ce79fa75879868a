//! A conversation: a file that says what a runtime says to the plugin, and exactly what must come back.
//!
//! ```text
//! # Promise: ...
//! vswitch zone-a a 198.51.100.0/24 198.51.100.1     name, zone, CIDR, gateway; two families with commas
//! node worker-1 a                                   name, zone
//! == what happens in this step
//! call ADD c1 eth0                                  the environment that a runtime sets
//! env CNI_ARGS=K8S_POD_NAME=web-0                   one more variable, or another value
//! unset CNI_NETNS
//! stdin {"cniVersion": "1.0.0", ...}                goes on in indented lines
//! exit 0
//! stdout {"cniVersion": "1.0.0", ...}               as JSON; see `matching`; left out = nothing at all
//! within 1500                                       ms, for a step that promises an end
//! ```
//!
//! `${ENDPOINT}` is the server, `${DEAD}` a port where nobody listens, `${IPAM}` an `ipam` object for the server.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::{Duration, Instant};

use berth_testkit::process::{Cluster, binary};
use serde_json::Value;

use crate::admin::Admin;
use crate::matching;
use crate::plugin;

/// A file, taken apart.
#[derive(Debug, Default)]
pub struct Conversation {
    vswitches: Vec<[String; 4]>,
    nodes: Vec<[String; 2]>,
    steps: Vec<Step>,
}

#[derive(Debug, Default)]
struct Step {
    title: String,
    environment: Vec<(String, String)>,
    stdin: String,
    exit: Option<i32>,
    stdout: Option<String>,
    within: Option<Duration>,
}

// === impl Conversation ===

impl Conversation {
    /// Reads a file; a line that it does not understand is an error with its number.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text =
            fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse(&text).map_err(|error| format!("{}:{error}", path.display()))
    }

    /// The text of such a file.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut conversation = Self::default();
        for (number, line) in logical_lines(text) {
            let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
            let understood = match word {
                "==" => {
                    let title = rest.to_owned();
                    conversation.steps.push(Step {
                        title,
                        ..Step::default()
                    });
                    Some(())
                }
                "vswitch" => words(rest).map(|words| conversation.vswitches.push(words)),
                "node" => words(rest).map(|words| conversation.nodes.push(words)),
                _ => conversation
                    .steps
                    .last_mut()
                    .and_then(|step| step.take(word, rest.trim())),
            };
            understood.ok_or_else(|| format!("{number}: {line}"))?;
        }
        match conversation.steps.iter().find(|step| step.exit.is_none()) {
            Some(step) => Err(format!("0: step {:?} has no exit", step.title)),
            None if conversation.steps.is_empty() => Err("0: there is no step".to_owned()),
            None => Ok(conversation),
        }
    }

    /// Holds it with a fresh server. Err = every step that went otherwise.
    pub fn hold(&self) -> Result<(), String> {
        let cluster = Cluster::dev().map_err(|error| error.to_string())?;
        let endpoint = cluster.endpoints().remove(0);
        let admin = Admin::new(&endpoint);
        for [name, zone, cidr, gateway] in &self.vswitches {
            admin.create_vswitch(name, zone, cidr, gateway);
        }
        for [name, zone] in &self.nodes {
            admin.register_node(name, zone);
        }
        let plugin = binary("berth-cni").map_err(|error| error.to_string())?;
        let dead = dead_endpoint();
        let fill = |text: &str| {
            let ipam = r#"{"type": "berth-cni", "endpoints": ["${ENDPOINT}"], "node": "worker-1", "deadline_ms": 10000}"#;
            let text = text.replace("${IPAM}", ipam);
            text.replace("${ENDPOINT}", &endpoint)
                .replace("${DEAD}", &dead)
        };
        let differences: Vec<String> = self
            .steps
            .iter()
            .filter_map(|step| step.hold(&plugin, &fill).err())
            .collect();
        if differences.is_empty() {
            return Ok(());
        }
        Err(differences.join("\n"))
    }
}

// === impl Step ===

impl Step {
    fn take(&mut self, word: &str, rest: &str) -> Option<()> {
        match word {
            "call" => self.call(rest)?,
            "env" => {
                let (name, value) = rest.split_once('=')?;
                self.unset(name);
                self.environment.push((name.to_owned(), value.to_owned()));
            }
            "unset" => self.unset(rest),
            "stdin" => self.stdin = rest.to_owned(),
            "exit" => self.exit = Some(rest.parse().ok()?),
            "stdout" => self.stdout = Some(rest.to_owned()),
            "within" => self.within = Some(Duration::from_millis(rest.parse().ok()?)),
            _ => return None,
        }
        Some(())
    }

    fn call(&mut self, rest: &str) -> Option<()> {
        let [verb, container, interface] = words(rest)?;
        let netns = format!("/run/netns/{container}");
        self.environment = [
            ("CNI_COMMAND", verb),
            ("CNI_CONTAINERID", container),
            ("CNI_NETNS", netns),
            ("CNI_IFNAME", interface),
            ("CNI_PATH", "/opt/cni/bin".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        Some(())
    }

    fn unset(&mut self, name: &str) {
        self.environment.retain(|(other, _)| other != name);
    }

    fn hold(&self, plugin: &Path, fill: &dyn Fn(&str) -> String) -> Result<(), String> {
        let started = Instant::now();
        let answer = plugin::run(plugin, &self.environment, &fill(&self.stdin));
        let took = started.elapsed();
        let otherwise =
            |what: String| Err(format!("step {:?}: {what}\n{}", self.title, answer.log));
        if let Some(limit) = self.within.filter(|limit| took > *limit) {
            return otherwise(format!("took {took:?}, over {limit:?}"));
        }
        if self.exit != Some(answer.exit) {
            let json = answer.json.unwrap_or_default();
            return otherwise(format!("exit status {}, {json}", answer.exit));
        }
        match (&self.stdout, &answer.json) {
            (None, None) => Ok(()),
            (None, Some(json)) => otherwise(format!("stdout should be empty: {json}")),
            (Some(_), None) => otherwise("stdout is empty".to_owned()),
            (Some(text), Some(json)) => {
                let expected: Value = serde_json::from_str(&fill(text))
                    .map_err(|error| format!("step {:?}: stdout line: {error}", self.title))?;
                match matching::compare(&expected, json) {
                    Ok(()) => Ok(()),
                    Err(difference) => otherwise(format!("{difference}, in {json}")),
                }
            }
        }
    }
}

/// Lines with their numbers; an indented line belongs to the one before; comments and empty lines are left out.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let goes_on = line.starts_with([' ', '\t']);
        match lines.last_mut() {
            Some((_, last)) if goes_on => {
                last.push(' ');
                last.push_str(line.trim());
            }
            _ if line.trim().is_empty() || line.starts_with('#') => {}
            _ => lines.push((at + 1, line.trim_end().to_owned())),
        }
    }
    lines
}

fn words<const COUNT: usize>(text: &str) -> Option<[String; COUNT]> {
    let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    words.try_into().ok()
}

/// A port where nobody listens: it was free a moment ago.
fn dead_endpoint() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("its address");
    format!("http://{address}")
}

#[cfg(test)]
mod tests {
    use super::Conversation;

    const GOOD: &str = "# Promise: x.\nnode worker-1 a\n== one\ncall ADD c1 eth0\nenv A=b=c\nunset CNI_NETNS\nstdin {\n  \"a\": 1}\nexit 0\n";

    /// Promise: a file is read whole, and a line that is not understood is never passed over.
    #[test]
    fn a_line_that_is_not_understood_is_an_error() {
        let conversation = Conversation::parse(GOOD).expect("it is read");
        let step = &conversation.steps[0];
        assert_eq!(step.stdin, "{ \"a\": 1}");
        assert!(
            step.environment
                .contains(&("A".to_owned(), "b=c".to_owned()))
        );
        assert!(!step.environment.iter().any(|(name, _)| name == "CNI_NETNS"));
        for (old, new) in [
            ("exit 0", "exits 0"),
            ("exit 0", "exit x"),
            ("exit 0\n", ""),
            ("c1 eth0", "c1"),
        ] {
            let error = Conversation::parse(&GOOD.replace(old, new));
            assert!(error.is_err(), "{old} {new}");
        }
    }
}
