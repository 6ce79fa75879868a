//! Keys for a while: a role that is assumed (STS 2015-04-01, `AssumeRole`), and the one that a machine has (ECS, "Instance RAM roles").

use crate::simulator::date;
use crate::simulator::random::Random;
use crate::simulator::refusal::Refusal;
use crate::simulator::request::Request;
use crate::simulator::setup::{AccessKey, Role, Setup};
use serde_json::{Value, json};
use std::ops::RangeInclusive;

/// How long a session may be, in s, and what it is if nobody says it (STS API, `DurationSeconds`).
const DURATION_S: RangeInclusive<usize> = 900..=3_600;
/// How long a machine has a key, in ms (ECS, "Instance RAM roles": replaced before its six hours end).
const MACHINE_KEY_MS: u64 = 6 * 3_600_000;

/// Characters of a session's name (STS API, `RoleSessionName`).
const SESSION: RangeInclusive<usize> = 2..=64;

/// A key of a role, for whoever signed the request; it may call what the role may.
pub(super) fn assume(
    setup: &mut Setup,
    random: &mut Random,
    request: &Request,
    now_ms: u64,
) -> Result<Value, Refusal> {
    let arn = request.required("RoleArn")?;
    let session = request.required("RoleSessionName")?;
    let fits = |c: char| c.is_ascii_alphanumeric() || ".@-_".contains(c);
    if !SESSION.contains(&session.len()) || !session.chars().all(fits) {
        return Err(wrong("InvalidParameter.RoleSessionName", "RoleSessionName"));
    }
    let duration_s = request.count("DurationSeconds")?;
    let duration_s = duration_s.unwrap_or(*DURATION_S.end());
    if !DURATION_S.contains(&duration_s) {
        return Err(wrong("InvalidParameter.DurationSeconds", "DurationSeconds"));
    }
    let role = setup.roles.iter().find(|role| role.arn == arn);
    let role = role.cloned().ok_or_else(|| {
        let message = format!("The role {arn} does not exist.");
        Refusal::new(404, "EntityNotExist.Role", message)
    })?;
    if !role.trusts.contains(&request.signer) {
        return Err(Refusal::new(
            403,
            "NoPermission",
            "You are not authorized to do this action. You should be authorized by RAM.",
        ));
    }
    let ends_ms = now_ms + duration_s as u64 * 1_000;
    let key = issue(setup, random, &role, ends_ms);
    Ok(json!({
        "Credentials": words(&key),
        "AssumedRoleUser": { "Arn": format!("{arn}/{session}"), "AssumedRoleId": format!("{}:{session}", role.name()) },
    }))
}

/// What the metadata service says of a role; none = the machine has it not.
pub(super) fn of_machine(
    setup: &mut Setup,
    random: &mut Random,
    name: &str,
    now_ms: u64,
) -> Option<Value> {
    let machine = setup.machine_role.as_ref()?;
    let mut roles = setup.roles.iter();
    let role = roles.find(|role| role.name() == name && role.arn == *machine)?;
    let role = role.clone();
    let key = issue(setup, random, &role, now_ms + MACHINE_KEY_MS);
    let mut said = words(&key);
    said["Code"] = json!("Success");
    said["LastUpdated"] = json!(date::text(now_ms));
    Some(said)
}

/// A new key that is known from now on.
fn issue(setup: &mut Setup, random: &mut Random, role: &Role, ends_ms: u64) -> AccessKey {
    let key = AccessKey {
        id: format!("STS.{}", random.hex(16)),
        secret: random.hex(16),
        rights: role.rights.clone(),
        security_token: Some(random.hex(16)),
        ends_ms: Some(ends_ms),
    };
    setup.keys.push(key.clone());
    key
}

fn words(key: &AccessKey) -> Value {
    json!({
        "AccessKeyId": key.id,
        "AccessKeySecret": key.secret,
        "SecurityToken": key.security_token,
        "Expiration": date::text(key.ends_ms.unwrap_or_default()),
    })
}

fn wrong(code: &'static str, parameter: &str) -> Refusal {
    Refusal::new(
        400,
        code,
        format!("The parameter {parameter} is wrongly formed."),
    )
}
