//! One system's steps: the medians over all its rounds.

use serde_json::Value;

/// One step of one system: medians over the rounds.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub name: String,
    pub in_flight: Option<u64>,
    pub per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
    pub failed: u64,
    /// Of each server, the busiest first: per cent of one core, and MiB that were resident at the end.
    pub servers: Vec<(f64, f64)>,
    /// The same of the load tester.
    pub client: (f64, f64),
}

/// The medians of each step over all reports of one system, which all have the same steps.
pub fn steps(reports: &[Value]) -> Vec<Step> {
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
            servers: ranked(rounds, |name| name != "client"),
            client: ranked(rounds, |name| name == "client")
                .first()
                .copied()
                .unwrap_or_default(),
        }
    }
}

/// Medians by rank: which replica leads, and so works most, differs from round to round.
fn ranked(rounds: &[&Value], wanted: impl Fn(&str) -> bool) -> Vec<(f64, f64)> {
    let number = |cost: &Value, key: &str| cost[key].as_f64().unwrap_or(0.0);
    let of_round = |round: &&Value| {
        let costs = round["cost"].as_array().into_iter().flatten();
        let wanted = costs.filter(|cost| wanted(cost["name"].as_str().unwrap_or_default()));
        let mebibytes = |cost: &Value| number(cost, "resident_bytes") / 1_048_576.0;
        let pair = |cost: &Value| (number(cost, "cpu_percent"), mebibytes(cost));
        let mut costs: Vec<(f64, f64)> = wanted.map(pair).collect();
        costs.sort_by(|one, other| other.0.total_cmp(&one.0));
        costs
    };
    let rounds: Vec<Vec<(f64, f64)>> = rounds.iter().map(of_round).collect();
    let ranks = rounds.iter().map(Vec::len).min().unwrap_or(0);
    let at = |rank: usize, read: fn(&(f64, f64)) -> f64| {
        median(rounds.iter().map(|costs| read(&costs[rank])).collect())
    };
    (0..ranks)
        .map(|rank| (at(rank, |cost| cost.0), at(rank, |cost| cost.1)))
        .collect()
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

/// The middle one; of an even number between the middle two.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        even if even % 2 == 0 => (values[middle - 1] + values[middle]) / 2.0,
        _ => values[middle],
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    /// Promise: the median of an even number is between the middle two.
    #[test]
    fn medians() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
    }
}
