//! The medians of all rounds, side by side, and the figures to reach.

use serde_json::{Value, json};

use super::{Reports, berth, etcd};

/// Transactions per second of Berth to etcd's, 256 in flight: less is a failure of the design.
const RATIO_FLOOR: f64 = 2.2;
/// See [`RATIO_FLOOR`]; what is wanted.
const RATIO_GOAL: f64 = 3.0;
/// Berth's p99 to etcd's, 256 in flight: at most.
const P99_SHARE_MOST: f64 = 0.5;
/// One replica, 256 in flight: durable allocations per second.
const ONE_REPLICA_PER_SECOND: f64 = 20_000.0;

/// One step of one system: medians over the rounds.
#[derive(Clone, Debug, PartialEq)]
struct Step {
    name: String,
    in_flight: Option<u64>,
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    p999_ms: f64,
    failed: u64,
    /// Of all servers together, per cent of one core and MiB.
    cpu_percent: f64,
    resident_mib: f64,
}

/// Everything side by side.
#[derive(Debug)]
pub struct Comparison {
    one: Vec<Step>,
    three: Vec<Step>,
    etcd: Vec<Step>,
    etcd_version: String,
    churn: Vec<Vec<Step>>,
    faults: Vec<String>,
}

/// A figure, what was wanted, and whether it was reached.
#[derive(Debug, PartialEq)]
struct Figure {
    what: String,
    value: f64,
    reached: bool,
}

/// Whether every report of Berth says that every address was right.
pub fn all_correct(reports: &Reports) -> bool {
    let mut all = reports
        .one_replica
        .iter()
        .chain(&reports.three_replicas)
        .chain(&reports.churn);
    all.all(|report| report["correctness"]["holds"] == Value::Bool(true))
}

// === impl Comparison ===

impl Comparison {
    pub fn new(reports: &Reports) -> Self {
        let all = reports
            .one_replica
            .iter()
            .chain(&reports.three_replicas)
            .chain(&reports.churn);
        let faults = all
            .filter_map(|report| report["correctness"]["faults"].as_array())
            .flatten();
        let version = reports
            .etcd
            .first()
            .and_then(|report| report["version"].as_str());
        Self {
            one: steps(&reports.one_replica),
            three: steps(&reports.three_replicas),
            etcd: steps(&reports.etcd),
            etcd_version: version.unwrap_or_default().to_owned(),
            churn: reports
                .churn
                .iter()
                .map(|report| steps(std::slice::from_ref(report)))
                .collect(),
            faults: faults
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
        }
    }

    /// For people.
    pub fn table(&self) -> String {
        let mut text = head("Berth, one replica") + &rows(&self.one);
        text += &(head("Berth, three replicas") + &rows(&self.three));
        if !self.etcd.is_empty() {
            let title = format!("etcd {}, three members", self.etcd_version);
            text += &(head(&title) + &rows(&self.etcd) + "\n" + &self.ratios());
        }
        for (replicas, steps) in ["one replica", "three replicas"].iter().zip(&self.churn) {
            text += &(head(&format!("Churn, {replicas}")) + &rows(steps));
        }
        text += &format!("\nDurable: Berth: {}.\n", berth::DURABLE);
        if !self.etcd.is_empty() {
            text += &format!("         etcd: {}.\n", etcd::DURABLE);
        }
        text += "\nFigures to reach\n";
        for figure in self.figures() {
            let mark = if figure.reached {
                "reached"
            } else {
                "NOT reached"
            };
            text += &format!("  {:<66} {:>10.2}  {mark}\n", figure.what, figure.value);
        }
        for fault in &self.faults {
            text += &format!("WRONG: {fault}\n");
        }
        text
    }

    /// For programs.
    pub fn document(&self) -> Value {
        let figure = |figure: Figure| json!({ "what": figure.what, "value": figure.value, "reached": figure.reached });
        self.figures().into_iter().map(figure).collect()
    }

    fn ratios(&self) -> String {
        let mut text = "Berth to etcd, three replicas each\n".to_owned();
        for (berth, etcd) in self.pairs() {
            let (rate, p99) = (
                berth.per_second / etcd.per_second,
                berth.p99_ms / etcd.p99_ms,
            );
            text += &format!(
                "  {:<18} {rate:>6.2} x the rate  {p99:>6.2} x the p99\n",
                berth.name
            );
        }
        text
    }

    fn pairs(&self) -> impl Iterator<Item = (&Step, &Step)> {
        let same = |berth: &&Step, etcd: &&Step| berth.name == etcd.name;
        self.three.iter().filter_map(move |berth| {
            let etcd = self.etcd.iter().find(|etcd| same(&berth, etcd))?;
            Some((berth, etcd))
        })
    }

    fn figures(&self) -> Vec<Figure> {
        let mut figures = Vec::new();
        let mut figure = |what: String, value: f64, reached: bool| {
            figures.push(Figure {
                what,
                value,
                reached,
            });
        };
        for (berth, etcd) in self.pairs() {
            let ratio = berth.per_second / etcd.per_second;
            let share = berth.p99_ms / etcd.p99_ms;
            match berth.in_flight {
                Some(1) => figure(
                    "1 in flight: rate to etcd's, at least 1".into(),
                    ratio,
                    ratio >= 1.0,
                ),
                Some(256) => {
                    let floor = format!("256 in flight: rate to etcd's, at least {RATIO_FLOOR}");
                    figure(floor, ratio, ratio >= RATIO_FLOOR);
                    let goal = format!("256 in flight: rate to etcd's, goal {RATIO_GOAL}");
                    figure(goal, ratio, ratio >= RATIO_GOAL);
                    let most = format!("256 in flight: p99 to etcd's, at most {P99_SHARE_MOST}");
                    figure(most, share, share <= P99_SHARE_MOST);
                }
                _ => {}
            }
        }
        for step in self.one.iter().filter(|step| step.in_flight == Some(256)) {
            let what =
                format!("one replica, 256 in flight: per second, over {ONE_REPLICA_PER_SECOND}");
            figure(
                what,
                step.per_second,
                step.per_second > ONE_REPLICA_PER_SECOND,
            );
        }
        figures
    }
}

/// The medians of each step over all reports of one system, which all have the same steps.
fn steps(reports: &[Value]) -> Vec<Step> {
    let Some(first) = reports.first() else {
        return Vec::new();
    };
    let rounds = first["rounds"].as_array().map_or(0, Vec::len);
    let mut steps = Vec::new();
    for at in 0..rounds {
        let requests = first["rounds"][at]["latency"].as_object();
        for request in requests.into_iter().flat_map(serde_json::Map::keys) {
            let same: Vec<&Value> = reports.iter().map(|report| &report["rounds"][at]).collect();
            steps.push(Step::of(request, &same));
        }
    }
    steps
}

// === impl Step ===

impl Step {
    fn of(request: &str, rounds: &[&Value]) -> Self {
        let over =
            |read: &dyn Fn(&Value) -> f64| median(rounds.iter().map(|round| read(round)).collect());
        let number = |value: &Value| value.as_f64().unwrap_or(0.0);
        let ms =
            |quantile: &str| over(&|round| number(&round["latency"][request][quantile]) / 1_000.0);
        let servers = |key: &str, round: &Value| -> f64 {
            let costs = round["cost"].as_array().into_iter().flatten();
            costs
                .filter(|cost| cost["name"] != "client")
                .map(|cost| number(&cost[key]))
                .sum()
        };
        let failed = |round: &&Value| {
            round["failed"]
                .as_object()
                .map(|failed| failed.values().filter_map(Value::as_u64).sum::<u64>())
        };
        Self {
            name: name(request, rounds[0]),
            in_flight: rounds[0]["in_flight"].as_u64(),
            per_second: over(&|round| {
                number(&round["latency"][request]["count"]) / number(&round["seconds"])
            }),
            p50_ms: ms("p50_us"),
            p99_ms: ms("p99_us"),
            p999_ms: ms("p999_us"),
            failed: rounds.iter().filter_map(failed).sum(),
            cpu_percent: over(&|round| servers("cpu_percent", round)),
            resident_mib: over(&|round| servers("resident_bytes", round) / 1_048_576.0),
        }
    }
}

fn name(request: &str, round: &Value) -> String {
    match (
        round["in_flight"].as_u64(),
        round["offered_per_second"].as_u64(),
    ) {
        (Some(in_flight), _) => format!("{in_flight} in flight"),
        (_, Some(offered)) => format!("{offered}/s offered"),
        _ => request.to_owned(),
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        even if even % 2 == 0 => (values[middle - 1] + values[middle]) / 2.0,
        _ => values[middle],
    }
}

fn head(title: &str) -> String {
    format!(
        "\n{title:<30}\n  {:<18} {:>9} {:>9} {:>9} {:>10} {:>7} {:>9} {:>10}\n",
        "", "done/s", "p50 ms", "p99 ms", "p99.9 ms", "failed", "CPU %", "MiB"
    )
}

fn rows(steps: &[Step]) -> String {
    let row = |step: &Step| {
        format!(
            "  {:<18} {:>9.0} {:>9.2} {:>9.2} {:>10.2} {:>7} {:>9.0} {:>10.0}\n",
            step.name,
            step.per_second,
            step.p50_ms,
            step.p99_ms,
            step.p999_ms,
            step.failed,
            step.cpu_percent,
            step.resident_mib
        )
    };
    steps.iter().map(row).collect()
}

#[cfg(test)]
mod tests;
