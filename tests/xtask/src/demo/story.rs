//! What the demo does, in order.

use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::facts::Facts;
use super::fleet::{Fleet, Owner, Task};
use super::kubelet::{Kubelet, NAMESPACE};
use super::report::{self, Step, Verdict};
use super::scratch::Scratch;
use super::{PATIENCE, moment, standing, workers};
use crate::build::Programs;
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;

const ZONES: [&str; 3] = ["a", "b", "c"];
const NODES_PER_ZONE: usize = 2;
const STATIC_PODS: usize = 6;
/// How many pods the Deployment has, step by step.
const SCALE: [usize; 4] = [60, 20, 90, 40];

/// The demo under way.
pub struct Story {
    cluster: Cluster,
    fleet: Fleet,
    interrupt: Interrupt,
    bar: ProgressBar,
    steps: Vec<Step>,
    verdict: Verdict,
}

// === impl Story ===

impl Story {
    /// Opens the stream of facts; nothing has happened yet.
    pub fn begin(
        programs: Programs,
        mut cluster: Cluster,
        folder: &Path,
        interrupt: Interrupt,
    ) -> Result<Self> {
        let leader = cluster.wait_for_leader(&interrupt)?;
        println!(
            "three replicas run, {leader} leads; their data is in {}\n",
            folder.display()
        );
        let facts = Facts::open(cluster.control(), cluster.is_tethered(), interrupt.clone())?;
        let kubelet = Kubelet::new(programs.berth_cni, cluster.endpoints());
        let fleet = Fleet::new(kubelet, facts, interrupt.clone());
        Ok(Self {
            cluster,
            fleet,
            interrupt,
            bar: bar(),
            steps: Vec::new(),
            verdict: Verdict::default(),
        })
    }

    /// All of it.
    pub fn tell(&mut self) -> Result<()> {
        self.make_vswitches_and_nodes()?;
        let statics: Vec<String> = (0..STATIC_PODS)
            .map(|number| format!("db-{number}"))
            .collect();
        self.step("web scaled from 0 to 60", self.scale(SCALE[0])?)?;
        let start = |(place, pod): (usize, &String)| {
            let node = node(place % ZONES.len(), 0);
            Task::Start {
                pod: pod.clone(),
                node,
                owner: Owner::StatefulSet,
            }
        };
        self.step(
            "db started: 6 static addresses",
            statics.iter().enumerate().map(start).collect(),
        )?;
        self.step("web scaled down to 20", self.scale(SCALE[1])?)?;
        let witness = self.note_who_has(&statics[0])?;

        self.step_with_a_kill(
            "web scaled up to 90, db moved",
            interleave(self.scale(SCALE[2])?, moves(&statics, 1)),
        )?;
        self.restart_the_killed()?;
        self.step(
            "web scaled to 40, db moved back",
            interleave(self.scale(SCALE[3])?, moves(&statics, 0)),
        )?;
        self.bar.finish_and_clear();
        self.ask_the_past(&witness)?;
        self.compare_replicas()
    }

    /// Prints the table and the verdict; whether it holds.
    pub fn verdict(&mut self, took: Duration) -> bool {
        self.verdict.duplicates = self.fleet.duplicates();
        self.verdict.moves = self.fleet.moves();
        println!("\n{}\n", report::table(&self.steps));
        println!(
            "  p50 and p99 of the ADD, the whole berth-cni process; hand-over: p50 of static addresses that go"
        );
        println!(
            "  to another node, two seconds after their DEL; longest: with all retries. {} in all.\n",
            report::seconds(took)
        );
        for complaint in self.verdict.complaints() {
            println!("! {complaint}");
        }
        println!("{}", self.verdict.line());
        self.verdict.holds()
    }

    /// Leaves everything running, and says what to try.
    pub fn keep(mut self, scratch: Scratch) -> Result<()> {
        let endpoints = self.cluster.endpoints();
        let (_, addresses) = self.fleet.whereabouts("db-0")?;
        let mut processes = self.cluster.release();
        processes.extend(self.fleet.facts().release());
        standing::remember(
            &processes,
            &scratch.keep(),
            &endpoints,
            addresses.first().map_or("", String::as_str),
        )
    }

    /// The last words of replicas that ended by themselves.
    pub fn show_last_words(&mut self) {
        self.bar.finish_and_clear();
        for words in self.cluster.last_words() {
            eprintln!("{words}");
        }
    }

    fn make_vswitches_and_nodes(&self) -> Result<()> {
        let control = self.cluster.control();
        for (number, zone) in (1..).zip(ZONES) {
            let (name, cidr) = (format!("zone-{zone}"), format!("10.98.{number}.0/24"));
            control.json(&[
                "vswitch", "create", &name, "--zone", zone, "--cidr", &cidr, "--reason", "demo",
            ])?;
        }
        for (zone, place) in all_nodes() {
            let name = node(zone, place);
            control.json(&[
                "node",
                "register",
                &name,
                "--zone",
                ZONES[zone],
                "--reason",
                "demo",
            ])?;
            self.fleet
                .facts()
                .tell(&json!({"kind": "node", "name": name, "uid": name}))?;
        }
        self.fleet
            .facts()
            .tell(&json!({"kind": "namespace", "name": NAMESPACE}))?;
        let line = self.fleet.facts().tell(&json!({"kind": "synced"}))?;
        self.fleet.facts().wait_until_taken(line)
    }

    /// What brings the Deployment to so many pods.
    fn scale(&self, wanted: usize) -> Result<Vec<Task>> {
        let there = self.fleet.names(Owner::Deployment);
        let name = |number: usize| format!("web-{number:03}");
        let nodes: Vec<String> = all_nodes().map(|(zone, place)| node(zone, place)).collect();
        let more = (there.len()..wanted).map(|number| Task::Start {
            pod: name(number),
            node: nodes[number % nodes.len()].clone(),
            owner: Owner::Deployment,
        });
        let fewer = (wanted..there.len())
            .rev()
            .map(|number| Task::Stop { pod: name(number) });
        Ok(more.chain(fewer).collect())
    }

    fn step(&mut self, name: &str, tasks: Vec<Task>) -> Result<()> {
        self.perform(name, tasks, false)
    }

    fn step_with_a_kill(&mut self, name: &str, tasks: Vec<Task>) -> Result<()> {
        self.perform(&format!("{name}; leader killed"), tasks, true)
    }

    fn perform(&mut self, name: &str, tasks: Vec<Task>, kill: bool) -> Result<()> {
        self.bar.inc_length(tasks.len() as u64);
        self.bar.set_message(name.to_owned());
        let begun = Instant::now();
        let (cluster, interrupt, bar) = (&mut self.cluster, &self.interrupt, &self.bar);
        workers::perform(&self.fleet, tasks, bar, interrupt, || {
            if kill {
                kill_leader(cluster, interrupt, bar)
            } else {
                Ok(())
            }
        })?;
        let took = begun.elapsed();
        let samples = self.fleet.drain_samples();
        self.verdict.samples.extend(&samples);
        self.bar
            .suspend(|| println!("* {name}: {}", report::seconds(took)));
        self.steps.push(Step {
            name: name.to_owned(),
            samples,
        });
        Ok(())
    }

    fn restart_the_killed(&mut self) -> Result<()> {
        self.cluster.restart_killed()?;
        self.bar
            .suspend(|| println!("* the killed replica is started again on its own data"));
        Ok(())
    }

    fn note_who_has(&self, pod: &str) -> Result<Witness> {
        let (node, addresses) = self.fleet.whereabouts(pod)?;
        let address = addresses
            .into_iter()
            .next()
            .ok_or(Error::new(format!("{pod} has no address")))?;
        Ok(Witness {
            pod: format!("{NAMESPACE}/{pod}"),
            node,
            address,
            moment: moment::now(),
        })
    }

    /// The history of one address, and who held it before everything went on.
    fn ask_the_past(&mut self, witness: &Witness) -> Result<()> {
        let control = self.cluster.control();
        let history = ["history", "--ip", &witness.address, "--limit", "12"];
        println!(
            "\n$ berthctl {}\n{}",
            history.join(" "),
            control.text(&history)?.0
        );
        let then = ["whohas", &witness.address, "--at", &witness.moment];
        println!(
            "\n$ berthctl {}\n{}",
            then.join(" "),
            control.text(&then)?.0
        );
        let answer = control.json(&then)?;
        if let Some(wrong) = witness.differs_from(&answer) {
            self.verdict.failures.push(wrong);
        }
        Ok(())
    }

    /// All three ledgers are the same and break no rule, and the pods hold what the ledger says.
    fn compare_replicas(&mut self) -> Result<()> {
        let control = self.cluster.control().clone();
        let (text, holds) =
            self.interrupt
                .wait_for("the restarted replica to catch up", PATIENCE, || {
                    // Until the restarted one has caught up, it differs by its index alone; then the answer is final.
                    control
                        .text(&["check"])
                        .ok()
                        .filter(|(text, _)| !text.contains("did not answer"))
                })?;
        println!("\n$ berthctl check\n{text}");
        if !holds {
            self.verdict
                .failures
                .push("`berthctl check` does not hold; see above".to_owned());
        }
        let listed = control.json(&["allocation", "list"])?;
        let listed = listed
            .get("items")
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
        if listed != self.fleet.held() {
            let held = self.fleet.held();
            self.verdict.failures.push(format!(
                "{held} pods hold an address, but the ledger lists {listed} allocations"
            ));
        }
        Ok(())
    }
}

/// Who had an address at a moment, as the demo saw it.
struct Witness {
    pod: String,
    node: String,
    address: String,
    moment: String,
}

// === impl Witness ===

impl Witness {
    fn differs_from(&self, answer: &Value) -> Option<String> {
        let text = |name: &str| {
            answer
                .pointer(&format!("/allocation/{name}"))
                .and_then(Value::as_str)
                .unwrap_or("nobody")
        };
        let said = format!("{}/{} on {}", text("namespace"), text("pod"), text("node"));
        let seen = format!("{} on {}", self.pod, self.node);
        (said != seen).then(|| {
            format!(
                "at {} {} was held by {seen}, but the history says {said}",
                self.moment, self.address
            )
        })
    }
}

fn kill_leader(cluster: &mut Cluster, interrupt: &Interrupt, bar: &ProgressBar) -> Result<()> {
    let name = cluster.kill_leader(interrupt)?;
    let killed = Instant::now();
    bar.suspend(|| println!("* kill -9 of {name}, the leader"));
    let leader = cluster.wait_for_leader(interrupt)?;
    bar.suspend(|| {
        println!(
            "* {leader} leads, {} later",
            report::seconds(killed.elapsed())
        )
    });
    Ok(())
}

fn node(zone: usize, place: usize) -> String {
    format!("worker-{}{}", ZONES[zone], place + 1)
}

fn all_nodes() -> impl Iterator<Item = (usize, usize)> {
    (0..NODES_PER_ZONE).flat_map(|place| (0..ZONES.len()).map(move |zone| (zone, place)))
}

/// Every static pod to the node of its zone at this place.
fn moves(statics: &[String], place: usize) -> Vec<Task> {
    let to = |number: usize| node(number % ZONES.len(), place);
    statics
        .iter()
        .enumerate()
        .map(|(number, pod)| Task::Move {
            pod: pod.clone(),
            to: to(number),
        })
        .collect()
}

/// The few spread evenly among the many.
fn interleave(many: Vec<Task>, few: Vec<Task>) -> Vec<Task> {
    let every = (many.len() / few.len().max(1)).max(1);
    let mut few = few.into_iter();
    let mut mixed = Vec::new();
    for (place, task) in many.into_iter().enumerate() {
        if place % every == 0 {
            mixed.extend(few.next());
        }
        mixed.push(task);
    }
    mixed.extend(few);
    mixed
}

fn bar() -> ProgressBar {
    let target = if super::is_watched() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(0), target);
    // The template is a constant of ours; the default style serves if it were wrong.
    let style = ProgressStyle::with_template("[{bar:30}] {pos}/{len} pods  {msg}");
    bar.with_style(
        style
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> "),
    )
}

#[cfg(test)]
mod tests {
    use super::{Owner, Task, Value, Witness, interleave, json, moves};

    /// Promise: every static pod goes to another node of its own zone, because a zone pins an address.
    #[test]
    fn a_static_pod_moves_within_its_zone() {
        let statics: Vec<String> = (0..4).map(|number| format!("db-{number}")).collect();
        let targets: Vec<String> = moves(&statics, 1)
            .into_iter()
            .map(|task| match task {
                Task::Move { to, .. } => to,
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(
            targets,
            ["worker-a2", "worker-b2", "worker-c2", "worker-a2"]
        );
    }

    /// Promise: nothing is lost when two lists are mixed, and the few do not all come last.
    #[test]
    fn mixing_loses_nothing() {
        let start = |number: usize| Task::Start {
            pod: number.to_string(),
            node: String::new(),
            owner: Owner::Deployment,
        };
        let mixed = interleave(
            (0..10).map(start).collect(),
            moves(&["x".to_owned(), "y".to_owned()], 0),
        );
        assert_eq!(mixed.len(), 12);
        let places: Vec<usize> = (0..12)
            .filter(|at| matches!(mixed[*at], Task::Move { .. }))
            .collect();
        assert_eq!(places, [0, 6]);
    }

    /// Promise (negative control): a history that names another pod, another node or nobody is noticed.
    #[test]
    fn a_wrong_history_is_noticed() {
        let word = str::to_owned;
        let witness = Witness {
            pod: word("shop/db-0"),
            node: word("n1"),
            address: word("10.0.0.9"),
            moment: word("m"),
        };
        let answer = |pod: &str, node: &str| json!({"allocation": {"namespace": "shop", "pod": pod, "node": node}});
        assert_eq!(witness.differs_from(&answer("db-0", "n1")), None);
        for wrong in [
            answer("db-1", "n1"),
            answer("db-0", "n2"),
            json!({"allocation": Value::Null}),
        ] {
            assert!(witness.differs_from(&wrong).is_some(), "{wrong}");
        }
    }
}
