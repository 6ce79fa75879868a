//! Whether an answer is the one that a conversation expects.

use serde_json::Value;

/// Equal in every key and value; a text that ends in `*` stands for any text that begins so. Err = where they differ.
pub fn compare(expected: &Value, found: &Value) -> Result<(), String> {
    at("", expected, found)
}

fn at(path: &str, expected: &Value, found: &Value) -> Result<(), String> {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            for key in expected.keys().chain(found.keys()) {
                let (one, other) = (expected.get(key), found.get(key));
                let (Some(one), Some(other)) = (one, other) else {
                    let side = if one.is_some() { "missing" } else { "too much" };
                    return Err(format!("{path}.{key} is {side}"));
                };
                at(&format!("{path}.{key}"), one, other)?;
            }
            Ok(())
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            let mut pairs = expected.iter().zip(found).enumerate();
            pairs.try_for_each(|(index, (one, other))| at(&format!("{path}[{index}]"), one, other))
        }
        (Value::String(expected), Value::String(found)) if begins(expected, found) => Ok(()),
        _ if expected == found => Ok(()),
        _ => Err(format!("{path} is {found}, not {expected}")),
    }
}

fn begins(expected: &str, found: &str) -> bool {
    let start = expected.strip_suffix('*');
    start.is_some_and(|start| found.starts_with(start))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::compare;

    /// Promise (negative control): any difference is found, with its place; only a star stands for more.
    #[test]
    fn differences_are_found() {
        let expected =
            json!({ "code": 7, "msg": "ipam is*", "ips": [{ "address": "10.0.3.7/24" }] });
        let good =
            json!({ "code": 7, "msg": "ipam is missing", "ips": [{ "address": "10.0.3.7/24" }] });
        assert_eq!(compare(&expected, &good), Ok(()));
        let changes: [(&str, Value); 5] = [
            ("code", json!(11)),
            ("msg", json!("ipam")),
            ("ips", json!([])),
            ("ips", json!([{ "address": "10.0.3.8/24" }])),
            ("more", json!(1)),
        ];
        for (key, value) in changes {
            let mut bad = good.clone();
            bad[key] = value;
            let difference = compare(&expected, &bad).expect_err("a difference");
            assert!(difference.starts_with(&format!(".{key}")), "{difference}");
        }
        assert!(compare(&good, &json!({ "code": 7 })).is_err());
    }
}
